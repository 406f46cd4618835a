# SPDX-License-Identifier: Apache-2.0
"""A stand-in for kube-proxy: on a node, what is sent to a Service's address goes to
one of its endpoints.

The demo has no real kube-proxy, because building one from source takes minutes and a
demo is to take one; the tests do have it (harness/kubeproxy.py). Like the real one,
this follows Services and EndpointSlices and writes nftables rules from what they say:
it is told nothing by the demo. It knows TCP on IPv4 under the Cluster policy, and no more."""
import subprocess
import threading

from harness.netns import inside

POLL_SECONDS = 0.1


class ProxyStandIn:
    """Follows the API server on behalf of all the nodes, until stop()."""

    def __init__(self, kube, nodes):
        self.kube, self.nodes = kube, nodes
        self.rules = None
        self.error = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self):
        try:
            while not self._end.wait(POLL_SECONDS):
                self._sync()
        except Exception as error:  # told by whoever waits for the rules' effect
            self.error = error

    def _sync(self):
        rules = ruleset(self.kube.items("services"), self.kube.items("endpointslices"))
        if rules == self.rules:
            return
        for node in self.nodes:
            done = subprocess.run(inside(node.ns, ["nft", "-f", "-"]), input=rules, text=True, capture_output=True)
            if done.returncode != 0:
                raise RuntimeError(f"nft on {node.name}: {done.stderr}")
        self.rules = rules

    def stop(self):
        self._end.set()
        self._thread.join()


def ruleset(services, slices):
    """The whole table, to be put in place of the one that is there."""
    jumps = [rule(address, port, endpoints_of(service, port, slices))
             for service in services for address in addresses_of(service)
             for port in service["spec"]["ports"] if port["protocol"] == "TCP"]
    return "\n".join([
        "table ip kube-proxy-stand-in", "delete table ip kube-proxy-stand-in",  # in any case there, then gone
        "table ip kube-proxy-stand-in {",
        "chain services { type nat hook prerouting priority dstnat;", *jumps, "}",
        "chain sources { type nat hook postrouting priority srcnat;", "ct status dnat masquerade", "}",
        "}", ""])


def addresses_of(service):
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    return [i["ip"] for i in ingress if "." in i.get("ip", "")]


def endpoints_of(service, port, slices):
    meta = service["metadata"]
    found = []
    for piece in slices:
        labels = piece["metadata"].get("labels", {})
        if (piece["metadata"]["namespace"], labels.get("kubernetes.io/service-name")) != \
                (meta["namespace"], meta["name"]) or piece["addressType"] != "IPv4":
            continue
        numbers = [p["port"] for p in piece["ports"] if p.get("name") == port.get("name")]
        found += [(e["addresses"][0], n) for e in piece["endpoints"] for n in numbers
                  if e.get("conditions", {}).get("ready", True)]
    return sorted(found)


def rule(address, port, endpoints):
    match = f"ip daddr {address} tcp dport {port['port']}"
    if not endpoints:
        return f"{match} drop"
    # inc, not random: so that a few requests show every endpoint.
    choices = ", ".join(f"{i} : {ip} . {number}" for i, (ip, number) in enumerate(endpoints))
    return f"{match} dnat ip to numgen inc mod {len(endpoints)} map {{ {choices} }}"
