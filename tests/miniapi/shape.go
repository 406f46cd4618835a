// SPDX-License-Identifier: Apache-2.0

// JSON types: what a typed server could not decode is refused here as well.
// Members that no shape names are kept as they are.
package main

import "fmt"

type (
	shape   interface{}      // one of those below
	members map[string]shape // an object with these members
	listOf  struct{ of shape }
	scalar  string // any other type, by the name that errors give it
)

const (
	aString      = scalar("string")
	aNumber      = scalar("int32")
	aBool        = scalar("bool")
	aStringMap   = scalar("map[string]string")
	aBytesMap    = scalar("map[string][]uint8")
	aMicroTime   = scalar("MicroTime")
	aPortOrAName = scalar("IntOrString")
)

var (
	metaShape = members{"name": aString, "namespace": aString, "generateName": aString, "uid": aString,
		"resourceVersion": aString, "labels": aStringMap, "annotations": aStringMap, "finalizers": listOf{aString}}
	configMapShape = members{"data": aStringMap, "binaryData": aBytesMap, "immutable": aBool}
	secretShape    = members{"data": aBytesMap, "stringData": aStringMap}
	leaseShape     = members{"spec": members{"holderIdentity": aString, "leaseDurationSeconds": aNumber,
		"acquireTime": aMicroTime, "renewTime": aMicroTime, "leaseTransitions": aNumber}}
	eventShape = members{"reason": aString, "message": aString, "type": aString, "action": aString,
		"reportingComponent": aString, "reportingInstance": aString, "count": aNumber, "eventTime": aMicroTime,
		"involvedObject": members{"kind": aString, "namespace": aString, "name": aString, "uid": aString},
		"series":         members{"count": aNumber, "lastObservedTime": aMicroTime}}
	serviceShape = members{
		"spec": members{"type": aString, "clusterIP": aString, "clusterIPs": listOf{aString}, "ipFamilies": listOf{aString},
			"ipFamilyPolicy": aString, "loadBalancerClass": aString, "loadBalancerIP": aString, "externalName": aString,
			"externalTrafficPolicy": aString, "internalTrafficPolicy": aString, "sessionAffinity": aString,
			"externalIPs": listOf{aString}, "loadBalancerSourceRanges": listOf{aString}, "selector": aStringMap,
			"allocateLoadBalancerNodePorts": aBool, "healthCheckNodePort": aNumber, "publishNotReadyAddresses": aBool,
			"ports": listOf{members{"name": aString, "protocol": aString, "port": aNumber, "nodePort": aNumber,
				"targetPort": aPortOrAName}}},
		"status": members{"conditions": listOf{members{"type": aString, "status": aString, "reason": aString,
			"message": aString, "lastTransitionTime": aString}},
			"loadBalancer": members{"ingress": listOf{members{"ip": aString, "hostname": aString, "ipMode": aString}}}}}
)

// checkShape tells of the first value of another type; absent and null fit.
func checkShape(v interface{}, want shape, at string) error {
	if v == nil {
		return nil
	}
	switch w := want.(type) {
	case members:
		o, ok := v.(object)
		if !ok {
			return wrongType(v, at, "struct")
		}
		for key, member := range w {
			if err := checkShape(o[key], member, joinPath(at, key)); err != nil {
				return err
			}
		}
	case listOf:
		items, ok := v.([]interface{})
		if !ok {
			return wrongType(v, at, "slice")
		}
		for _, item := range items {
			if err := checkShape(item, w.of, at); err != nil {
				return err
			}
		}
	case scalar:
		return checkScalar(v, w, at)
	}
	return nil
}

func checkScalar(v interface{}, want scalar, at string) error {
	_, isString := v.(string)
	_, isNumber := number(v)
	ok := false
	switch want {
	case aString:
		ok = isString
	case aNumber:
		ok = isNumber
	case aPortOrAName:
		ok = isString || isNumber
	case aBool:
		_, ok = v.(bool)
	case aStringMap, aBytesMap:
		m, isObject := v.(object)
		ok = isObject
		for _, member := range m {
			_, isText := member.(string)
			ok = ok && (isText || member == nil)
		}
		if ok && want == aBytesMap {
			return checkBase64(m)
		}
	case aMicroTime:
		if isString {
			return checkMicroTime(v.(string))
		}
	}
	if !ok {
		return wrongType(v, at, string(want))
	}
	return nil
}

func wrongType(v interface{}, at, want string) error {
	name := "number"
	switch v.(type) {
	case string:
		name = "string"
	case bool:
		name = "bool"
	case object:
		name = "object"
	case []interface{}:
		name = "array"
	}
	return fmt.Errorf("json: cannot unmarshal %s into Go struct field %s of type %s", name, at, want)
}
