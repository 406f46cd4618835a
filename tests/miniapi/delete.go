// SPDX-License-Identifier: Apache-2.0

// Delete and deletecollection: preconditions, finalizers, and namespaces,
// whose content this server clears itself since no controller runs here.
package main

import (
	"fmt"
	"strconv"
)

var immortal = map[string]bool{"default": true, "kube-system": true, "kube-public": true}

func (s *server) delete(q *request, body []byte) (object, *apiError) {
	options := object{}
	if len(body) > 0 {
		var err error
		if options, err = decodeObject(body); err != nil {
			return nil, errBadRequest("the DeleteOptions cannot be read: %v", err)
		}
	}
	for _, v := range stringList(options, "dryRun") {
		q.dryRun = q.dryRun || v == "All"
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	rec := s.store.shelves[q.res.shelf()].live[keyOf(q.ns, q.name)]
	if rec == nil {
		return nil, errNotFound(q.res, q.name)
	}
	obj := rec.object()
	if err := checkPreconditions(q, options, obj); err != nil {
		return nil, err
	}
	if q.res.kind == "Namespace" && immortal[q.name] {
		return nil, &apiError{code: 403, reason: "Forbidden", details: q.res.details(q.name),
			message: fmt.Sprintf("namespaces %q is forbidden: this namespace may not be deleted", q.name)}
	}
	if q.dryRun {
		return deleted(q.res, rec), nil
	}
	if s.deleteLocked(q.res, obj) && !q.res.returnsDeleted {
		return deleted(q.res, rec), nil
	}
	return obj, nil
}

func deleted(res *resource, rec *record) object {
	details := res.details(rec.name)
	details["uid"] = rec.uid
	return object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Success", "details": details}
}

func checkPreconditions(q *request, options, obj object) *apiError {
	for key, label := range map[string]string{"uid": "UID", "resourceVersion": "ResourceVersion"} {
		want, have := str(options, "preconditions", key), str(obj, "metadata", key)
		if want != "" && want != have {
			return errConflict(q.res, q.name, fmt.Sprintf("Precondition failed: %s in precondition: %s, %s in object meta: %s",
				label, want, label, have))
		}
	}
	return nil
}

// deleteLocked removes obj, or marks it if finalizers or content hold it. It
// tells whether the object is gone. The caller holds the store.
func (s *server) deleteLocked(res *resource, obj object) bool {
	isNamespace := res.plural == "namespaces" && res.group == ""
	if len(list(obj, "metadata", "finalizers")) == 0 && !isNamespace {
		s.removeLocked(res, obj)
		return true
	}
	if str(obj, "metadata", "deletionTimestamp") == "" {
		m := meta(obj)
		m["deletionTimestamp"] = timestamp(0)
		if !isNamespace {
			m["deletionGracePeriodSeconds"] = num(0)
		}
		if generation, ok := number(m["generation"]); ok {
			m["generation"] = num(generation + 1)
		}
		if isNamespace {
			child(obj, "status")["phase"] = "Terminating"
		}
		s.store.put(res, obj)
	}
	if isNamespace {
		s.clearNamespace(str(obj, "metadata", "name"))
	}
	return false
}

// removeLocked takes the object away and, with it, a namespace that is going
// and has become empty.
func (s *server) removeLocked(res *resource, obj object) {
	s.store.remove(res, obj)
	if ns := str(obj, "metadata", "namespace"); ns != "" {
		s.finishNamespace(ns)
	}
}

func (s *server) clearNamespace(ns string) {
	for _, res := range resources {
		if !res.namespaced || res.stored != "" {
			continue
		}
		for _, rec := range s.store.shelves[res.shelf()].live {
			if rec.ns == ns {
				s.deleteLocked(res, rec.object())
			}
		}
	}
	s.finishNamespace(ns)
}

func (s *server) finishNamespace(ns string) {
	rec := s.store.shelves["namespaces"].live[ns]
	if rec == nil {
		return
	}
	obj := rec.object()
	if str(obj, "metadata", "deletionTimestamp") == "" || len(list(obj, "metadata", "finalizers")) > 0 {
		return
	}
	for _, sh := range s.store.shelves {
		for _, other := range sh.live {
			if other.ns == ns {
				return
			}
		}
	}
	s.store.remove(findResource("", "v1", "namespaces"), obj)
}

func (s *server) deleteCollection(q *request, body []byte) (object, *apiError) {
	f, err := newFilter(q)
	if err != nil {
		return nil, err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	items := []interface{}{}
	for _, rec := range s.store.shelves[q.res.shelf()].live {
		if !f.shows(rec) {
			continue
		}
		obj := rec.object()
		if !q.dryRun {
			s.deleteLocked(q.res, obj)
		}
		if q.res.fromStored != nil {
			obj = q.res.fromStored(obj)
		}
		items = append(items, obj)
	}
	return object{"kind": q.res.kind + "List", "apiVersion": q.res.groupVersion(), "items": items,
		"metadata": object{"resourceVersion": strconv.FormatUint(s.store.rv, 10)}}, nil
}
