// SPDX-License-Identifier: Apache-2.0

// Errors as the API forms them: a Status object with reason, code and details
// (meta/v1 Status). Validation errors collect causes and become one 422.
package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

type apiError struct {
	code            int
	reason, message string
	details         object
	bare            bool // answered as plain text, without a Status
}

func (e *apiError) status() object {
	s := object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure",
		"message": e.message, "reason": e.reason, "code": e.code}
	if e.details != nil {
		s["details"] = e.details
	}
	return s
}

func (e *apiError) write(w http.ResponseWriter) {
	if e.bare {
		http.Error(w, "404 page not found", e.code)
		return
	}
	if seconds, ok := e.details["retryAfterSeconds"].(int); ok {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	writeJSON(w, e.code, encode(e.status()))
}

func errBadRequest(format string, args ...interface{}) *apiError {
	return &apiError{code: 400, reason: "BadRequest", message: fmt.Sprintf(format, args...)}
}

func errUnauthorized() *apiError {
	return &apiError{code: 401, reason: "Unauthorized", message: "Unauthorized"}
}

func (res *resource) details(name string) object {
	d := object{"kind": res.plural}
	if name != "" {
		d["name"] = name
	}
	if res.group != "" {
		d["group"] = res.group
	}
	return d
}

// qualified is the resource with its group, as error messages print it.
func (res *resource) qualified() string {
	if res.group == "" {
		return res.plural
	}
	return res.plural + "." + res.group
}

func errForbidden(q *request, reason string) *apiError {
	what := q.res.qualified()
	if q.name != "" {
		what += fmt.Sprintf(" %q", q.name)
	}
	resourceName := q.res.plural
	if q.sub != "" {
		resourceName += "/" + q.sub
	}
	scope := "at the cluster scope"
	if q.ns != "" {
		scope = fmt.Sprintf("in the namespace %q", q.ns)
	}
	msg := fmt.Sprintf("%s is forbidden: User %q cannot %s resource %q in API group %q %s%s",
		what, q.user.user, q.verb, resourceName, q.res.group, scope, reason)
	return &apiError{code: 403, reason: "Forbidden", message: msg, details: q.res.details(q.name)}
}

func errNotFound(res *resource, name string) *apiError {
	return &apiError{code: 404, reason: "NotFound", details: res.details(name),
		message: fmt.Sprintf("%s %q not found", res.qualified(), name)}
}

// errNoSuchPath is the answer for a path below a group that exists; other paths
// get one without a Status, which has no code to tell it from an object.
func errNoSuchPath(r *http.Request) *apiError {
	e := &apiError{code: 404, reason: "NotFound", details: object{},
		message: "the server could not find the requested resource"}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	e.bare = parts[0] != "api" && (parts[0] != "apis" || len(parts) < 2 || !hasGroup(parts[1]))
	return e
}

func errExists(res *resource, name string) *apiError {
	return &apiError{code: 409, reason: "AlreadyExists", details: res.details(name),
		message: fmt.Sprintf("%s %q already exists", res.qualified(), name)}
}

func errConflict(res *resource, name, why string) *apiError {
	return &apiError{code: 409, reason: "Conflict", details: res.details(name),
		message: fmt.Sprintf("Operation cannot be fulfilled on %s %q: %s", res.qualified(), name, why)}
}

const modifiedMeanwhile = "the object has been modified; please apply your changes to the latest version and try again"

func errExpired(message string) *apiError {
	return &apiError{code: 410, reason: "Expired", message: message}
}

func errMethod() *apiError {
	return &apiError{code: 405, reason: "MethodNotAllowed",
		message: "the server does not allow this method on the requested resource", details: object{}}
}

func errPatchType() *apiError {
	return &apiError{code: 415, reason: "UnsupportedMediaType", details: object{},
		message: "415: Unsupported Media Type"}
}

func errMediaType(accepted ...string) *apiError {
	return &apiError{code: 415, reason: "UnsupportedMediaType",
		message: "the body of the request was in an unknown format - accepted media types include: " +
			strings.Join(accepted, ", ")}
}

func errTooLargeVersion(asked, current uint64) *apiError {
	return &apiError{code: 504, reason: "Timeout",
		message: fmt.Sprintf("Timeout: Too large resource version: %d, current: %d", asked, current),
		details: object{"retryAfterSeconds": 1, "causes": []interface{}{
			object{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}}}}
}

// fieldErrors collects what validation finds wrong with one object.
type fieldErrors []object

func (f *fieldErrors) add(reason, field, message string) {
	*f = append(*f, object{"reason": reason, "field": field, "message": message})
}

func (f *fieldErrors) invalid(field string, value interface{}, detail string) {
	f.add("FieldValueInvalid", field, fmt.Sprintf("Invalid value: %s: %s", encode(value), detail))
}

func (f *fieldErrors) required(field, detail string) {
	msg := "Required value"
	if detail != "" {
		msg += ": " + detail
	}
	f.add("FieldValueRequired", field, msg)
}

func (f *fieldErrors) forbidden(field, detail string) {
	f.add("FieldValueForbidden", field, "Forbidden: "+detail)
}

func (f *fieldErrors) unsupported(field string, value interface{}, supported ...string) {
	for i, s := range supported {
		supported[i] = strconv.Quote(s)
	}
	f.add("FieldValueNotSupported", field, fmt.Sprintf("Unsupported value: %s: supported values: %s",
		encode(value), strings.Join(supported, ", ")))
}

// err gives nil if nothing was found, else one 422 with every cause in it.
func (f fieldErrors) err(kind, group, name string) *apiError {
	if len(f) == 0 {
		return nil
	}
	var texts []string
	causes := make([]interface{}, len(f))
	for i, c := range f {
		texts = append(texts, c["field"].(string)+": "+c["message"].(string))
		causes[i] = c
	}
	text := strings.Join(texts, ", ")
	if len(texts) > 1 {
		text = "[" + text + "]"
	}
	fullKind := kind
	details := object{"kind": kind, "causes": causes}
	if name != "" {
		details["name"] = name
	}
	if group != "" {
		fullKind += "." + group
		details["group"] = group
	}
	return &apiError{code: 422, reason: "Invalid", details: details,
		message: fmt.Sprintf("%s %q is invalid: %s", fullKind, name, text)}
}
