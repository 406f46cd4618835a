# SPDX-License-Identifier: Apache-2.0
"""Another station has one of our addresses (L08, L09): before it is announced for the first
time, and while it is. The stranger is a host with the kernel's own ARP and neighbour discovery,
or scapy where it is to ask as well."""
import pytest

from harness.netns import ip
from harness.process import Process
from harness.speaker import CONFIG, Capture, answers, arping
from harness.wait import wait_for

VIP, VIP6 = "192.0.2.200", "fd00:192:0:2::200"
BOTH = pytest.mark.parametrize("vip", [VIP, VIP6], ids=["ipv4", "ipv6"])
ARP, NDP = "arp", "icmp6 and (ip6[40] == 135 or ip6[40] == 136)"


@pytest.fixture
def stranger(lab):
    return lab.add_host("stranger", "192.0.2.77")


def give(host, vip):
    ip(f"address add {vip}/{128 if ':' in vip else 32} dev eth0", host.ns)


def take(host, vip):
    ip(f"address del {vip}/{128 if ':' in vip else 32} dev eth0", host.ns)


def state(speakers, node, vip):
    return (speakers.address(node, vip) or {}).get("state")


def conflicts(speakers, node):
    return {c["address"]: c["station"] for c in speakers.status(node)["conflicts"]}


def total(speakers, metric):
    return sum(speakers.metric(node, metric) for node in speakers.lab.nodes)


def withheld_by(speakers, lab, vip):
    """The node that found the conflict."""
    return wait_for("the conflict to be found",
                    lambda: next((n for n in lab.nodes if state(speakers, n, vip) == "conflict"), None))


def probes(capture, vip):
    """The MACs that asked for the address without having one."""
    found = []
    for frame in capture.frames():
        if frame.haslayer("ARP") and frame["ARP"].pdst == vip and frame["ARP"].psrc == "0.0.0.0":
            found.append(frame["ARP"].hwsrc)
        if frame.haslayer("ICMPv6ND_NS") and frame["ICMPv6ND_NS"].tgt == vip and frame["IPv6"].src == "::":
            found.append(frame.src)
    return found


def announced(capture, vip):
    """The MACs that announced it. A host's answer to a probe for IPv6 is an announcement, too."""
    return [mac for mac, _ in capture.advertised(vip)] + [mac for _, mac in capture.gratuitous(vip)]


@BOTH
def test_L09_new_address_is_asked_for_first(speakers, lab, workdir, vip):
    speakers.start()
    capture = Capture(lab.client, workdir, NDP if ":" in vip else ARP)
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    wait_for("the announcements", lambda: len(announced(capture, vip)) >= 5)
    capture.stop()
    assert probes(capture, vip) == [owner.mac] * 3
    first = next(f for f in capture.frames() if probes(Frames([f]), vip) or announced(Frames([f]), vip))
    assert probes(Frames([first]), vip), "announced before it was asked for"
    assert speakers.metric(owner, "herald_speaker_probe_conflicts_total") == 0


class Frames(Capture):
    """Frames that were captured already."""

    def __init__(self, frames):  # pylint: disable=super-init-not-called
        self.seen = frames

    def frames(self):
        return self.seen


@BOTH
def test_L09_static_hosts_address_is_withheld_until_it_is_gone(speakers, lab, stranger, workdir, vip):
    give(stranger, vip)
    speakers.start()
    capture = Capture(lab.client, workdir, NDP if ":" in vip else ARP)
    speakers.add_service("web", vip)
    node = withheld_by(speakers, lab, vip)
    assert conflicts(speakers, node) == {vip: stranger.mac}
    assert answers(lab.client, vip) == {stranger.mac}
    [event] = wait_for("the Event", lambda: speakers.events("web", "AddressConflict"))
    assert event["type"] == "Warning"
    for word in (vip, stranger.mac, node.mac, node.name, "reserved"):
        assert word in event["message"]
    log = speakers.running[node.name].text()
    assert stranger.mac in log and node.mac in log
    assert total(speakers, "herald_speaker_probe_conflicts_total") == 1
    assert speakers.metric(node, "herald_speaker_addresses_withheld") == 1
    assert set(announced(capture, vip)) <= {stranger.mac}
    take(stranger, vip)
    # Asked for again after some seconds, with nobody's help.
    assert speakers.owner(vip) is node
    assert answers(lab.client, vip) == {node.mac}
    assert conflicts(speakers, node) == {}
    assert speakers.metric(node, "herald_speaker_addresses_withheld") == 0
    assert len(speakers.events("web", "AddressConflict")) == 1


def test_L09_who_asks_at_the_same_time_counts(speakers, lab, stranger):
    """RFC 5227 2.1.1: a host that probes for the address while we do."""
    speakers.start()
    script = f"""
from scapy.all import ARP, Ether, sendp
frame = Ether(src="{stranger.mac}", dst="ff:ff:ff:ff:ff:ff") / ARP(
    op=1, hwsrc="{stranger.mac}", psrc="0.0.0.0", hwdst="00:00:00:00:00:00", pdst="{VIP}")
print("ready", flush=True)
sendp(frame, iface="eth0", count=200, inter=0.05, verbose=False)
"""
    asking = Process("asking", ["/usr/bin/python3", "-c", script], speakers.folder, stranger.ns)
    wait_for("the stranger to ask", lambda: "ready" in asking.text())
    speakers.add_service("web", VIP)
    node = withheld_by(speakers, lab, VIP)
    assert conflicts(speakers, node) == {VIP: stranger.mac}
    asking.stop()
    assert speakers.owner(VIP) is node


@BOTH
def test_L09_taking_over_asks_nothing(speakers, lab, workdir, vip):
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    heir = speakers.other(owner)
    wait_for("the other node to know the address", lambda: arping(lab.client, vip, timeout=1) == [owner.mac])
    before = speakers.metric(heir, "herald_speaker_probes_total")
    speakers.running.pop(owner.name).kill()
    wait_for("the other node to answer", lambda: answers(lab.client, vip) == {heir.mac})
    assert speakers.metric(heir, "herald_speaker_probes_total") == before


def test_L09_starting_asks_nothing(speakers, lab):
    speakers.add_service("web", VIP)
    speakers.start()
    speakers.owner(VIP)
    assert total(speakers, "herald_speaker_probes_total") == 0


def test_L09_switched_off(speakers, lab, stranger):
    give(stranger, VIP)
    speakers.set_config(CONFIG + "announce: {probe: {count: 0}}\n")
    speakers.start()
    speakers.add_service("web", VIP)
    speakers.owner(VIP)
    assert total(speakers, "herald_speaker_probes_total") == 0


def test_L09_conflict_outlives_a_restart(speakers, lab, stranger):
    give(stranger, VIP)
    speakers.start()
    speakers.add_service("web", VIP)
    node = withheld_by(speakers, lab, VIP)
    wait_for("the Lease to tell", lambda: f"{VIP}={stranger.mac}" in annotation(speakers, node))
    speakers.running[node.name].kill()
    speakers.start(node)
    assert withheld_by(speakers, lab, VIP) is node
    assert answers(lab.client, VIP) == {stranger.mac}


def annotation(speakers, node):
    lease = speakers.kube.get("leases", f"herald-speaker.{node.name}", "herald-system")
    return lease["metadata"].get("annotations", {}).get("herald.io/conflicts", "")


def test_L09_next_owner_asks_where_there_was_a_conflict(speakers, lab, stranger):
    give(stranger, VIP)
    speakers.start()
    speakers.add_service("web", VIP)
    node = withheld_by(speakers, lab, VIP)
    heir = speakers.other(node)
    wait_for("the Lease to tell", lambda: annotation(speakers, node))
    speakers.running.pop(node.name).stop()
    wait_for("the other node to find it", lambda: state(speakers, heir, VIP) == "conflict")
    assert annotation(speakers, heir) == "" or f"{VIP}={stranger.mac}" in annotation(speakers, heir)


def test_L09_conflict_is_told_until_the_address_is_free(speakers, lab, stranger):
    """The Service got another address: the first stays in the Lease as long as it is a stranger's."""
    give(stranger, VIP)
    speakers.start()
    speakers.add_service("web", VIP)
    node = withheld_by(speakers, lab, VIP)
    speakers.set_address("web", "192.0.2.201")
    speakers.owner("192.0.2.201")
    assert annotation(speakers, node) == f"{VIP}={stranger.mac}"
    take(stranger, VIP)
    wait_for("the Lease to tell it no more", lambda: annotation(speakers, node) == "", timeout=20)
    assert conflicts(speakers, node) == {}
