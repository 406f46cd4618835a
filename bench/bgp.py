# SPDX-License-Identifier: Apache-2.0
"""BGP: from a Service's creation to its route at the router, against birdc by hand

Two nodes have a session each with one listener. On one, controller and speaker do what they
do; on the other stands BIRD with the same routes, and the same change is made by hand: a line
more in a file, and `birdc configure`. First with few routes, then with 10,000. In turns, so
that both see the same machine."""
import json
import queue
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from harness.bird import Bird
from harness.lab import Lab
from harness.netns import inside
from harness.speaker import Speakers
from harness.wait import wait_for
from procs import memory
from stock import CONFIG, FIRST_ADDRESS, NAMESPACE, address_of, name_of

LISTENER = Path(__file__).with_name("bgp_listener.py")
ROUTER, ROUTER_ASN, ASN = "192.0.2.60", 64601, 64512
BGP = f"""layer2: []
bgp:
  asn: {ASN}
  peers: [{{name: router, peerASN: {ROUTER_ASN}, peerAddress: {ROUTER}, connectTime: 1s}}]
"""
# As Herald has BIRD do it, but for the filter, which has nothing to do here.
FLOOR = """protocol bgp to_router {{
  local as {asn};
  neighbor {router} as {router_asn};
  direct;
  connect delay time 1;
  connect retry time 1;
  ipv4 {{ import none; export all; }};
}}
protocol static {{
  ipv4;
{routes}}}
"""
DEADLINE = 120


def run(bench, section):
    count, samples = (20, 5) if bench.quick else (10000, 100)
    with Scene(bench) as scene:
        few = scene.measure(0, samples)
        tell(section, "few routes", few)
        loads = scene.load(count)
        section.keep(f"{count} routes: load", loads)
        section.add(f"{count:,} routes: birdc by hand, all at the router", loads["floor"] * 1000, "ms")
        section.add(f"{count:,} routes: advertised at once, all at the router", loads["herald"] * 1000, "ms")
        tell(section, f"{count:,} routes", scene.measure(count, samples))
        for who, pid in (("speaker", scene.speaker.pid), ("BIRD beside it", scene.birds[0].process.pid),
                         ("BIRD by hand", scene.birds[1].process.pid)):
            section.add(f"{count:,} routes: {who}, resident", memory(pid)["resident"] / 1024, "MiB")


def tell(section, what, times):
    section.add_times(f"{what}: birdc by hand to route", times["floor"])
    section.add_times(f"{what}: creation to address in status", times["address"])
    section.add_times(f"{what}: creation to route", times["herald"])
    own = [whole - part for whole, part in zip(times["herald"], times["address"])]
    section.add_times(f"{what}: address in status to route", own)
    section.add(f"{what}: that against birdc by hand, ratio of the medians",
                statistics.median(own) / statistics.median(times["floor"]))


class Listener:
    """The router: .wait(node, prefixes) says when the last of them came from there."""

    def __init__(self, host):
        self.process = subprocess.Popen(inside(host.ns, [sys.executable, LISTENER, ROUTER, str(ROUTER_ASN)]),
                                        stdout=subprocess.PIPE, text=True)
        self.updates = queue.Queue()
        self.seen = {}
        self.process.stdout.readline()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.updates.put(json.loads(line))

    def wait(self, node, prefixes):
        wanted, last = set(prefixes), 0
        there = self.seen.setdefault(node.ip, {})
        while True:
            found = wanted & there.keys()
            last = max([last, *(there[prefix] for prefix in found)])
            wanted -= found
            if not wanted:
                return last
            self._take()

    def wait_empty(self, node):
        """Nothing of what the node has sent is left."""
        while self.seen.setdefault(node.ip, {}):
            self._take()

    def _take(self):
        update = self.updates.get(timeout=DEADLINE)
        there = self.seen.setdefault(update["from"], {})
        for prefix in update["gone"]:
            there.pop(prefix, None)
        there.update((prefix, update["time"]) for prefix in update["came"])

    def close(self):
        self.process.kill()
        self.process.wait()


class Scene:
    def __init__(self, bench):
        self.bench, self.stock = bench, bench.stock
        self.lab = Lab(nodes=2)
        self.birds = [Bird(node, bench.folder) for node in self.lab.nodes]
        self.listener = Listener(self.lab.add_host("router", ROUTER))
        self.speakers = Speakers(bench.server, self.lab, bench.folder, config=None)
        for node in self.lab.nodes:
            bench.server.admin.patch_status("nodes", node.name, {"status": {"addresses": [
                {"type": "InternalIP", "address": node.ip}]}}, ns=None)
        self.speakers.set_config(CONFIG + BGP)
        self.by_hand, self.lines = self.birds[1], []
        self.start_speaker()
        self.herald = self.stock.start_herald()
        self.configure_by_hand()
        for bird in self.birds:
            self.wait_up(bird)

    def __enter__(self):
        return self

    def start_speaker(self):
        node = self.lab.nodes[0]
        self.speakers.start(node, args=self.birds[0].args)
        self.speaker = self.speakers.running[node.name]

    def wait_up(self, bird):
        wait_for("the session with the router", lambda: "Established" in bird.ask("show protocols"), timeout=60)

    def configure_by_hand(self):
        self.by_hand.include.write_text(FLOOR.format(asn=ASN, router=ROUTER, router_asn=ROUTER_ASN,
                                                     routes="".join(self.lines)))
        done = subprocess.run(["birdc", "-s", self.by_hand.socket, "configure"], capture_output=True, text=True)
        if "Reconfigured" not in done.stdout:
            raise RuntimeError(done.stdout + done.stderr)

    def add_by_hand(self, prefix):
        """Seconds until the router has it."""
        begin = time.monotonic()
        self.lines.append(f"  route {prefix} unreachable;\n")
        self.configure_by_hand()
        return self.listener.wait(self.lab.nodes[1], [prefix]) - begin

    def add_service(self, number):
        """Seconds until its address is in its status, and until the router has the route."""
        kube = self.bench.server.admin
        version = kube.list("services", NAMESPACE, limit=1)["metadata"]["resourceVersion"]
        with kube.watch("services", NAMESPACE, deadline=DEADLINE, resourceVersion=version) as watch:
            begin = time.monotonic()
            kube.create(self.stock.new_service(number))
            event = watch.until(lambda e: e["object"]["metadata"]["name"] == name_of(number) and
                                e["object"]["status"].get("loadBalancer", {}).get("ingress"))[-1]
            assigned = time.monotonic()
        prefix = event["object"]["status"]["loadBalancer"]["ingress"][0]["ip"] + "/32"
        return assigned - begin, self.listener.wait(self.lab.nodes[0], [prefix]) - begin, prefix

    def measure(self, first, samples):
        """One of each in turns; the Services are numbered from `first`."""
        times = {"floor": [], "address": [], "herald": []}
        for number in range(first, first + samples):
            address, route, prefix = self.add_service(number)
            times["address"].append(address)
            times["herald"].append(route)
            times["floor"].append(self.add_by_hand(prefix))
        return times

    def load(self, count):
        """Both from nothing to `count` routes, their sessions being up: seconds."""
        prefixes = [f"{address_of(FIRST_ADDRESS, i)}/32" for i in range(count)]
        self.herald.stop()
        self.speaker.stop()
        self.stock.clear()
        self.birds[0].include.unlink(missing_ok=True)
        self.birds[0].ask("configure")
        self.listener.seen.pop(self.lab.nodes[0].ip, None)  # the session is gone with its routes
        self.lines = []
        self.configure_by_hand()
        self.listener.wait_empty(self.lab.nodes[1])
        self.stock.put_assigned(count)
        self.speakers.set_config(CONFIG + BGP + "  advertisements: []\n")
        self.start_speaker()
        self.wait_up(self.birds[0])
        begin = time.monotonic()
        self.speakers.set_config(CONFIG + BGP)
        times = {"herald": self.listener.wait(self.lab.nodes[0], prefixes) - begin}
        self.lines = [f"  route {prefix} unreachable;\n" for prefix in prefixes]
        begin = time.monotonic()
        self.configure_by_hand()
        times["floor"] = self.listener.wait(self.lab.nodes[1], prefixes) - begin
        self.herald = self.stock.start_herald()
        self.stock.wait_settled(count)
        return times

    def __exit__(self, *_):
        self.herald.stop()
        self.speakers.stop()
        for bird in self.birds:
            bird.close()
        self.listener.close()
        self.lab.close()
        for node in self.lab.nodes:
            self.bench.server.admin.delete("nodes", node.name)
        self.stock.clear()
