// SPDX-License-Identifier: Apache-2.0

// ConfigMaps and Secrets: keys, sizes, and values that are base64.
package main

import (
	"encoding/base64"
	"regexp"
	"strings"
)

var configKey = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)

func defaultConfigMap(cm object) { omitEmpty(cm, "data", "binaryData") }

func validateConfigMap(cm object, errs *fieldErrors) {
	size := validateData("data", cm, errs) + validateData("binaryData", cm, errs)
	for key := range stringMap(cm["data"]) {
		if get(cm, "binaryData", key) != nil {
			errs.invalid("data["+key+"]", key, "duplicate of key present in binaryData")
		}
	}
	if size > 1<<20 {
		errs.add("FieldValueTooLong", "[]", "Too long: may not be more than 1048576 bytes")
	}
}

// validateData gives the size of the values.
func validateData(field string, obj object, errs *fieldErrors) int {
	size := 0
	for key, v := range stringMap(obj[field]) {
		size += len(v)
		at := field + "[" + key + "]"
		switch {
		case !configKey.MatchString(key):
			errs.invalid(at, key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'")
		case key == "." || key == "..":
			errs.invalid(at, key, "must not be '"+key+"'")
		case strings.HasPrefix(key, ".."):
			errs.invalid(at, key, "must not start with '..'")
		}
	}
	return size
}

func validateConfigMapUpdate(old, cm object, errs *fieldErrors) {
	if old["immutable"] != true {
		return
	}
	for _, key := range []string{"immutable", "data", "binaryData"} {
		if !equal(old[key], cm[key]) {
			errs.forbidden(key, "field is immutable when `immutable` is set")
		}
	}
}

func defaultSecret(secret object) {
	setDefault(secret, "type", "Opaque")
	for key, v := range stringMap(secret["stringData"]) {
		child(secret, "data")[key] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	delete(secret, "stringData")
	omitEmpty(secret, "data")
}

func validateSecret(secret object, errs *fieldErrors) { validateData("data", secret, errs) }

func secretFields(secret object, fields map[string]string) { fields["type"] = str(secret, "type") }

// checkBase64 refuses what no server of ours could decode into bytes.
func checkBase64(values object) error {
	for _, v := range values {
		text, _ := v.(string)
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			return err
		}
	}
	return nil
}
