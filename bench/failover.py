# SPDX-License-Identifier: Apache-2.0
"""a node of three dies: until the client is answered again

Cut off: its link to the switch and to the API server are cut, as for the others it were
switched off; measured is the longest time in which none of a client's datagrams, one each
2 ms, was answered. Killed, frozen: its speaker alone, while the node goes on forwarding;
measured is the time until another node answers ARP, and the longest without traffic. API
server away: until all Leases have lapsed, and back; measured is the longest without traffic,
and, of a node that is cut off meanwhile, the time from the server's return until another
node answers ARP."""
import signal
import sys
import time
from pathlib import Path

from harness.bird import Bird
from harness.lab import Lab
from harness.process import Process
from harness.speaker import CONFIG, Speakers
from harness.wait import wait_for
from procs import cpu_seconds

VIP = "192.0.2.200"
BACKEND = "192.0.2.100"
ROUNDS = 50
LEASE = CONFIG + "membership: {takeBack: immediate}\n"
BFD = CONFIG + "membership: {takeBack: immediate, bfd: {}}\n"
CLIENT = Path(__file__).with_name("failover_client.py")
P99_MAX_MS = 500

# What kube-proxy would do with the Service, which is not what is measured.
FORWARD = f"""
table ip bench {{
    chain to {{ type nat hook prerouting priority dstnat; ip daddr {VIP} udp dport 80 dnat to {BACKEND}:8080; }}
    chain from {{ type nat hook postrouting priority srcnat; ip daddr {BACKEND} masquerade; }}
}}
"""


class Scene:
    def __init__(self, bench):
        self.folder, self.server = bench.folder, bench.server
        self.lab = Lab(nodes=3)
        self.backend = self.lab.add_host("backend", BACKEND).serve(self.folder)
        for node in self.lab.nodes:
            (self.folder / "forward.nft").write_text(FORWARD)
            node.run("nft", "-f", self.folder / "forward.nft")
        self.birds = {node.name: Bird(node, self.folder) for node in self.lab.nodes}
        self.speakers = Speakers(bench.server, self.lab, self.folder, BFD)
        self.bfd = True
        self.start(*self.lab.nodes)
        self.speakers.add_service("failover", VIP)

    def start(self, *nodes):
        self.speakers.start(*nodes, args=lambda node: self.birds[node.name].args)

    def configure(self, config):
        self.speakers.set_config(config)
        self.bfd = "bfd" in config
        for node in self.lab.nodes:
            wait_for("the configuration", lambda n=node: self.speakers.status(n)["bfd"]["configured"] == self.bfd)

    def settle(self):
        """The node that has the address, once all is well."""
        for node in self.lab.nodes:
            wait_for("BFD sessions", lambda n=node: not self.bfd or all_up(self.speakers.status(n)), timeout=60)
        return self.speakers.owner(VIP)

    def close(self):
        for process in self.speakers.running.values():
            process.kill()
        self.speakers.kube.delete("services", "failover")
        for node in self.lab.nodes:
            self.speakers.kube.delete("nodes", node.name)
        for bird in self.birds.values():
            bird.close()
        self.backend.stop()
        self.lab.close()


def all_up(status):
    sessions = status["bfd"]["sessions"]
    return len(sessions) == 2 and all(session["state"] == "up" for session in sessions)


class Client:
    def __init__(self, scene):
        lab = scene.lab
        log = scene.folder / "failover-client.log"
        log.unlink(missing_ok=True)
        self.process = Process("failover-client", [sys.executable, CLIENT, lab.client.lan_if, VIP, lab.client.ip],
                               scene.folder, lab.client.ns)
        wait_for("the client's first answers", lambda: len(self.times("traffic")) > 50 and self.answers())

    def lines(self):
        whole = self.process.text()
        return [line.split() for line in whole[:whole.rfind("\n") + 1].splitlines()]

    def times(self, kind):
        return [float(line[1]) for line in self.lines() if line[0] == kind]

    def answers(self):
        """(time, MAC) of each ARP reply."""
        return [(float(line[1]), line[2]) for line in self.lines() if line[0] == "arp"]

    def longest_gap(self):
        times = self.times("traffic")
        return max(b - a for a, b in zip(times, times[1:]))


def one(scene, act, undo):
    """One round: (longest time without traffic, time until another node answers ARP)."""
    owner = scene.settle()
    client = Client(scene)
    begin = time.monotonic()
    act(scene, owner)
    taken = wait_for("another node's ARP reply", lambda: next(
        (when for when, mac in client.answers() if when > begin and mac != owner.mac), None), timeout=30)
    wait_for("traffic again", lambda: sum(when > taken for when in client.times("traffic")) > 50, timeout=30)
    client.process.stop()
    gap = client.longest_gap()
    undo(scene, owner)
    return gap, taken - begin


def cut(scene, owner):
    owner.cut_switch_side()


def restore(scene, owner):
    owner.restore()


def kill(scene, owner):
    scene.speakers.running[owner.name].kill()


def restart(scene, owner):
    scene.start(owner)


def freeze(scene, owner):
    scene.speakers.running[owner.name].signal(signal.SIGSTOP)


def thaw(scene, owner):
    scene.speakers.running[owner.name].signal(signal.SIGCONT)


def away(scene):
    """The API server goes, for longer than a Lease lasts."""
    scene.server.down()
    for node in scene.lab.nodes:
        wait_for("the Lease to lapse", lambda n=node: scene.speakers.status(n)["leaseLapsed"], timeout=30)


def back(scene):
    scene.server.up()
    scene.speakers.kube = scene.server.admin


def outage(scene):
    """The longest time without traffic, until a moment after all speakers have contact again."""
    scene.settle()
    client = Client(scene)
    away(scene)
    back(scene)
    for node in scene.lab.nodes:
        wait_for("contact", lambda n=node: scene.speakers.status(n)["inContact"]
                 and not scene.speakers.status(n)["leaseLapsed"], timeout=60)
    seen = time.monotonic()
    wait_for("traffic after it", lambda: client.times("traffic")[-1] > seen + 0.5)
    client.process.stop()
    return client.longest_gap()


def cut_while_away(scene):
    """From the API server's return to another node's ARP reply."""
    owner = scene.settle()
    client = Client(scene)
    away(scene)
    owner.cut_switch_side()
    back(scene)
    begin = time.monotonic()
    taken = wait_for("another node's ARP reply", lambda: next(
        (when for when, mac in client.answers() if when > begin and mac != owner.mac), None), timeout=60)
    client.process.stop()
    owner.restore()
    return taken - begin


def rounds(scene, section, count, what, act, undo, is_cut, limit=None):
    pairs = [one(scene, act, undo) for _ in range(count)]
    gaps, taken = zip(*pairs)
    if is_cut:
        section.add_times(f"{what}: no traffic", gaps, limit)
        return
    section.add_times(f"{what}: until another answers ARP", taken)
    section.keep(f"{what}: no traffic", list(gaps))
    section.add(f"{what}: no traffic, longest of all", max(gaps) * 1000, "ms")


def add_polling(scene, section):
    """What it costs to ask BIRD 40 times a second, and BIRD to answer."""
    node = scene.settle()
    pids = {"speaker": scene.speakers.running[node.name].pid, "BIRD": scene.birds[node.name].process.pid}
    before = {who: cpu_seconds(pid) for who, pid in pids.items()}
    begin = time.monotonic()
    time.sleep(10)
    elapsed = time.monotonic() - begin
    for who, pid in pids.items():
        section.add(f"{who}: processor at rest, 2 BFD sessions", 100 * (cpu_seconds(pid) - before[who]) / elapsed, "%")


def run(bench, section):
    count = 1 if bench.quick else ROUNDS
    scene = Scene(bench)
    rounds(scene, section, count, "cut off, BFD 3 x 50 ms", cut, restore, True,
           None if bench.quick else P99_MAX_MS)
    rounds(scene, section, count, "speaker killed", kill, restart, False)
    rounds(scene, section, count, "speaker frozen", freeze, thaw, False)
    add_polling(scene, section)
    scene.configure(LEASE)
    rounds(scene, section, count, "cut off, Lease 3 s alone", cut, restore, True)
    gaps = [outage(scene) for _ in range(count)]
    section.add_times("API server away and back: longest without traffic", gaps)
    section.add_times("cut off while the API server is away: from its return until another answers ARP",
                      [cut_while_away(scene) for _ in range(count)])
    scene.close()
