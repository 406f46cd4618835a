# SPDX-License-Identifier: Apache-2.0
"""The speaker in layer 2 for IPv6, in namespaces: what stations hear that ask by neighbour
discovery, among them the kernel's own, ndisc6, and scapy."""
import json
from pathlib import Path

from harness.netns import ip, ip_json, set_sysctls
from harness.speaker import Capture, answers, arping
from harness.wait import wait_for

VIP = "fd00:192:0:2::200"
VIP4 = "192.0.2.200"
GROUP = "ff02::1:ff00:200"
GROUP_MAC = "33:33:ff:00:02:00"
BURST = 5 * 2  # five times, on both interfaces of a node


def scapy(host, script, **values):
    """Runs a scapy script on a host; what it prints, as words. It has: mac, IFACE, VIP."""
    head = ("from scapy.all import *\nIFACE = 'eth0'\nmac = get_if_hwaddr(IFACE)\nconf.verb = 0\n"
            f"VIP, GROUP, GROUP_MAC = {VIP!r}, {GROUP!r}, {GROUP_MAC!r}\n")
    values = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    return host.run("/usr/bin/python3", "-c", head + values + script, timeout=60).stdout.split()


def test_L02_answers_for_ours_and_nothing_else(speakers, lab):
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    assert arping(lab.client, VIP, count=3, timeout=1) == [owner.mac] * 3
    assert answers(lab.client, "fd00:192:0:2::201") == set()
    # Outside every pool, and of another class.
    speakers.add_service("outside", "fd00:192:0:2::99")
    speakers.add_service("foreign", "fd00:192:0:2::202", loadBalancerClass="example.com/other")
    speakers.add_service("last", "fd00:192:0:2::203")
    speakers.owner("fd00:192:0:2::203")
    for address in ("fd00:192:0:2::99", "fd00:192:0:2::202"):
        assert answers(lab.client, address) == set()
    speakers.kube.delete("services", "web")
    wait_for("silence", lambda: not answers(lab.client, VIP))


def test_L02_kernel_and_ndisc6_find_it(speakers, lab):
    """Strangers' code asks: the client's kernel, by group and then by unicast, and ndisc6."""
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    # No kube-proxy runs, so that nothing answers the request itself.
    lab.client.run("curl", "-gs", "--max-time", 1, f"http://[{VIP}]/", check=False)
    assert lab.client.neighbour(VIP) == owner.mac
    answered = speakers.metric(owner, "herald_speaker_ndp_advertisements_total", interface="eth0")
    ip(f"neighbour change {VIP} dev eth0 nud probe", lab.client.ns)
    wait_for("the kernel's unicast probe to be answered", lambda: ip_json(
        f"neighbour show {VIP} dev eth0", lab.client.ns)[0]["state"] == ["REACHABLE"])
    assert speakers.metric(owner, "herald_speaker_ndp_advertisements_total", interface="eth0") > answered
    assert lab.client.run("ndisc6", "-1", "-q", VIP, "eth0").stdout.strip().lower() == owner.mac
    # Never a router (the flag would make hosts drop or keep default routes).
    assert not ip_json(f"neighbour show {VIP} dev eth0", lab.client.ns)[0].get("router")
