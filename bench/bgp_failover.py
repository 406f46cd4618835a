# SPDX-License-Identifier: Apache-2.0
"""BGP: a node of three dies, or leaves: what a client behind the router feels

A router (BIRD) with ECMP over three nodes, and a client behind it that asks 1,000 times a
second, each time as a new flow. Cut off: a node's links to the switch and to the API server
are cut; measured is from the first request without an answer to the first after the last
such one, with BFD and with the hold timer alone. Drained: the node is labelled
herald.io/drain until its route is gone at the router, and is back; counted are the requests
without an answer. What kube-proxy would do is a rule that sends the traffic to a backend on
the node itself."""
import re
import sys
import time
from pathlib import Path

from harness.bgp import BgpCluster
from harness.process import Process
from harness.wait import wait_for

VIP = "203.0.113.1"
CLIENT = Path(__file__).with_name("asking_client.py")
# How long the client waits for an answer, and some more.
RESOLVED = 1.2
P99_MAX_MS = 500
FORWARD = f"""
table ip bench {{
    chain to {{ type nat hook prerouting priority dstnat; ip daddr {VIP} udp dport 80 redirect to :8080; }}
}}
"""
BFD = {"name": "fast", "receiveInterval": "50ms", "transmitInterval": "50ms", "detectMultiplier": 3}


class Scene:
    def __init__(self, bench):
        self.bench = bench
        self.cluster = BgpCluster(bench.folder, nodes=3, server=bench.server)
        self.router = self.cluster.add_router("bird", 60, name="r", bfd=True, bfd_interval=50)
        self.user = self.cluster.add_user(self.router)
        self.backends = []
        for node in self.cluster.nodes:
            (bench.folder / "redirect.nft").write_text(FORWARD)
            node.run("nft", "-f", bench.folder / "redirect.nft")
            self.backends.append(node.serve(bench.folder))
        self.configure(bfd=True)
        self.cluster.start()
        endpoints = [(f"10.244.{node.number}.2", node.name) for node in self.cluster.nodes]
        self.cluster.speakers.add_service("bgp-failover", VIP, endpoints)

    def configure(self, bfd):
        self.bfd = bfd
        more = {"bfdProfile": "fast"} if bfd else {}
        peer = self.cluster.peer(self.router, holdTime="3s", keepaliveTime="1s", **more)
        self.cluster.configure([peer], drainTime="1s", bfdProfiles=[BFD])

    def hops(self):
        return self.cluster.kernel_hops(self.router, VIP)

    def sessions_as_wanted(self):
        lines = self.router.ask("show bfd sessions").splitlines()
        up = [line for line in lines if " Up " in line and " 0.050 " in line]
        return len(up) == (len(self.cluster.nodes) if self.bfd else 0)

    def settle(self):
        self.cluster.up()
        wait_for("BFD as configured", self.sessions_as_wanted, timeout=60)
        wait_for("all nodes at the router", lambda: self.hops() == {n.ip for n in self.cluster.nodes}, timeout=60)

    def bring_back(self, node):
        """At once: a session that breaks every few seconds has BIRD wait up to 30 s before the
        next, which nodes that die days apart don't see; an order to restart makes it forget."""
        node.restore()
        bird = self.cluster.birds[node.name]
        for session in re.findall(r"^ *(herald_\w+) +BGP", bird.ask("show protocols"), re.MULTILINE):
            bird.ask(f"restart {session}")

    def label(self, node, value):
        self.cluster.kube.patch("nodes", node.name, {"metadata": {"labels": {"herald.io/drain": value}}}, ns=None)

    def wait_gone(self, node):
        wait_for(f"the router to turn away from {node.name}", lambda: node.ip not in self.hops(), timeout=30)

    def close(self):
        for backend in self.backends:
            backend.stop()
        self.cluster.close()
        admin = self.bench.server.admin
        admin.delete("services", "bgp-failover")
        admin.delete("endpointslices", "bgp-failover-ipv4")
        for node in self.cluster.nodes:
            admin.delete("nodes", node.name)


class Client:
    def __init__(self, scene):
        log = scene.bench.folder / "asking-client.log"
        log.unlink(missing_ok=True)
        self.begin = time.monotonic()
        self.process = Process("asking-client", [sys.executable, CLIENT, VIP], scene.bench.folder, scene.user.ns)
        self.wait_answers()

    def outcomes(self):
        """(time, whether it was answered) of each request, in the order of asking."""
        whole = self.process.text()
        lines = [line.split() for line in whole[:whole.rfind("\n") + 1].splitlines()]
        return sorted((float(sent), outcome == "ok") for outcome, sent in lines)

    def wait_answers(self):
        """Until 300 requests from now on are answered."""
        now = time.monotonic()
        wait_for("answers", lambda: sum(ok and sent > now for sent, ok in self.outcomes()) > 300, timeout=30)

    def finish(self):
        """The outcomes of all requests until now."""
        now = time.monotonic()
        wait_for("the last outcomes", lambda: self.outcomes()[-1][0] > now + RESOLVED, timeout=30)
        self.process.stop()
        return [each for each in self.outcomes() if each[0] <= now]


def cut_off(scene, node):
    """Seconds in which some requests failed."""
    scene.settle()
    client = Client(scene)
    node.cut_switch_side()
    scene.wait_gone(node)
    client.wait_answers()
    outcomes = client.finish()
    scene.bring_back(node)
    failed = [sent for sent, ok in outcomes if not ok]
    if not failed:
        raise RuntimeError(f"no request failed when {node.name} was cut off: nothing went there, nothing was measured")
    return next(sent for sent, ok in outcomes if ok and sent > failed[-1]) - failed[0]


def drain(scene, node):
    """All requests' outcomes, and the seconds that they took."""
    scene.settle()
    client = Client(scene)
    scene.label(node, "true")
    scene.wait_gone(node)
    client.wait_answers()
    scene.label(node, None)
    wait_for(f"{node.name}'s route again", lambda: node.ip in scene.hops(), timeout=30)
    client.wait_answers()
    outcomes = client.finish()
    return [ok for _, ok in outcomes], outcomes[-1][0] - outcomes[0][0]


def run(bench, section):
    with_bfd, without, drains = (1, 1, 1) if bench.quick else (50, 10, 20)
    scene = Scene(bench)

    def rounds(count, act):
        nodes = scene.cluster.nodes
        return [act(scene, nodes[n % len(nodes)]) for n in range(count)]

    section.add_times("cut off, BFD 3 x 50 ms: requests fail for", rounds(with_bfd, cut_off),
                      limit=None if bench.quick else P99_MAX_MS)
    told, seconds = zip(*rounds(drains, drain))
    asked = sum(map(len, told))
    section.add(f"drained and back, {drains} times: requests", asked)
    section.add("requests a second", asked / sum(seconds))
    section.add("requests that failed", sum(each.count(False) for each in told), limit=None if bench.quick else 0)
    scene.configure(bfd=False)
    section.add_times("cut off, hold time 3 s alone: requests fail for", rounds(without, cut_off))
    scene.close()
