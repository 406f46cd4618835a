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

// The lowest of both are left to those who ask for one, as long as there are others.
const (
	nodePortFirst   = 30000
	nodePortLast    = 32767
	nodePortDynamic = nodePortFirst + 86
	addressDynamic  = 257
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
	book := &serviceBook{ips: map[string]string{}, ports: map[int]string{}, nextPort: nodePortDynamic}
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
		if r.size > 2*addressDynamic {
			r.next = addressDynamic
		}
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

// prepare completes svc, which is new (old nil) or old's successor. What can't be
// allocated is told before anything else is looked at.
func (book *serviceBook) prepare(old, svc object) *apiError {
	if old != nil {
		keepAllocated(old, svc)
	}
	matchClusterIPs(old, svc)
	if old != nil {
		dropOutdated(old, svc)
	}
	if serviceType(svc) == "ExternalName" {
		return nil
	}
	errs := fieldErrors{}
	name := str(svc, "metadata", "name")
	key := keyOf(str(svc, "metadata", "namespace"), name)
	if book.settleFamilies(old, svc, &errs) {
		book.allocateIPs(key, svc, &errs)
	}
	if len(errs) == 0 {
		book.allocatePorts(key, old == nil, svc, &errs)
	}
	if err := errs.err("Service", "", name); err != nil {
		return err
	}
	return book.allocateHealthPort(key, svc)
}

// keepAllocated fills what the successor left out from what was allocated.
func keepAllocated(old, svc object) {
	spec, oldSpec := child(svc, "spec"), child(old, "spec")
	if serviceType(old) != "ExternalName" && serviceType(svc) != "ExternalName" {
		if str(spec, "clusterIP") == "" {
			keep(oldSpec, spec, "clusterIP")
		}
		if len(list(spec, "clusterIPs")) == 0 {
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
		keepNodePorts(list(oldSpec, "ports"), list(spec, "ports"))
	}
	if needsHealthCheckPort(old) && needsHealthCheckPort(svc) && spec["healthCheckNodePort"] == nil {
		keep(oldSpec, spec, "healthCheckNodePort")
	}
}

// keepNodePorts goes by the ports' names; a number that is still in use is not moved.
func keepNodePorts(before, after []interface{}) {
	byName, used := map[string]interface{}{}, map[string]bool{}
	for _, p := range objects(before) {
		byName[str(p, "name")] = p["nodePort"]
	}
	for _, p := range objects(after) {
		used[string(encode(p["nodePort"]))] = true
	}
	for _, p := range objects(after) {
		held := byName[str(p, "name")]
		if n, _ := number(p["nodePort"]); n == 0 && held != nil && !used[string(encode(held))] {
			p["nodePort"] = held
		}
	}
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
	holder, taken := book.ips[ip]
	switch {
	case taken && holder == key:
	case taken:
		errs.invalid("spec.clusterIPs", anyList(all), "failed to allocate IP "+ip+": provided IP is already allocated")
	case !book.rangeFor(family).net.Contains(parseIP(ip)):
		errs.invalid("spec.clusterIPs", anyList(all), "failed to allocate IP "+ip+
			": the provided network does not match the current range")
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

// allocatePorts: in a new Service the protocols of one number share a node port, and no
// two numbers may ask for the same; one that changes is served port by port.
func (book *serviceBook) allocatePorts(key string, isNew bool, svc object, errs *fieldErrors) {
	ports := objects(list(svc, "spec", "ports"))
	if !isExternal(svc) {
		return
	}
	mine := map[int]string{}     // node port to the port that has it
	byNumber := map[string]int{} // what a number's protocols share
	for i, p := range ports {
		n, ok := number(p["nodePort"])
		if !ok {
			continue
		}
		number := string(encode(p["port"]))
		book.checkPort(fmt.Sprintf("spec.ports[%d].nodePort", i), key, n, isNew && mine[n] != "" && mine[n] != number, errs)
		mine[n] = number
		if isNew {
			byNumber[number] = n
		}
	}
	if !hasNodePorts(svc) {
		return
	}
	for i, p := range ports {
		number := string(encode(p["port"]))
		if p["nodePort"] != nil {
			continue
		}
		n := byNumber[number]
		if n == 0 {
			n = book.freePort(mine)
		}
		if n == 0 {
			errs.add("InternalError", fmt.Sprintf("spec.ports[%d].nodePort", i), "failed to allocate a nodePort: range is full")
			return
		}
		p["nodePort"] = num(n)
		mine[n] = number
		if isNew {
			byNumber[number] = n
		}
	}
}

func (book *serviceBook) checkPort(field, key string, port int, twice bool, errs *fieldErrors) {
	holder := book.ports[port]
	switch {
	case port < nodePortFirst || port > nodePortLast:
		errs.invalid(field, num(port), fmt.Sprintf("provided port is not in the valid range. The range of valid ports is %d-%d",
			nodePortFirst, nodePortLast))
	case holder != key && (holder != "" || twice):
		errs.invalid(field, num(port), "provided port is already allocated")
	}
}

func (book *serviceBook) allocateHealthPort(key string, svc object) *apiError {
	if !needsHealthCheckPort(svc) {
		return nil
	}
	mine := map[int]string{}
	for _, p := range objects(list(svc, "spec", "ports")) {
		if n, ok := number(p["nodePort"]); ok {
			mine[n] = key
		}
	}
	spec := child(svc, "spec")
	n, _ := number(spec["healthCheckNodePort"])
	if n == 0 {
		spec["healthCheckNodePort"] = num(book.freePort(mine))
	} else if holder := book.ports[n]; holder != "" && holder != key {
		return &apiError{code: 500, reason: "InternalError", message: fmt.Sprintf(
			"Internal error occurred: failed to allocate requested HealthCheck NodePort %d: provided port is already allocated", n)}
	}
	return nil
}

func (book *serviceBook) freePort(mine map[int]string) int {
	for i := nodePortFirst; i <= nodePortLast; i++ {
		port := book.nextPort
		if book.nextPort++; book.nextPort > nodePortLast {
			book.nextPort = nodePortFirst
		}
		if book.ports[port] == "" && mine[port] == "" {
			return port
		}
	}
	return 0
}
