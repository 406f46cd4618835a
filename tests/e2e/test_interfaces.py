# SPDX-License-Identifier: Apache-2.0
"""L12: on interfaces that are made of others, one answer with the right MAC, in both
families. Where the kernel has no VLANs or no bonds, their tests are skipped and say so."""
import functools

import pytest

from harness.netns import add_veth, ip, ip_json, run
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


KINDS = {"vlan": ("link probe0 name probe2 type vlan id 5", "8021q", "CONFIG_VLAN_8021Q"),
         "bond": ("probe2 type bond", "bonding", "CONFIG_BONDING")}


@functools.cache
def missing(kind):
    """Why this kernel can't have such interfaces, or None."""
    link, module, option = KINDS[kind]
    run(["modprobe", module], check=False)
    probe = f"ip link add probe0 type veth peer name probe1 && ip link add {link}"
    refused = run(["unshare", "--net", "sh", "-c", probe], check=False).returncode != 0
    return f"THE KERNEL HAS NO SUCH INTERFACES ({option}): `ip link add type {kind}` is refused" if refused else None


def need(kind):
    if missing(kind):
        pytest.skip(missing(kind))


def test_L12_vlan_answers_in_its_vlan_alone(speakers, lab):
    need("vlan")
    node = lab.nodes[0]
    for host, end in ((node, 11), (lab.client, 10)):
        ip("link add link eth0 name eth0.5 type vlan id 5", host.ns)
        ip(f"address add 10.20.0.{end}/24 dev eth0.5", host.ns)
        ip("link set eth0.5 up", host.ns)
    ip("link set eth0.5 address 02:00:00:00:12:05", node.ns)
    speakers.start(node)
    speakers.add_service("web", "10.20.0.200")
    speakers.owner("10.20.0.200", among=[node])
    assert speakers.address(node, "10.20.0.200")["interfaces"] == "eth0.5"
    assert arping(lab.client, "10.20.0.200", count=2, timeout=1) == []  # untagged
    lab.client.run("ping", "-c", 1, "-W", 1, "10.20.0.200", check=False)
    entry = ip_json("neighbour show 10.20.0.200 dev eth0.5", lab.client.ns)
    assert entry[0]["lladdr"] == "02:00:00:00:12:05"


def test_L12_bond_answers_for_its_ports(speakers, lab):
    need("bond")
    node = lab.nodes[0]
    add_veth(f"{node.name}-lan2", "lan", node.ns, "eth2")
    ip("link add over type bond mode active-backup miimon 50", node.ns)
    for port in ("eth0", "eth2"):
        ip(f"link set {port} down", node.ns)
        ip(f"link set {port} master over", node.ns)
    ip("link set over up", node.ns)
    start(speakers, node)
    assert "over" in speakers.address(node, VIPS[0])["interfaces"].split(",")
    expect_single_answers(lab, mac_on(node, "over"))
    # L06: one port without carrier is no matter.
    node.unplug()
    wait_for("the other port to answer", lambda: arping(lab.client, VIPS[0], timeout=1) == [mac_on(node, "over")])
