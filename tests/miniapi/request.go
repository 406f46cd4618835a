// SPDX-License-Identifier: Apache-2.0

// From an HTTP request to a verb on a resource: path parsing, authentication,
// authorization, fault injection, and the dispatch to the verb's function.
package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

const maxBody = 3 << 20 // as the API server's own limit

// request is one API request, parsed.
type request struct {
	res           *resource
	ns, name, sub string
	verb          string
	user          identity
	query         url.Values
	dryRun        bool
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, authErr := s.authenticate(r)
	if strings.HasPrefix(r.URL.Path, "/_") {
		s.serveControl(w, r, user)
		return
	}
	q, known := parsePath(r)
	s.counts.add(r, q, user)
	if q != nil {
		q.user = user
		w = s.faults.apply(s, w, r, q)
	} else {
		w = s.faults.apply(s, w, r, &request{verb: strings.ToLower(r.Method), user: user})
	}
	if w == nil {
		return
	}
	defer finishFault(w)
	if authErr != nil {
		authErr.write(w)
		return
	}
	if q == nil {
		if known || !s.serveDiscovery(w, r, user) {
			errNoSuchPath(r).write(w)
		}
		return
	}
	if q.verb == "" {
		errMethod().write(w)
		return
	}
	if !s.allowed(q) {
		errForbidden(q, "").write(w)
		return
	}
	s.dispatch(w, r, q)
}

// parsePath reads the API's path scheme. It gives nil for paths that are no
// resource; known then says that they lie below a group version that exists.
func parsePath(r *http.Request) (q *request, known bool) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group, version := "", ""
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		group, version, parts = parts[1], parts[2], parts[3:]
	default:
		return nil, false
	}
	q = &request{query: r.URL.Query()}
	if len(parts) >= 3 && parts[0] == "namespaces" && findResource(group, version, parts[2]) != nil {
		q.ns, parts = parts[1], parts[2:]
		if q.res = findResource(group, version, parts[0]); !q.res.namespaced {
			return nil, true
		}
	} else {
		q.res = findResource(group, version, parts[0])
	}
	if q.res == nil || len(parts) > 3 {
		return nil, true
	}
	if len(parts) > 1 {
		q.name = parts[1]
		if q.res.namespaced && q.ns == "" {
			return nil, true
		}
	}
	if len(parts) > 2 {
		q.sub = parts[2]
		if !q.res.hasSub(q.sub) {
			return nil, true
		}
	}
	if q.res.plural == "namespaces" && q.res.group == "" {
		q.ns = q.name // for authorization, as the real one does
	}
	q.dryRun = q.query.Get("dryRun") == "All"
	q.verb = verbOf(r.Method, q)
	return q, true
}

func verbOf(method string, q *request) string {
	watch := q.query.Get("watch")
	switch {
	case (method == "GET" || method == "HEAD") && q.name == "" && (watch == "true" || watch == "1"):
		return "watch"
	case (method == "GET" || method == "HEAD") && q.name == "":
		return "list"
	case method == "GET" || method == "HEAD":
		return "get"
	case method == "POST" && q.name == "" && (q.ns != "" || !q.res.namespaced):
		return "create"
	case method == "POST" && q.sub == "token":
		return "create"
	case method == "PUT" && q.name != "":
		return "update"
	case method == "PATCH" && q.name != "":
		return "patch"
	case method == "DELETE" && q.name != "" && q.sub == "":
		return "delete"
	case method == "DELETE" && q.name == "" && !q.res.oneByOne && (q.ns != "" || !q.res.namespaced):
		return "deletecollection"
	}
	return ""
}

func (s *server) dispatch(w http.ResponseWriter, r *http.Request, q *request) {
	if q.res.plural == "namespaces" && q.res.group == "" {
		q.ns = ""
	}
	switch q.verb {
	case "get":
		s.serveGet(w, r, q)
	case "list":
		s.serveList(w, r, q)
	case "watch":
		s.serveWatch(w, r, q)
	default:
		s.serveWrite(w, r, q)
	}
}

// serveWrite answers create, update, patch and both deletes.
func (s *server) serveWrite(w http.ResponseWriter, r *http.Request, q *request) {
	body, err := readBody(r)
	if err != nil {
		err.write(w)
		return
	}
	contentType := mediaType(r.Header.Get("Content-Type"))
	if q.verb != "patch" && len(body) > 0 && contentType != "application/json" && contentType != "" {
		errMediaType("application/json").write(w)
		return
	}
	code, out, err := 200, object(nil), (*apiError)(nil)
	switch {
	case q.sub == "token":
		code, out, err = s.createToken(q, body)
	case q.verb == "create":
		code = 201
		out, err = s.createFromBody(q, body)
	case q.verb == "update":
		code, out, err = s.update(q, body)
	case q.verb == "patch":
		code, out, err = s.patch(q, contentType, body)
	case q.verb == "delete":
		out, err = s.delete(q, body)
	case q.verb == "deletecollection":
		out, err = s.deleteCollection(q, body)
	}
	if err != nil {
		err.write(w)
		return
	}
	if kind := out["kind"]; kind == "Status" || kind == q.res.kind+"List" || q.sub == "token" {
		writeJSON(w, code, encode(out))
		return
	}
	s.writeObject(w, r, q.res, code, out)
}

func readBody(r *http.Request) ([]byte, *apiError) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, errBadRequest("reading the body: %v", err)
	}
	if len(body) > maxBody {
		return nil, &apiError{code: 413, reason: "RequestEntityTooLarge",
			message: "Request entity too large: limit is 3145728"}
	}
	return body, nil
}

func mediaType(header string) string {
	return strings.TrimSpace(strings.SplitN(header, ";", 2)[0])
}

func writeJSON(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(append(body, '\n'))
}
