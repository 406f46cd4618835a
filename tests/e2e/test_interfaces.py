# SPDX-License-Identifier: Apache-2.0
"""L12: on interfaces that are made of others, one answer with the right MAC, in both
families. This kernel has no VLANs and no bonds; what has a master is treated as a port of
a bridge is."""
from harness.netns import add_veth, ip, ip_json
from harness.speaker import Capture, arping
from harness.wait import wait_for

VIPS = ("192.0.2.200", "fd00:192:0:2::200")
RULE = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.200-192.0.2.250, "fd00:192:0:2::200-fd00:192:0:2::2ff"]
layer2:
- pools: [main]
  interfaces: [over]
"""


def mac_on(node, interface):
    return ip_json(f"link show {interface}", node.ns)[0]["address"]


def start(speakers, node):
    speakers.start(node)
    speakers.add_service("web", VIPS)
    for address in VIPS:
        speakers.owner(address, among=[node])


def expect_single_answers(lab, mac):
    for address in VIPS:
        assert arping(lab.client, address, count=3, timeout=1) == [mac] * 3


def test_L12_bridge_answers_for_its_port(speakers, lab, workdir):
    node = lab.nodes[0]
    ip("link add over type bridge forward_delay 0", node.ns)
    ip("link set over address 02:00:00:00:12:01 up", node.ns)
    ip("link set eth0 master over", node.ns)
    capture = Capture(lab.client, workdir, "arp or icmp6")
    start(speakers, node)
    assert speakers.address(node, VIPS[0])["interfaces"] == "eth1,over"
    expect_single_answers(lab, mac_on(node, "over"))
    # L05: taken out of the bridge, the port is an interface of its own.
    ip("link set eth0 nomaster", node.ns)
    wait_for("the port to announce", lambda: node.mac in [mac for _, mac in capture.gratuitous(VIPS[0])]
             and node.mac in [mac for mac, _ in capture.advertised(VIPS[1])])
    capture.stop()
    expect_single_answers(lab, node.mac)


def test_L12_macvlan_beside_its_lower_interface_is_silent(speakers, lab):
    node = lab.nodes[0]
    ip("link add over link eth0 type macvlan mode bridge", node.ns)
    ip("link set over up", node.ns)
    start(speakers, node)
    assert speakers.address(node, VIPS[0])["interfaces"] == "eth0"
    expect_single_answers(lab, node.mac)
    # A rule that names it has it answer, in the place of the other.
    speakers.set_config(RULE)
    wait_for("the rule to hold", lambda: speakers.address(node, VIPS[1])["interfaces"] == "over")
    expect_single_answers(lab, mac_on(node, "over"))


def test_L12_macvlan_alone_answers(speakers, lab):
    """The lower interface is in another namespace, as where the node is a container."""
    node = lab.nodes[0]
    host = lab.add_host("stranger", "192.0.2.66")
    ip(f"link add over link eth0 netns {node.ns} type macvlan mode bridge", host.ns)
    ip("link set over up", node.ns)
    ip("link set eth0 down", node.ns)
    start(speakers, node)
    assert speakers.address(node, VIPS[0])["interfaces"] == "eth1,over"
    expect_single_answers(lab, mac_on(node, "over"))


def add_second_nic(node):
    add_veth(f"{node.name}-lan2", "lan", node.ns, "eth2")
    ip(f"address add 192.0.2.{20 + node.number}/24 dev eth2", node.ns)
    ip(f"address add fd00:192:0:2::{20 + node.number}/64 dev eth2", node.ns)


def test_L12_two_interfaces_in_one_segment_answer_once(speakers, lab, workdir):
    node = lab.nodes[0]
    add_second_nic(node)
    capture = Capture(lab.client, workdir, "arp or icmp6")
    start(speakers, node)
    assert speakers.address(node, VIPS[0])["interfaces"] == "eth0"
    expect_single_answers(lab, node.mac)
    # L05: without a carrier it leaves the address to the other, which says so.
    node.unplug()
    second = mac_on(node, "eth2")
    wait_for("the other to announce", lambda: second in [mac for _, mac in capture.gratuitous(VIPS[0])]
             and second in [mac for mac, _ in capture.advertised(VIPS[1])])
    expect_single_answers(lab, second)
    node.plug()
    wait_for("the first to have it back", lambda: speakers.address(node, VIPS[0])["interfaces"] == "eth0")
    expect_single_answers(lab, node.mac)
    capture.stop()


def test_L12_off_link_address_is_answered_once_in_a_segment(speakers, lab):
    """198.51.100.0/24 is nobody's network: it is answered wherever it may be routed to."""
    node = lab.nodes[0]
    add_second_nic(node)
    speakers.start(node)
    speakers.add_service("web", "198.51.100.1")
    speakers.owner("198.51.100.1", among=[node])
    assert speakers.address(node, "198.51.100.1")["interfaces"] == "eth0,eth1"
    assert arping(lab.client, "198.51.100.1", count=3, timeout=1) == [node.mac] * 3
