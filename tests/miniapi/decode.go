// SPDX-License-Identifier: Apache-2.0

// From a body to an object in its stored form. A typed server cannot decode
// what has the wrong JSON type; here that is looked for where it matters.
package main

// decodeBody gives the object in its stored form.
func decodeBody(res *resource, body []byte) (object, *apiError) {
	obj, err := decodeObject(body)
	if err != nil {
		return nil, errBadRequest("the object provided is unrecognized: couldn't get version/kind; json parse error: %v", err)
	}
	kind, api := str(obj, "kind"), str(obj, "apiVersion")
	if (kind != "" && kind != res.kind) || (api != "" && api != res.groupVersion()) {
		return nil, errBadRequest("%s in version %q cannot be handled as a %s: the data does not match the resource",
			kind, api, res.kind)
	}
	return toStoredForm(res, obj)
}

func toStoredForm(res *resource, obj object) (object, *apiError) {
	dropNulls(obj)
	if res.toStored != nil {
		obj = res.toStored(obj)
	}
	if err := checkTypes(res, obj); err != nil {
		return nil, errBadRequest("%s in version %q cannot be handled as a %s: %v", res.kind, res.version, res.kind, err)
	}
	return obj, nil
}

func checkTypes(res *resource, obj object) error {
	if err := checkShape(obj["metadata"], metaShape, "metadata"); err != nil {
		return err
	}
	if res.shape == nil {
		return nil
	}
	return checkShape(obj, res.shape, "")
}
