// SPDX-License-Identifier: Apache-2.0

// Strategic merge patch, as kubectl sends it: lists that the API's types mark
// as merged are merged by their key, all others are replaced. Directives:
// $patch, $deleteFromPrimitiveList, $setElementOrder and $retainKeys.
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
		switch {
		case strings.HasPrefix(key, "$"):
		case v == nil:
			delete(target, key)
		default:
			target[key] = st.mergeValue(target[key], v, list(patch, elementOrder+key), joinPath(path, key))
		}
	}
	for key := range patch {
		name := strings.TrimPrefix(key, elementOrder)
		if _, given := patch[name]; name != key && !given && len(list(target, name)) > 0 {
			target[name] = st.mergeValue(target[name], []interface{}{}, list(patch, key), joinPath(path, name))
		}
	}
	return target
}

const elementOrder = "$setElementOrder/"

// mergeValue: order is that of a list's elements, where the patch tells it.
func (st strategic) mergeValue(target, patch interface{}, order []interface{}, path string) interface{} {
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
		before := append([]interface{}(nil), t...)
		if order == nil {
			order = p
		}
		if key == "" {
			return inOrder(union(t, p), order, before, key)
		}
		if whole, ok := replacement(p, key); ok {
			return whole
		}
		return inOrder(st.mergeList(t, p, key, path+".*"), order, before, key)
	}
	return patch
}

// replacement gives the elements of a list that says of itself that it replaces.
func replacement(patch []interface{}, key string) ([]interface{}, bool) {
	var out []interface{}
	whole := false
	for _, o := range objects(patch) {
		if o["$patch"] == "replace" && o[key] == nil {
			whole = true
		} else if o["$patch"] == nil {
			out = append(out, o)
		}
	}
	return out, whole
}

func (st strategic) mergeList(target, patch []interface{}, key, path string) []interface{} {
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

// inOrder puts the elements that order names into that order. Each of the others,
// which only the server had, goes before the first of those that it preceded.
func inOrder(merged, order, before []interface{}, key string) []interface{} {
	position := func(items []interface{}, e interface{}) int {
		for i, other := range items {
			if equal(keyOfElement(other, key), keyOfElement(e, key)) {
				return i
			}
		}
		return -1
	}
	var named, others, out []interface{}
	for _, e := range order {
		if i := position(merged, e); i >= 0 && position(named, e) < 0 {
			named = append(named, merged[i])
		}
	}
	for _, e := range merged {
		if position(order, e) < 0 {
			others = append(others, e)
		}
	}
	for _, e := range named {
		for at := position(before, e); len(others) > 0 && position(before, others[0]) < at; others = others[1:] {
			out = append(out, others[0])
		}
		out = append(out, e)
	}
	return append(out, others...)
}

func keyOfElement(e interface{}, key string) interface{} {
	if o, ok := e.(object); ok && key != "" {
		return o[key]
	}
	return e
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
