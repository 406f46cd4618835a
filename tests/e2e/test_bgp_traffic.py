# SPDX-License-Identifier: Apache-2.0
"""Traffic from a router over three nodes to pods, by kube-proxy on a real API server: ECMP,
externalTrafficPolicy Local, a node that dies with BFD and without, and a node that leaves
without a failed request (C01, C12, C13)."""
import sys
import time

import pytest

from harness.bgp import USER, BgpCluster
from harness.kubeproxy import start_kube_proxy
from harness.process import Process
from harness.wait import wait_for

VIP, PREFIX = "203.0.113.1", "203.0.113.1/32"
LOCAL_VIP, LOCAL_PREFIX = "203.0.113.2", "203.0.113.2/32"
# Asks by UDP, each time from another port, so that every request is a flow of its own.
CLIENT = """
import socket, sys, time
address, interval = sys.argv[1], float(sys.argv[2])
while True:
    begin = time.monotonic()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.3)
    try:
        s.sendto(b"?", (address, 80))
        outcome = "ok " + s.recv(100).decode().strip()
    except OSError as error:
        outcome = "failed " + repr(error)
    s.close()
    print(f"{begin:.4f} {outcome}", flush=True)
    time.sleep(max(0, interval - (time.monotonic() - begin)))
"""


class Cluster(BgpCluster):
    """Three nodes with a pod each, a router that routes between them and a user behind it."""

    def __init__(self, folder, server):
        super().__init__(folder, nodes=3, server=server)
        self.router = self.add_router("bird", 60, name="r", bfd=True)
        self.add_user(self.router)
        self.pods = {node.name: node.add_pod(f"pod-{node.name}") for node in self.nodes}
        self.running = [pod.serve(folder) for pod in self.pods.values()]
        self.proxies = [start_kube_proxy(node, server, folder) for node in self.nodes]

    def peers(self, bfd):
        return [self.peer(self.router, holdTime="9s", keepaliveTime="3s", **({"bfdProfile": "fast"} if bfd else {}))]

    def set_up(self, bfd=True):
        self.configure(self.peers(bfd), drainTime="2s", bfdProfiles=[{
            "name": "fast", "receiveInterval": "50ms", "transmitInterval": "50ms", "detectMultiplier": 3}])

    def nodes_at_router(self, prefix):
        return {route.via for route in self.router.routes(prefix)}

    def client(self, address, name, interval=0.002):
        folder = self.folder / f"{name}-{time.monotonic_ns()}"
        folder.mkdir()
        return Process("user", [sys.executable, "-c", CLIENT, address, str(interval)], folder, "user")

    def close(self):
        for process in (*self.proxies, *self.running):
            process.stop()
        super().close()


@pytest.fixture(scope="module")
def cluster(real_server, module_folder):
    real_server.reset()
    made = Cluster(module_folder, real_server)
    try:
        made.set_up()
        made.start()
        endpoints = [{"addresses": [pod.ip], "nodeName": name, "conditions": {"ready": True}} for name, pod in made.pods.items()]
        made.speakers.add_service("web", VIP, endpoints)
        made.speakers.add_service("local", LOCAL_VIP, endpoints[:1], externalTrafficPolicy="Local")
        made.up()
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def all_nodes_announce(cluster):
    def hops(wanted):
        return lambda: cluster.kernel_hops(cluster.router, VIP) == {node.ip for node in wanted}
    wait_for("all nodes at the router", hops(cluster.nodes), timeout=60)
    yield


def outcomes(client):
    whole = client.text()
    return [line.split(" ", 3) for line in whole[:whole.rfind("\n") + 1].splitlines()]


def answered_by(client, count):
    """The pods that have answered, once there are so many answers."""
    good = wait_for("answers", lambda: (a := [o[2] for o in outcomes(client) if o[1] == "ok"])[count:] and a, timeout=30)
    return set(good)


def test_ECMP_over_three_nodes_and_Local_policy(cluster):
    wait_for("answers at all", lambda: "ok" in cluster_once(cluster, VIP), timeout=30)
    client = cluster.client(VIP, "ecmp")
    try:
        assert answered_by(client, 100) == {pod.name for pod in cluster.pods.values()}
    finally:
        client.stop()
    # Flows go over each node.
    assert cluster.kernel_hops(cluster.router, VIP) == {node.ip for node in cluster.nodes}
    # Local: only where the pod is, and the pod sees the user's own address.
    first = cluster.nodes[0]
    assert wait_for("one node", lambda: cluster.nodes_at_router(LOCAL_PREFIX) == {first.ip})
    client = cluster.client(LOCAL_VIP, "local")
    try:
        assert answered_by(client, 20) == {cluster.pods[first.name].name}
        assert {o[3] for o in outcomes(client) if o[1] == "ok"} == {USER}
    finally:
        client.stop()
    second = cluster.nodes[1]
    cluster.kube.patch("endpointslices", "local-ipv4", {"endpoints": [
        {"addresses": [cluster.pods[second.name].ip], "nodeName": second.name, "conditions": {"ready": True}}]})
    wait_for("the other node", lambda: cluster.nodes_at_router(LOCAL_PREFIX) == {second.ip})


def cluster_once(cluster, address):
    client = cluster.client(address, "once", 0.05)
    try:
        wait_for("an outcome", lambda: outcomes(client))
        return " ".join(o[1] for o in outcomes(client))
    finally:
        client.stop()


def longest_gap(client):
    """Seconds without an answer for somebody: from the first failed request to the last."""
    failed = [float(o[0]) for o in outcomes(client) if o[1] == "failed"]
    return failed[-1] - failed[0] if failed else 0.0


@pytest.mark.parametrize("bfd", [True, False], ids=["bfd", "hold-timer"])
def test_C01_node_dies(cluster, bfd):
    """Cut off, with its link up: by BFD the router turns away at once, else when the hold timer ends."""
    cluster.set_up(bfd)
    victim = cluster.nodes[2]
    cluster.up()
    if bfd:
        wait_for("BFD at the router", lambda: all(
            f"{n.ip}" in line and "Up" in line for n in cluster.nodes
            for line in cluster.router.ask("show bfd sessions").splitlines() if n.ip in line)
            and all(n.ip in cluster.router.ask("show bfd sessions") for n in cluster.nodes), timeout=20)
    else:
        wait_for("no BFD there", lambda: "Up" not in cluster.router.ask("show bfd sessions"), timeout=20)
    wait_for("all nodes", lambda: cluster.kernel_hops(cluster.router, VIP) == {n.ip for n in cluster.nodes},
             timeout=30)
    # Its pod is dead as well: no failed request may be a pod's.
    cluster.kube.patch("endpointslices", "web-ipv4", {"endpoints": [
        {"addresses": [cluster.pods[n.name].ip], "nodeName": n.name, "conditions": {"ready": True}}
        for n in cluster.nodes[:2]]})
    client = cluster.client(VIP, "dies")
    try:
        wait_for("answers by these", lambda: len(outcomes(client)) > 300 and
                 "pod-node3" not in {o[2] for o in outcomes(client)[-200:] if o[1] == "ok"}, timeout=30)
        begin = time.monotonic()
        victim.cut_switch_side()
        wait_for("the router to turn away", lambda: victim.ip not in cluster.kernel_hops(cluster.router, VIP),
                 timeout=30)
        away = time.monotonic() - begin
        seen = len(outcomes(client))
        wait_for("more answers", lambda: len(outcomes(client)) > seen + 300)
        assert all(o[1] == "ok" for o in outcomes(client)[-200:])
        print(f"\nnode cut off, {'BFD 3 x 50 ms' if bfd else 'hold time 9 s'}: route gone after {away:.2f} s, "
              f"requests failed over {longest_gap(client):.2f} s")
    finally:
        client.stop()
        victim.restore()
        cluster.kube.patch("endpointslices", "web-ipv4", {"endpoints": [
            {"addresses": [pod.ip], "nodeName": name, "conditions": {"ready": True}} for name, pod in cluster.pods.items()]})


def test_C12_C13_node_leaves_without_a_failed_request(cluster):
    cluster.set_up()
    cluster.up()
    node = cluster.nodes[1]
    client = cluster.client(VIP, "drain", 0.001)
    try:
        wait_for("answers", lambda: len(outcomes(client)) > 300, timeout=30)
        cluster.kube.patch("nodes", node.name, {"metadata": {"labels": {"herald.io/drain": "true"}}}, ns=None)
        wait_for("the community", lambda: any("65535:0" in r.communities for r in cluster.router.routes(PREFIX) if r.via == node.ip))
        wait_for("its route to go", lambda: node.ip not in cluster.nodes_at_router(PREFIX), timeout=20)
        seen = len(outcomes(client))
        wait_for("more answers", lambda: len(outcomes(client)) > seen + 300)
        cluster.kube.patch("nodes", node.name, {"metadata": {"labels": {"herald.io/drain": None}}}, ns=None)
        wait_for("its route again", lambda: node.ip in cluster.nodes_at_router(PREFIX), timeout=20)
        seen = len(outcomes(client))
        wait_for("more answers", lambda: len(outcomes(client)) > seen + 300)
        failed = [o for o in outcomes(client) if o[1] != "ok"]
        print(f"\nnode drained and back: {len(failed)} of {len(outcomes(client))} requests failed")
        assert failed == []
    finally:
        client.stop()
