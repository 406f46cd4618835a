// SPDX-License-Identifier: Apache-2.0

// Events live in one shelf and show in two forms: core/v1 (the stored one) and
// events.k8s.io/v1, which names the same fields differently.
package main

import "fmt"

// eventNames maps core/v1 names to events.k8s.io/v1 ones.
var eventNames = map[string]string{
	"involvedObject":     "regarding",
	"message":            "note",
	"reportingComponent": "reportingController",
	"source":             "deprecatedSource",
	"firstTimestamp":     "deprecatedFirstTimestamp",
	"lastTimestamp":      "deprecatedLastTimestamp",
	"count":              "deprecatedCount",
}

var (
	coreEventFieldNames = []string{"involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
		"involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
		"involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"}
	newEventFieldNames = []string{"regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid",
		"regarding.apiVersion", "regarding.resourceVersion", "regarding.fieldPath", "reason",
		"reportingController", "type"}
)

func eventFromCore(ev object) object {
	out := object{}
	for key, v := range ev {
		if name, ok := eventNames[key]; ok {
			key = name
		}
		out[key] = v
	}
	return out
}

func eventToCore(ev object) object {
	out := object{}
	for key, v := range ev {
		out[key] = v
	}
	for core, name := range eventNames {
		if v, ok := out[name]; ok {
			delete(out, name)
			out[core] = v
		}
	}
	return out
}

// defaultEvent writes the members that a typed server always shows.
func defaultEvent(ev object) {
	for _, key := range []string{"source", "involvedObject"} {
		child(ev, key)
	}
	for _, key := range []string{"eventTime", "firstTimestamp", "lastTimestamp"} {
		setDefault(ev, key, nil)
	}
	setDefault(ev, "reportingComponent", "")
	setDefault(ev, "reportingInstance", "")
}

func eventFields(ev object, fields map[string]string) {
	for _, key := range []string{"kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"} {
		v := str(ev, "involvedObject", key)
		fields["involvedObject."+key], fields["regarding."+key] = v, v
	}
	source := str(ev, "source", "component")
	if source == "" {
		source = str(ev, "reportingComponent")
	}
	fields["source"] = source
	fields["reason"], fields["type"] = str(ev, "reason"), str(ev, "type")
	fields["reportingComponent"] = str(ev, "reportingComponent")
	fields["reportingController"] = str(ev, "reportingComponent")
}

// validateEventUpdate: of an event of the new kind only the series may change.
func validateEventUpdate(old, ev object, errs *fieldErrors) {
	if ev["eventTime"] == nil {
		return
	}
	for _, key := range []string{"involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp",
		"count", "eventTime", "related", "action", "reportingComponent", "reportingInstance", "type"} {
		if !equal(old[key], ev[key]) {
			errs.invalid(key, ev[key], "field is immutable")
		}
	}
}

func validateEventNamespace(ev object, errs *fieldErrors) {
	ns, of := str(ev, "metadata", "namespace"), str(ev, "involvedObject", "namespace")
	newStyle := ev["eventTime"] != nil
	switch {
	case of == "" && (ns == "default" || (newStyle && ns == "kube-system")):
	case of == "", of != ns && !newStyle:
		errs.invalid("involvedObject.namespace", of, "does not match event.namespace")
	}
}

// validateCoreEvent is lenient, as core/v1 is for events of the old style.
func validateCoreEvent(ev object, errs *fieldErrors) {
	validateEventNamespace(ev, errs)
	if ev["eventTime"] != nil {
		validateEventBody(ev, "reportingComponent", errs)
	}
}

func validateNewEvent(ev object, errs *fieldErrors) {
	validateEventNamespace(ev, errs)
	if ev["eventTime"] == nil {
		errs.required("eventTime", "")
	}
	validateEventBody(ev, "reportingController", errs)
	if t := str(ev, "type"); t != "Normal" && t != "Warning" {
		errs.invalid("type", "", "has invalid value: "+t)
	}
	for _, key := range []string{"firstTimestamp", "lastTimestamp", "count", "source"} {
		if ev[key] != nil && !isEmpty(ev[key]) {
			errs.invalid(key, "", "needs to be unset")
		}
	}
}

func validateEventBody(ev object, controllerField string, errs *fieldErrors) {
	for _, c := range []struct {
		key, field string
		max        int
	}{{"reportingComponent", controllerField, 1024}, {"reportingInstance", "reportingInstance", 128},
		{"action", "action", 128}, {"reason", "reason", 128}} {
		v := str(ev, c.key)
		if v == "" {
			errs.required(c.field, "")
		} else if len(v) > c.max {
			errs.invalid(c.field, "", fmt.Sprintf("can have at most %d characters", c.max))
		}
	}
	if rc := str(ev, "reportingComponent"); !labelKey.MatchString(rc) {
		errs.invalid(controllerField, rc, whatIsAName)
	}
	if len(str(ev, "message")) > 1024 {
		errs.invalid("message", "", "can have at most 1024 characters")
	}
}
