// SPDX-License-Identifier: Apache-2.0

// The columns of each kind's table.
package main

import (
	"fmt"
	"strings"
)

var serviceColumns = []column{
	{name: "Type", cell: text("spec", "type")},
	{name: "Cluster-IP", cell: text("spec", "clusterIP")},
	{name: "External-IP", cell: externalIP},
	{name: "Port(s)", cell: portsCell},
	ageColumn,
	{name: "Selector", wide: true, cell: func(svc object) interface{} {
		var parts []string
		for k, v := range stringMap(get(svc, "spec", "selector")) {
			parts = append(parts, k+"="+v)
		}
		return orNone(strings.Join(parts, ","))
	}},
}

func orNone(s string) string {
	if s == "" {
		return "<none>"
	}
	return s
}

func externalIP(svc object) interface{} {
	ips := stringList(svc, "spec", "externalIPs")
	if isLoadBalancer(svc) {
		var ingress []string
		for _, in := range objects(list(svc, "status", "loadBalancer", "ingress")) {
			if ip := str(in, "ip"); ip != "" {
				ingress = append(ingress, ip)
			} else if host := str(in, "hostname"); host != "" {
				ingress = append(ingress, host)
			}
		}
		if ips = append(ingress, ips...); len(ips) == 0 {
			return "<pending>"
		}
	}
	return orNone(strings.Join(ips, ","))
}

func portsCell(svc object) interface{} {
	var parts []string
	for _, p := range objects(list(svc, "spec", "ports")) {
		port, _ := number(p["port"])
		nodePort := ""
		if n, ok := number(p["nodePort"]); ok && n != 0 {
			nodePort = fmt.Sprintf(":%d", n)
		}
		parts = append(parts, fmt.Sprintf("%d%s/%s", port, nodePort, str(p, "protocol")))
	}
	return orNone(strings.Join(parts, ","))
}

var configMapColumns = []column{{name: "Data", cell: count("data")}, ageColumn}

var serviceAccountColumns = []column{{name: "Secrets", cell: count("secrets")}, ageColumn}

var secretColumns = []column{{name: "Type", cell: text("type")}, {name: "Data", cell: count("data")}, ageColumn}

var namespaceColumns = []column{{name: "Status", cell: text("status", "phase")}, ageColumn}

var nodeColumns = []column{
	{name: "Status", cell: func(node object) interface{} {
		status := "Unknown"
		for _, c := range objects(list(node, "status", "conditions")) {
			if str(c, "type") == "Ready" {
				status = map[bool]string{true: "Ready", false: "NotReady"}[str(c, "status") == "True"]
			}
		}
		if get(node, "spec", "unschedulable") == true {
			status += ",SchedulingDisabled"
		}
		return status
	}},
	{name: "Roles", cell: func(node object) interface{} {
		for k := range stringMap(get(node, "metadata", "labels")) {
			if strings.HasPrefix(k, "node-role.kubernetes.io/") {
				return strings.TrimPrefix(k, "node-role.kubernetes.io/")
			}
		}
		return "<none>"
	}},
	ageColumn,
	{name: "Version", cell: blank("status", "nodeInfo", "kubeletVersion")},
	{name: "Internal-IP", wide: true, cell: nodeAddress("InternalIP")},
	{name: "External-IP", wide: true, cell: nodeAddress("ExternalIP")},
	{name: "OS-Image", wide: true, cell: orUnknown("status", "nodeInfo", "osImage")},
	{name: "Kernel-Version", wide: true, cell: orUnknown("status", "nodeInfo", "kernelVersion")},
	{name: "Container-Runtime", wide: true, cell: orUnknown("status", "nodeInfo", "containerRuntimeVersion")},
}

func nodeAddress(kind string) func(object) interface{} {
	return func(node object) interface{} {
		for _, a := range objects(list(node, "status", "addresses")) {
			if str(a, "type") == kind {
				return str(a, "address")
			}
		}
		return "<none>"
	}
}

func orUnknown(path ...string) func(object) interface{} {
	return func(obj object) interface{} {
		if v := str(obj, path...); v != "" {
			return v
		}
		return "<unknown>"
	}
}

var podColumns = []column{
	{name: "Ready", cell: func(pod object) interface{} {
		ready := 0
		for _, c := range objects(list(pod, "status", "containerStatuses")) {
			if c["ready"] == true {
				ready++
			}
		}
		return fmt.Sprintf("%d/%d", ready, len(list(pod, "spec", "containers")))
	}},
	{name: "Status", cell: text("status", "phase")},
	{name: "Restarts", cell: func(object) interface{} { return 0 }},
	ageColumn,
	{name: "IP", wide: true, cell: text("status", "podIP")},
	{name: "Node", wide: true, cell: text("spec", "nodeName")},
}

// tally is a number of a status, 0 where nobody has counted.
func tally(path ...string) func(object) interface{} {
	return func(obj object) interface{} {
		n, _ := number(get(obj, path...))
		return n
	}
}

var deploymentColumns = []column{
	{name: "Ready", cell: func(d object) interface{} {
		return fmt.Sprintf("%v/%v", tally("status", "readyReplicas")(d), tally("spec", "replicas")(d))
	}},
	{name: "Up-to-date", cell: tally("status", "updatedReplicas")},
	{name: "Available", cell: tally("status", "availableReplicas")},
	ageColumn,
}

var daemonSetColumns = []column{
	{name: "Desired", cell: tally("status", "desiredNumberScheduled")},
	{name: "Current", cell: tally("status", "currentNumberScheduled")},
	{name: "Ready", cell: tally("status", "numberReady")},
	{name: "Up-to-date", cell: tally("status", "updatedNumberScheduled")},
	{name: "Available", cell: tally("status", "numberAvailable")},
	ageColumn,
}

var budgetColumns = []column{
	{name: "Min Available", cell: orNotApplicable("spec", "minAvailable")},
	{name: "Max Unavailable", cell: orNotApplicable("spec", "maxUnavailable")},
	{name: "Allowed Disruptions", cell: tally("status", "disruptionsAllowed")},
	ageColumn,
}

func orNotApplicable(path ...string) func(object) interface{} {
	return func(obj object) interface{} {
		if v := get(obj, path...); v != nil {
			return fmt.Sprint(v)
		}
		return "N/A"
	}
}

var leaseColumns = []column{{name: "Holder", cell: text("spec", "holderIdentity")}, ageColumn}

var sliceColumns = []column{
	{name: "AddressType", cell: text("addressType")},
	{name: "Ports", cell: func(slice object) interface{} {
		var parts []string
		for _, p := range objects(list(slice, "ports")) {
			if n, ok := number(p["port"]); ok {
				parts = append(parts, fmt.Sprint(n))
			}
		}
		return orNone(strings.Join(parts, ","))
	}},
	{name: "Endpoints", cell: func(slice object) interface{} {
		var parts []string
		for _, ep := range objects(list(slice, "endpoints")) {
			parts = append(parts, stringList(ep, "addresses")...)
		}
		return orNone(strings.Join(parts, ","))
	}},
	ageColumn,
}

var eventColumns = []column{
	{name: "Last Seen", cell: eventAge([]string{"series", "lastObservedTime"}, []string{"lastTimestamp"},
		[]string{"eventTime"}, []string{"metadata", "creationTimestamp"})},
	{name: "Type", cell: text("type")},
	{name: "Reason", cell: text("reason")},
	{name: "Object", cell: func(ev object) interface{} {
		return strings.ToLower(str(ev, "involvedObject", "kind")) + "/" + str(ev, "involvedObject", "name")
	}},
	{name: "Subobject", wide: true, cell: blank("involvedObject", "fieldPath")},
	{name: "Source", wide: true, cell: func(ev object) interface{} {
		parts := []string{str(ev, "source", "component"), str(ev, "source", "host")}
		if parts[0] == "" {
			parts = []string{str(ev, "reportingComponent"), str(ev, "reportingInstance")}
		}
		return strings.TrimSuffix(strings.Join(parts, ", "), ", ")
	}},
	{name: "Message", cell: func(ev object) interface{} { return strings.TrimSpace(str(ev, "message")) }},
	{name: "First Seen", wide: true, cell: eventAge([]string{"firstTimestamp"}, []string{"eventTime"},
		[]string{"metadata", "creationTimestamp"})},
	{name: "Count", wide: true, cell: func(ev object) interface{} {
		for _, v := range []interface{}{get(ev, "series", "count"), ev["count"]} {
			if n, ok := number(v); ok && n > 0 {
				return n
			}
		}
		return 1
	}},
	{name: "Name", wide: true, cell: text("metadata", "name")},
}

// eventAge is that of the first of these times that is set.
func eventAge(paths ...[]string) func(object) interface{} {
	return func(ev object) interface{} {
		for _, path := range paths {
			if s := str(ev, path...); s != "" {
				return age(s)
			}
		}
		return "<unknown>"
	}
}
