// SPDX-License-Identifier: Apache-2.0

// What the API does to a Service beside storing it: defaults, fields that
// depend on the type, and the wiping of status (core/v1 Service).
package main

func serviceType(svc object) string { return str(svc, "spec", "type") }

func isLoadBalancer(svc object) bool { return svc != nil && serviceType(svc) == "LoadBalancer" }

func hasNodePorts(svc object) bool {
	t := serviceType(svc)
	return t == "NodePort" || (t == "LoadBalancer" && get(svc, "spec", "allocateLoadBalancerNodePorts") != false)
}

func isExternal(svc object) bool { return serviceType(svc) == "NodePort" || isLoadBalancer(svc) }

// isReachable says whether something outside may come in, so that the policy for that applies.
func isReachable(svc object) bool {
	return isExternal(svc) || (serviceType(svc) == "ClusterIP" && len(list(svc, "spec", "externalIPs")) > 0)
}

func isLocal(svc object) bool { return str(svc, "spec", "externalTrafficPolicy") == "Local" }

func needsHealthCheckPort(svc object) bool { return isLoadBalancer(svc) && isLocal(svc) }

// defaultService sets what does not depend on the cluster or the old object.
func defaultService(svc object) {
	spec := child(svc, "spec")
	setDefault(spec, "type", "ClusterIP")
	setDefault(spec, "sessionAffinity", "None")
	switch spec["sessionAffinity"] {
	case "ClientIP":
		setDefault(child(child(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds", num(10800))
	case "None":
		delete(spec, "sessionAffinityConfig")
	}
	if serviceType(svc) == "ExternalName" {
		delete(spec, "internalTrafficPolicy")
	} else {
		setDefault(spec, "internalTrafficPolicy", "Cluster")
	}
	if isReachable(svc) {
		setDefault(spec, "externalTrafficPolicy", "Cluster")
	}
	if isLoadBalancer(svc) {
		setDefault(spec, "allocateLoadBalancerNodePorts", true)
	}
	omitEmpty(spec, "ports", "externalIPs", "loadBalancerSourceRanges", "ipFamilies", "clusterIPs", "selector",
		"healthCheckNodePort", "publishNotReadyAddresses")
	omitEmpty(child(svc, "status"), "conditions")
	for _, port := range objects(list(spec, "ports")) {
		omitEmpty(port, "nodePort")
		setDefault(port, "protocol", "TCP")
		if target := port["targetPort"]; target == nil || target == "" || equal(target, 0) {
			port["targetPort"] = port["port"]
		}
	}
	lb := child(child(svc, "status"), "loadBalancer")
	for _, in := range objects(list(lb, "ingress")) {
		if str(in, "ip") != "" {
			setDefault(in, "ipMode", "VIP")
		}
	}
	omitEmpty(lb, "ingress")
}

// dropOutdated clears what came from the old type and was not asked for anew.
func dropOutdated(old, svc object) {
	spec, oldSpec := child(svc, "spec"), child(old, "spec")
	drop := func(key string, needed bool) {
		if !needed && equal(spec[key], oldSpec[key]) {
			delete(spec, key)
		}
	}
	if serviceType(old) != "ExternalName" && serviceType(svc) == "ExternalName" {
		for _, key := range []string{"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"} {
			drop(key, false)
		}
	}
	if isExternal(old) && !isExternal(svc) && sameNodePorts(old, svc) {
		for _, port := range objects(list(spec, "ports")) {
			delete(port, "nodePort")
		}
	}
	drop("healthCheckNodePort", needsHealthCheckPort(svc))
	drop("allocateLoadBalancerNodePorts", isLoadBalancer(svc))
	drop("loadBalancerClass", isLoadBalancer(svc))
	drop("externalTrafficPolicy", isReachable(svc))
	if !isLoadBalancer(svc) && isLoadBalancer(old) {
		child(svc, "status")["loadBalancer"] = object{}
	}
}

// sameNodePorts: none that was not there before.
func sameNodePorts(old, svc object) bool {
	had := map[string]bool{}
	for _, p := range objects(list(old, "spec", "ports")) {
		had[string(encode(p["nodePort"]))] = true
	}
	for _, p := range objects(list(svc, "spec", "ports")) {
		if p["nodePort"] != nil && !had[string(encode(p["nodePort"]))] {
			return false
		}
	}
	return true
}

func serviceFields(svc object, fields map[string]string) {
	fields["spec.clusterIP"] = str(svc, "spec", "clusterIP")
	fields["spec.type"] = serviceType(svc)
}
