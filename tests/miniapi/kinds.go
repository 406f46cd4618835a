// SPDX-License-Identifier: Apache-2.0

// Defaults, validation and selectable fields of leases, namespaces, pods, nodes
// and bindings.
package main

import (
	"fmt"
	"strings"
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

func defaultNamespace(ns object) {
	setDefault(child(ns, "status"), "phase", "Active")
	labels := child(meta(ns), "labels")
	labels["kubernetes.io/metadata.name"] = str(ns, "metadata", "name")
}

func validateNamespace(ns object, errs *fieldErrors) {
	if name := str(ns, "metadata", "name"); strings.Contains(name, ".") {
		errs.invalid("metadata.name", name, "must not contain dots")
	}
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

func defaultNode(node object) {
	spec := child(node, "spec")
	omitEmpty(spec, "taints", "unschedulable", "podCIDRs")
	if cidr := str(spec, "podCIDR"); cidr != "" && spec["podCIDRs"] == nil {
		spec["podCIDRs"] = []interface{}{cidr}
	}
}

func validateNode(node object, errs *fieldErrors) {
	for i, taint := range objects(list(node, "spec", "taints")) {
		switch effect := str(taint, "effect"); effect {
		case "NoSchedule", "PreferNoSchedule", "NoExecute":
		default:
			errs.unsupported(fmt.Sprintf("metadata.taints[%d].effect", i), effect, "NoSchedule", "PreferNoSchedule", "NoExecute")
		}
	}
}

func nodeFields(node object, fields map[string]string) {
	fields["spec.unschedulable"] = fmt.Sprint(get(node, "spec", "unschedulable") == true)
}

func defaultBinding(binding object) {
	for _, subject := range objects(list(binding, "subjects")) {
		if str(subject, "kind") != "ServiceAccount" {
			setDefault(subject, "apiGroup", rbacGroup)
		}
	}
	setDefault(child(binding, "roleRef"), "apiGroup", rbacGroup)
}

func validateBinding(binding object, errs *fieldErrors) {
	if str(binding, "roleRef", "name") == "" {
		errs.required("roleRef.name", "")
	}
}

func validateBindingUpdate(old, binding object, errs *fieldErrors) {
	if !equal(old["roleRef"], binding["roleRef"]) {
		errs.invalid("roleRef", binding["roleRef"], "cannot change roleRef")
	}
}
