// SPDX-License-Identifier: Apache-2.0

// The table of resources: everything else is generic over it.
package main

type resource struct {
	group, version string
	plural, kind   string
	short          []string
	namespaced     bool
	subresources   []string
	generation     bool   // metadata.generation follows the spec
	conditional    bool   // a PUT must name the resourceVersion it replaces
	createsOnPut   bool   // a PUT of what is missing creates it
	returnsDeleted bool   // a DELETE answers with the object, not with a Status
	oneByOne       bool   // there is no deletecollection
	stored         string // the shelf, where it is not the resource's own

	fields         func(obj object, fields map[string]string)
	fieldNames     []string         // what fieldSelector may name beside the metadata
	admit          func(obj object) // what admission adds to a new object
	defaults       func(obj object)
	validate       func(obj object, errs *fieldErrors)
	validateUpdate func(old, obj object, errs *fieldErrors)
	shape          shape // the JSON types of its members
	columns        []column
	toStored       func(obj object) object
	fromStored     func(obj object) object
}

func (res *resource) shelf() string {
	if res.stored != "" {
		return res.stored
	}
	return res.qualified()
}

func (res *resource) groupVersion() string {
	if res.group == "" {
		return res.version
	}
	return res.group + "/" + res.version
}

func (res *resource) hasSub(sub string) bool {
	for _, s := range res.subresources {
		if s == sub {
			return true
		}
	}
	return false
}

var resources []*resource

func init() {
	status := []string{"status"}
	resources = []*resource{
		{version: "v1", plural: "services", kind: "Service", short: []string{"svc"}, namespaced: true,
			createsOnPut: true, returnsDeleted: true, subresources: status,
			defaults: defaultService, validate: validateService, validateUpdate: validateServiceUpdate, shape: serviceShape,
			columns: serviceColumns, fields: serviceFields, fieldNames: []string{"spec.clusterIP", "spec.type"}},
		{version: "v1", plural: "configmaps", kind: "ConfigMap", short: []string{"cm"}, namespaced: true,
			defaults: defaultConfigMap, validate: validateConfigMap, validateUpdate: validateConfigMapUpdate,
			shape: configMapShape, columns: configMapColumns},
		{version: "v1", plural: "nodes", kind: "Node", short: []string{"no"}, subresources: status, admit: admitNode,
			defaults: defaultNode, validate: validateNode,
			columns: nodeColumns, fields: nodeFields, fieldNames: []string{"spec.unschedulable"}},
		{version: "v1", plural: "namespaces", kind: "Namespace", short: []string{"ns"},
			returnsDeleted: true, oneByOne: true, subresources: []string{"status", "finalize"},
			defaults: defaultNamespace, validate: validateNamespace, columns: namespaceColumns,
			fields: namespaceFields, fieldNames: []string{"name", "status.phase"}},
		{version: "v1", plural: "pods", kind: "Pod", short: []string{"po"}, namespaced: true, subresources: status,
			returnsDeleted: true, defaults: defaultPod, columns: podColumns, fields: podFields,
			fieldNames: []string{"spec.nodeName", "status.phase", "status.podIP", "spec.serviceAccountName"}},
		{version: "v1", plural: "secrets", kind: "Secret", namespaced: true,
			defaults: defaultSecret, validate: validateSecret, shape: secretShape, columns: secretColumns,
			fields: secretFields, fieldNames: []string{"type"}},
		{version: "v1", plural: "serviceaccounts", kind: "ServiceAccount", short: []string{"sa"}, namespaced: true,
			returnsDeleted: true, subresources: []string{"token"}, columns: serviceAccountColumns},
		{version: "v1", plural: "endpoints", kind: "Endpoints", short: []string{"ep"}, namespaced: true,
			createsOnPut: true},
		{version: "v1", plural: "events", kind: "Event", short: []string{"ev"}, namespaced: true,
			createsOnPut: true, defaults: defaultEvent, validate: validateCoreEvent, shape: eventShape,
			columns: eventColumns, fields: eventFields, fieldNames: coreEventFieldNames},
		{group: "events.k8s.io", version: "v1", plural: "events", kind: "Event", short: []string{"ev"}, namespaced: true,
			createsOnPut: true, stored: "events", toStored: eventToCore, fromStored: eventFromCore,
			defaults: defaultEvent, validate: validateNewEvent, validateUpdate: validateEventUpdate, shape: eventShape,
			columns: eventColumns, fields: eventFields, fieldNames: newEventFieldNames},
		{group: "discovery.k8s.io", version: "v1", plural: "endpointslices", kind: "EndpointSlice", namespaced: true,
			generation: true, defaults: defaultEndpointSlice, validate: validateEndpointSlice,
			validateUpdate: validateEndpointSliceUpdate, columns: sliceColumns},
		{group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease", namespaced: true,
			conditional: true, createsOnPut: true, validate: validateLease, shape: leaseShape, columns: leaseColumns},
		{group: "apps", version: "v1", plural: "deployments", kind: "Deployment", short: []string{"deploy"},
			namespaced: true, generation: true, subresources: status, columns: deploymentColumns},
		{group: "apps", version: "v1", plural: "daemonsets", kind: "DaemonSet", short: []string{"ds"},
			namespaced: true, generation: true, subresources: status, columns: daemonSetColumns},
		{group: "policy", version: "v1", plural: "poddisruptionbudgets", kind: "PodDisruptionBudget", short: []string{"pdb"},
			namespaced: true, generation: true, subresources: status, columns: budgetColumns},
		{group: rbacGroup, version: "v1", plural: "clusterroles", kind: "ClusterRole", createsOnPut: true},
		{group: rbacGroup, version: "v1", plural: "clusterrolebindings", kind: "ClusterRoleBinding", createsOnPut: true,
			defaults: defaultBinding, validate: validateBinding, validateUpdate: validateBindingUpdate},
		{group: rbacGroup, version: "v1", plural: "roles", kind: "Role", namespaced: true, createsOnPut: true},
		{group: rbacGroup, version: "v1", plural: "rolebindings", kind: "RoleBinding", namespaced: true, createsOnPut: true,
			defaults: defaultBinding, validate: validateBinding, validateUpdate: validateBindingUpdate},
	}
}

func findResource(group, version, plural string) *resource {
	for _, res := range resources {
		if res.group == group && res.version == version && res.plural == plural {
			return res
		}
	}
	return nil
}

// resourceByShelf gives the resource whose own form is the stored one.
func resourceByShelf(name string) *resource {
	for _, res := range resources {
		if res.stored == "" && res.shelf() == name {
			return res
		}
	}
	return nil
}

// prefix opens every rendered object of the resource.
func (res *resource) prefix() string {
	return `{"kind":"` + res.kind + `","apiVersion":"` + res.groupVersion() + `",`
}

// render gives a stored record as clients see it, with kind and apiVersion.
func (res *resource) render(rec *record) []byte {
	body := res.renderItem(rec)
	return append([]byte(res.prefix()), body[1:]...)
}

// renderItem gives it as lists hold it: without kind and apiVersion.
func (res *resource) renderItem(rec *record) []byte {
	if res.fromStored == nil {
		return rec.json
	}
	return encode(res.fromStored(rec.object()))
}

func (res *resource) renderObject(obj object) []byte {
	out := object{}
	for k, v := range obj {
		out[k] = v
	}
	delete(out, "kind")
	delete(out, "apiVersion")
	if res.fromStored != nil {
		out = res.fromStored(out)
	}
	return append([]byte(res.prefix()), encode(out)[1:]...)
}
