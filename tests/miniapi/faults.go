// SPDX-License-Identifier: Apache-2.0

// Fault injection: rules, set through the control endpoint, that make matching
// requests fail in one chosen way. The first rule that matches and has times
// left is used. README.md lists the actions.
package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// faultRule is one rule as the control endpoint takes and shows it.
type faultRule struct {
	Method string `json:"method,omitempty"` // regular expressions, unanchored
	Path   string `json:"path,omitempty"`
	Verb   string `json:"verb,omitempty"`  // get, list, watch, create, update, patch, delete...
	User   string `json:"user,omitempty"`  // likewise a regular expression
	Skip   int    `json:"skip,omitempty"`  // so many matching requests go through first
	Times  int    `json:"times,omitempty"` // 0 counts as 1; -1 has no end
	Action struct {
		Type        string `json:"type"`
		Code        int    `json:"code,omitempty"`
		RetryAfter  int    `json:"retryAfter,omitempty"`
		Message     string `json:"message,omitempty"`
		Millis      int    `json:"ms,omitempty"`
		Bytes       int    `json:"bytes,omitempty"`
		Clean       bool   `json:"clean,omitempty"`
		MiB         int    `json:"mib,omitempty"`
		Behind      uint64 `json:"behind,omitempty"`
		Body        string `json:"body,omitempty"`
		ContentType string `json:"contentType,omitempty"`
	} `json:"action"`
	Hits int `json:"hits"`

	method, path, user *regexp.Regexp
}

var faultTypes = map[string]func(f *faulty) http.ResponseWriter{
	"status":      (*faulty).status,
	"delay":       (*faulty).delay,
	"hang":        (*faulty).hang,
	"drop":        (*faulty).drop,
	"reset":       (*faulty).reset,
	"drop_after":  (*faulty).afterwards,
	"reset_after": (*faulty).afterwards,
	"hang_after":  (*faulty).afterwards,
	"truncate":    (*faulty).afterwards,
	"stale":       (*faulty).afterwards,
	"garbage":     (*faulty).garbage,
	"body":        (*faulty).body,
	"huge":        (*faulty).huge,
	"close_watch": (*faulty).closeWatch,
	"watch_error": (*faulty).watchError,
}

func (rule *faultRule) compile() error {
	if faultTypes[rule.Action.Type] == nil {
		return fmt.Errorf("action.type %q is none of those known", rule.Action.Type)
	}
	if rule.Times == 0 {
		rule.Times = 1
	}
	var err error
	for _, each := range []struct {
		text string
		to   **regexp.Regexp
	}{{rule.Method, &rule.method}, {rule.Path, &rule.path}, {rule.User, &rule.user}} {
		if *each.to, err = regexp.Compile(each.text); err != nil {
			return err
		}
	}
	return nil
}

type faultSet struct {
	mu    sync.Mutex
	rules []*faultRule
}

func (fs *faultSet) add(rule *faultRule) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.rules = append(fs.rules, rule)
}

func (fs *faultSet) clear() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.rules = nil
}

// shown gives copies for the control endpoint.
func (fs *faultSet) shown() []faultRule {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	out := []faultRule{}
	for _, rule := range fs.rules {
		out = append(out, *rule)
	}
	return out
}

func (fs *faultSet) take(r *http.Request, q *request) *faultRule {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, rule := range fs.rules {
		if !rule.method.MatchString(r.Method) || !rule.path.MatchString(r.URL.Path) ||
			!rule.user.MatchString(q.user.user) || (rule.Verb != "" && rule.Verb != q.verb) || rule.Times == 0 {
			continue
		}
		if rule.Skip > 0 {
			rule.Skip--
			continue
		}
		if rule.Times > 0 {
			rule.Times--
		}
		rule.Hits++
		return rule
	}
	return nil
}

// faulty is a request that a rule has hit. As a writer it spoils the answer.
type faulty struct {
	http.ResponseWriter
	r    *http.Request
	q    *request
	rule *faultRule
	left int // truncate: bytes still to pass
}

// apply gives the writer to go on with, or nil if the fault was the answer.
func (fs *faultSet) apply(s *server, w http.ResponseWriter, r *http.Request, q *request) http.ResponseWriter {
	rule := fs.take(r, q)
	if rule == nil {
		return w
	}
	f := &faulty{ResponseWriter: w, r: r, q: q, rule: rule, left: rule.Action.Bytes}
	return faultTypes[rule.Action.Type](f)
}

func (f *faulty) status() http.ResponseWriter {
	a := f.rule.Action
	reasons := map[int]string{401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired",
		422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
	message := a.Message
	if message == "" {
		message = "injected fault"
	}
	e := &apiError{code: a.Code, reason: reasons[a.Code], message: message}
	if a.RetryAfter > 0 {
		e.details = object{"retryAfterSeconds": a.RetryAfter}
	}
	e.write(f.ResponseWriter)
	return nil
}

func (f *faulty) wait() {
	select {
	case <-time.After(time.Duration(f.rule.Action.Millis) * time.Millisecond):
	case <-f.r.Context().Done():
	}
}

func (f *faulty) delay() http.ResponseWriter {
	f.wait()
	return f.ResponseWriter
}

// hang answers nothing, for ms milliseconds or until the client gives up.
func (f *faulty) hang() http.ResponseWriter {
	if f.rule.Action.Millis == 0 {
		<-f.r.Context().Done()
	} else {
		f.wait()
	}
	panic(http.ErrAbortHandler)
}

func (f *faulty) drop() http.ResponseWriter {
	dropConnection(f.r)
	return nil
}

func (f *faulty) reset() http.ResponseWriter { panic(http.ErrAbortHandler) }

// dropConnection cuts the whole TCP connection with a reset.
func dropConnection(r *http.Request) {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	if conn != nil {
		conn.Close()
	}
	panic(http.ErrAbortHandler)
}

func (f *faulty) afterwards() http.ResponseWriter { return f }

func (f *faulty) garbage() http.ResponseWriter {
	n := f.rule.Action.Bytes
	if n == 0 {
		n = 4096
	}
	f.Header().Set("Content-Type", "application/json")
	f.ResponseWriter.Write(append([]byte(`{"kind":`), randomBytes(n)...))
	return nil
}

func (f *faulty) body() http.ResponseWriter {
	a := f.rule.Action
	if a.ContentType == "" {
		a.ContentType = "application/json"
	}
	f.Header().Set("Content-Type", a.ContentType)
	if a.Code != 0 {
		f.ResponseWriter.WriteHeader(a.Code)
	}
	f.ResponseWriter.Write([]byte(a.Body))
	return nil
}

// huge answers with one valid object that has an annotation of so many MiB.
func (f *faulty) huge() http.ResponseWriter {
	head, tail := `{"kind":"X","apiVersion":"v1",`, `"}}}`
	if f.q.res != nil {
		head = f.q.res.prefix()
	}
	switch f.q.verb {
	case "list":
		head = strings.Replace(head, `","apiVersion`, `List","apiVersion`, 1) + `"metadata":{"resourceVersion":"1"},"items":[{`
		tail += "]}"
	case "watch":
		head = `{"type":"ADDED","object":` + head
		tail += "}\n"
	}
	f.Header().Set("Content-Type", "application/json")
	f.ResponseWriter.Write([]byte(head + `"metadata":{"name":"huge","namespace":"default","annotations":{"pad":"`))
	block := []byte(strings.Repeat("a", 1<<20))
	for i := 0; i < f.rule.Action.MiB; i++ {
		if _, err := f.ResponseWriter.Write(block); err != nil {
			return nil
		}
	}
	f.ResponseWriter.Write([]byte(tail))
	return nil
}

func (f *faulty) closeWatch() http.ResponseWriter {
	f.Header().Set("Content-Type", "application/json")
	f.ResponseWriter.WriteHeader(200)
	return nil
}

func (f *faulty) watchError() http.ResponseWriter {
	e := errExpired("too old resource version: injected fault")
	if c := f.rule.Action.Code; c != 0 && c != 410 {
		e = &apiError{code: c, reason: "InternalError", message: "injected fault"}
	}
	f.closeWatch()
	(&watcher{w: f.ResponseWriter}).send("ERROR", encode(e.status()))
	return nil
}

// isMute says whether the answer is to be lost.
func (f *faulty) isMute() bool { return strings.HasSuffix(f.rule.Action.Type, "_after") }

func (f *faulty) Write(p []byte) (int, error) {
	if f.isMute() {
		return len(p), nil
	}
	if f.rule.Action.Type == "truncate" {
		if len(p) > f.left {
			f.ResponseWriter.Write(p[:f.left])
			f.left = 0
			return len(p), nil
		}
		f.left -= len(p)
	}
	return f.ResponseWriter.Write(p)
}

func (f *faulty) WriteHeader(code int) {
	if f.isMute() {
		return
	}
	f.Header().Set("X-Injected-Fault", f.rule.Action.Type+" "+strconv.Itoa(f.rule.Hits))
	f.ResponseWriter.WriteHeader(code)
}

func (f *faulty) Flush() {
	if flusher, ok := f.ResponseWriter.(http.Flusher); ok && !f.isMute() {
		flusher.Flush()
	}
}

// finishFault does what a rule asks for after the request has taken effect.
func finishFault(w http.ResponseWriter) {
	f, ok := w.(*faulty)
	if !ok {
		return
	}
	switch {
	case f.rule.Action.Type == "drop_after":
		dropConnection(f.r)
	case f.rule.Action.Type == "reset_after":
		panic(http.ErrAbortHandler)
	case f.rule.Action.Type == "hang_after":
		f.hang()
	case f.rule.Action.Type == "truncate" && !f.rule.Action.Clean:
		f.Flush()
		panic(http.ErrAbortHandler)
	}
}

// staleBy says how many versions old the list answered to w is to be.
func staleBy(w http.ResponseWriter) uint64 {
	if f, ok := w.(*faulty); ok && f.rule.Action.Type == "stale" {
		return f.rule.Action.Behind
	}
	return 0
}
