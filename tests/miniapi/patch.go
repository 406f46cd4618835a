// SPDX-License-Identifier: Apache-2.0

// The verb patch, and two of its kinds: JSON merge patch (RFC 7396) and JSON
// patch (RFC 6902).
package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func (s *server) patch(q *request, contentType string, body []byte) (int, object, *apiError) {
	apply := map[string]func(*resource, object, interface{}) (object, *apiError){
		"application/json-patch+json":            applyJSONPatch,
		"application/merge-patch+json":           applyMergePatch,
		"application/strategic-merge-patch+json": applyStrategicPatch,
	}[contentType]
	if apply == nil {
		return 0, nil, errPatchType()
	}
	doc, decodeErr := decode(body)
	if decodeErr != nil {
		return 0, nil, errBadRequest("error decoding patch: %v", decodeErr)
	}
	out, err := s.modify(q, func(cur object) (object, *apiError) {
		if q.res.fromStored != nil {
			cur = q.res.fromStored(cur)
		}
		cur["kind"], cur["apiVersion"] = q.res.kind, q.res.groupVersion()
		next, err := apply(q.res, cur, doc)
		if err != nil {
			return nil, err
		}
		stored, err := toStoredForm(q.res, next)
		if err != nil {
			return nil, errPatchResult(q, next, err)
		}
		return stored, nil
	})
	return http.StatusOK, out, err
}

// errPatchResult: what a patch leaves cannot be decoded as the kind.
func errPatchResult(q *request, next object, err *apiError) *apiError {
	errs := fieldErrors{}
	errs.invalid("patch", string(encode(next)), err.message)
	return errs.err("", "", q.name)
}

func applyMergePatch(_ *resource, cur object, doc interface{}) (object, *apiError) {
	patch, ok := doc.(object)
	if !ok {
		return nil, errBadRequest("error decoding patch: a merge patch is a JSON object")
	}
	return mergePatch(cur, patch).(object), nil
}

func mergePatch(target, patch interface{}) interface{} {
	p, ok := patch.(object)
	if !ok {
		return patch
	}
	t, ok := target.(object)
	if !ok {
		t = object{}
	}
	for key, v := range p {
		if v == nil {
			delete(t, key)
		} else {
			t[key] = mergePatch(t[key], v)
		}
	}
	return t
}

func applyJSONPatch(_ *resource, cur object, doc interface{}) (object, *apiError) {
	ops, ok := doc.([]interface{})
	if !ok {
		return nil, errBadRequest("error decoding patch: a JSON patch is an array of operations")
	}
	var v interface{} = cur
	for _, e := range ops {
		op, ok := e.(object)
		if !ok {
			return nil, errBadRequest("error decoding patch: an operation is a JSON object")
		}
		var err error
		if v, err = applyOperation(v, op); err != nil {
			return nil, &apiError{code: 422, reason: "Invalid",
				message: "the server rejected our request due to an error in our request: " + err.Error()}
		}
	}
	out, ok := v.(object)
	if !ok {
		return nil, errBadRequest("the patch leaves no object")
	}
	return out, nil
}

func applyOperation(doc interface{}, op object) (interface{}, error) {
	path, from := str(op, "path"), str(op, "from")
	switch kind := str(op, "op"); kind {
	case "add", "replace":
		return edit(doc, path, func(c *cursor) error { return c.set(deepCopy(op["value"]), kind == "add") })
	case "remove":
		return edit(doc, path, (*cursor).remove)
	case "test":
		have, err := lookup(doc, path)
		if err == nil && !equal(have, op["value"]) {
			err = fmt.Errorf("testing path %s failed", path)
		}
		return doc, err
	case "move", "copy":
		v, err := lookup(doc, from)
		if err != nil {
			return doc, err
		}
		v = deepCopy(v)
		if kind == "move" {
			if doc, err = edit(doc, from, (*cursor).remove); err != nil {
				return doc, err
			}
		}
		return edit(doc, path, func(c *cursor) error { return c.set(v, true) })
	default:
		return doc, fmt.Errorf("unexpected kind of operation: %q", kind)
	}
}

// cursor is a place in a document: the value that holds it and its key there.
type cursor struct {
	parent interface{}
	key    string
	store  func(v interface{}) // puts a changed array back where it came from
}

func pointer(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	if path[0] != '/' {
		return nil, fmt.Errorf("the path %q does not start with a slash", path)
	}
	parts := strings.Split(path[1:], "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return parts, nil
}

func step(v interface{}, key string) (interface{}, error) {
	switch t := v.(type) {
	case object:
		if e, ok := t[key]; ok {
			return e, nil
		}
	case []interface{}:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(t) {
			return t[i], nil
		}
	}
	return nil, fmt.Errorf("missing path element %q", key)
}

func lookup(doc interface{}, path string) (interface{}, error) {
	parts, err := pointer(path)
	for _, key := range parts {
		if err == nil {
			doc, err = step(doc, key)
		}
	}
	return doc, err
}

func edit(doc interface{}, path string, do func(*cursor) error) (interface{}, error) {
	parts, err := pointer(path)
	if err != nil {
		return doc, err
	}
	root := &doc
	c := &cursor{parent: object{"": doc}, key: "", store: func(interface{}) {}}
	if len(parts) == 0 {
		err = do(c)
		return c.parent.(object)[""], err
	}
	c = &cursor{parent: doc, store: func(v interface{}) { *root = v }}
	for _, key := range parts[:len(parts)-1] {
		next, err := step(c.parent, key)
		if err != nil {
			return doc, err
		}
		holder, at := c.parent, key
		c = &cursor{parent: next, store: func(v interface{}) { replaceIn(holder, at, v) }}
	}
	c.key = parts[len(parts)-1]
	err = do(c)
	return *root, err
}

func replaceIn(holder interface{}, key string, v interface{}) {
	switch t := holder.(type) {
	case object:
		t[key] = v
	case []interface{}:
		if i, err := strconv.Atoi(key); err == nil {
			t[i] = v
		}
	}
}

// set adds (inserting into arrays) or replaces what must be there.
func (c *cursor) set(v interface{}, add bool) error {
	switch t := c.parent.(type) {
	case object:
		if _, ok := t[c.key]; !ok && !add {
			return fmt.Errorf("replace of the missing key %q", c.key)
		}
		t[c.key] = v
		return nil
	case []interface{}:
		i, err := strconv.Atoi(c.key)
		if c.key == "-" && add {
			i, err = len(t), nil
		}
		if err != nil || i < 0 || i > len(t) || (!add && i == len(t)) {
			return fmt.Errorf("invalid array index %q", c.key)
		}
		if !add {
			t[i] = v
			return nil
		}
		c.store(append(t[:i:i], append([]interface{}{v}, t[i:]...)...))
		return nil
	}
	return fmt.Errorf("the parent of %q holds no members", c.key)
}

func (c *cursor) remove() error {
	switch t := c.parent.(type) {
	case object:
		if _, ok := t[c.key]; !ok {
			return fmt.Errorf("remove of the missing key %q", c.key)
		}
		delete(t, c.key)
		return nil
	case []interface{}:
		i, err := strconv.Atoi(c.key)
		if err != nil || i < 0 || i >= len(t) {
			return fmt.Errorf("invalid array index %q", c.key)
		}
		c.store(append(t[:i:i], t[i+1:]...))
		return nil
	}
	return fmt.Errorf("the parent of %q holds no members", c.key)
}
