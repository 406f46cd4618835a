// SPDX-License-Identifier: Apache-2.0

// What is no resource: discovery, version, health, and OpenAPI documents that
// are valid and empty, so that kubectl skips its client-side validation.
package main

import (
	"net/http"
	"strings"
)

const serverVersion = "v1.34.0-miniapi"

// serveDiscovery tells whether it knew the path.
func (s *server) serveDiscovery(w http.ResponseWriter, r *http.Request, user identity) bool {
	path := strings.TrimSuffix(r.URL.Path, "/")
	switch path {
	case "/healthz", "/livez", "/readyz":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("ok"))
		return true
	case "/version":
		writeJSON(w, 200, encode(object{"major": "1", "minor": "34", "gitVersion": serverVersion,
			"platform": "linux/amd64"}))
		return true
	}
	if user.in("system:unauthenticated") {
		(&apiError{code: 403, reason: "Forbidden", details: object{},
			message: "forbidden: User \"" + user.user + "\" cannot get path \"" + r.URL.Path + "\""}).write(w)
		return true
	}
	doc := discoveryDocument(path)
	if doc == nil {
		return path == "/openapi/v2" && serveOpenAPI2(w, r)
	}
	writeJSON(w, 200, encode(doc))
	return true
}

func discoveryDocument(path string) object {
	switch path {
	case "/api":
		return object{"kind": "APIVersions", "versions": []string{"v1"},
			"serverAddressByClientCIDRs": []interface{}{}}
	case "/apis":
		groups := []interface{}{}
		for _, group := range groupNames() {
			groups = append(groups, groupDocument(group))
		}
		return object{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
	case "/api/v1":
		return resourceList("", "v1")
	case "/openapi/v3":
		return object{"paths": object{}}
	}
	parts := strings.Split(strings.TrimPrefix(path, "/apis/"), "/")
	for _, group := range groupNames() {
		switch {
		case !strings.HasPrefix(path, "/apis/") || parts[0] != group:
		case len(parts) == 1:
			doc := groupDocument(group)
			doc["kind"], doc["apiVersion"] = "APIGroup", "v1"
			return doc
		case len(parts) == 2 && parts[1] == "v1":
			return resourceList(group, "v1")
		}
	}
	return nil
}

func groupNames() []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, res := range resources {
		if !seen[res.group] {
			seen[res.group] = true
			out = append(out, res.group)
		}
	}
	return out
}

func hasGroup(name string) bool {
	for _, group := range groupNames() {
		if group == name {
			return true
		}
	}
	return false
}

func groupDocument(group string) object {
	version := object{"groupVersion": group + "/v1", "version": "v1"}
	return object{"name": group, "versions": []interface{}{version}, "preferredVersion": version}
}

// inCategoryAll: what `kubectl get all` shows.
var inCategoryAll = map[string]bool{"Service": true, "Pod": true, "Deployment": true, "DaemonSet": true}

func resourceList(group, version string) object {
	items := []interface{}{}
	for _, res := range resources {
		if res.group != group || res.version != version {
			continue
		}
		verbs := []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
		if res.oneByOne {
			verbs = append(verbs[:2], verbs[3:]...)
		}
		item := object{"name": res.plural, "singularName": strings.ToLower(res.kind),
			"namespaced": res.namespaced, "kind": res.kind, "verbs": verbs}
		if res.short != nil {
			item["shortNames"] = res.short
		}
		if inCategoryAll[res.kind] {
			item["categories"] = []string{"all"}
		}
		items = append(items, item)
		for _, sub := range res.subresources {
			item := object{"name": res.plural + "/" + sub, "singularName": "", "namespaced": res.namespaced,
				"kind": res.kind, "verbs": []string{"get", "patch", "update"}}
			if sub == "token" {
				item["kind"], item["group"], item["version"] = "TokenRequest", "authentication.k8s.io", "v1"
				item["verbs"] = []string{"create"}
			}
			items = append(items, item)
		}
	}
	gv := version
	if group != "" {
		gv = group + "/" + version
	}
	return object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": items}
}

func serveOpenAPI2(w http.ResponseWriter, r *http.Request) bool {
	if !strings.Contains(r.Header.Get("Accept"), "proto-openapi") {
		writeJSON(w, 200, encode(object{"swagger": "2.0", "paths": object{}, "definitions": object{},
			"info": object{"title": "miniapi", "version": serverVersion}}))
		return true
	}
	// The same document in protobuf: fields 1 (swagger), 2 (info: title, version) and 8 (paths).
	info := protoString(1, "miniapi") + protoString(2, serverVersion)
	w.Header().Set("Content-Type", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
	w.Write([]byte(protoString(1, "2.0") + protoString(2, info) + protoString(8, "")))
	return true
}

func protoString(field byte, s string) string {
	return string([]byte{field<<3 | 2, byte(len(s))}) + s
}
