# SPDX-License-Identifier: Apache-2.0
"""Planned moves of an address from one node to the other, one function a kind: each ends
when the client uses the other node. Two Services: one that any node serves, whose backend
is no node, and one of externalTrafficPolicy Local with a pod on a node."""
import time

from harness.kubeproxy import start_kube_proxy
from harness.speaker import Speakers, ask_datagrams_forever
from harness.wait import wait_for

ANYWHERE, LOCAL = "192.0.2.230", "192.0.2.231"
CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.200-192.0.2.250]
nodes: {moveOnCordon: true}
membership: {takeBack: never}
"""


class Moves:
    """speakers and kube-proxies at work, and a client that asks each Service all the time."""

    def __init__(self, api, lab, folder):
        self.lab, self.folder, self.running, self.times = lab, folder, [], []
        backend = lab.add_host("backend", "192.0.2.100")
        self.pods = {node.name: node.add_pod(f"pod-{node.name}") for node in lab.nodes}
        self.serving = {node.name: None for node in lab.nodes}
        self.speakers = Speakers(api, lab, folder, CONFIG)
        self.speakers.start()
        self.running.append(backend.serve(folder))
        self.serve(lab.nodes[0])
        self.speakers.add_service("anywhere", ANYWHERE, [(backend.ip, None)])
        self.speakers.add_service("local", LOCAL, [self.endpoint(lab.nodes[0])], externalTrafficPolicy="Local")
        self.running += [start_kube_proxy(node, api, folder) for node in lab.nodes]
        for vip in (ANYWHERE, LOCAL):
            self.speakers.owner(vip)
            wait_for("an answer", lambda v=vip: lab.client.curl(f"http://{v}/", timeout=1), timeout=30)
        for node in lab.nodes:
            wait_for(f"kube-proxy's rules on {node.name}", lambda n=node: n.curl(f"http://{ANYWHERE}/", timeout=1),
                     timeout=30)
        self.clients = {vip: self.ask(vip) for vip in (ANYWHERE, LOCAL)}

    def ask(self, vip):
        (self.folder / vip).mkdir()
        client = ask_datagrams_forever(self.lab.client, vip, self.folder / vip)
        self.running.append(client)
        wait_for("the client's first answers", lambda: client.text().count(" ok") > 10)
        return client

    def outcomes(self, vip):
        return client_lines(self.clients[vip])

    def failed(self):
        return [(vip, line) for vip in self.clients for line in self.outcomes(vip) if not line.endswith("ok")]

    def serve(self, node):
        self.serving[node.name] = self.pods[node.name].serve(self.folder)

    def endpoint(self, node, terminating=False):
        return {"addresses": [self.pods[node.name].ip], "nodeName": node.name, "conditions": {
            "ready": not terminating, "serving": True, "terminating": terminating}}

    def set_endpoints(self, *endpoints):
        self.speakers.kube.patch("endpointslices", "local-ipv4", {"endpoints": list(endpoints)})

    def owner(self, vip):
        return self.speakers.owner(vip)

    def wait_moved(self, vip, node, begin):
        wait_for(f"the client to use {node.name}", lambda: self.lab.client.neighbour(vip) == node.mac, timeout=20)
        self.times.append(time.monotonic() - begin)
        before = len(self.outcomes(vip))
        wait_for("more answers there", lambda: len(self.outcomes(vip)) > before + 200, timeout=30)

    def patch_node(self, node, patch, sub=None):
        self.speakers.kube.patch("nodes", node.name, patch, ns=None, sub=sub, kind="strategic")

    def close(self):
        for process in (*self.running[::-1], *self.serving.values()):
            if process:
                process.stop()
        self.speakers.stop()


def client_lines(client):
    whole = client.text()
    return whole[:whole.rfind("\n") + 1].splitlines()


def away_and_undo(moves, patch, undo, sub=None):
    owner = moves.owner(ANYWHERE)
    begin = time.monotonic()
    moves.patch_node(owner, patch, sub)
    moves.wait_moved(ANYWHERE, moves.speakers.other(owner), begin)
    moves.patch_node(owner, undo, sub)


def drain_label(moves):
    away_and_undo(moves, {"metadata": {"labels": {"herald.io/drain": "true"}}},
                  {"metadata": {"labels": {"herald.io/drain": None}}})


def cordon(moves):
    away_and_undo(moves, {"spec": {"unschedulable": True}}, {"spec": {"unschedulable": None}})


def ready(status, reason, message):
    return {"status": {"conditions": [{"type": "Ready", "status": status, "reason": reason, "message": message}]}}


def node_shut_down(moves):
    """As kubelet says it while it ends the node's pods (C12)."""
    away_and_undo(moves, ready("False", "KubeletNotReady", "node is shutting down"),
                  ready("True", "KubeletReady", ""), "status")


def speaker_restart(moves):
    """As one step of a rolling update of the DaemonSet: SIGTERM, then a new one."""
    owner = moves.owner(ANYWHERE)
    begin = time.monotonic()
    assert moves.speakers.running.pop(owner.name).stop(timeout=8) == 0
    moves.wait_moved(ANYWHERE, moves.speakers.other(owner), begin)
    moves.speakers.start(owner)


def pod_replaced(moves):
    """A rolling update of the Service's only pod, to the other node: in the moment when the
    new one is ready, the old one is told to end."""
    owner = moves.owner(LOCAL)
    other = moves.speakers.other(owner)
    moves.serve(other)
    begin = time.monotonic()
    moves.set_endpoints(moves.endpoint(owner, terminating=True), moves.endpoint(other))
    moves.wait_moved(LOCAL, other, begin)
    moves.set_endpoints(moves.endpoint(other))
    moves.serving[owner.name].stop()
    moves.serving[owner.name] = None


KINDS = {"drained by label": drain_label, "cordoned": cordon, "node shut down": node_shut_down,
         "speaker restarted": speaker_restart,
         "last local pod replaced": pod_replaced}
