# SPDX-License-Identifier: Apache-2.0
"""answers a second beside the kernel's, and answers under attack

One node with a speaker. First a host whose kernel answers for its own addresses is asked,
then the speaker for as many of Services: one question at a time, and 64 at once. Then
three hosts flood the segment, with questions for others, with questions for Services, and
with malformed frames, while the client asks 200 times a second."""
import json
import time

from harness.kube import service
from harness.lab import Lab, ip6_of
from harness.netns import ip, run as run_in
from harness.process import Process
from harness.speaker import BIN, Speakers
from harness.wait import wait_for
from procs import cpu_seconds, memory

CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [10.20.0.0/16, "fd00:192:0:2::/64"]
announce: {probe: {count: 0}}
"""
MANY, PER_SERVICE = 5000, 64  # as many of a status as Herald reads
ASKED = 64
FAMILIES = {"ARP": ("192.0.2.128", "10.20.0.0"), "NDP": ("fd00:192:0:2::1:0", "fd00:192:0:2::1000")}
NOISE = {"ARP": ("10.30.0.0", 200000), "NDP": ("fd00:192:0:2::9000", 100000)}
OURS_RATE, MALFORMED_RATE = 50000, 20000
SENDER = BIN / "flood_sender"


class Scene:
    def __init__(self, bench):
        self.bench, self.folder, self.lab = bench, bench.folder, Lab(nodes=1)
        self.node, self.many = self.lab.nodes[0], 1000 if bench.quick else MANY
        self.seconds = 1 if bench.quick else 10
        self.plain = self.lab.add_host("plain", "192.0.2.90")
        self.attackers = [self.lab.add_host(f"attacker{n}", f"192.0.2.{100 + n}") for n in range(3)]
        for base, width in (("192.0.2.%d", 24), ("fd00:192:0:2::1:%x", 64)):
            lines = [f"address add {base % ((128 if width == 24 else 0) + n)}/{width} dev eth0" for n in range(ASKED)]
            (self.folder / "addresses").write_text("\n".join(lines) + "\n")
            run_in(["ip", "-batch", self.folder / "addresses"], self.plain.ns)
        self.speakers = Speakers(bench.server, self.lab, self.folder, CONFIG)

    def start(self):
        self.speakers.start()
        addresses = [f"10.20.{n // 256}.{n % 256}" for n in range(self.many)]
        addresses += [f"fd00:192:0:2::{0x1000 + n:x}" for n in range(ASKED)]
        self.names = []
        for at in range(0, len(addresses), PER_SERVICE):
            self.names.append(f"flood{at}")
            self.speakers.kube.create(service(self.names[-1], allocateLoadBalancerNodePorts=False))
            self.speakers.set_address(self.names[-1], addresses[at:at + PER_SERVICE])
        wait_for("every address to be held", lambda: self.speakers.metric(
            self.node, "herald_speaker_addresses_owned") == len(addresses), timeout=120)
        self.pid = self.speakers.running[self.node.name].pid
        self.wait_idle()

    def wait_idle(self):
        """Until the first announcements are over."""
        def idle():
            before = self.cpu()
            time.sleep(1)
            return self.cpu() - before < 0.2
        wait_for("the speaker to be at rest", idle, timeout=60)

    def cpu(self):
        return cpu_seconds(self.pid)

    def dropped(self):
        return sum(self.speakers.metric(self.node, f"herald_speaker_{kind}_dropped_total") for kind in ("arp", "ndp"))

    def close(self):
        self.speakers.stop()
        for name in self.names:
            self.bench.server.admin.delete("services", name)
        self.lab.close()
        self.bench.server.admin.delete("nodes", self.node.name)


def own(host, base):
    return ip6_of(host.ip) if ":" in base else host.ip


def ask(scene, base, window, pause=0, seconds=None):
    client, seconds = scene.lab.client, seconds or scene.seconds
    done = client.run(SENDER, "ask", client.lan_if, own(client, base), base, ASKED, seconds, window, pause,
                      timeout=seconds + 30)
    return json.loads(done.stdout)


def compare(scene, section, whose, which, base_of):
    for family, bases in FAMILIES.items():
        for window in (1, ASKED):
            got = ask(scene, bases[which], window)
            what = f"{family}, {whose}, {window} at once"
            section.add(f"{what}: answers a second", got["answers"] / got["seconds"])
            section.keep(what, got)
            base_of[family, window, whose] = got
            if window == 1:
                section.add(f"{what}: median", got["median_us"], "us")
                section.add(f"{what}: p99", got["p99_us"], "us")


def idle(scene, section):
    before, begin = scene.cpu(), time.monotonic()
    time.sleep(scene.seconds)
    section.add(f"speaker at rest with {scene.many:,} addresses: processor",
                100 * (scene.cpu() - before) / (time.monotonic() - begin), "%")


def flood(scene, host, kind, base, count, rate, at_switch=False):
    """`at_switch`: from the switch's own port to the node, so that the switch costs nothing."""
    interface, ns = (f"{scene.node.name}-lan", None) if at_switch else (host.lan_if, host.ns)
    return Process(f"flood-{host.name}", [SENDER, "send", kind, interface, own(host, base), base, count,
                                          scene.seconds + 2, rate], scene.folder, ns)


def attack(scene, section, family):
    noise, rate = NOISE[family]
    ours = FAMILIES[family][1]
    for log in scene.folder.glob("flood-*.log"):
        log.unlink()
    before, dropped = memory(scene.pid)["anonymous"], scene.dropped()
    floods = {"noise": flood(scene, scene.attackers[0], "noise", noise, 4096, rate, at_switch=True),
              "for Services": flood(scene, scene.attackers[1], "ours", ours, ASKED, OURS_RATE),
              "malformed": flood(scene, scene.attackers[2], "malformed", ours, ASKED, MALFORMED_RATE)}
    begin, used = time.monotonic(), scene.cpu()
    got = ask(scene, ours, 1, pause=5000)
    elapsed, used = time.monotonic() - begin, scene.cpu() - used
    for what, process in floods.items():
        wait_for(f"the flood of {what} to end", lambda p=process: p.returncode == 0, timeout=30)
        sent = json.loads(process.text().splitlines()[-1])
        section.add(f"{family} under attack: {what}, sent a second", sent["sent"] / sent["seconds"])
    asked = got["answers"] + got["lost"]
    section.add(f"{family} under attack: asked", asked)
    section.add(f"{family} under attack: answered", 100 * got["answers"] / asked, "%",
                limit=None if scene.bench.quick else 99.9, at_least=True)
    section.add(f"{family} under attack: median", got["median_us"] / 1000, "ms")
    section.add(f"{family} under attack: p99", got["p99_us"] / 1000, "ms")
    section.add(f"{family} under attack: speaker's processor", 100 * used / elapsed, "%",
                limit=None if scene.bench.quick else 100)
    section.add(f"{family} under attack: malformed frames counted", scene.dropped() - dropped)
    section.add(f"{family} under attack: growth of the speaker's heap",
                max(0, memory(scene.pid)["anonymous"] - before), "KiB", limit=2048)


def isolate(scene):
    """From now on the switch brings the node alone what others send, so that the machine's
    time goes into that and not into copies for all."""
    ip(f"link set {scene.plain.name}-lan nomaster")
    for host in (scene.lab.client, *scene.attackers):
        ip(f"link set {host.name}-lan type bridge_slave isolated on")


def run_all(scene, section):
    results = {}
    compare(scene, section, "kernel", 0, results)
    scene.start()
    idle(scene, section)
    compare(scene, section, "speaker", 1, results)
    for family in FAMILIES:
        for window in (1, ASKED):
            rate = {who: results[family, window, who]["answers"] / results[family, window, who]["seconds"]
                    for who in ("kernel", "speaker")}
            section.add(f"{family}, {window} at once: speaker to kernel", rate["speaker"] / rate["kernel"])
    isolate(scene)
    for family in FAMILIES:
        attack(scene, section, family)
        scene.wait_idle()


def run(bench, section):
    scene = Scene(bench)
    try:
        run_all(scene, section)
    finally:
        scene.close()
