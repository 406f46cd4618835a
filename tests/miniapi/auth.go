// SPDX-License-Identifier: Apache-2.0

// Who is asking (bearer token or client certificate) and whether they may:
// the RBAC objects in the store are evaluated as the API documents them.
package main

import (
	"net/http"
	"strings"
	"sync"
)

const rbacGroup = "rbac.authorization.k8s.io"

type identity struct {
	user   string
	groups []string
}

type savedIdentity struct {
	User   string   `json:"user"`
	Groups []string `json:"groups"`
}

type authenticator struct {
	mu     sync.Mutex
	tokens map[string]identity
}

func newAuthenticator() *authenticator { return &authenticator{tokens: map[string]identity{}} }

func (a *authenticator) add(token string, id identity) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens[token] = id
}

func (a *authenticator) remove(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.tokens, token)
}

func (a *authenticator) find(token string) (identity, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id, ok := a.tokens[token]
	return id, ok
}

func (a *authenticator) saved() map[string]savedIdentity {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[string]savedIdentity{}
	for token, id := range a.tokens {
		out[token] = savedIdentity{id.user, id.groups}
	}
	return out
}

func (a *authenticator) restore(saved map[string]savedIdentity) {
	for token, id := range saved {
		a.add(token, identity{id.User, id.Groups})
	}
}

func (s *server) authenticate(r *http.Request) (identity, *apiError) {
	parts := strings.Fields(r.Header.Get("Authorization"))
	if len(parts) == 2 && strings.EqualFold(parts[0], "Bearer") {
		id, ok := s.auth.find(parts[1])
		if !ok {
			return identity{}, errUnauthorized()
		}
		id.groups = append(append([]string(nil), id.groups...), "system:authenticated")
		return id, nil
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		subject := r.TLS.VerifiedChains[0][0].Subject
		return identity{subject.CommonName,
			append(append([]string(nil), subject.Organization...), "system:authenticated")}, nil
	}
	return identity{"system:anonymous", []string{"system:unauthenticated"}}, nil
}

func (id identity) in(group string) bool {
	for _, g := range id.groups {
		if g == group {
			return true
		}
	}
	return false
}

// createToken serves serviceaccounts/NAME/token (authentication.k8s.io TokenRequest).
// The token does not in truth expire.
func (s *server) createToken(q *request, body []byte) (int, object, *apiError) {
	s.store.mu.RLock()
	sa := s.store.shelves["serviceaccounts"].live[keyOf(q.ns, q.name)]
	s.store.mu.RUnlock()
	if sa == nil {
		return 0, nil, errNotFound(q.res, q.name)
	}
	asked, decodeErr := decodeObject(body)
	if decodeErr != nil {
		return 0, nil, errBadRequest("the TokenRequest cannot be read: %v", decodeErr)
	}
	seconds, ok := number(get(asked, "spec", "expirationSeconds"))
	if !ok {
		seconds = 3600
	}
	token := randomHex(24)
	s.auth.add(token, serviceAccount(q.ns, q.name))
	return 201, object{"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
		"metadata": object{"name": q.name, "namespace": q.ns},
		"spec":     object{"expirationSeconds": seconds},
		"status":   object{"token": token, "expirationTimestamp": timestamp(seconds)}}, nil
}

func serviceAccount(ns, name string) identity {
	return identity{"system:serviceaccount:" + ns + ":" + name,
		[]string{"system:serviceaccounts", "system:serviceaccounts:" + ns}}
}

// grant is one rule of a role that a subject has, in one namespace or in all.
type grant struct {
	subjects []object
	rules    []object
	ns       string // "" for a ClusterRoleBinding
}

// rbacCache holds the grants decoded, until an RBAC object changes.
type rbacCache struct {
	mu     sync.Mutex
	stamp  uint64
	loaded bool
	grants []grant
}

func (s *server) allowed(q *request) bool {
	if q.user.in("system:masters") {
		return true
	}
	name := q.res.plural
	if q.sub != "" {
		name += "/" + q.sub
	}
	for _, g := range s.grants() {
		if (g.ns != "" && g.ns != q.ns) || !g.includes(q.user) {
			continue
		}
		for _, rule := range g.rules {
			if matches(rule, "verbs", q.verb) && matches(rule, "apiGroups", q.res.group) &&
				matchesResource(rule, name, q.sub) && matchesName(rule, q.name) {
				return true
			}
		}
	}
	return false
}

func (s *server) grants() []grant {
	s.rbac.mu.Lock()
	defer s.rbac.mu.Unlock()
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	var newest uint64
	for _, plural := range []string{"clusterroles", "clusterrolebindings", "roles", "rolebindings"} {
		if touched := s.store.shelves[plural+"."+rbacGroup].touched; touched > newest {
			newest = touched
		}
	}
	if !s.rbac.loaded || newest != s.rbac.stamp {
		s.rbac.grants = s.loadGrants()
		s.rbac.stamp, s.rbac.loaded = newest, true
	}
	return s.rbac.grants
}

// loadGrants joins bindings with their roles; the caller holds the store.
func (s *server) loadGrants() []grant {
	var out []grant
	for _, plural := range []string{"clusterrolebindings", "rolebindings"} {
		for _, rec := range s.store.shelves[plural+"."+rbacGroup].live {
			obj := rec.object()
			roleShelf, key := "clusterroles."+rbacGroup, str(obj, "roleRef", "name")
			if str(obj, "roleRef", "kind") == "Role" {
				roleShelf, key = "roles."+rbacGroup, keyOf(rec.ns, key)
			}
			role := s.store.shelves[roleShelf].live[key]
			if role == nil {
				continue
			}
			out = append(out, grant{subjects: objects(list(obj, "subjects")),
				rules: objects(list(role.object(), "rules")), ns: rec.ns})
		}
	}
	return out
}

func objects(in []interface{}) []object {
	var out []object
	for _, e := range in {
		if o, ok := e.(object); ok {
			out = append(out, o)
		}
	}
	return out
}

func (g grant) includes(id identity) bool {
	for _, subject := range g.subjects {
		name := str(subject, "name")
		switch str(subject, "kind") {
		case "User":
			if name == id.user {
				return true
			}
		case "Group":
			if id.in(name) {
				return true
			}
		case "ServiceAccount":
			ns := str(subject, "namespace")
			if ns == "" {
				ns = g.ns
			}
			if serviceAccount(ns, name).user == id.user {
				return true
			}
		}
	}
	return false
}

func matches(rule object, key, want string) bool {
	for _, s := range stringList(rule, key) {
		if s == "*" || s == want {
			return true
		}
	}
	return false
}

func matchesResource(rule object, name, sub string) bool {
	return matches(rule, "resources", name) || (sub != "" && matches(rule, "resources", "*/"+sub))
}

func matchesName(rule object, name string) bool {
	names := stringList(rule, "resourceNames")
	if len(names) == 0 {
		return true
	}
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
