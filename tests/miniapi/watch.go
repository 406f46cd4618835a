// SPDX-License-Identifier: Apache-2.0

// Watches: history from a version on, then changes as they come; bookmarks;
// streaming lists; objects that enter or leave a selector as ADDED and DELETED.
package main

import (
	"encoding/json"
	"math/rand"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

const (
	bookmarkInterval = time.Minute
	// A watch with a timeout gets a last bookmark this long before its end.
	bookmarkBeforeEnd = 2 * time.Second
)

// watchCommand tells a running watch to end, from the control endpoint.
type watchCommand struct {
	status object // sent as an ERROR event first, if not nil
	drop   bool   // the connection is cut instead of closed
}

type runningWatch struct {
	path     string
	commands chan watchCommand
}

type watchRegistry struct {
	mu      sync.Mutex
	running map[*runningWatch]bool
}

func newWatchRegistry() *watchRegistry { return &watchRegistry{running: map[*runningWatch]bool{}} }

func (reg *watchRegistry) add(path string) *runningWatch {
	rw := &runningWatch{path: path, commands: make(chan watchCommand, 1)}
	reg.mu.Lock()
	defer reg.mu.Unlock()
	reg.running[rw] = true
	return rw
}

func (reg *watchRegistry) remove(rw *runningWatch) {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	delete(reg.running, rw)
}

// tell sends the command to every watch whose path matches, and counts them.
func (reg *watchRegistry) tell(path *regexp.Regexp, cmd watchCommand) int {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	n := 0
	for rw := range reg.running {
		if !path.MatchString(rw.path) {
			continue
		}
		select {
		case rw.commands <- cmd:
			n++
		default: // it has been told already
		}
	}
	return n
}

func (reg *watchRegistry) count(path *regexp.Regexp) int {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	n := 0
	for rw := range reg.running {
		if path.MatchString(rw.path) {
			n++
		}
	}
	return n
}

// watcher is one watch being served.
type watcher struct {
	s         *server
	w         http.ResponseWriter
	res       *resource
	filter    *filter
	rv        uint64 // everything up to here has been sent
	bookmarks bool
	table     bool
	header    bool // the next table row carries the column definitions
}

func (s *server) serveWatch(w http.ResponseWriter, r *http.Request, q *request) {
	f, err := newFilter(q)
	if err != nil {
		err.write(w)
		return
	}
	rv, initial, err := s.parseWatchOptions(q)
	if err != nil {
		err.write(w)
		return
	}
	wt := &watcher{s: s, w: w, res: q.res, filter: f, rv: rv, table: wantsTable(r), header: true,
		bookmarks: boolParam(q, "allowWatchBookmarks")}
	running := s.watches.add(r.URL.Path)
	defer s.watches.remove(running)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(200)
	streaming := q.query.Get("sendInitialEvents") == "true"
	if current := s.store.current(); streaming && rv > current {
		wt.send("ERROR", encode(errTooLargeVersion(rv, current).status()))
		return
	}
	if initial {
		wt.sendInitial(streaming)
	} else if _, _, _, err := s.store.since(q.res.shelf(), rv, false); err != nil {
		wt.send("ERROR", encode(err.status()))
		return
	}
	wt.flush()
	seconds, _ := strconv.Atoi(q.query.Get("timeoutSeconds"))
	if seconds <= 0 {
		seconds = 1800 + rand.Intn(1800)
	}
	wt.loop(r, running, time.Now().Add(time.Duration(seconds)*time.Second))
}

// parseWatchOptions gives the version to start from, and whether the state at
// that version is to be sent first.
func (s *server) parseWatchOptions(q *request) (rv uint64, initial bool, err *apiError) {
	rvText, match := q.query.Get("resourceVersion"), q.query.Get("resourceVersionMatch")
	send := q.query.Get("sendInitialEvents")
	errs := fieldErrors{}
	if match != "" && send == "" {
		errs.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
	}
	if send != "" && match != "NotOlderThan" {
		errs.forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
		if match != "" {
			errs.unsupported("resourceVersionMatch", match, "NotOlderThan")
		}
	}
	if err := errs.err("ListOptions", "meta.k8s.io", ""); err != nil {
		return 0, false, err
	}
	if rv, err = parseVersion(rvText); err != nil {
		return 0, false, err
	}
	return rv, send == "true" || (send == "" && rv == 0), nil
}

func boolParam(q *request, name string) bool {
	v := q.query.Get(name)
	return v == "true" || v == "1"
}

// sendInitial sends what exists as ADDED; a streaming list marks its end.
func (wt *watcher) sendInitial(streaming bool) {
	all, rv, err := wt.s.store.snapshot(wt.res.shelf(), 0)
	if err != nil {
		panic(err.message) // the present version is always there
	}
	for _, rec := range all {
		if wt.filter.shows(rec) {
			wt.sendRecord("ADDED", rec)
		}
	}
	wt.rv = rv
	if streaming && wt.bookmarks {
		wt.sendBookmark(object{"k8s.io/initial-events-end": "true"})
	}
}

func (wt *watcher) loop(r *http.Request, running *runningWatch, end time.Time) {
	deadline := time.NewTimer(time.Until(end))
	defer deadline.Stop()
	bookmark := time.NewTimer(wt.nextBookmark(end))
	defer bookmark.Stop()
	for {
		changes, upTo, changed, err := wt.s.store.since(wt.res.shelf(), wt.rv, true)
		if err != nil {
			wt.send("ERROR", encode(err.status()))
			return
		}
		for _, c := range changes {
			wt.sendChange(c)
		}
		if upTo > wt.rv {
			wt.rv = upTo
		}
		wt.flush()
		select {
		case <-changed:
		case <-bookmark.C:
			if wt.bookmarks {
				wt.sendBookmark(nil)
				wt.flush()
			}
			bookmark.Reset(wt.nextBookmark(end))
		case cmd := <-running.commands:
			wt.obey(r, cmd)
			return
		case <-deadline.C:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (wt *watcher) nextBookmark(end time.Time) time.Duration {
	before := time.Until(end) - bookmarkBeforeEnd
	if before > 0 && before < wt.s.bookmarks {
		return before
	}
	return wt.s.bookmarks
}

func (wt *watcher) obey(r *http.Request, cmd watchCommand) {
	if cmd.status != nil {
		wt.send("ERROR", encode(cmd.status))
		wt.flush()
	}
	if cmd.drop {
		dropConnection(r)
	}
}

func (wt *watcher) sendChange(c change) {
	if c.rv <= wt.rv {
		return
	}
	was := c.prev != nil && wt.filter.shows(c.prev)
	is := !c.deleted && wt.filter.shows(c.cur)
	switch {
	case is && !was:
		wt.sendRecord("ADDED", c.cur)
	case is:
		wt.sendRecord("MODIFIED", c.cur)
	case was && c.deleted:
		wt.sendRecord("DELETED", c.cur)
	case was:
		wt.sendRecord("DELETED", leaving(wt.res, c))
	}
}

// leaving is the object as the watch last showed it, under the new version.
func leaving(res *resource, c change) *record {
	return newRecord(resourceByShelf(res.shelf()), c.prev.object(), c.rv)
}

func (wt *watcher) sendRecord(kind string, rec *record) {
	if wt.table {
		obj := rec.object()
		t := wt.res.table([]object{obj}, str(obj, "metadata", "resourceVersion"), wt.header)
		wt.header = false
		wt.send(kind, encode(t))
		return
	}
	wt.send(kind, wt.res.render(rec))
}

func (wt *watcher) sendBookmark(annotations object) {
	m := object{"resourceVersion": strconv.FormatUint(wt.rv, 10), "creationTimestamp": nil}
	if annotations != nil {
		m["annotations"] = annotations
	}
	if wt.table {
		wt.send("BOOKMARK", encode(wt.res.table(nil, str(m, "resourceVersion"), false)))
		return
	}
	wt.send("BOOKMARK", append([]byte(wt.res.prefix()), encode(object{"metadata": m})[1:]...))
}

func (wt *watcher) send(kind string, body json.RawMessage) {
	line := make([]byte, 0, len(body)+40)
	line = append(line, `{"type":"`+kind+`","object":`...)
	line = append(append(line, body...), "}\n"...)
	wt.w.Write(line)
}

func (wt *watcher) flush() {
	if f, ok := wt.w.(http.Flusher); ok {
		f.Flush()
	}
}
