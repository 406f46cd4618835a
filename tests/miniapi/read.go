// SPDX-License-Identifier: Apache-2.0

// Get and list: selectors, resourceVersion rules, and paging. A continue token
// names the version and the last key, so all pages show one moment.
package main

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// filter is what a list or watch shows of a shelf.
type filter struct {
	ns             string
	labels, fields selector
}

func (f *filter) shows(rec *record) bool {
	return (f.ns == "" || rec.ns == f.ns) && f.labels.matches(rec.labels) && f.fields.matchesFields(rec.fields)
}

func newFilter(q *request) (*filter, *apiError) {
	f := &filter{ns: q.ns}
	var err error
	if f.labels, err = parseLabelSelector(q.query.Get("labelSelector")); err == nil {
		f.fields, err = parseFieldSelector(q.query.Get("fieldSelector"), q.res.fieldNames)
	}
	if err != nil {
		return nil, errBadRequest("%v", err)
	}
	return f, nil
}

func (s *server) serveGet(w http.ResponseWriter, r *http.Request, q *request) {
	s.store.mu.RLock()
	rec := s.store.shelves[q.res.shelf()].live[keyOf(q.ns, q.name)]
	s.store.mu.RUnlock()
	if rec == nil {
		errNotFound(q.res, q.name).write(w)
		return
	}
	s.writeObject(w, r, q.res, 200, rec.object())
}

// writeObject answers with one object, as a table if the client asked for one.
func (s *server) writeObject(w http.ResponseWriter, r *http.Request, res *resource, code int, obj object) {
	if wantsTable(r) {
		writeJSON(w, code, encode(res.table([]object{obj}, str(obj, "metadata", "resourceVersion"), true)))
		return
	}
	writeJSON(w, code, res.renderObject(obj))
}

type continueToken struct {
	API   string `json:"v"`
	RV    uint64 `json:"rv"`
	Start string `json:"start"`
}

func (t continueToken) String() string {
	data, err := json.Marshal(t)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func parseContinue(text string) (continueToken, *apiError) {
	var t continueToken
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil || t.API != "meta.k8s.io/v1" {
		return t, errBadRequest("invalid continue token: continue key is not valid: %v", err)
	}
	return t, nil
}

// listOptions are a list's parameters, checked.
type listOptions struct {
	limit int
	after string
	rv    uint64 // 0: now
}

func (s *server) parseListOptions(q *request) (listOptions, *apiError) {
	var o listOptions
	if limit := q.query.Get("limit"); limit != "" {
		var err error
		if o.limit, err = strconv.Atoi(limit); err != nil {
			return o, errBadRequest("%v", err)
		}
	}
	match, rvText := q.query.Get("resourceVersionMatch"), q.query.Get("resourceVersion")
	errs := fieldErrors{}
	if q.query.Get("sendInitialEvents") != "" {
		errs.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
	}
	if match != "" {
		if rvText == "" {
			errs.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
		}
		if q.query.Get("continue") != "" {
			errs.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")
		}
		if match != "Exact" && match != "NotOlderThan" {
			errs.unsupported("resourceVersionMatch", match, "Exact", "NotOlderThan", "")
		}
		if match == "Exact" && rvText == "0" {
			errs.forbidden("resourceVersionMatch", `resourceVersionMatch "exact" is forbidden for resourceVersion "0"`)
		}
	}
	if err := errs.err("ListOptions", "meta.k8s.io", ""); err != nil {
		return o, err
	}
	if token := q.query.Get("continue"); token != "" {
		return s.resumeList(o, token, rvText)
	}
	rv, err := parseVersion(rvText)
	if err != nil {
		return o, err
	}
	if rv > s.store.current() {
		return o, errTooLargeVersion(rv, s.store.current())
	}
	if match == "Exact" || (match == "" && o.limit > 0) {
		o.rv = rv
	}
	return o, nil
}

func (s *server) resumeList(o listOptions, token, rvText string) (listOptions, *apiError) {
	if rvText != "" && rvText != "0" {
		return o, errBadRequest("specifying resource version is not allowed when using continue")
	}
	t, err := parseContinue(token)
	if err != nil {
		return o, err
	}
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	if t.RV < s.store.continueFloor {
		return o, errOldContinue()
	}
	o.after, o.rv = t.Start, t.RV
	return o, nil
}

func errOldContinue() *apiError {
	return errExpired("The provided continue parameter is too old to display a consistent list result. " +
		"You can start a new list without the continue parameter.")
}

func parseVersion(text string) (uint64, *apiError) {
	if text == "" {
		return 0, nil
	}
	rv, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, errBadRequest("invalid resource version: resourceVersion: Invalid value: %q: %v", text, err)
	}
	return rv, nil
}

func (s *server) serveList(w http.ResponseWriter, r *http.Request, q *request) {
	f, err := newFilter(q)
	if err != nil {
		err.write(w)
		return
	}
	o, err := s.parseListOptions(q)
	if err != nil {
		err.write(w)
		return
	}
	if behind := staleBy(w); behind > 0 {
		o.rv = s.store.current() - behind
	}
	all, rv, err := s.store.snapshot(q.res.shelf(), o.rv)
	if err != nil {
		if o.after != "" {
			err = errOldContinue()
		}
		err.write(w)
		return
	}
	page, next, remaining := cutPage(all, f, o, rv)
	head := object{"resourceVersion": strconv.FormatUint(rv, 10)}
	if next != "" {
		head["continue"] = next
		if len(f.labels) == 0 && len(f.fields) == 0 {
			head["remainingItemCount"] = remaining
		}
	}
	if wantsTable(r) {
		objects := make([]object, len(page))
		for i, rec := range page {
			objects[i] = rec.object()
		}
		table := q.res.table(objects, "", true)
		table["metadata"] = head
		writeJSON(w, 200, encode(table))
		return
	}
	writeList(w, r, q.res, head, page)
}

// cutPage gives the records to show, the token for the rest, and its size.
func cutPage(all []*record, f *filter, o listOptions, rv uint64) (page []*record, next string, remaining int) {
	for _, rec := range all {
		if (o.after != "" && rec.key <= o.after) || !f.shows(rec) {
			continue
		}
		if o.limit > 0 && len(page) == o.limit {
			remaining++
			continue
		}
		page = append(page, rec)
	}
	if remaining > 0 {
		next = continueToken{"meta.k8s.io/v1", rv, page[len(page)-1].key}.String()
	}
	return page, next, remaining
}

func writeList(w http.ResponseWriter, r *http.Request, res *resource, head object, page []*record) {
	size := 0
	for _, rec := range page {
		size += len(rec.json) + 1
	}
	body := make([]byte, 0, size+256)
	body = append(body, `{"kind":"`+res.kind+`List","apiVersion":"`+res.groupVersion()+`","metadata":`...)
	body = append(append(body, encode(head)...), `,"items":[`...)
	for i, rec := range page {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, res.renderItem(rec)...)
	}
	body = append(body, "]}"...)
	if len(body) < 128<<10 || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		writeJSON(w, 200, body)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(200)
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		panic(err)
	}
	zip.Write(append(body, '\n'))
	zip.Close()
}
