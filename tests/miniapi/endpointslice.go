// SPDX-License-Identifier: Apache-2.0

// EndpointSlices (discovery/v1): defaults and validation.
package main

import "fmt"

func defaultEndpointSlice(slice object) {
	for _, key := range []string{"endpoints", "ports"} {
		if list(slice, key) == nil || isEmpty(slice[key]) {
			slice[key] = nil // shown as null, unlike most members that are not set
		}
	}
	for _, ep := range objects(list(slice, "endpoints")) {
		child(ep, "conditions")
	}
	for _, port := range objects(list(slice, "ports")) {
		setDefault(port, "name", "")
		setDefault(port, "protocol", "TCP")
	}
}

func validateEndpointSlice(slice object, errs *fieldErrors) {
	family := str(slice, "addressType")
	switch family {
	case "IPv4", "IPv6", "FQDN":
	case "":
		errs.required("addressType", "")
		return
	default:
		errs.unsupported("addressType", family, "FQDN", "IPv4", "IPv6")
		return
	}
	for i, ep := range objects(list(slice, "endpoints")) {
		at := fmt.Sprintf("endpoints[%d].addresses", i)
		addresses := stringList(ep, "addresses")
		if len(addresses) == 0 {
			errs.required(at, "must contain at least 1 address")
		}
		for j, a := range addresses {
			if family == "FQDN" {
				continue
			}
			before := len(*errs)
			validateExternalIP(fmt.Sprintf("%s[%d]", at, j), a, errs)
			if len(*errs) == before && familyOf(parseIP(a)) != family {
				errs.invalid(at, a, "must be an "+family+" address")
			}
		}
	}
	names := map[string]bool{}
	for i, port := range objects(list(slice, "ports")) {
		at, name := fmt.Sprintf("ports[%d]", i), str(port, "name")
		if name != "" && !dnsLabel.MatchString(name) {
			errs.invalid(at+".name", name, "a lowercase RFC 1123 label must consist of lower case "+
				"alphanumeric characters or '-', and must start and end with an alphanumeric character")
		}
		if names[name] {
			errs.add("FieldValueDuplicate", at+".name", fmt.Sprintf("Duplicate value: %q", name))
		}
		names[name] = true
		if p := str(port, "protocol"); p != "TCP" && p != "UDP" && p != "SCTP" {
			errs.unsupported(at+".protocol", p, "SCTP", "TCP", "UDP")
		}
	}
}

func validateEndpointSliceUpdate(old, slice object, errs *fieldErrors) {
	if !equal(old["addressType"], slice["addressType"]) {
		errs.invalid("addressType", slice["addressType"], "field is immutable")
	}
}
