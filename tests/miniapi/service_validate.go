// SPDX-License-Identifier: Apache-2.0

// Validation of a Service (core/v1), after defaults and allocation.
package main

import (
	"fmt"
	"net"
	"regexp"
	"strings"
)

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	// leadingZeros are those of an IPv4 address's parts; IPv6 has none to lose.
	leadingZeros = regexp.MustCompile(`(^|\.)0+([0-9])`)
	portName     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$`)
)

func validateService(svc object, errs *fieldErrors) {
	spec := child(svc, "spec")
	switch t := serviceType(svc); t {
	case "ClusterIP", "NodePort", "LoadBalancer":
	case "ExternalName":
		for _, key := range []string{"clusterIPs", "ipFamilies", "ipFamilyPolicy"} {
			if spec[key] != nil && !isEmpty(spec[key]) {
				errs.forbidden("spec."+key, "may not be set for ExternalName services")
			}
		}
		if name := str(spec, "externalName"); name == "" {
			errs.required("spec.externalName", "")
		} else if !dnsSubdomain.MatchString(strings.TrimSuffix(name, ".")) {
			errs.invalid("spec.externalName", name, "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "+
				"characters, '-' or '.', and must start and end with an alphanumeric character")
		}
	default:
		errs.unsupported("spec.type", t, "ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
	}
	if isExternal(svc) && isHeadless(svc) {
		errs.invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for "+serviceType(svc)+" services")
	}
	for key := range stringMap(spec["selector"]) {
		if !labelKey.MatchString(key) {
			errs.invalid("spec.selector", key, whatIsAName)
		}
	}
	validatePorts(svc, errs)
	validateTypeDependent(svc, errs)
	validateAffinity(spec, errs)
	for i, ip := range stringList(spec, "externalIPs") {
		validateExternalIP(fmt.Sprintf("spec.externalIPs[%d]", i), ip, errs)
	}
	validateIngress(svc, errs)
}

// validateServiceUpdate: what may not change.
func validateServiceUpdate(old, svc object, errs *fieldErrors) {
	if serviceType(old) != "ExternalName" && serviceType(svc) != "ExternalName" {
		before, after := stringList(old, "spec", "clusterIPs"), stringList(svc, "spec", "clusterIPs")
		for i := range before {
			if i < len(after) && before[i] != after[i] {
				errs.invalid(fmt.Sprintf("spec.clusterIPs[%d]", i), anyList(after), "may not change once set")
			}
		}
	}
	if isLoadBalancer(old) && isLoadBalancer(svc) {
		before, after := get(old, "spec", "loadBalancerClass"), get(svc, "spec", "loadBalancerClass")
		if !equal(before, after) {
			errs.invalid("spec.loadBalancerClass", after, "may not change once set")
		}
	}
	if needsHealthCheckPort(old) && needsHealthCheckPort(svc) &&
		!equal(get(old, "spec", "healthCheckNodePort"), get(svc, "spec", "healthCheckNodePort")) {
		errs.forbidden("spec.healthCheckNodePort", "field is immutable")
	}
}

const whatIsAnIP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

func validateIP(field, ip string, errs *fieldErrors) {
	if parseIP(ip) == nil {
		errs.invalid(field, ip, whatIsAnIP)
	}
}

func validateExternalIP(field, text string, errs *fieldErrors) {
	ip := parseIP(text)
	switch {
	case ip == nil:
		errs.invalid(field, text, whatIsAnIP)
	case ip.IsUnspecified():
		errs.invalid(field, text, "may not be unspecified (0.0.0.0 or ::)")
	case ip.IsLoopback():
		errs.invalid(field, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
	case ip.IsLinkLocalUnicast():
		errs.invalid(field, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
	case ip.IsLinkLocalMulticast():
		errs.invalid(field, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
	}
}

// parseIP takes leading zeros, which Go's parser refuses, as the API does in the
// fields that it had before that.
func parseIP(text string) net.IP { return net.ParseIP(withoutZeros(text)) }

func withoutZeros(text string) string { return leadingZeros.ReplaceAllString(text, "$1$2") }

func validatePorts(svc object, errs *fieldErrors) {
	ports := objects(list(svc, "spec", "ports"))
	if len(ports) == 0 && serviceType(svc) != "ExternalName" && !isHeadless(svc) {
		errs.required("spec.ports", "")
	}
	names, seen := map[string]bool{}, map[string]bool{}
	for i, port := range ports {
		at := fmt.Sprintf("spec.ports[%d]", i)
		name := str(port, "name")
		switch {
		case name == "" && len(ports) > 1:
			errs.required(at+".name", "")
		case name != "" && !dnsLabel.MatchString(name):
			errs.invalid(at+".name", name, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters "+
				"or '-', and must start and end with an alphanumeric character")
		case name != "" && names[name]:
			errs.add("FieldValueDuplicate", at+".name", fmt.Sprintf("Duplicate value: %q", name))
		}
		names[name] = true
		validatePortNumbers(at, port, errs)
		if p := str(port, "protocol"); p != "TCP" && p != "UDP" && p != "SCTP" {
			errs.unsupported(at+".protocol", p, "SCTP", "TCP", "UDP")
		}
		key := string(encode([]interface{}{port["port"], port["protocol"]}))
		if seen[key] {
			errs.add("FieldValueDuplicate", at, fmt.Sprintf("Duplicate value: %s", encode(object{
				"port": port["port"], "protocol": port["protocol"]})))
		}
		seen[key] = true
		if port["nodePort"] == nil {
			continue
		}
		if serviceType(svc) == "ClusterIP" {
			errs.forbidden(at+".nodePort", "may not be used when `type` is 'ClusterIP'")
		}
		key = string(encode([]interface{}{"nodePort", port["nodePort"], port["protocol"]}))
		if seen[key] {
			errs.add("FieldValueDuplicate", at+".nodePort", fmt.Sprintf("Duplicate value: %v", port["nodePort"]))
		}
		seen[key] = true
	}
}

func validatePortNumbers(at string, port object, errs *fieldErrors) {
	const outside = "must be between 1 and 65535, inclusive"
	if n, ok := number(port["port"]); !ok || n < 1 || n > 65535 {
		errs.invalid(at+".port", n, outside)
	}
	if name, ok := port["targetPort"].(string); ok {
		if !portName.MatchString(name) || !strings.ContainsAny(name, "abcdefghijklmnopqrstuvwxyz") {
			errs.invalid(at+".targetPort", name, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
		}
	} else if n, _ := number(port["targetPort"]); n < 1 || n > 65535 {
		errs.invalid(at+".targetPort", n, outside)
	}
}

func validateTypeDependent(svc object, errs *fieldErrors) {
	spec := child(svc, "spec")
	ranges := stringList(spec, "loadBalancerSourceRanges")
	if !isLoadBalancer(svc) {
		for _, key := range []string{"loadBalancerClass", "allocateLoadBalancerNodePorts"} {
			if spec[key] != nil {
				errs.forbidden("spec."+key, "may only be used when `type` is 'LoadBalancer'")
			}
		}
		if len(ranges) > 0 {
			errs.forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'")
			ranges = nil
		}
	}
	for i, cidr := range ranges {
		if _, _, err := net.ParseCIDR(withoutZeros(strings.TrimSpace(cidr))); err != nil {
			errs.invalid(fmt.Sprintf("spec.LoadBalancerSourceRanges[%d]", i), cidr,
				"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
		}
	}
	if policy := str(spec, "externalTrafficPolicy"); policy != "" {
		if !isReachable(svc) {
			errs.invalid("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services")
		} else if policy != "Cluster" && policy != "Local" {
			errs.unsupported("spec.externalTrafficPolicy", policy, "Cluster", "Local")
		}
	}
	if d := str(spec, "trafficDistribution"); d != "" && d != "PreferClose" && d != "PreferSameZone" && d != "PreferSameNode" {
		errs.unsupported("spec.trafficDistribution", d, "PreferClose", "PreferSameZone", "PreferSameNode")
	}
	if policy := str(spec, "internalTrafficPolicy"); policy != "" && policy != "Cluster" && policy != "Local" {
		errs.unsupported("spec.internalTrafficPolicy", policy, "Cluster", "Local")
	}
	if n, _ := number(spec["healthCheckNodePort"]); n != 0 && !needsHealthCheckPort(svc) {
		errs.invalid("spec.healthCheckNodePort", n,
			"may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")
	}
	if class := str(spec, "loadBalancerClass"); class != "" && !labelKey.MatchString(class) {
		errs.invalid("spec.loadBalancerClass", class, whatIsAName)
	}
}

func validateAffinity(spec object, errs *fieldErrors) {
	switch affinity := str(spec, "sessionAffinity"); affinity {
	case "None":
	case "ClientIP":
		n, _ := number(get(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds"))
		if n <= 0 || n > 86400 {
			errs.invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", n, "must be greater than 0 and less than 86400")
		}
	default:
		errs.unsupported("spec.sessionAffinity", affinity, "ClientIP", "None")
	}
}

func validateIngress(svc object, errs *fieldErrors) {
	ingress := objects(list(svc, "status", "loadBalancer", "ingress"))
	at := "status.loadBalancer.ingress"
	if len(ingress) > 0 && !isLoadBalancer(svc) {
		errs.forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")
		return
	}
	for i, in := range ingress {
		item := fmt.Sprintf("%s[%d]", at, i)
		ip, host, mode := str(in, "ip"), str(in, "hostname"), str(in, "ipMode")
		if ip != "" {
			validateIP(item+".ip", ip, errs)
		}
		if ip == "" && mode != "" {
			errs.forbidden(item+".ipMode", "may not be specified when `ip` is not set")
		} else if mode != "" && mode != "VIP" && mode != "Proxy" {
			errs.unsupported(item+".ipMode", mode, "Proxy", "VIP")
		}
		if host != "" {
			if !dnsSubdomain.MatchString(host) {
				errs.invalid(item+".hostname", host, "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "+
					"characters, '-' or '.', and must start and end with an alphanumeric character")
			}
			if parseIP(host) != nil {
				errs.invalid(item+".hostname", host, "must be a DNS name, not an IP address")
			}
		}
	}
}
