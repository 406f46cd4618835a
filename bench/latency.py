# SPDX-License-Identifier: Apache-2.0
"""100 Services one after the other: to the address in status, to the first answer

Each is created together with its endpoints, two HTTP servers in pods of two nodes. Times
are from when the creation is sent. What comes between the announcement (the first ARP
frame that the client hears of the address) and the first answer is kube-proxy, which
writes its rules about once a second."""
import json
import subprocess
import sys
import time
from pathlib import Path

from harness.controller import Controllers, addresses
from harness.kube import endpointslice, service
from harness.kubeproxy import start_kube_proxy
from harness.lab import Lab
from harness.netns import inside
from harness.speaker import Speakers
from proxy import ProxyStandIn

CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.110-192.0.2.240]
"""
PORTS = ((80, "TCP", 8080),)
PROBER = Path(__file__).with_name("prober.py")


def run(bench, section):
    count = 5 if bench.quick else 100
    with Cluster(bench) as cluster:
        samples = [cluster.measure(f"web-{i}") for i in range(count)]
    for what in ("address in status", "announced", "first answered request"):
        section.add_times(f"creation to {what}", [each[what] for each in samples])
    section.add_times("announced to first answered request",
                      [each["first answered request"] - each["announced"] for each in samples])
    if bench.quick:
        section.note("with a stand-in for kube-proxy, which looks every 0.1 s")


class Cluster:
    """Two nodes with all that runs on them, and a client that waits."""

    def __init__(self, bench):
        self.kube, folder = bench.server.admin, bench.folder
        self.lab = Lab(nodes=2)
        self.speakers = Speakers(bench.server, self.lab, folder, CONFIG)
        self.speakers.start()
        self.controllers = Controllers(bench.server, folder, CONFIG)
        self.controllers.start("bench")
        self.pods = [node.add_pod(f"web-{node.number}") for node in self.lab.nodes]
        self.running = [pod.serve(folder) for pod in self.pods]
        self.stand_in = ProxyStandIn(self.kube, self.lab.nodes) if bench.quick else None
        if not bench.quick:
            self.running += [start_kube_proxy(node, bench.server, folder) for node in self.lab.nodes]
        self.prober = subprocess.Popen(
            inside(self.lab.client.ns, [sys.executable, PROBER, self.lab.client.lan_if]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.made = []

    def measure(self, name):
        """Seconds from the Service's creation to each step."""
        endpoints = [(pod.ip, pod.node.name) for pod in self.pods]
        version = self.kube.list("services", "default", limit=1)["metadata"]["resourceVersion"]
        with self.kube.watch("services", "default", deadline=30, resourceVersion=version) as watch:
            begin = time.monotonic()
            self.kube.create(service(name, ports=PORTS, allocateLoadBalancerNodePorts=False))
            self.made.append(name)
            self.kube.create(endpointslice(name, endpoints, ports=PORTS))
            event = watch.until(lambda e: e["object"]["metadata"]["name"] == name and addresses(e["object"]))[-1]
            assigned = time.monotonic()
        self.prober.stdin.write(addresses(event["object"])[0] + "\n")
        self.prober.stdin.flush()
        seen = json.loads(self.prober.stdout.readline())
        if not (seen["answered"] and seen["announced"]):
            raise RuntimeError(f"{name} with {addresses(event['object'])} was not reached: {seen}")
        return {"address in status": assigned - begin, "announced": seen["announced"] - begin,
                "first answered request": seen["answered"] - begin}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.prober.stdin.close()
        self.prober.wait()
        for name in self.made:
            self.kube.delete("services", name)
            self.kube.delete_all("endpointslices", "default", labelSelector=f"kubernetes.io/service-name={name}")
        for name in self.made:
            self.kube.wait("services", name, lambda obj: obj is None)
        if self.stand_in:
            self.stand_in.stop()
        for process in self.running:
            process.stop()
        self.speakers.stop()
        self.controllers.stop()
        for node in self.lab.nodes:
            self.kube.delete("nodes", node.name)
        self.lab.close()
