// SPDX-License-Identifier: Apache-2.0

// Create and update: what the server owns in the metadata, validation,
// optimistic concurrency, and the end of an object whose last finalizer goes.
package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

var (
	dnsSubdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	dnsLabel1035 = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)
)

func timestamp(inSeconds int) string {
	return time.Now().Add(time.Duration(inSeconds) * time.Second).UTC().Format(time.RFC3339)
}

func (s *server) createFromBody(q *request, body []byte) (object, *apiError) {
	obj, err := decodeBody(q.res, body)
	if err != nil {
		return nil, err
	}
	return s.create(q, obj)
}

// create stores a new object, given in its stored form.
func (s *server) create(q *request, obj object) (object, *apiError) {
	m := meta(obj)
	if q.res.namespaced {
		if ns := str(m, "namespace"); ns != "" && ns != q.ns {
			return nil, errBadRequest("the namespace of the provided object does not match the namespace sent on the request")
		}
		m["namespace"] = q.ns
	} else {
		delete(m, "namespace")
	}
	if str(m, "resourceVersion") != "" {
		return nil, &apiError{code: 500, reason: "InternalError",
			message: "resourceVersion should not be set on objects to be created"}
	}
	if str(m, "name") == "" && str(m, "generateName") != "" {
		m["name"] = str(m, "generateName") + randomHex(3)[:5]
	}
	for _, key := range []string{"selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"} {
		delete(m, key)
	}
	if q.res.admit != nil {
		q.res.admit(obj)
	}
	omitEmpty(m, "labels", "annotations", "finalizers", "ownerReferences")
	m["uid"] = newUID()
	m["creationTimestamp"] = timestamp(0)
	delete(m, "generation")
	if q.res.generation {
		m["generation"] = num(1)
	}
	if q.res.hasSub("status") {
		delete(obj, "status")
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if err := s.namespaceOpen(q, str(m, "name")); err != nil {
		return nil, err
	}
	if err := s.prepare(q.res, nil, obj); err != nil {
		return nil, err
	}
	if s.store.shelves[q.res.shelf()].live[keyOf(q.ns, str(m, "name"))] != nil {
		return nil, errExists(q.res, str(m, "name"))
	}
	if q.dryRun {
		return obj, nil
	}
	s.store.put(q.res, obj)
	return obj, nil
}

func newUID() string {
	b := randomBytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// namespaceOpen refuses what would be created in a namespace that is not there.
func (s *server) namespaceOpen(q *request, name string) *apiError {
	if q.ns == "" {
		return nil
	}
	namespaces := findResource("", "v1", "namespaces")
	rec := s.store.shelves["namespaces"].live[q.ns]
	if rec == nil {
		return errNotFound(namespaces, q.ns)
	}
	if str(rec.object(), "metadata", "deletionTimestamp") != "" {
		details := q.res.details(name)
		details["causes"] = []interface{}{object{"reason": "NamespaceTerminating", "field": "metadata.namespace",
			"message": fmt.Sprintf("namespace %s is being terminated", q.ns)}}
		return &apiError{code: 403, reason: "Forbidden", details: details,
			message: fmt.Sprintf("%s %q is forbidden: unable to create new content in namespace %s because it is being terminated",
				q.res.qualified(), name, q.ns)}
	}
	return nil
}

// prepare defaults and validates obj as a new object or as old's successor.
func (s *server) prepare(res *resource, old, obj object) *apiError {
	if res.defaults != nil {
		res.defaults(obj)
	}
	if res.plural == "services" {
		if err := s.services.prepare(old, obj); err != nil {
			return err
		}
	}
	errs := fieldErrors{}
	validateMeta(res, old, obj, &errs)
	if res.validate != nil {
		res.validate(obj, &errs)
	}
	if res.validateUpdate != nil && old != nil {
		res.validateUpdate(old, obj, &errs)
	}
	return errs.err(res.kind, res.group, str(obj, "metadata", "name"))
}

func validateMeta(res *resource, old, obj object, errs *fieldErrors) {
	name := str(obj, "metadata", "name")
	switch {
	case name == "":
		errs.required("metadata.name", "name or generateName is required")
	case res.plural == "services" && len(name) > 63:
		errs.invalid("metadata.name", name, "must be no more than 63 characters")
	case res.plural == "services" && !dnsLabel1035.MatchString(name):
		errs.invalid("metadata.name", name, "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "+
			"start with an alphabetic character, and end with an alphanumeric character")
	case res.group != rbacGroup && (!dnsSubdomain.MatchString(name) || len(name) > 253):
		errs.invalid("metadata.name", name, "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "+
			"characters, '-' or '.', and must start and end with an alphanumeric character")
	}
	for key, v := range stringMap(get(obj, "metadata", "labels")) {
		if !labelKey.MatchString(key) {
			errs.invalid("metadata.labels", key, whatIsAName)
		}
		if !labelValue.MatchString(v) {
			errs.invalid("metadata.labels", v, "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'")
		}
	}
	for key := range stringMap(get(obj, "metadata", "annotations")) {
		if !labelKey.MatchString(key) {
			errs.invalid("metadata.annotations", key, whatIsAName)
		}
	}
	if old != nil && str(old, "metadata", "uid") != str(obj, "metadata", "uid") {
		errs.invalid("metadata.uid", str(obj, "metadata", "uid"), "field is immutable")
	}
	for i, f := range stringList(obj, "metadata", "finalizers") {
		if !strings.Contains(f, "/") && f != "orphan" && f != "foregroundDeletion" && f != "kubernetes" {
			errs.invalid(fmt.Sprintf("metadata.finalizers[%d]", i), f,
				"name is neither a standard finalizer name nor is it fully qualified")
		} else if !labelKey.MatchString(f) {
			errs.invalid(fmt.Sprintf("metadata.finalizers[%d]", i), f, whatIsAName)
		}
	}
	if old == nil || str(old, "metadata", "deletionTimestamp") == "" {
		return
	}
	had := map[string]bool{}
	for _, f := range stringList(old, "metadata", "finalizers") {
		had[f] = true
	}
	for _, f := range stringList(obj, "metadata", "finalizers") {
		if !had[f] {
			errs.forbidden("metadata.finalizers", fmt.Sprintf(
				"no new finalizers can be added if the object is being deleted, found new finalizers %#v", []string{f}))
		}
	}
}

func (s *server) update(q *request, body []byte) (int, object, *apiError) {
	next, err := decodeBody(q.res, body)
	if err != nil {
		return 0, nil, err
	}
	if err := checkNames(q, next); err != nil {
		return 0, nil, err
	}
	if q.res.createsOnPut && q.sub == "" && !s.has(q) {
		delete(meta(next), "resourceVersion")
		out, err := s.create(q, next)
		return http.StatusCreated, out, err
	}
	out, err := s.modify(q, func(cur object) (object, *apiError) {
		if q.res.conditional && str(next, "metadata", "resourceVersion") == "" {
			errs := fieldErrors{}
			errs.add("FieldValueInvalid", "metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
			return nil, errs.err(q.res.kind, q.res.group, q.name)
		}
		return next, checkUID(q, cur, next)
	})
	return http.StatusOK, out, err
}

func (s *server) has(q *request) bool {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	return s.store.shelves[q.res.shelf()].live[keyOf(q.ns, q.name)] != nil
}

func checkNames(q *request, next object) *apiError {
	m := meta(next)
	if name := str(m, "name"); name != q.name {
		return errBadRequest("the name of the object (%s) does not match the name on the URL (%s)", name, q.name)
	}
	if ns := str(m, "namespace"); q.res.namespaced && ns != "" && ns != q.ns {
		return errBadRequest("the namespace of the object (%s) does not match the namespace on the request (%s)", ns, q.ns)
	}
	return nil
}

// checkUID holds a PUT to the object that it means.
func checkUID(q *request, cur, next object) *apiError {
	uid, have := str(next, "metadata", "uid"), str(cur, "metadata", "uid")
	if uid == "" || uid == have {
		return nil
	}
	return errConflict(q.res, q.name, fmt.Sprintf("Precondition failed: UID in precondition: %s, UID in object meta: %s",
		uid, have))
}

// modify stores what change makes of the live object, under the rules that
// hold for every way of writing.
func (s *server) modify(q *request, change func(cur object) (object, *apiError)) (object, *apiError) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	rec := s.store.shelves[q.res.shelf()].live[keyOf(q.ns, q.name)]
	if rec == nil {
		return nil, errNotFound(q.res, q.name)
	}
	cur := rec.object()
	next, err := change(rec.object())
	if err != nil {
		return nil, err
	}
	if err := checkNames(q, next); err != nil {
		return nil, err
	}
	if rv := str(next, "metadata", "resourceVersion"); rv != "" && rv != str(cur, "metadata", "resourceVersion") {
		return nil, errConflict(q.res, q.name, modifiedMeanwhile)
	}
	keepOwned(q, cur, next)
	if err := s.prepare(q.res, cur, next); err != nil {
		return nil, err
	}
	if equal(cur, next) {
		return next, nil
	}
	if q.res.generation && !equal(specOf(q.res, cur), specOf(q.res, next)) {
		old, _ := number(get(cur, "metadata", "generation"))
		meta(next)["generation"] = num(old + 1)
	}
	if q.dryRun {
		return next, nil
	}
	if str(next, "metadata", "deletionTimestamp") != "" && len(list(next, "metadata", "finalizers")) == 0 {
		s.removeLocked(q.res, cur) // watches see it as it was last stored
		return next, nil
	}
	s.store.put(q.res, next)
	return next, nil
}

// keepOwned puts back what this request may not change: the server's own
// metadata, the status on the main resource, all else on the status one.
func keepOwned(q *request, cur, next object) {
	m := meta(next)
	if q.res.namespaced {
		m["namespace"] = q.ns
	}
	if str(m, "uid") == "" {
		keep(meta(cur), m, "uid")
	}
	for _, key := range []string{"creationTimestamp", "resourceVersion", "generation",
		"deletionTimestamp", "deletionGracePeriodSeconds", "generateName"} {
		keep(meta(cur), m, key)
	}
	delete(m, "managedFields")
	delete(m, "selfLink")
	delete(next, "kind")
	delete(next, "apiVersion")
	omitEmpty(m, "labels", "annotations", "finalizers", "ownerReferences")
	if q.sub == "status" {
		for key := range next {
			if key != "metadata" && key != "status" {
				delete(next, key)
			}
		}
		for key, v := range cur {
			if key != "metadata" && key != "status" {
				next[key] = deepCopy(v)
			}
		}
	} else if q.res.hasSub("status") {
		keep(cur, next, "status")
	}
}

func keep(from, to object, key string) {
	if v, ok := from[key]; ok {
		to[key] = deepCopy(v)
	} else {
		delete(to, key)
	}
}

// specOf is what the generation counts; a slice's labels belong to it.
func specOf(res *resource, o object) object {
	out := object{}
	for k, v := range o {
		if k != "status" && k != "metadata" {
			out[k] = v
		}
	}
	if res.kind == "EndpointSlice" {
		out["labels"] = get(o, "metadata", "labels")
	}
	return out
}
