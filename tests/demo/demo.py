# SPDX-License-Identifier: Apache-2.0
"""The demo's story: from an empty cluster to a Service that survives its node.

Real here: herald-controller, herald-speaker, the wire, the nodes' kernels, the HTTP
servers, the client's curl. Played: the API server is the embedded one (tests/miniapi),
kube-proxy is a stand-in (proxy.py), and what a kubelet and Kubernetes' own controllers
would write (Nodes, endpoints) is written here. Times printed were measured; a step
that does not happen within its deadline ends the demo with exit code 1."""
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.controller import Controllers
from harness.kube import endpointslice, service
from harness.lab import API_ADDRESS, Lab
from harness.mini import MiniApiServer
from harness.netns import ip_json, run
from harness.speaker import Speakers, ask_forever
from harness.wait import wait_for
from proxy import ProxyStandIn

CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.200-192.0.2.250]
layer2:
- pools: [main]
  interfaces: [eth0]
"""
SERVICE = "web"
PORTS = ((80, "TCP", 8080),)
REQUEST_TIMEOUT = 0.5


class Story:
    """Prints captions with the seconds since the start, and facts beneath them."""

    def __init__(self):
        self.begin = time.monotonic()

    def caption(self, text):
        print(f"\n{time.monotonic() - self.begin:5.1f} s  {text}", flush=True)

    def fact(self, text):
        for line in text.rstrip("\n").splitlines():
            print(f"         {line}", flush=True)


class Demo:
    def __init__(self, folder):
        self.folder = folder
        self.story = Story()
        self.processes = []

    def keep(self, process):
        self.processes.append(process)
        return process

    def play(self):
        self.make_lab()
        self.start_herald()
        self.make_pool()
        self.make_service()
        address = self.wait_for_address()
        self.ask(address, "the client asks")
        owner = self.show_announcer(address)
        self.cut_off(owner, address)
        self.story.caption("done; every step happened. The sandbox goes, and all of this with it.")

    def make_lab(self):
        self.story.caption("a lab on this machine: two cluster nodes and a client on one bridge, "
                           "and an API server")
        self.lab = Lab(nodes=2)
        for host in (self.lab.client, *self.lab.nodes):
            self.story.fact(f"{host.name:7} {host.ip}")
        self.api = MiniApiServer(self.folder / "api", listen=f"{API_ADDRESS}:0")
        self.story.fact(f"API     {self.api.url}")
        self.speakers = Speakers(self.api, self.lab, self.folder, config=None)
        self.kube = self.api.admin
        self.proxy = ProxyStandIn(self.kube, self.lab.nodes)
        self.pods = [node.add_pod(f"web-{node.number}") for node in self.lab.nodes]
        for pod in self.pods:
            self.keep(pod.serve(self.folder))
            self.story.fact(f"{pod.name:7} {pod.ip}, an HTTP server in a pod on {pod.node.name}")

    def start_herald(self):
        self.story.caption("herald-controller, and a herald-speaker on each node")
        controllers = Controllers(self.api, self.folder, config=None)
        self.controller = self.keep(controllers.start("demo", wait=False))
        self.speakers.start()
        wait_for("the controller to lead", lambda: controllers.status("demo")["leading"])
        for process in (self.controller, *self.speakers.running.values()):
            self.story.fact(f"{process.name} is up")

    def make_pool(self):
        self.story.caption("a pool: the ConfigMap herald-config in the namespace herald-system")
        self.speakers.set_config(CONFIG)
        self.story.fact(CONFIG)
        for node in self.lab.nodes:
            wait_for(f"the speaker on {node.name} to take it up", lambda n=node: self.speakers.is_alive(n))
            self.story.fact(f"the speaker on {node.name} has it and holds its Lease")

    def make_service(self):
        self.story.caption("a Service of type LoadBalancer, with one endpoint on each node")
        self.watch = self.kube.watch("services", "default", deadline=20)
        self.created = time.monotonic()
        self.kube.create(service(SERVICE, ports=PORTS, selector={"app": SERVICE}))
        self.set_endpoints(self.pods)

    def set_endpoints(self, ready):
        """What Kubernetes' EndpointSlice controller writes."""
        endpoints = [{"addresses": [pod.ip], "nodeName": pod.node.name, "conditions": {"ready": pod in ready}}
                     for pod in self.pods]
        self.kube.ensure(endpointslice(SERVICE, endpoints, ports=PORTS))

    def wait_for_address(self):
        """Prints each .status.loadBalancer that a watcher sees."""
        seen = None
        with self.watch as events:
            for event in events:
                status = event["object"].get("status", {}).get("loadBalancer", {})
                if status != seen:
                    after = (time.monotonic() - self.created) * 1000
                    self.story.fact(f"after {after:3.0f} ms  .status.loadBalancer = {json.dumps(status)}"
                                    f"{'' if status else '  (pending)'}")
                seen = status
                if status.get("ingress"):
                    return status["ingress"][0]["ip"]
        self.controller.require_running()
        raise AssertionError(f"the Service got no address within 20 s; its status is {seen}")

    def get(self, address):
        return self.lab.client.curl(f"http://{address}/", timeout=REQUEST_TIMEOUT).split()

    def ask(self, address, caption, count=4):
        """Asks until there is a first answer, then `count` times; the names that answered."""
        self.story.caption(caption)
        wait_for("a first answer", lambda: self.get(address))
        names = set()
        for _ in range(count):
            name, forwarder = self.get(address)
            self.story.fact(f"curl http://{address}/  ->  {name} answers (forwarded by {forwarder})")
            names.add(name)
        return names

    def show_announcer(self, address):
        owner = self.speakers.owner(address)
        self.story.caption(f"{owner.name} announces {address}, and no other node does")
        page = self.speakers.address(owner, address)
        shown = {key: page[key] for key in ("address", "service", "owner", "state", "interfaces")}
        self.story.fact(f"its /status page: {json.dumps(shown)}")
        self.show_event(owner)
        self.show_neighbour(owner, address)
        for node in self.lab.nodes:
            on_node = {a["local"] for link in ip_json("address show", node.ns) for a in link["addr_info"]}
            if address in on_node:
                raise AssertionError(f"{address} is on an interface of {node.name}: {on_node}")
        self.story.fact(f"on no interface of any node: {address}")
        return owner

    def show_event(self, owner):
        def found():
            events = self.speakers.events(SERVICE, "nodeAssigned")
            return next((e for e in events if f'from node "{owner.name}"' in e["message"]), None)
        event = wait_for("the Event on the Service", found)
        self.story.fact(f"Event on the Service: {event['reason']}: {event['message']}")

    def show_neighbour(self, owner, address):
        wait_for(f"the client's ARP entry to say {owner.name}",
                 lambda: self.lab.client.neighbour(address) == owner.mac)
        self.story.fact(f"the client's ARP entry: {address} is at {owner.mac} ({owner.name})")

    def cut_off(self, owner, address):
        other = self.speakers.other(owner)
        client = self.keep(ask_forever(self.lab.client, address, self.folder, timeout=REQUEST_TIMEOUT))
        wait_for("answers to the client", lambda: len(requests_of(client)) >= 20)
        self.story.caption(f"{owner.name} is cut off: the switch drops its links, lan and management alike, "
                           "while a client asks on")
        cut = time.monotonic()
        owner.cut_switch_side()
        # Kubernetes would notice within 40 s or more; how fast Herald is does not depend on it.
        self.set_endpoints([pod for pod in self.pods if pod.node is other])
        self.story.fact(f"(the demo plays Kubernetes' part and marks {owner.name}'s pod not ready)")
        wait_for("a request to fail", lambda: failures(client, cut))
        self.story.caption("requests fail")
        back = wait_for("a request to be answered again", lambda: recovery(client, cut), timeout=30)
        self.story.caption(f"and are answered again, through {other.name}")
        self.story.fact(f"{len(failures(client, cut))} requests failed; from the cut to the first answer: "
                        f"{back - cut:.2f} s")
        self.show_event(other)
        self.show_neighbour(other, address)
        wait_for("twenty answers in a row", lambda: all(r.ok for r in requests_of(client)[-20:]))
        names = self.ask(address, f"the client asks, with {owner.name} still away")
        if names != {pod.name for pod in self.pods if pod.node is other}:
            raise AssertionError(f"answers came from {names}")

    def tell_logs(self):
        for log in sorted(self.folder.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-8:]
            print(f"--- end of {log.name}", *lines, sep="\n", file=sys.stderr)
        if getattr(self, "proxy", None) and self.proxy.error:
            print(f"--- the stand-in for kube-proxy ended: {self.proxy.error}", file=sys.stderr)


class Request:
    """A line of ask_forever()'s log: 'BEGIN END ok' or 'BEGIN END failed WHY'."""

    def __init__(self, line):
        begin, end, outcome = line.split(" ", 2)
        self.begin, self.end, self.ok = float(begin), float(end), outcome.rstrip() == "ok"


def requests_of(client):
    client.require_running()
    return [Request(line) for line in client.text().splitlines(keepends=True) if line.endswith("\n")]


def failures(client, since):
    return [r for r in requests_of(client) if r.end > since and not r.ok]


def recovery(client, since):
    """When the first answer after the first failure came, or None."""
    lost = failures(client, since)
    return next((r.end for r in requests_of(client) if lost and r.ok and r.begin > lost[0].begin), None)


def main():
    # A temporary file system of the sandbox's own: it goes with the sandbox, however that ends.
    run(["mount", "-t", "tmpfs", "tmpfs", "/mnt"])
    demo = Demo(Path("/mnt"))
    try:
        demo.play()
        return 0
    except KeyboardInterrupt:
        print("\ninterrupted; the sandbox goes, and all of this with it", file=sys.stderr)
        return 130
    except Exception as failure:
        demo.tell_logs()
        print(f"\nthe demo failed: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
