// SPDX-License-Identifier: Apache-2.0

// What the API does to a Service beside storing it: defaults, fields that
// depend on the type, the wiping of status, and validation (core/v1 Service).
package main

import (
	"fmt"
	"net"
	"strings"
)

func serviceType(svc object) string { return str(svc, "spec", "type") }

func isLoadBalancer(svc object) bool { return svc != nil && serviceType(svc) == "LoadBalancer" }

func hasNodePorts(svc object) bool {
	t := serviceType(svc)
	return t == "NodePort" || (t == "LoadBalancer" && get(svc, "spec", "allocateLoadBalancerNodePorts") != false)
}

func isExternal(svc object) bool { return serviceType(svc) == "NodePort" || isLoadBalancer(svc) }

func isLocal(svc object) bool { return str(svc, "spec", "externalTrafficPolicy") == "Local" }

func needsHealthCheckPort(svc object) bool { return isLoadBalancer(svc) && isLocal(svc) }

// defaultService sets what does not depend on the cluster or the old object.
func defaultService(svc object) {
	spec := child(svc, "spec")
	setDefault(spec, "type", "ClusterIP")
	setDefault(spec, "sessionAffinity", "None")
	if spec["sessionAffinity"] == "ClientIP" {
		setDefault(child(child(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds", num(10800))
	}
	if serviceType(svc) != "ExternalName" {
		setDefault(spec, "internalTrafficPolicy", "Cluster")
	}
	if isExternal(svc) {
		setDefault(spec, "externalTrafficPolicy", "Cluster")
	}
	if isLoadBalancer(svc) {
		setDefault(spec, "allocateLoadBalancerNodePorts", true)
	}
	for _, port := range objects(list(spec, "ports")) {
		setDefault(port, "protocol", "TCP")
		if target := port["targetPort"]; target == nil || target == "" || equal(target, 0) {
			port["targetPort"] = port["port"]
		}
	}
	lb := child(child(svc, "status"), "loadBalancer")
	for _, in := range objects(list(lb, "ingress")) {
		if str(in, "ip") != "" {
			setDefault(in, "ipMode", "VIP")
		}
	}
	if isEmpty(lb["ingress"]) {
		delete(lb, "ingress")
	}
}

// dropOutdated clears what came from the old type and was not asked for anew.
func dropOutdated(old, svc object) {
	spec, oldSpec := child(svc, "spec"), child(old, "spec")
	drop := func(key string, needed bool) {
		if !needed && equal(spec[key], oldSpec[key]) {
			delete(spec, key)
		}
	}
	if serviceType(old) != "ExternalName" && serviceType(svc) == "ExternalName" {
		for _, key := range []string{"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"} {
			drop(key, false)
		}
	}
	if hasNodePorts(old) && !isExternal(svc) && sameNodePorts(old, svc) {
		for _, port := range objects(list(spec, "ports")) {
			delete(port, "nodePort")
		}
	}
	drop("healthCheckNodePort", needsHealthCheckPort(svc))
	drop("allocateLoadBalancerNodePorts", isLoadBalancer(svc))
	drop("loadBalancerClass", isLoadBalancer(svc))
	drop("externalTrafficPolicy", isExternal(svc))
	if !isLoadBalancer(svc) && isLoadBalancer(old) {
		child(svc, "status")["loadBalancer"] = object{}
	}
}

func sameNodePorts(a, b object) bool {
	ports := func(svc object) (out []string) {
		for _, p := range objects(list(svc, "spec", "ports")) {
			out = append(out, string(encode(p["nodePort"])))
		}
		return out
	}
	x, y := ports(a), ports(b)
	return strings.Join(x, ",") == strings.Join(y, ",")
}

func validateService(svc object, errs *fieldErrors) {
	spec := child(svc, "spec")
	switch t := serviceType(svc); t {
	case "ClusterIP", "NodePort", "LoadBalancer":
	case "ExternalName":
		if str(spec, "externalName") == "" {
			errs.required("spec.externalName", "")
		}
	default:
		errs.unsupported("spec.type", t, "ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
	}
	if isLoadBalancer(svc) && str(spec, "clusterIP") == "None" {
		errs.invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services")
	}
	validatePorts(svc, errs)
	validateTypeDependent(svc, errs)
	for i, ip := range stringList(spec, "externalIPs") {
		validateIP(fmt.Sprintf("spec.externalIPs[%d]", i), ip, errs)
	}
	for i, cidr := range stringList(spec, "loadBalancerSourceRanges") {
		if _, _, err := net.ParseCIDR(strings.TrimSpace(cidr)); err != nil {
			errs.invalid(fmt.Sprintf("spec.loadBalancerSourceRanges[%d]", i), cidr,
				"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
		}
	}
	validateIngress(svc, errs)
}

func validateIP(field, ip string, errs *fieldErrors) {
	if parseIP(ip) == nil {
		errs.invalid(field, ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
	}
}

// parseIP takes leading zeros, which Go's parser refuses, as the API does in the
// fields that it had before that.
func parseIP(text string) net.IP {
	if !strings.Contains(text, ":") {
		parts := strings.Split(text, ".")
		for i, part := range parts {
			if trimmed := strings.TrimLeft(part, "0"); trimmed != "" || part == "" {
				parts[i] = trimmed
			} else {
				parts[i] = "0"
			}
		}
		text = strings.Join(parts, ".")
	}
	return net.ParseIP(text)
}

func validatePorts(svc object, errs *fieldErrors) {
	ports := objects(list(svc, "spec", "ports"))
	if len(ports) == 0 && serviceType(svc) != "ExternalName" && str(svc, "spec", "clusterIP") != "None" {
		errs.required("spec.ports", "")
	}
	names, seen := map[string]bool{}, map[string]bool{}
	for i, port := range ports {
		at := fmt.Sprintf("spec.ports[%d]", i)
		name := str(port, "name")
		if name == "" && len(ports) > 1 {
			errs.required(at+".name", "")
		}
		if names[name] && name != "" {
			errs.add("FieldValueDuplicate", at+".name", fmt.Sprintf("Duplicate value: %q", name))
		}
		names[name] = true
		if n, ok := number(port["port"]); !ok || n < 1 || n > 65535 {
			errs.invalid(at+".port", n, "must be between 1 and 65535, inclusive")
		}
		if p := str(port, "protocol"); p != "TCP" && p != "UDP" && p != "SCTP" {
			errs.unsupported(at+".protocol", p, "SCTP", "TCP", "UDP")
		}
		key := string(encode([]interface{}{port["port"], port["protocol"]}))
		if seen[key] {
			errs.add("FieldValueDuplicate", at, fmt.Sprintf("Duplicate value: %s", encode(object{
				"port": port["port"], "protocol": port["protocol"]})))
		}
		seen[key] = true
		if port["nodePort"] != nil && !isExternal(svc) {
			errs.forbidden(at+".nodePort", "may not be used when `type` is '"+serviceType(svc)+"'")
		}
	}
}

func validateTypeDependent(svc object, errs *fieldErrors) {
	spec := child(svc, "spec")
	if !isLoadBalancer(svc) {
		for _, key := range []string{"loadBalancerClass", "allocateLoadBalancerNodePorts", "loadBalancerSourceRanges"} {
			if spec[key] != nil && !isEmpty(spec[key]) {
				errs.forbidden("spec."+key, "may only be used when `type` is 'LoadBalancer'")
			}
		}
	}
	if policy := str(spec, "externalTrafficPolicy"); policy != "" {
		if !isExternal(svc) && len(list(spec, "externalIPs")) == 0 {
			errs.invalid("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services")
		} else if policy != "Cluster" && policy != "Local" {
			errs.unsupported("spec.externalTrafficPolicy", policy, "Cluster", "Local")
		}
	}
	if policy := str(spec, "internalTrafficPolicy"); policy != "" && policy != "Cluster" && policy != "Local" {
		errs.unsupported("spec.internalTrafficPolicy", policy, "Cluster", "Local")
	}
	if class := str(spec, "loadBalancerClass"); class != "" && !labelKey.MatchString(class) {
		errs.invalid("spec.loadBalancerClass", class, "name part must consist of alphanumeric characters, '-', '_' or '.'")
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

func serviceFields(svc object, fields map[string]string) {
	fields["spec.clusterIP"] = str(svc, "spec", "clusterIP")
	fields["spec.type"] = serviceType(svc)
}
