// SPDX-License-Identifier: Apache-2.0

// Defaults, validation and selectable fields of the other resources.
package main

import (
	"fmt"
	"time"
)

// microTime is meta/v1 MicroTime's wire form: six digits, no fewer, no more.
const microTime = "2006-01-02T15:04:05.000000Z07:00"

func checkMicroTime(text string) error {
	_, err := time.Parse(microTime, text)
	return err
}

func validateLease(lease object, errs *fieldErrors) {
	spec := child(lease, "spec")
	if n, ok := number(spec["leaseDurationSeconds"]); spec["leaseDurationSeconds"] != nil && (!ok || n <= 0) {
		errs.invalid("spec.leaseDurationSeconds", n, "must be greater than 0")
	}
	if n, ok := number(spec["leaseTransitions"]); spec["leaseTransitions"] != nil && (!ok || n < 0) {
		errs.invalid("spec.leaseTransitions", n, "must be greater than or equal to 0")
	}
}

func validateConfigMap(cm object, errs *fieldErrors) {
	size := 0
	for key, v := range stringMap(cm["data"]) {
		size += len(v)
		if !labelKey.MatchString(key) && !dnsSubdomain.MatchString(key) && key[0] != '.' {
			errs.invalid("data["+key+"]", key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'")
		}
	}
	if size > 1<<20 {
		errs.add("FieldValueTooLong", "", "Too long: may not be more than 1048576 bytes")
	}
}

func defaultNamespace(ns object) {
	setDefault(child(ns, "status"), "phase", "Active")
	labels := child(meta(ns), "labels")
	labels["kubernetes.io/metadata.name"] = str(ns, "metadata", "name")
}

func namespaceFields(ns object, fields map[string]string) {
	fields["name"] = str(ns, "metadata", "name")
	fields["status.phase"] = str(ns, "status", "phase")
}

func defaultPod(pod object) { setDefault(child(pod, "status"), "phase", "Pending") }

func podFields(pod object, fields map[string]string) {
	fields["spec.nodeName"] = str(pod, "spec", "nodeName")
	fields["spec.serviceAccountName"] = str(pod, "spec", "serviceAccountName")
	fields["status.phase"] = str(pod, "status", "phase")
	fields["status.podIP"] = str(pod, "status", "podIP")
}

// admitNode taints a node until something says that it is ready, as the
// admission plugin TaintNodesByCondition does.
func admitNode(node object) {
	const notReady = "node.kubernetes.io/not-ready"
	taints := list(node, "spec", "taints")
	for _, taint := range objects(taints) {
		if str(taint, "key") == notReady && str(taint, "effect") == "NoSchedule" {
			return
		}
	}
	child(node, "spec")["taints"] = append(taints, object{"key": notReady, "effect": "NoSchedule"})
}

func nodeFields(node object, fields map[string]string) {
	fields["spec.unschedulable"] = fmt.Sprint(get(node, "spec", "unschedulable") == true)
}

func defaultSecret(secret object) { setDefault(secret, "type", "Opaque") }

func secretFields(secret object, fields map[string]string) { fields["type"] = str(secret, "type") }

func defaultEndpointSlice(slice object) {
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
	default:
		errs.unsupported("addressType", family, "FQDN", "IPv4", "IPv6")
	}
	for i, ep := range objects(list(slice, "endpoints")) {
		addresses := stringList(ep, "addresses")
		if len(addresses) == 0 {
			errs.required(fmt.Sprintf("endpoints[%d].addresses", i), "must contain at least 1 address")
		}
		for j, a := range addresses {
			at := fmt.Sprintf("endpoints[%d].addresses[%d]", i, j)
			ip := parseIP(a)
			switch {
			case family == "FQDN":
			case ip == nil:
				errs.invalid(at, a, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
			case familyOf(ip) != family:
				errs.invalid(at, a, "must be a valid "+family+" address")
			}
		}
	}
}
