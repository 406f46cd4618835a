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

func blank(path ...string) func(object) interface{} {
	return func(obj object) interface{} { return str(obj, path...) }
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
	return humanDuration(time.Since(t))
}

// humanDuration shows two units while the first is small, as kubectl does.
func humanDuration(d time.Duration) string {
	seconds := int(d.Seconds())
	minutes, hours := seconds/60, seconds/3600
	days := hours / 24
	switch {
	case seconds < -1:
		return "<invalid>"
	case seconds < 0:
		return "0s"
	case seconds < 120:
		return fmt.Sprintf("%ds", seconds)
	case minutes < 10:
		return twoUnits(minutes, "m", seconds%60, "s")
	case minutes < 180:
		return fmt.Sprintf("%dm", minutes)
	case hours < 8:
		return twoUnits(hours, "h", minutes%60, "m")
	case hours < 48:
		return fmt.Sprintf("%dh", hours)
	case days < 8:
		return twoUnits(days, "d", hours%24, "h")
	}
	return fmt.Sprintf("%dd", days)
}

func twoUnits(a int, unitA string, b int, unitB string) string {
	if b == 0 {
		return fmt.Sprintf("%d%s", a, unitA)
	}
	return fmt.Sprintf("%d%s%d%s", a, unitA, b, unitB)
}
