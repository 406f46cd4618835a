// SPDX-License-Identifier: Apache-2.0

// Strategic merge patch, as kubectl sends it: lists that the API's types mark
// as merged are merged by their key, all others are replaced. Directives:
// $patch, $deleteFromPrimitiveList, $setElementOrder (order is not kept) and
// $retainKeys.
package main

import "strings"

// mergeKeys names, by a list's path, the key by which its elements merge; an
// empty key is a set of plain values. "*" stands for one list step.
var mergeKeys = map[string]string{
	"metadata.finalizers":      "",
	"metadata.ownerReferences": "uid",
	"status.conditions":        "type",
	"status.addresses":         "type",
	"secrets":                  "name",
	"imagePullSecrets":         "name",
}

// mergeKeysOf adds what only holds for one kind.
var mergeKeysOf = map[string]map[string]string{
	"Service":    {"spec.ports": "port"},
	"Pod":        podMergeKeys("spec."),
	"Deployment": podMergeKeys("spec.template.spec."),
	"DaemonSet":  podMergeKeys("spec.template.spec."),
}

func podMergeKeys(at string) map[string]string {
	return map[string]string{
		at + "containers":                "name",
		at + "initContainers":            "name",
		at + "volumes":                   "name",
		at + "imagePullSecrets":          "name",
		at + "containers.*.env":          "name",
		at + "containers.*.ports":        "containerPort",
		at + "containers.*.volumeMounts": "mountPath",
	}
}

type strategic struct{ kind string }

func (st strategic) keyFor(path string) (string, bool) {
	if key, ok := mergeKeysOf[st.kind][path]; ok {
		return key, true
	}
	key, ok := mergeKeys[path]
	return key, ok
}

func applyStrategicPatch(res *resource, cur object, doc interface{}) (object, *apiError) {
	patch, ok := doc.(object)
	if !ok {
		return nil, errBadRequest("error decoding patch: a strategic merge patch is a JSON object")
	}
	return strategic{res.kind}.mergeObject(cur, patch, ""), nil
}

func joinPath(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (st strategic) mergeObject(target, patch object, path string) object {
	switch patch["$patch"] {
	case "replace":
		out := copyObject(patch)
		delete(out, "$patch")
		return out
	case "delete":
		return object{}
	}
	if retained, ok := patch["$retainKeys"].([]interface{}); ok {
		kept := map[string]bool{}
		for _, k := range retained {
			if name, ok := k.(string); ok {
				kept[name] = true
			}
		}
		for k := range target {
			if !kept[k] {
				delete(target, k)
			}
		}
	}
	for key, v := range patch {
		if strings.HasPrefix(key, "$deleteFromPrimitiveList/") {
			name := strings.TrimPrefix(key, "$deleteFromPrimitiveList/")
			target[name] = without(list(target, name), v)
		}
	}
	for key, v := range patch {
		if strings.HasPrefix(key, "$") {
			continue
		}
		if v == nil {
			delete(target, key)
			continue
		}
		target[key] = st.mergeValue(target[key], v, joinPath(path, key))
	}
	return target
}

func (st strategic) mergeValue(target, patch interface{}, path string) interface{} {
	switch p := patch.(type) {
	case object:
		t, ok := target.(object)
		if !ok {
			t = object{}
		}
		return st.mergeObject(t, p, path)
	case []interface{}:
		key, merged := st.keyFor(path)
		t, _ := target.([]interface{})
		if !merged {
			return p
		}
		if key == "" {
			return union(t, p)
		}
		return st.mergeList(t, p, key, path+".*")
	}
	return patch
}

func (st strategic) mergeList(target, patch []interface{}, key, path string) []interface{} {
	for _, e := range patch {
		if m, ok := e.(object); ok && m["$patch"] == "replace" && m[key] == nil {
			var out []interface{}
			for _, other := range patch {
				if o, ok := other.(object); ok && o["$patch"] == nil {
					out = append(out, o)
				}
			}
			return out
		}
	}
	for _, e := range patch {
		p, ok := e.(object)
		if !ok {
			continue
		}
		i := indexByKey(target, key, p[key])
		switch {
		case p["$patch"] == "delete":
			if i >= 0 {
				target = append(target[:i:i], target[i+1:]...)
			}
		case i >= 0:
			target[i] = st.mergeObject(target[i].(object), p, path)
		default:
			target = append(target, st.mergeObject(object{}, p, path))
		}
	}
	return target
}

func indexByKey(items []interface{}, key string, value interface{}) int {
	for i, e := range items {
		if o, ok := e.(object); ok && equal(o[key], value) {
			return i
		}
	}
	return -1
}

func union(a, b []interface{}) []interface{} {
	for _, v := range b {
		if !contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}

func contains(items []interface{}, v interface{}) bool {
	for _, e := range items {
		if equal(e, v) {
			return true
		}
	}
	return false
}

func without(items []interface{}, gone interface{}) []interface{} {
	drop, _ := gone.([]interface{})
	out := []interface{}{}
	for _, e := range items {
		if !contains(drop, e) {
			out = append(out, e)
		}
	}
	return out
}
