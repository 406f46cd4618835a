// SPDX-License-Identifier: Apache-2.0

// Server-side tables (meta/v1 Table), from which kubectl prints its columns.
package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

type column struct {
	name string
	wide bool // shown by -o wide only
	cell func(obj object) interface{}
}

func wantsTable(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept"), ",") {
		if strings.Contains(part, "as=Table") && strings.Contains(part, "v=v1;") ||
			strings.Contains(part, "as=Table") && strings.HasSuffix(strings.TrimSpace(part), "v=v1") {
			return true
		}
	}
	return false
}

func (res *resource) table(objs []object, rv string, header bool) object {
	cols := res.columns
	if cols == nil {
		cols = []column{ageColumn}
	}
	if res.kind != "Event" {
		cols = append([]column{nameColumn}, cols...)
	}
	out := object{"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": object{"resourceVersion": rv},
		"columnDefinitions": []interface{}{}, "rows": []interface{}{}}
	if header {
		var definitions []interface{}
		for _, c := range cols {
			priority, format := 0, ""
			if c.wide {
				priority = 1
			}
			if c.name == "Name" {
				format = "name"
			}
			definitions = append(definitions, object{"name": c.name, "type": "string", "format": format,
				"description": c.name, "priority": priority})
		}
		out["columnDefinitions"] = definitions
	}
	rows := make([]interface{}, len(objs))
	for i, obj := range objs {
		var cells []interface{}
		for _, c := range cols {
			cells = append(cells, c.cell(obj))
		}
		rows[i] = object{"cells": cells, "object": object{"kind": "PartialObjectMetadata",
			"apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}}
	}
	out["rows"] = rows
	return out
}

func text(path ...string) func(object) interface{} {
	return func(obj object) interface{} {
		if v := get(obj, path...); v != nil {
			return v
		}
		return "<none>"
	}
}

func count(path ...string) func(object) interface{} {
	return func(obj object) interface{} {
		switch v := get(obj, path...).(type) {
		case object:
			return len(v)
		case []interface{}:
			return len(v)
		}
		return 0
	}
}

var nameColumn = column{name: "Name", cell: text("metadata", "name")}

var ageColumn = column{name: "Age", cell: func(obj object) interface{} {
	return age(str(obj, "metadata", "creationTimestamp"))
}}

func age(stamp string) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return "<unknown>"
	}
	d := time.Since(t)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

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
		for _, c := range objects(list(node, "status", "conditions")) {
			if str(c, "type") == "Ready" {
				if str(c, "status") == "True" {
					return "Ready"
				}
				return "NotReady"
			}
		}
		return "Unknown"
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
	{name: "Version", cell: text("status", "nodeInfo", "kubeletVersion")},
	{name: "Internal-IP", wide: true, cell: func(node object) interface{} {
		for _, a := range objects(list(node, "status", "addresses")) {
			if str(a, "type") == "InternalIP" {
				return str(a, "address")
			}
		}
		return "<none>"
	}},
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

func blank(path ...string) func(object) interface{} {
	return func(obj object) interface{} { return str(obj, path...) }
}
