# SPDX-License-Identifier: Apache-2.0
"""A cluster whose speakers have BIRD, and routers of any make that they peer with."""
import json
import re

from harness.bgp_bird import BirdPeer
from harness.bgp_frr import FrrPeer
from harness.bgp_gobgp import GobgpPeer
from harness.bgp_openbgpd import OpenbgpdPeer
from harness.bgp_peer import Neighbour
from harness.bird import Bird
from harness.lab import Host, Lab
from harness.mini import MiniApiServer
from harness.netns import delete_netns, ip, set_sysctls
from harness.speaker import Speakers
from harness.wait import wait_for

KINDS = {kind.kind: kind for kind in (BirdPeer, FrrPeer, GobgpPeer, OpenbgpdPeer)}
ASN = 64512
USER = "198.51.100.10"
BASE = {
    "apiVersion": "herald.io/v1",
    "pools": [{"name": "main", "addresses": ["203.0.113.0/24", "10.20.0.0/16", "fd00:203:0:113::/64"]}],
    "layer2": [],
    # A speaker that is killed does not lose its Lease while a test looks.
    "membership": {"leaseDuration": "120s", "renewInterval": "1s"},
}


def config_of(peers, **bgp):
    """The configuration's text (JSON is YAML) with these peers, and more of its bgp section."""
    return json.dumps({**BASE, "bgp": {"asn": ASN, "peers": peers, **bgp}})


class BgpCluster:
    """.nodes, .routers by name, .speakers, .birds by the node's name."""

    def __init__(self, folder, nodes=1, server=None):
        """With a `server` of somebody else's, that is used, and left running."""
        self.folder = folder
        self.lab = Lab(nodes=nodes)
        self.nodes = self.lab.nodes
        self.birds = {node.name: Bird(node, folder) for node in self.nodes}
        self.own_server = None if server else MiniApiServer(folder / "api", listen="10.199.0.1:0")
        self.server = server or self.own_server
        self.speakers = Speakers(self.server, self.lab, folder, config=None)
        self.kube = self.server.admin
        for node in self.nodes:
            addresses = [{"type": "InternalIP", "address": address} for address in (node.ip, node.ip6)]
            self.kube.patch_status("nodes", node.name, {"status": {"addresses": addresses}}, ns=None)
        self.routers = {}
        self.user = None

    def add_router(self, kind, number=None, asn=None, nodes=None, name=None, **options):
        """A router of that kind with a session to each node; its address ends with 60 and up."""
        number = 60 + len(self.routers) if number is None else number
        name = name or f"{kind}{number}"
        host = self.lab.add_host(name, f"192.0.2.{number}")
        neighbours = [Neighbour(node.ip, ASN, **options) for node in nodes or self.nodes]
        self.routers[name] = KINDS[kind](host, asn or 64600 + number, self.folder, neighbours)
        return self.routers[name]

    def add_user(self, router):
        """A host behind the router, which routes between it and the nodes, over all that it
        has a route by, flow by flow."""
        host, self.user = router.host, Host("user", USER)
        set_sysctls(host.ns, net__ipv4__ip_forward=1, net__ipv4__fib_multipath_hash_policy=1)
        ip(f"link add eth0 netns user type veth peer name eth1 netns {host.ns}")
        ip(f"address add {USER}/24 dev eth0", self.user.ns)
        ip("link set eth0 up", self.user.ns)
        ip("route add default via 198.51.100.1", self.user.ns)
        ip("address add 198.51.100.1/24 dev eth1", host.ns)
        ip("link set eth1 up", host.ns)
        for node in self.nodes:
            ip(f"route add 198.51.100.0/24 via {host.ip}", node.ns)
        return self.user

    def kernel_hops(self, router, address):
        """The nodes' addresses by which the router's kernel sends what is for `address`."""
        text = router.host.run("ip", "route", "show", address).stdout
        return {node.ip for node in self.nodes if node.ip in text.split()}

    def peer(self, router, **more):
        """The peer of the configuration that is this router."""
        return {"name": router.host.name, "peerASN": router.asn, "peerAddress": router.host.ip,
                "connectTime": "1s", **more}

    def configure(self, peers, **bgp):
        self.speakers.set_config(config_of(peers, **bgp))

    def start(self, *nodes):
        for node in nodes or self.nodes:
            self.speakers.start(node, args=self.birds[node.name].args)

    def restart_speaker(self, node, how="stop"):
        process = self.speakers.running.pop(node.name)
        getattr(process, how)()
        self.start(node)

    def up(self, *routers):
        """Waits for the sessions of these routers (all) with all their neighbours. OpenBGPD hears
        nobody for 30 s after a session that failed, and for twice as long after the next."""
        for router in routers or self.routers.values():
            for n in router.neighbours:
                wait_for(f"the session of {router.host.name} with {n.key}",
                         lambda r=router, k=n.key: r.is_up(k), timeout=150)

    def status(self, node=None):
        return self.speakers.status(node or self.nodes[0])["bgp"]

    def announced_to(self, address, node=None):
        """The peers to which the node's speaker says that it announces the address."""
        found = [a for a in self.status(node)["addresses"] if a["address"] == address]
        return sorted(found[0]["announcedTo"]) if found else None

    def annotation(self, node=None):
        """What the node's Lease says of BGP."""
        lease = self.kube.get("leases", f"herald-speaker.{(node or self.nodes[0]).name}", "herald-system")
        return json.loads(lease["metadata"]["annotations"].get("herald.io/bgp", "null"))

    def session_starts(self, node=None):
        """When each BGP session of the node began, in seconds of the day, by BIRD's own table."""
        text = self.birds[(node or self.nodes[0]).name].ask("show protocols")
        return {name: 3600 * int(h) + 60 * int(m) + float(s) for name, h, m, s in
                re.findall(r"(herald_\w+)\s+BGP\s+\S+\s+up\s+(\d+):(\d+):(\S+)", text)}

    def restarted(self, before, node=None):
        """The sessions that are not the ones they were at session_starts(); BIRD's clock, as it
        shows it, jitters by a millisecond."""
        now = self.session_starts(node)
        return sorted(name for name in now.keys() | before.keys()
                      if abs(now.get(name, -1e9) - before.get(name, -1e9)) > 0.1)

    def close(self):
        self.speakers.stop()
        for bird in self.birds.values():
            bird.close()
        for router in self.routers.values():
            router.close()
        if self.own_server:
            self.own_server.stop()
        if self.user:
            delete_netns(self.user.ns)
        self.lab.close()
