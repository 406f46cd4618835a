// SPDX-License-Identifier: Apache-2.0

// The versioned store: one shelf per resource, one version counter for all.
// Every change is kept in its shelf's log until compacted, which gives watches
// their history and lists their state at an older version (paging, Exact).
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
)

// record is one version of one object. It is never changed once stored.
type record struct {
	key, ns, name, uid string
	rv                 uint64
	json               []byte // without kind and apiVersion
	labels, fields     map[string]string
}

// change is one step of a shelf's history. A create has no prev; a delete has
// the object's last state in cur, under the version of the deletion.
type change struct {
	rv        uint64
	prev, cur *record
	deleted   bool
}

type shelf struct {
	live    map[string]*record
	log     []change
	floor   uint64 // the oldest version a reader may ask for
	trimmed uint64 // the version of the last change that was forgotten
	touched uint64 // the version of its last change
	changed chan struct{}
}

type store struct {
	mu            sync.RWMutex
	rv            uint64
	continueFloor uint64 // continue tokens of older versions have expired
	history       int
	shelves       map[string]*shelf
	onCommit      func(shelfName string, prev, cur *record)
}

func newStore(history int) *store {
	st := &store{rv: 1, history: history, shelves: map[string]*shelf{}}
	for _, res := range resources {
		if st.shelves[res.shelf()] == nil {
			st.shelves[res.shelf()] = &shelf{live: map[string]*record{}, changed: make(chan struct{})}
		}
	}
	return st
}

func keyOf(ns, name string) string {
	if ns == "" {
		return name
	}
	return ns + "/" + name
}

func (st *store) current() uint64 {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.rv
}

// put stores obj as the newest version of itself; the caller holds the lock.
func (st *store) put(res *resource, obj object) *record {
	st.rv++
	rec := newRecord(res, obj, st.rv)
	sh := st.shelves[res.shelf()]
	prev := sh.live[rec.key]
	sh.live[rec.key] = rec
	st.commit(res.shelf(), change{rv: st.rv, prev: prev, cur: rec})
	return rec
}

// remove deletes what is live under the key; obj is its last state.
func (st *store) remove(res *resource, obj object) *record {
	st.rv++
	rec := newRecord(res, obj, st.rv)
	sh := st.shelves[res.shelf()]
	prev := sh.live[rec.key]
	delete(sh.live, rec.key)
	st.commit(res.shelf(), change{rv: st.rv, prev: prev, cur: rec, deleted: true})
	return rec
}

func (st *store) commit(name string, c change) {
	sh := st.shelves[name]
	sh.touched = c.rv
	sh.log = append(sh.log, c)
	if len(sh.log) > st.history {
		cut := len(sh.log) / 2
		sh.trimmed = sh.log[cut-1].rv
		sh.floor = sh.trimmed
		sh.log = append([]change(nil), sh.log[cut:]...)
	}
	if st.onCommit != nil {
		live := c.cur
		if c.deleted {
			live = nil
		}
		st.onCommit(name, c.prev, live)
	}
	close(sh.changed)
	sh.changed = make(chan struct{})
}

func newRecord(res *resource, obj object, rv uint64) *record {
	m := meta(obj)
	m["resourceVersion"] = strconv.FormatUint(rv, 10)
	delete(obj, "kind")
	delete(obj, "apiVersion")
	ns, name := str(m, "namespace"), str(m, "name")
	rec := &record{key: keyOf(ns, name), ns: ns, name: name, uid: str(m, "uid"), rv: rv,
		json: encode(obj), labels: stringMap(m["labels"])}
	rec.fields = map[string]string{"metadata.name": name}
	if res.namespaced {
		rec.fields["metadata.namespace"] = ns
	}
	if res.fields != nil {
		res.fields(obj, rec.fields)
	}
	return rec
}

func (rec *record) object() object {
	o, err := decodeObject(rec.json)
	if err != nil {
		panic(err) // it was encoded by newRecord
	}
	return o
}

// snapshot gives the shelf's records, sorted by key, as they were at version
// rv (0: now), and the version they belong to.
func (st *store) snapshot(name string, rv uint64) ([]*record, uint64, *apiError) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	sh := st.shelves[name]
	if rv == 0 {
		rv = st.rv
	}
	if rv > st.rv {
		return nil, 0, errTooLargeVersion(rv, st.rv)
	}
	if rv < sh.floor {
		return nil, 0, errExpired("The resourceVersion for the provided list is too old.")
	}
	undone := map[string]*record{}
	for i := len(sh.log) - 1; i >= 0 && sh.log[i].rv > rv; i-- {
		undone[sh.log[i].cur.key] = sh.log[i].prev
	}
	out := make([]*record, 0, len(sh.live))
	for key, rec := range sh.live {
		if _, ok := undone[key]; !ok {
			out = append(out, rec)
		}
	}
	for _, rec := range undone {
		if rec != nil {
			out = append(out, rec)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out, rv, nil
}

// since gives the changes after version rv, the version they reach up to, and
// a channel that is closed at the next change. A running watch has seen all up
// to rv and goes on over a compaction; a new one may not start below the floor.
func (st *store) since(name string, rv uint64, running bool) ([]change, uint64, <-chan struct{}, *apiError) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	sh := st.shelves[name]
	if rv < sh.trimmed || (!running && rv < sh.floor) {
		return nil, 0, nil, errExpired(fmt.Sprintf("too old resource version: %d (%d)", rv, sh.floor))
	}
	i := sort.Search(len(sh.log), func(i int) bool { return sh.log[i].rv > rv })
	return sh.log[i:len(sh.log):len(sh.log)], st.rv, sh.changed, nil
}

// compact forgets all history: only the present version can be asked for.
func (st *store) compact() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, sh := range st.shelves {
		if n := len(sh.log); n > 0 {
			sh.trimmed = sh.log[n-1].rv
		}
		sh.log = nil
		sh.floor = st.rv
	}
}

func (st *store) expireContinue() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.rv++ // so that tokens of this very version are older, too
	st.continueFloor = st.rv
}

type savedState struct {
	RV      uint64                       `json:"rv"`
	Tokens  map[string]savedIdentity     `json:"tokens"`
	Objects map[string][]json.RawMessage `json:"objects"`
}

func (s *server) save(path string) error {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	state := savedState{RV: s.store.rv, Tokens: s.auth.saved(), Objects: map[string][]json.RawMessage{}}
	for name, sh := range s.store.shelves {
		for _, rec := range sh.live {
			state.Objects[name] = append(state.Objects[name], rec.json)
		}
	}
	data, err := json.Marshal(state)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (s *server) restore(path string) error {
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var state savedState
	if err := json.Unmarshal(data, &state); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for name, objects := range state.Objects {
		res := resourceByShelf(name)
		if res == nil {
			return fmt.Errorf("%s holds the unknown resource %q", path, name)
		}
		for _, raw := range objects {
			obj, err := decodeObject(raw)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", path, name, err)
			}
			rv, err := strconv.ParseUint(str(obj, "metadata", "resourceVersion"), 10, 64)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", path, name, err)
			}
			rec := newRecord(res, obj, rv)
			s.store.shelves[name].live[rec.key] = rec
			s.store.onCommit(name, nil, rec)
		}
	}
	s.store.rv = state.RV
	s.auth.restore(state.Tokens)
	return nil
}
