// SPDX-License-Identifier: Apache-2.0

// Objects as decoded JSON, and the few accessors the rest needs. Numbers stay
// json.Number so that what a client wrote is what it reads back.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

type object = map[string]interface{}

func decode(data []byte) (interface{}, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v interface{}
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("data after the end of the JSON value")
	}
	return v, nil
}

func decodeObject(data []byte) (object, error) {
	v, err := decode(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, fmt.Errorf("the JSON value is not an object")
	}
	return o, nil
}

func encode(v interface{}) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // only decoded JSON and our own literals come here
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// roundTrip turns a literal of ours into the form that decode gives.
func roundTrip(o object) object {
	out, err := decodeObject(encode(o))
	if err != nil {
		panic(err)
	}
	return out
}

func deepCopy(v interface{}) interface{} {
	switch t := v.(type) {
	case object:
		out := make(object, len(t))
		for k, e := range t {
			out[k] = deepCopy(e)
		}
		return out
	case []interface{}:
		out := make([]interface{}, len(t))
		for i, e := range t {
			out[i] = deepCopy(e)
		}
		return out
	}
	return v
}

func copyObject(o object) object { return deepCopy(o).(object) }

func equal(a, b interface{}) bool { return bytes.Equal(encode(a), encode(b)) }

// get follows a path of keys; nil where something is missing.
func get(o object, path ...string) interface{} {
	var v interface{} = o
	for _, key := range path {
		m, ok := v.(object)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func str(o object, path ...string) string {
	s, _ := get(o, path...).(string)
	return s
}

func list(o object, path ...string) []interface{} {
	l, _ := get(o, path...).([]interface{})
	return l
}

func stringList(o object, path ...string) []string {
	var out []string
	for _, e := range list(o, path...) {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func number(v interface{}) (int, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(n.String())
	return i, err == nil
}

func num(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// child gives the object under a key, made if it is missing.
func child(o object, key string) object {
	m, ok := o[key].(object)
	if !ok {
		m = object{}
		o[key] = m
	}
	return m
}

func meta(o object) object { return child(o, "metadata") }

func isEmpty(v interface{}) bool {
	switch t := v.(type) {
	case object:
		return len(t) == 0
	case []interface{}:
		return len(t) == 0
	}
	return false
}

// omitEmpty removes those of the members that a typed server does not show: empty
// lists and maps, false and zero.
func omitEmpty(o object, keys ...string) {
	for _, key := range keys {
		n, isNumber := number(o[key])
		if isEmpty(o[key]) || o[key] == false || (isNumber && n == 0) {
			delete(o, key)
		}
	}
}

func setDefault(o object, key string, v interface{}) {
	if cur, ok := o[key]; !ok || cur == nil || cur == "" {
		o[key] = v
	}
}

func stringMap(v interface{}) map[string]string {
	m, ok := v.(object)
	if !ok {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, e := range m {
		out[k], _ = e.(string)
	}
	return out
}

func anyList(in []string) []interface{} {
	out := make([]interface{}, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
}

// dropNulls removes null members, which mean "not set" to the API.
func dropNulls(v interface{}) {
	switch t := v.(type) {
	case object:
		for k, e := range t {
			if e == nil {
				delete(t, k)
			} else {
				dropNulls(e)
			}
		}
	case []interface{}:
		for _, e := range t {
			dropNulls(e)
		}
	}
}
