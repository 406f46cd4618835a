# SPDX-License-Identifier: Apache-2.0
"""A cluster's network on one machine, made of namespaces:

    lan   192.0.2.0/24    the segment where Service addresses are announced:
          fd00:192:0:2::/64   client .10 and ::10, nodes .11 and ::11, .12 and ::12, ...,
                          other hosts as asked for
    mgmt  10.199.0.0/24   nodes .11, .12, ... to the API server at .1, which
                          runs in the sandbox itself
    pods  10.244.N.0/24   behind node N, routed over the lan

Both networks are bridges in the sandbox's own namespace, which is just a
switch on the lan: it has no address there. To be used under tests/run only."""
import sys
from pathlib import Path

from harness.netns import add_bridge, add_netns, add_veth, delete_netns, ip, ip_json, run, set_sysctls
from harness.process import Process
from harness.wait import wait_for

API_ADDRESS = "10.199.0.1"
BACKEND = Path(__file__).with_name("backend.py")


def ip6_of(address):
    """The IPv6 address of the lan's host that has this IPv4 address: ::10 for .10."""
    return f"fd00:192:0:2::{address.rsplit('.', 1)[1]}"


class Host:
    """A namespace with an address: .name, .ns, .ip."""

    def __init__(self, name, address):
        self.name = self.ns = name
        self.ip = address
        add_netns(name)
        # IPv6 addresses are of use at once and stay, and nobody here waits for a router.
        set_sysctls(name, net__ipv6__conf__default__accept_dad=0, net__ipv6__conf__default__accept_ra=0,
                    net__ipv6__conf__default__keep_addr_on_down=1)

    def run(self, *argv, timeout=30, check=True):
        return run(argv, self.ns, timeout, check)

    def curl(self, url, timeout=5):
        """The answer's body; RuntimeError with curl's message when there is none."""
        return self.run("curl", "-gsS", "--fail", "--max-time", timeout, url, timeout=timeout + 5).stdout

    def serve(self, folder, port=8080):
        """Starts a backend here that answers with this host's name, and waits for it."""
        backend = Process(f"backend-{self.name}", [sys.executable, BACKEND, self.name, port], folder, self.ns)
        wait_for(f"the backend on {self.name}", lambda: self.curl(f"http://{self.ip}:{port}/", timeout=1))
        return backend


def mac_of(host):
    return ip_json("link show eth0", host.ns)[0]["address"]


class LanHost(Host):
    """A host on the lan that is no node, such as a client or an outside backend: .ip6."""

    lan_if = "eth0"

    def __init__(self, name, address):
        super().__init__(name, address)
        self.ip6 = ip6_of(address)
        add_veth(f"{name}-lan", "lan", name, "eth0")
        ip(f"address add {address}/24 dev eth0", name)
        ip(f"address add {self.ip6}/64 dev eth0", name)

    @property
    def mac(self):
        return mac_of(self)

    def neighbour(self, address):
        """The MAC that this host's neighbour entry for the address holds, or None."""
        entries = ip_json(f"neighbour show {address} dev eth0", self.ns)
        return entries[0].get("lladdr") if entries else None

    def pin_neighbour(self, address, mac):
        """A permanent ARP entry, in the place of an answer to ARP."""
        ip(f"neighbour replace {address} lladdr {mac} dev eth0 nud permanent", self.ns)


class Pod(Host):
    def __init__(self, node, name, address):
        super().__init__(name, address)
        self.node = node
        # Point to point, as the ptp network plugin does: .1 of the node's range is its gateway.
        veth = f"pod{address.rsplit('.', 1)[1]}"
        ip(f"link add {veth} netns {node.ns} type veth peer name eth0 netns {name}")
        ip(f"link set {veth} up", node.ns)
        ip(f"route add {address} dev {veth}", node.ns)
        ip(f"address add {address}/32 dev eth0", name)
        ip("link set eth0 up", name)
        ip(f"route add {node.pod_gateway} dev eth0", name)
        ip(f"route add default via {node.pod_gateway}", name)


class Node(Host):
    """A cluster node: .name, .ns, .ip, .ip6, .mac, .lan_if, .mgmt_if, .number, .pods."""

    lan_if = "eth0"
    mgmt_if = "eth1"

    def __init__(self, number):
        super().__init__(f"node{number}", f"192.0.2.{10 + number}")
        self.number = number
        self.ip6 = ip6_of(self.ip)
        self.pods = []
        self.pod_cidr = f"10.244.{number}.0/24"
        self.pod_gateway = f"10.244.{number}.1"
        self._lan_routes = []
        # kube-proxy needs forwarding, and no reverse path filter between lan and pods.
        set_sysctls(self.ns, net__ipv4__ip_forward=1, net__ipv4__conf__all__rp_filter=0,
                    net__ipv4__conf__default__rp_filter=0, net__ipv6__conf__all__forwarding=1)
        add_veth(f"{self.name}-lan", "lan", self.ns, "eth0")
        add_veth(f"{self.name}-mgmt", "mgmt", self.ns, "eth1")
        ip(f"address add {self.ip}/24 dev eth0", self.ns)
        ip(f"address add {self.ip6}/64 dev eth0", self.ns)
        ip(f"address add 10.199.0.{10 + number}/24 dev eth1", self.ns)
        ip(f"address add {self.pod_gateway}/32 dev lo", self.ns)
        # Leads nowhere, but without a default route the kernel drops replies and
        # what kube-proxy forwards under the Cluster policy.
        self.add_lan_route("default via 192.0.2.1")
        self.add_lan_route(f"default via {ip6_of('192.0.2.1')}")

    @property
    def mac(self):
        return mac_of(self)

    def add_lan_route(self, route):
        self._lan_routes.append(route)
        ip(f"route add {route} dev eth0", self.ns)

    def add_pod(self, name):
        pod = Pod(self, name, f"10.244.{self.number}.{len(self.pods) + 2}")
        self.pods.append(pod)
        return pod

    def cut_switch_side(self):
        """Cuts the node off, lan and mgmt, while its own links keep their carrier."""
        self.cut_lan()
        self.cut_api()

    def restore(self):
        """Undoes cut_switch_side()."""
        self.restore_lan()
        self.restore_api()

    def cut_lan(self):
        """Cuts the lan alone; the link keeps its carrier."""
        ip(f"link set {self.name}-lan nomaster")

    def restore_lan(self):
        ip(f"link set {self.name}-lan master lan")

    def cut_api(self):
        """Cuts mgmt alone; the link keeps its carrier."""
        ip(f"link set {self.name}-mgmt nomaster")

    def restore_api(self):
        ip(f"link set {self.name}-mgmt master mgmt")

    def unplug(self):
        """The lan's cable is pulled: eth0 stays up but has no carrier."""
        ip(f"link set {self.name}-lan down")

    def plug(self):
        ip(f"link set {self.name}-lan up")

    def link_down(self):
        """eth0 is set down on the node itself; the kernel drops its routes."""
        ip("link set eth0 down", self.ns)

    def link_up(self):
        ip("link set eth0 up", self.ns)
        for route in self._lan_routes:
            ip(f"route replace {route} dev eth0", self.ns)


class Lab:
    """lab.nodes, lab.client; add_host() for more hosts on the lan. close() removes everything."""

    def __init__(self, nodes=2):
        self.hosts = []
        add_bridge("lan")
        add_bridge("mgmt")
        ip(f"address add {API_ADDRESS}/24 dev mgmt")
        # The bridges are plain switches: what passes them must not enter the firewall here.
        set_sysctls(None, **{"net.bridge.bridge-nf-call-iptables": 0, "net.bridge.bridge-nf-call-ip6tables": 0})
        self.client = self.add_host("client", "192.0.2.10")
        self.nodes = [Node(number + 1) for number in range(nodes)]
        for node in self.nodes:
            for other in self.nodes:
                if other is not node:
                    node.add_lan_route(f"{other.pod_cidr} via {other.ip}")

    def add_host(self, name, address):
        """A host on the lan that is no node."""
        host = LanHost(name, address)
        self.hosts.append(host)
        return host

    def close(self):
        for node in self.nodes:
            for pod in node.pods:
                delete_netns(pod.ns)
        # The kernel takes its time over a dead namespace; its cables must go at once, since
        # the next lab's have the same names.
        for host in self.hosts + self.nodes:
            ip(f"link delete {host.name}-lan")
        for node in self.nodes:
            ip(f"link delete {node.name}-mgmt")
        for host in self.hosts + self.nodes:
            delete_netns(host.ns)
        ip("link delete lan")
        ip("link delete mgmt")
