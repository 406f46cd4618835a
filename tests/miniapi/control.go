// SPDX-License-Identifier: Apache-2.0

// The control endpoints below /_, for tests; they need an admin's credentials.
//
//	/_fault     GET rules and their hits, POST a rule or a list of them, DELETE all
//	/_requests  GET counts since the last DELETE
//	/_compact   POST: forget history, so that older versions are gone (410)
//	/_expire    POST: continue tokens given so far are gone (410)
//	/_watches   GET ?path= counts running watches, POST ends them
//	/_tokens    POST {token, user, groups} adds, DELETE {token} revokes
package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

const maxWritesKept = 10000

type writeSeen struct {
	Verb string `json:"verb"`
	Path string `json:"path"`
	User string `json:"user"`
}

// requestCounts counts by "verb resource[/subresource]", others by "METHOD path".
type requestCounts struct {
	mu     sync.Mutex
	Counts map[string]int `json:"counts"`
	Writes []writeSeen    `json:"writes"`
}

func newRequestCounts() *requestCounts {
	return &requestCounts{Counts: map[string]int{}, Writes: []writeSeen{}}
}

func (c *requestCounts) add(r *http.Request, q *request, user identity) {
	key := r.Method + " " + r.URL.Path
	c.mu.Lock()
	defer c.mu.Unlock()
	if q != nil && q.verb != "" {
		key = q.verb + " " + q.res.qualified()
		if q.sub != "" {
			key = q.verb + " " + q.res.plural + "/" + q.sub
		}
		if r.Method != "GET" && r.Method != "HEAD" && len(c.Writes) < maxWritesKept {
			c.Writes = append(c.Writes, writeSeen{q.verb, r.URL.Path, user.user})
		}
	}
	c.Counts[key]++
}

func (c *requestCounts) json() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return encode(c)
}

func (c *requestCounts) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Counts, c.Writes = map[string]int{}, []writeSeen{}
}

func (s *server) serveControl(w http.ResponseWriter, r *http.Request, user identity) {
	if !user.in("system:masters") {
		(&apiError{code: 403, reason: "Forbidden", message: "the control endpoints are for admins"}).write(w)
		return
	}
	handlers := map[string]func(http.ResponseWriter, *http.Request) *apiError{
		"GET /_fault": s.showFaults, "POST /_fault": s.addFaults, "DELETE /_fault": s.clearFaults,
		"GET /_requests": s.showRequests, "DELETE /_requests": s.resetRequests,
		"POST /_compact": s.controlCompact, "POST /_expire": s.controlExpire,
		"GET /_watches": s.countWatches, "POST /_watches": s.endWatches,
		"POST /_tokens": s.addToken, "DELETE /_tokens": s.revokeToken,
	}
	handler := handlers[r.Method+" "+strings.TrimSuffix(r.URL.Path, "/")]
	if handler == nil {
		http.NotFound(w, r)
		return
	}
	if err := handler(w, r); err != nil {
		err.write(w)
	}
}

func done(w http.ResponseWriter) *apiError {
	writeJSON(w, 200, []byte("{}"))
	return nil
}

func readJSON(r *http.Request, into interface{}) *apiError {
	body, apiErr := readBody(r)
	if apiErr != nil {
		return apiErr
	}
	if err := json.Unmarshal(body, into); err != nil {
		return errBadRequest("%v", err)
	}
	return nil
}

func (s *server) showFaults(w http.ResponseWriter, _ *http.Request) *apiError {
	writeJSON(w, 200, encode(object{"rules": s.faults.shown()}))
	return nil
}

func (s *server) addFaults(w http.ResponseWriter, r *http.Request) *apiError {
	var raw json.RawMessage
	if err := readJSON(r, &raw); err != nil {
		return err
	}
	var rules []*faultRule
	if len(raw) > 0 && raw[0] != '[' {
		raw = append(append(json.RawMessage("["), raw...), ']')
	}
	if err := json.Unmarshal(raw, &rules); err != nil {
		return errBadRequest("%v", err)
	}
	for _, rule := range rules {
		if err := rule.compile(); err != nil {
			return errBadRequest("%v", err)
		}
	}
	for _, rule := range rules {
		s.faults.add(rule)
	}
	return done(w)
}

func (s *server) clearFaults(w http.ResponseWriter, _ *http.Request) *apiError {
	s.faults.clear()
	return done(w)
}

func (s *server) showRequests(w http.ResponseWriter, _ *http.Request) *apiError {
	writeJSON(w, 200, s.counts.json())
	return nil
}

func (s *server) resetRequests(w http.ResponseWriter, _ *http.Request) *apiError {
	s.counts.reset()
	return done(w)
}

func (s *server) controlCompact(w http.ResponseWriter, _ *http.Request) *apiError {
	s.store.compact()
	return done(w)
}

func (s *server) controlExpire(w http.ResponseWriter, _ *http.Request) *apiError {
	s.store.expireContinue()
	return done(w)
}

func (s *server) countWatches(w http.ResponseWriter, r *http.Request) *apiError {
	path, err := regexp.Compile(r.URL.Query().Get("path"))
	if err != nil {
		return errBadRequest("path: %v", err)
	}
	writeJSON(w, 200, encode(object{"running": s.watches.count(path)}))
	return nil
}

func (s *server) endWatches(w http.ResponseWriter, r *http.Request) *apiError {
	var in struct{ Path, Action string }
	if err := readJSON(r, &in); err != nil {
		return err
	}
	path, err := regexp.Compile(in.Path)
	if err != nil {
		return errBadRequest("path: %v", err)
	}
	cmd := watchCommand{}
	switch in.Action {
	case "close":
	case "drop":
		cmd.drop = true
	case "expire":
		cmd.status = errExpired("too old resource version: injected fault").status()
	default:
		return errBadRequest("action %q is none of close, drop, expire", in.Action)
	}
	writeJSON(w, 200, encode(object{"told": s.watches.tell(path, cmd)}))
	return nil
}

func (s *server) addToken(w http.ResponseWriter, r *http.Request) *apiError {
	var in struct {
		Token, User string
		Groups      []string
	}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if in.Token == "" || in.User == "" {
		return errBadRequest("token and user are required")
	}
	s.auth.add(in.Token, identity{in.User, in.Groups})
	return done(w)
}

func (s *server) revokeToken(w http.ResponseWriter, r *http.Request) *apiError {
	var in struct{ Token string }
	if err := readJSON(r, &in); err != nil {
		return err
	}
	s.auth.remove(in.Token)
	return done(w)
}
