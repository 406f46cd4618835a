// SPDX-License-Identifier: Apache-2.0

// Label selectors (the whole grammar: =, ==, !=, in, notin, exists, !exists)
// and field selectors (=, ==, !=).
package main

import (
	"fmt"
	"regexp"
	"strings"
)

type requirement struct {
	key    string
	op     string // "in", "notin", "exists", "absent"
	values map[string]bool
}

type selector []requirement

// whatIsAName is what the real server says, too, of what labelKey does not match.
const whatIsAName = "name part must consist of alphanumeric characters, '-', '_' or '.'"

var (
	labelKey   = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	labelValue = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
	setTerm    = regexp.MustCompile(`^(\S+)\s+(in|notin)\s*\(([^()]*)\)$`)
	equalTerm  = regexp.MustCompile(`^([^=!\s]+)\s*(==|=|!=)\s*([^=!\s]*)$`)
)

func parseLabelSelector(text string) (selector, error) {
	var out selector
	if strings.TrimSpace(text) == "" {
		return out, nil
	}
	terms, err := splitTerms(text)
	if err != nil {
		return nil, err
	}
	for _, term := range terms {
		req, err := parseTerm(strings.TrimSpace(term))
		if err != nil {
			return nil, err
		}
		out = append(out, req)
	}
	return out, nil
}

// splitTerms cuts at the commas outside parentheses.
func splitTerms(text string) ([]string, error) {
	var terms []string
	depth, start := 0, 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				terms = append(terms, text[start:i])
				start = i + 1
			}
		}
		if depth < 0 || depth > 1 {
			return nil, fmt.Errorf("unable to parse requirement: unbalanced parentheses in %q", text)
		}
	}
	if depth != 0 {
		return nil, fmt.Errorf("unable to parse requirement: unbalanced parentheses in %q", text)
	}
	return append(terms, text[start:]), nil
}

func parseTerm(term string) (requirement, error) {
	req := requirement{values: map[string]bool{}}
	var values []string
	if m := setTerm.FindStringSubmatch(term); m != nil {
		req.key, req.op, values = m[1], m[2], strings.Split(m[3], ",")
	} else if m := equalTerm.FindStringSubmatch(term); m != nil {
		req.key, req.op, values = m[1], "in", []string{m[3]}
		if m[2] == "!=" {
			req.op = "notin"
		}
	} else if strings.HasPrefix(term, "!") {
		req.key, req.op = strings.TrimSpace(term[1:]), "absent"
	} else {
		req.key, req.op = term, "exists"
	}
	if !labelKey.MatchString(req.key) {
		return req, fmt.Errorf("unable to parse requirement: %q: the key %q is not a label key", term, req.key)
	}
	for _, v := range values {
		v = strings.TrimSpace(v)
		if !labelValue.MatchString(v) {
			return req, fmt.Errorf("unable to parse requirement: %q: the value %q is not a label value", term, v)
		}
		req.values[v] = true
	}
	return req, nil
}

// parseFieldSelector accepts the metadata fields and those named.
func parseFieldSelector(text string, names []string) (selector, error) {
	var out selector
	if text == "" {
		return out, nil
	}
	for _, term := range strings.Split(text, ",") {
		op, i, width := "in", strings.Index(term, "!="), 2
		if i >= 0 {
			op = "notin"
		} else if i = strings.Index(term, "=="); i < 0 {
			i, width = strings.Index(term, "="), 1
		}
		if i < 0 {
			return nil, fmt.Errorf("invalid selector: '%s'; can't understand '%s'", text, term)
		}
		key := term[:i]
		if !fieldKnown(key, names) {
			return nil, fmt.Errorf("field label not supported: %s", key)
		}
		out = append(out, requirement{key: key, op: op, values: map[string]bool{term[i+width:]: true}})
	}
	return out, nil
}

func fieldKnown(key string, names []string) bool {
	if key == "metadata.name" || key == "metadata.namespace" {
		return true
	}
	for _, n := range names {
		if n == key {
			return true
		}
	}
	return false
}

func (sel selector) matches(values map[string]string) bool {
	for _, req := range sel {
		v, ok := values[req.key]
		switch req.op {
		case "in":
			ok = ok && req.values[v]
		case "notin":
			ok = !ok || !req.values[v]
		case "absent":
			ok = !ok
		}
		if !ok {
			return false
		}
	}
	return true
}

// matchesFields treats an absent field as empty, as the API does.
func (sel selector) matchesFields(values map[string]string) bool {
	for _, req := range sel {
		if req.values[values[req.key]] != (req.op == "in") {
			return false
		}
	}
	return true
}
