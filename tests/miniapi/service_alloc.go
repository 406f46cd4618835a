// SPDX-License-Identifier: Apache-2.0

// Cluster IPs, IP families and node ports of Services: which are taken, which
// a new or changed Service gets, and what it keeps from its former self.
package main

import (
	"fmt"
	"math/big"
	"net"
	"strings"
)

const (
	nodePortFirst = 30000
	nodePortLast  = 32767
)

type addressRange struct {
	family string
	net    *net.IPNet
	size   int64
	next   int64
}

// serviceBook is guarded by the store's lock.
type serviceBook struct {
	ranges   []*addressRange
	ips      map[string]string // address to the Service's key
	ports    map[int]string
	nextPort int
}

func newServiceBook(cidrs string) (*serviceBook, error) {
	book := &serviceBook{ips: map[string]string{}, ports: map[int]string{}, nextPort: nodePortFirst}
	for _, text := range strings.Split(cidrs, ",") {
		_, ipnet, err := net.ParseCIDR(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("--service-cidr: %w", err)
		}
		ones, bits := ipnet.Mask.Size()
		host := bits - ones
		if host > 20 {
			host = 20
		}
		r := &addressRange{family: familyOf(ipnet.IP), net: ipnet, size: 1<<uint(host) - 1, next: 1}
		book.ranges = append(book.ranges, r)
	}
	return book, nil
}

func familyOf(ip net.IP) string {
	if ip.To4() != nil {
		return "IPv4"
	}
	return "IPv6"
}

func (r *addressRange) at(offset int64) string {
	base := r.net.IP.To4()
	if base == nil {
		base = r.net.IP.To16()
	}
	sum := new(big.Int).Add(new(big.Int).SetBytes(base), big.NewInt(offset))
	return net.IP(sum.FillBytes(make([]byte, len(base)))).String()
}

// first is the address of the Service default/kubernetes.
func (book *serviceBook) first() string { return book.ranges[0].at(1) }

func (book *serviceBook) rangeFor(family string) *addressRange {
	for _, r := range book.ranges {
		if r.family == family {
			return r
		}
	}
	return nil
}

// replace notes what a stored Service holds, in place of its former version.
func (book *serviceBook) replace(prev, cur *record) {
	if prev != nil {
		book.each(prev, func(ip string) { delete(book.ips, ip) }, func(port int) { delete(book.ports, port) })
	}
	if cur != nil {
		book.each(cur, func(ip string) { book.ips[ip] = cur.key }, func(port int) { book.ports[port] = cur.key })
	}
}

func (book *serviceBook) each(rec *record, ip func(string), port func(int)) {
	svc := rec.object()
	for _, s := range stringList(svc, "spec", "clusterIPs") {
		if s != "None" {
			ip(s)
		}
	}
	for _, p := range objects(list(svc, "spec", "ports")) {
		if n, ok := number(p["nodePort"]); ok && n != 0 {
			port(n)
		}
	}
	if n, ok := number(get(svc, "spec", "healthCheckNodePort")); ok && n != 0 {
		port(n)
	}
}

// prepare completes svc, which is new (old nil) or old's successor.
func (book *serviceBook) prepare(old, svc object, errs *fieldErrors) {
	if old != nil {
		keepAllocated(old, svc)
		dropOutdated(old, svc)
		checkImmutable(old, svc, errs)
	} else if get(svc, "spec", "healthCheckNodePort") != nil && !needsHealthCheckPort(svc) {
		errs.invalid("spec.healthCheckNodePort", get(svc, "spec", "healthCheckNodePort"),
			"may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")
	}
	if serviceType(svc) == "ExternalName" {
		return
	}
	key := keyOf(str(svc, "metadata", "namespace"), str(svc, "metadata", "name"))
	if book.settleFamilies(svc, errs) {
		book.allocateIPs(key, svc, errs)
	}
	book.allocatePorts(key, svc, errs)
}

// keepAllocated fills what the successor left out from what was allocated.
func keepAllocated(old, svc object) {
	spec, oldSpec := child(svc, "spec"), child(old, "spec")
	if serviceType(old) != "ExternalName" && serviceType(svc) != "ExternalName" {
		if str(spec, "clusterIP") == "" && len(list(spec, "clusterIPs")) == 0 {
			keep(oldSpec, spec, "clusterIP")
			keep(oldSpec, spec, "clusterIPs")
		}
		if spec["ipFamilies"] == nil {
			keep(oldSpec, spec, "ipFamilies")
		}
		if spec["ipFamilyPolicy"] == nil {
			keep(oldSpec, spec, "ipFamilyPolicy")
		}
	}
	if hasNodePorts(old) && hasNodePorts(svc) {
		held := map[string]interface{}{}
		for _, p := range objects(list(oldSpec, "ports")) {
			held[portKey(p)] = p["nodePort"]
		}
		for _, p := range objects(list(spec, "ports")) {
			if v := held[portKey(p)]; v != nil && p["nodePort"] == nil {
				p["nodePort"] = v
			}
		}
	}
	if needsHealthCheckPort(old) && needsHealthCheckPort(svc) && spec["healthCheckNodePort"] == nil {
		keep(oldSpec, spec, "healthCheckNodePort")
	}
}

func portKey(p object) string { return string(encode([]interface{}{p["port"], p["protocol"]})) }

func checkImmutable(old, svc object, errs *fieldErrors) {
	if serviceType(old) != "ExternalName" && serviceType(svc) != "ExternalName" {
		before, after := str(old, "spec", "clusterIP"), str(svc, "spec", "clusterIP")
		if before != "" && before != after {
			errs.invalid("spec.clusterIPs[0]", anyList([]string{after}), "may not change once set")
		}
	}
	if isLoadBalancer(old) && isLoadBalancer(svc) {
		before, after := get(old, "spec", "loadBalancerClass"), get(svc, "spec", "loadBalancerClass")
		if !equal(before, after) {
			errs.invalid("spec.loadBalancerClass", after, "may not change once set")
		}
	}
	if needsHealthCheckPort(old) && needsHealthCheckPort(svc) &&
		!equal(get(old, "spec", "healthCheckNodePort"), get(svc, "spec", "healthCheckNodePort")) {
		errs.invalid("spec.healthCheckNodePort", get(svc, "spec", "healthCheckNodePort"), "field is immutable")
	}
}

// settleFamilies decides policy and families; false: nothing can be allocated.
func (book *serviceBook) settleFamilies(svc object, errs *fieldErrors) bool {
	spec := child(svc, "spec")
	ips := stringList(spec, "clusterIPs")
	if ip := str(spec, "clusterIP"); ip != "" && len(ips) == 0 {
		ips = []string{ip}
	}
	families := stringList(spec, "ipFamilies")
	for i := len(families); i < len(ips) && ips[i] != "None"; i++ {
		families = append(families, familyOf(net.ParseIP(ips[i])))
	}
	headless := len(ips) > 0 && ips[0] == "None"
	if headless && spec["selector"] == nil {
		setDefault(spec, "ipFamilyPolicy", "RequireDualStack")
	}
	if len(families) == 2 || len(ips) == 2 {
		setDefault(spec, "ipFamilyPolicy", "RequireDualStack")
	}
	setDefault(spec, "ipFamilyPolicy", "SingleStack")
	if len(families) == 0 {
		families = []string{book.ranges[0].family}
	}
	for i, f := range families {
		if book.rangeFor(f) == nil && !headless {
			errs.invalid(fmt.Sprintf("spec.ipFamilies[%d]", i), f, "not configured on this cluster")
			return false
		}
	}
	switch policy := str(spec, "ipFamilyPolicy"); policy {
	case "SingleStack":
		families = families[:1]
		if len(ips) > 1 {
			ips = ips[:1]
		}
	case "PreferDualStack", "RequireDualStack":
		if policy == "RequireDualStack" && len(book.ranges) < 2 && !headless {
			errs.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services")
			return false
		}
		other := map[string]string{"IPv4": "IPv6", "IPv6": "IPv4"}[families[0]]
		if len(families) == 1 && (book.rangeFor(other) != nil || headless) {
			families = append(families, other)
		}
	default:
		errs.unsupported("spec.ipFamilyPolicy", policy, "PreferDualStack", "RequireDualStack", "SingleStack")
		return false
	}
	spec["ipFamilies"], spec["clusterIPs"] = anyList(families), anyList(ips)
	return true
}

func (book *serviceBook) allocateIPs(key string, svc object, errs *fieldErrors) {
	spec := child(svc, "spec")
	ips := stringList(spec, "clusterIPs")
	if len(ips) == 0 || ips[0] != "None" {
		for i, family := range stringList(spec, "ipFamilies") {
			if i < len(ips) {
				book.checkIP(key, ips[i], ips, family, errs)
			} else if ip := book.freeIP(book.rangeFor(family)); ip != "" {
				ips = append(ips, ip)
			} else {
				errs.invalid("spec.clusterIPs", anyList(ips), "failed to allocate a serviceIP: range is full")
				return
			}
		}
	}
	spec["clusterIPs"], spec["clusterIP"] = anyList(ips), ips[0]
}

func (book *serviceBook) checkIP(key, ip string, all []string, family string, errs *fieldErrors) {
	parsed := parseIP(ip)
	why := ""
	switch holder, taken := book.ips[ip]; {
	case parsed == nil:
		why = "must be a valid IP address"
	case familyOf(parsed) != family:
		why = "expected an " + family + " value as indicated by `ipFamilies[0]`"
	case taken && holder == key:
	case taken:
		why = "failed to allocate IP " + ip + ": provided IP is already allocated"
	case !book.rangeFor(family).net.Contains(parsed):
		why = "failed to allocate IP " + ip + ": the provided IP (" + ip + ") is not in the valid range. " +
			"The range of valid IPs is " + book.rangeFor(family).net.String()
	}
	if why != "" {
		errs.invalid("spec.clusterIPs", anyList(all), why)
	}
}

func (book *serviceBook) freeIP(r *addressRange) string {
	for i := int64(0); i < r.size-1; i++ {
		ip := r.at(r.next)
		if r.next++; r.next >= r.size {
			r.next = 1
		}
		if book.ips[ip] == "" {
			return ip
		}
	}
	return ""
}

func (book *serviceBook) allocatePorts(key string, svc object, errs *fieldErrors) {
	spec := child(svc, "spec")
	mine := map[int]bool{}
	byNumber := map[string]int{} // one node port serves several protocols of a port
	for i, p := range objects(list(spec, "ports")) {
		n, ok := number(p["nodePort"])
		if ok && n != 0 {
			field := fmt.Sprintf("spec.ports[%d].nodePort", i)
			if n < nodePortFirst || n > nodePortLast {
				errs.invalid(field, n, fmt.Sprintf("provided port is not in the valid range. The range of valid ports is %d-%d",
					nodePortFirst, nodePortLast))
			} else if holder := book.ports[n]; holder != "" && holder != key {
				errs.invalid(field, n, "provided port is already allocated")
			}
			mine[n] = true
			continue
		}
		delete(p, "nodePort")
		if !hasNodePorts(svc) {
			continue
		}
		number := string(encode(p["port"]))
		if byNumber[number] == 0 {
			byNumber[number] = book.freePort(mine)
		}
		if byNumber[number] == 0 {
			errs.add("InternalError", fmt.Sprintf("spec.ports[%d].nodePort", i), "failed to allocate a nodePort: range is full")
			return
		}
		p["nodePort"] = num(byNumber[number])
		mine[byNumber[number]] = true
	}
	if needsHealthCheckPort(svc) {
		if n, ok := number(spec["healthCheckNodePort"]); !ok || n == 0 {
			spec["healthCheckNodePort"] = num(book.freePort(mine))
		} else if holder := book.ports[n]; holder != "" && holder != key {
			errs.invalid("spec.healthCheckNodePort", n, "provided port is already allocated")
		}
	}
}

func (book *serviceBook) freePort(mine map[int]bool) int {
	for i := nodePortFirst; i <= nodePortLast; i++ {
		port := book.nextPort
		if book.nextPort++; book.nextPort > nodePortLast {
			book.nextPort = nodePortFirst
		}
		if book.ports[port] == "" && !mine[port] {
			return port
		}
	}
	return 0
}
