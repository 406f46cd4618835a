// SPDX-License-Identifier: Apache-2.0

// Which IP families a Service has, and how many: decided from what it asks for,
// from what it was before, and from the ranges that the cluster has.
package main

import (
	"fmt"
	"net"
)

func isHeadless(svc object) bool { return str(svc, "spec", "clusterIP") == "None" }

// matchClusterIPs brings the field for one address and the one for two in line,
// for clients that know only the first.
func matchClusterIPs(old, svc object) {
	spec := child(svc, "spec")
	ip := str(spec, "clusterIP")
	untouched := old != nil && str(old, "spec", "clusterIP") != ip &&
		equal(get(old, "spec", "clusterIPs"), spec["clusterIPs"])
	switch {
	case ip == "":
		delete(spec, "clusterIP")
		if untouched {
			delete(spec, "clusterIPs")
		}
	case untouched || len(list(spec, "clusterIPs")) == 0:
		spec["clusterIPs"] = anyList([]string{ip})
	}
}

// settleFamilies decides policy and families; false: nothing can be allocated.
func (book *serviceBook) settleFamilies(old, svc object, errs *fieldErrors) bool {
	spec := child(svc, "spec")
	freeHeadless := isHeadless(svc) && spec["selector"] == nil
	if freeHeadless {
		setDefault(spec, "ipFamilyPolicy", "RequireDualStack")
	}
	setDefault(spec, "ipFamilyPolicy", "SingleStack")
	if checkAddressFields(svc, errs); len(*errs) > 0 {
		return false
	}
	releaseSecond(old, svc, errs)
	checkCounts(svc, errs)
	if len(*errs) > 0 {
		return false
	}
	families := inferFamilies(svc)
	if !freeHeadless && !book.checkConfigured(families, svc, errs) {
		return false
	}
	if len(families) == 0 {
		families = []string{book.ranges[0].family}
	}
	other := map[string]string{"IPv4": "IPv6", "IPv6": "IPv4"}[families[0]]
	if len(families) == 1 && str(spec, "ipFamilyPolicy") != "SingleStack" && (freeHeadless || book.rangeFor(other) != nil) {
		families = append(families, other)
	}
	spec["ipFamilies"] = anyList(families)
	return true
}

// checkAddressFields holds the fields against each other, not against the cluster.
func checkAddressFields(svc object, errs *fieldErrors) {
	spec := child(svc, "spec")
	ip, ips, families := str(spec, "clusterIP"), stringList(spec, "clusterIPs"), stringList(spec, "ipFamilies")
	if ip == "" && len(ips) > 0 {
		errs.invalid("spec.clusterIPs", spec["clusterIPs"], "must be empty when `clusterIP` is not specified")
	} else if ip != "" && ips[0] != ip {
		errs.invalid("spec.clusterIPs", spec["clusterIPs"], "first value must match `clusterIP`")
	}
	for i, f := range families {
		at := fmt.Sprintf("spec.ipFamilies[%d]", i)
		if f != "IPv4" && f != "IPv6" {
			errs.unsupported(at, f, "IPv4", "IPv6")
		} else if i > 0 && f == families[0] {
			errs.add("FieldValueDuplicate", at, fmt.Sprintf("Duplicate value: %q", f))
		}
	}
	switch policy := str(spec, "ipFamilyPolicy"); policy {
	case "SingleStack", "PreferDualStack", "RequireDualStack":
	default:
		errs.unsupported("spec.ipFamilyPolicy", policy, "PreferDualStack", "RequireDualStack", "SingleStack")
	}
	if len(ips) > 2 {
		errs.invalid("spec.clusterIPs", spec["clusterIPs"], "may only hold up to 2 values")
	}
	for i, ip := range ips {
		if i == 0 && ip == "None" {
			continue
		}
		at := fmt.Sprintf("spec.clusterIPs[%d]", i)
		if parsed := parseIP(ip); parsed == nil {
			validateIP(at, ip, errs)
		} else if i < len(families) && familyOf(parsed) != families[i] {
			errs.invalid(at, ip, fmt.Sprintf("expected an %s value as indicated by `ipFamilies[%d]`", families[i], i))
		}
	}
}

// releaseSecond gives the second family back where the policy asks for one.
func releaseSecond(old, svc object, errs *fieldErrors) {
	spec, single := child(svc, "spec"), str(svc, "spec", "ipFamilyPolicy") == "SingleStack"
	for key, name := range map[string]string{"clusterIPs": "cluster IP", "ipFamilies": "IP family"} {
		before, after := list(old, "spec", key), list(spec, key)
		switch {
		case len(before) < 2:
		case single && equal(before, after):
			spec[key] = after[:1]
		case !single && len(after) == 1:
			errs.invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], "must be 'SingleStack' to release the secondary "+name)
		}
	}
}

func checkCounts(svc object, errs *fieldErrors) {
	spec := child(svc, "spec")
	if str(spec, "ipFamilyPolicy") != "SingleStack" {
		return
	}
	for _, field := range [][2]string{{"clusterIPs", "cluster IPs"}, {"ipFamilies", "IP families"}} {
		if len(list(spec, field[0])) > 1 {
			errs.invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"],
				"must be 'RequireDualStack' or 'PreferDualStack' when multiple "+field[1]+" are specified")
		}
	}
}

// inferFamilies completes the families from the addresses.
func inferFamilies(svc object) []string {
	families := stringList(svc, "spec", "ipFamilies")
	for i, ip := range stringList(svc, "spec", "clusterIPs") {
		if i >= len(families) && ip != "None" {
			families = append(families, familyOf(net.ParseIP(ip)))
		}
	}
	return families
}

func (book *serviceBook) checkConfigured(families []string, svc object, errs *fieldErrors) bool {
	if policy := str(svc, "spec", "ipFamilyPolicy"); policy == "RequireDualStack" && len(book.ranges) < 2 {
		errs.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services")
	}
	for i, f := range families {
		if book.rangeFor(f) == nil {
			errs.invalid(fmt.Sprintf("spec.ipFamilies[%d]", i), f, "not configured on this cluster")
		}
	}
	return len(*errs) == 0
}
