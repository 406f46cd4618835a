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


def total_before(speakers):
    return sum(speakers.metric(node, "herald_speaker_probes_total", when="before") for node in speakers.lab.nodes)


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
    frames = capture.frames()
    first = next(n for n, frame in enumerate(frames) if announced(Frames([frame]), vip))
    assert probes(Frames(frames[:first]), vip) == [owner.mac] * 3
    assert speakers.metric(owner, "herald_speaker_probes_total", when="before") == 3
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
    assert total_before(speakers) > 0
    before = speakers.metric(heir, "herald_speaker_probes_total", when="before")
    speakers.running.pop(owner.name).kill()
    wait_for("the other node to answer", lambda: answers(lab.client, vip) == {heir.mac})
    assert speakers.metric(heir, "herald_speaker_probes_total", when="before") == before


def test_L09_starting_asks_nothing(speakers, lab):
    speakers.add_service("web", VIP)
    speakers.start()
    speakers.owner(VIP)
    assert total_before(speakers) == 0


def test_L09_switched_off(speakers, lab, stranger):
    give(stranger, VIP)
    speakers.set_config(CONFIG + "announce: {probe: {count: 0}}\n")
    speakers.start()
    speakers.add_service("web", VIP)
    speakers.owner(VIP)
    assert total_before(speakers) == 0


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


FREQUENT = CONFIG + "announce: {refresh: 5s}\n"


@BOTH
def test_L08_silent_static_host_is_found_while_we_have_it(speakers, lab, stranger, vip):
    """It was given the address later, and does nothing but answer who asks."""
    speakers.set_config(FREQUENT)
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    assert answers(lab.client, vip) == {owner.mac}
    give(stranger, vip)
    wait_for("two defences", lambda: speakers.metric(owner, "herald_speaker_conflicts_total") >= 2, timeout=40)
    [event] = wait_for("the Event", lambda: speakers.events("web", "AddressConflict"))
    wait_for("it to be counted up", lambda: speakers.events("web", "AddressConflict")[0].get("count", 1) > 1)
    assert event["type"] == "Warning"
    for word in (vip, stranger.mac, owner.mac, "defended"):
        assert word in event["message"]
    log = speakers.running[owner.name].text()
    assert f"claimant={stranger.mac} ours={owner.mac}" in log
    # The rule: who has it by the plan goes on, and nobody else of us takes it.
    assert owner.mac in answers(lab.client, vip)
    assert speakers.owner(vip) is owner
    take(stranger, vip)
    assert answers(lab.client, vip) == {owner.mac}


def test_L10_kernel_of_another_node_is_no_stranger(speakers, lab):
    """kube-proxy in IPVS mode without strictARP: every node's kernel has every address."""
    for node in lab.nodes:
        node.run("ip", "address", "add", f"{VIP}/32", "dev", "lo")
    speakers.set_config(FREQUENT)
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    assert total(speakers, "herald_speaker_probe_conflicts_total") == 0
    # But it spoils it, and is told by the node's name.
    event = wait_for("the Event", lambda: speakers.events("web", "AddressConflict"), timeout=20)[0]
    assert f'(node "{speakers.other(owner).name}") claims {VIP}' in event["message"]


def test_L09_another_node_that_asks_as_well_is_no_stranger(speakers, lab):
    """Two nodes that both think the address to be theirs, and new: neither stops the other."""
    speakers.start()
    speakers.add_service("other", "192.0.2.201")
    speakers.owner("192.0.2.201")
    node1, node2 = lab.nodes
    script = f"""
from scapy.all import ARP, Ether, sendp
frame = Ether(src="{node2.mac}", dst="ff:ff:ff:ff:ff:ff") / ARP(
    op=1, hwsrc="{node2.mac}", psrc="0.0.0.0", hwdst="00:00:00:00:00:00", pdst="{VIP}")
print("ready", flush=True)
sendp(frame, iface="eth0", count=400, inter=0.02, verbose=False)
"""
    speakers.running.pop(node2.name).kill()  # node1 knows it by its Lease
    asking = Process("asking", ["/usr/bin/python3", "-c", script], speakers.folder, node2.ns)
    wait_for("the other to ask", lambda: "ready" in asking.text())
    wait_for("the other to be dead", lambda: answers(lab.client, "192.0.2.201") == {node1.mac})
    speakers.add_service("web", VIP)
    wait_for("it to be announced", lambda: state(speakers, node1, VIP) == "held")
    asking.require_running()
    assert speakers.metric(node1, "herald_speaker_probe_conflicts_total") == 0
    asking.stop()
