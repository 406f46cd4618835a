# SPDX-License-Identifier: Apache-2.0
"""The speaker in layer 2 for IPv6, in namespaces: what stations hear that ask by neighbour
discovery, among them the kernel's own, ndisc6, and scapy."""
import json

from harness.kube import endpointslice
from harness.netns import ip, ip_json, run, set_sysctls
from harness.speaker import GROUP_MAC, Capture, answers, arping, in_filter, in_group
from harness.wait import wait_for

VIP = "fd00:192:0:2::200"
VIP4 = "192.0.2.200"
GROUP = "ff02::1:ff00:200"
BURST = 5


def scapy(host, script, **values):
    """Runs a scapy script on a host; what it prints, as words. It has: mac, IFACE, VIP."""
    head = ("from scapy.all import *\nIFACE = 'eth0'\nmac = get_if_hwaddr(IFACE)\nconf.verb = 0\n"
            f"VIP, GROUP, GROUP_MAC = {VIP!r}, {GROUP!r}, {GROUP_MAC!r}\n")
    values = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    return host.run("/usr/bin/python3", "-c", head + values + script, timeout=60).stdout.split()



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


STRANGE = """
def ask(frame):
    # Not srp1(): it expects an answer to "::" there, and not to all nodes.
    heard = AsyncSniffer(iface=IFACE, timeout=5, count=1, started_callback=lambda: sendp(frame, iface=IFACE),
                         lfilter=lambda p: p.haslayer(ICMPv6ND_NA) and p[ICMPv6ND_NA].tgt == VIP)
    heard.start()
    heard.join()
    if not heard.results:
        return "none"
    answer = heard.results[0]
    na = answer[ICMPv6ND_NA]
    lladdr = answer[ICMPv6NDOptDstLLAddr].lladdr
    return f"{answer.dst}|{answer[IPv6].src}|{answer[IPv6].dst}|{lladdr}|R{na.R}S{na.S}O{na.O}|{answer[IPv6].hlim}"
source = "fe80::9"
group = Ether(src=mac, dst=GROUP_MAC) / IPv6(src=source, dst=GROUP, hlim=255)
direct = Ether(src=mac, dst=OWNER) / IPv6(src=source, dst=VIP, hlim=255)
link = ICMPv6NDOptSrcLLAddr(lladdr=mac)
solicitation = ICMPv6ND_NS(tgt=VIP)
print(mac)
print(ask(group / solicitation / link))
print(ask(group / solicitation))
print(ask(direct / solicitation / link))
print(ask(direct / solicitation))
print(ask(Ether(src=mac, dst=GROUP_MAC) / IPv6(src="::", dst=GROUP, hlim=255) / solicitation))
"""


def wait_for_burst(speakers, owner):
    wait_for("the burst to end", lambda: speakers.metric(owner, "herald_speaker_ndp_unsolicited_total") == BURST)


def test_C18_each_way_of_asking(speakers, lab):
    """L02: to the group and to us alone, with a source link-layer address and without, and
    from the unspecified address."""
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    wait_for_burst(speakers, owner)
    mac, *answered = scapy(lab.add_host("stranger", "192.0.2.66"), STRANGE, OWNER=owner.mac)
    to_asker = f"{mac}|{VIP}|fe80::9|{owner.mac}|R0S1O1|255"
    to_all = f"33:33:00:00:00:01|{VIP}|ff02::1|{owner.mac}|R0S0O1|255"
    assert answered == [to_asker] * 4 + [to_all]


def test_L09_duplicate_address_detection_of_a_host_finds_us(speakers, lab):
    """A kernel that is given our address probes for it, is told, and does not use it."""
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    host = lab.add_host("stranger", "192.0.2.66")
    set_sysctls(host.ns, net__ipv6__conf__eth0__accept_dad=1, net__ipv6__conf__all__accept_dad=1,
                net__ipv6__conf__eth0__dad_transmits=1)
    ip(f"address add {VIP}/64 dev eth0", host.ns)
    wait_for("its detection to fail", lambda: any(
        a.get("dadfailed") for a in ip_json("address show dev eth0", host.ns)[0]["addr_info"] if a["local"] == VIP))
    assert answers(lab.client, VIP) == {owner.mac}
    # It asked before it used the address: no conflict.
    assert speakers.metric(owner, "herald_speaker_conflicts_total") == 0




def reports(capture, address):
    """The kinds of the MLDv2 records for the group that were heard: 4 join, 3 leave."""
    return [record.rtype for frame in capture.frames() if frame.haslayer("ICMPv6MLReport2")
            for record in frame["ICMPv6MLReport2"].records if record.dst == address]


def test_L03_group_is_joined_and_left(speakers, lab, workdir):
    speakers.start()
    capture = Capture(lab.client, workdir, "ip6")
    assert not any(in_group(n) for n in lab.nodes)
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    assert in_group(owner) and in_filter(owner)
    assert not in_group(speakers.other(owner)) and not in_filter(speakers.other(owner))
    wait_for("the report to switches", lambda: 4 in reports(capture, GROUP))
    assert speakers.metric(owner, "herald_speaker_ndp_groups") == 1
    speakers.kube.delete("services", "web")
    wait_for("the group to be left", lambda: not in_group(owner) and not in_filter(owner))
    wait_for("that to be told to switches", lambda: 3 in reports(capture, GROUP))
    capture.stop()


def test_L03_switch_that_snoops_delivers(speakers, lab):
    """With a querier on the lan the bridge sends a group's frames to its members alone, and
    when the address moves, to the next owner."""
    ip("link set lan type bridge mcast_snooping 1 mcast_querier 1 mcast_mld_version 2 "
       "mcast_startup_query_interval 20 mcast_query_response_interval 20")
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    wait_for("the switch to know its members", lambda: f"{owner.name}-lan" in members_of(GROUP))
    assert members_of(GROUP) == {f"{owner.name}-lan"}
    assert arping(lab.client, VIP, count=2, timeout=1) == [owner.mac] * 2
    speakers.running.pop(owner.name).kill()
    other = speakers.other(owner)
    wait_for("the other node to be asked", lambda: answers(lab.client, VIP) == {other.mac})
    assert f"{other.name}-lan" in members_of(GROUP)


def members_of(group):
    """The ports of the lan to which the switch sends the group's frames."""
    entries = json.loads(run(["bridge", "-j", "mdb", "show", "dev", "lan"]).stdout)
    return {e["port"] for dump in entries for e in dump["mdb"] if e["grp"] == group}


def test_L03_missing_link_local_address_is_told(speakers, lab):
    node = lab.nodes[0]
    ip("-6 address flush dev eth0 scope link", node.ns)
    speakers.start(node)
    speakers.add_service("web", VIP)
    speakers.owner(VIP, among=[node])
    wait_for("the warning", lambda: "no IPv6 link-local address" in speakers.running[node.name].text())
    assert answers(lab.client, VIP) == {node.mac}


def test_L04_unsolicited_advertisements(speakers, lab, workdir):
    speakers.start()
    capture = Capture(lab.client, workdir, "icmp6")
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    wait_for("five of them", lambda: len(capture.advertised(VIP)) == 5)
    wait_for_burst(speakers, owner)
    capture.stop()
    for mac, frame in capture.advertised(VIP):
        said = frame["ICMPv6ND_NA"]
        assert (mac, frame.dst, frame["IPv6"].src) == (owner.mac, "33:33:00:00:00:01", VIP)
        assert (said.R, said.S, said.O) == (0, 0, 1)
        assert frame["ICMPv6NDOptDstLLAddr"].lladdr == owner.mac
    assert speakers.metric(owner, "herald_speaker_arp_gratuitous_total") == 0



def test_L07_address_is_on_no_interface(speakers, lab):
    """L07: before, during and after, also after SIGKILL; and with it ends the membership."""
    def on_an_interface():
        text = "".join(n.run("ip", "address").stdout for n in lab.nodes)
        return VIP in text or f"{VIP4}/" in text
    assert not on_an_interface()
    speakers.start()
    speakers.add_service("web", [VIP4, VIP])
    owner = speakers.owner(VIP)
    speakers.owner(VIP4)
    assert not on_an_interface()
    speakers.running[owner.name].kill()
    assert not on_an_interface()
    wait_for("the membership to end", lambda: not in_group(owner) and not in_filter(owner))


def test_L11_dual_stack_follows_a_cut_node(speakers, lab):
    """Each address of a dual-stack Service goes to the other node, and a client that knew
    the first learns of it by the advertisement, not by its own asking."""
    speakers.start()
    speakers.add_service("web", [VIP4, VIP])
    owner = speakers.owner(VIP)
    other = speakers.other(owner)
    ip(f"neighbour replace {VIP} lladdr {owner.mac} dev eth0 nud stale", lab.client.ns)
    owner.cut_switch_side()
    wait_for("the client to be told", lambda: lab.client.neighbour(VIP) == other.mac, timeout=20)
    wait_for("both to be answered", lambda: answers(lab.client, VIP) == answers(lab.client, VIP4) == {other.mac})
    owner.restore()
    settled = speakers.owner(VIP)
    assert arping(lab.client, VIP, count=5, timeout=1) == [settled.mac] * 5





def test_L06_node_that_is_off_link_comes_last(speakers, lab):
    """Only one node has a network of the address; that it goes moves the address."""
    node1, node2 = lab.nodes
    ip(f"address delete {node1.ip6}/64 dev eth0", node1.ns)
    speakers.start()
    for n in range(8):
        speakers.add_service(f"web{n}", f"fd00:192:0:2::20{n}")
    assert {speakers.owner(f"fd00:192:0:2::20{n}").name for n in range(8)} == {node2.name}
    ip(f"address add {node1.ip6}/64 dev eth0", node1.ns)
    ip(f"address delete {node2.ip6}/64 dev eth0", node2.ns)
    wait_for("all to move", lambda: {speakers.owner(f"fd00:192:0:2::20{n}").name for n in range(8)} == {node1.name})




def test_K43_local_policy_counts_endpoints_of_its_own_family(speakers, lab):
    speakers.start()
    node1, node2 = lab.nodes
    speakers.add_service("web", [VIP4, VIP], [("10.244.1.2", node1.name)], externalTrafficPolicy="Local",
                         ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4", "IPv6"])
    speakers.kube.create(endpointslice("web", [("fd00:10:244:2::2", node2.name)], family="IPv6"))
    assert speakers.owner(VIP4) is node1
    assert speakers.owner(VIP) is node2
    assert answers(lab.client, VIP4) == {node1.mac}
    assert answers(lab.client, VIP) == {node2.mac}


def test_L08_claim_is_defended_and_told(speakers, lab, workdir):
    """A host's kernel that uses our address without asking, and says so when its MAC
    address changes (ndisc_notify)."""
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    wait_for_burst(speakers, owner)
    capture = Capture(lab.client, workdir, "icmp6")
    stranger = lab.add_host("stranger", "192.0.2.66")
    set_sysctls(stranger.ns, net__ipv6__conf__eth0__ndisc_notify=1)
    ip(f"address add {VIP}/64 dev eth0 nodad", stranger.ns)
    ip("link set eth0 address 02:00:00:aa:bb:cc", stranger.ns)
    wait_for("a conflict", lambda: speakers.metric(owner, "herald_speaker_conflicts_total") == 1)
    wait_for("the defence", lambda: owner.mac in [mac for mac, _ in capture.advertised(VIP)])
    capture.stop()
    event = wait_for("an Event", lambda: speakers.events("web", "AddressConflict"))[0]
    assert event["type"] == "Warning" and "02:00:00:aa:bb:cc" in event["message"] and owner.mac in event["message"]
    assert owner.mac in answers(lab.client, VIP)



HOSTILE = """
import random
random.seed(7)
group = Ether(src=mac, dst=GROUP_MAC)
head = IPv6(src="fe80::9", dst=GROUP, hlim=255)
ask, link = ICMPv6ND_NS(tgt=VIP), ICMPv6NDOptSrcLLAddr(lladdr=mac)
say = ICMPv6ND_NA(tgt="fd00:192:0:2::1")
whole = bytes(group / head / ask / link)
frames = []
for n in range(600):
    spoilt = bytearray(whole[:random.randrange(55, len(whole) + 1)])
    for _ in range(random.randrange(4)):
        spoilt[random.randrange(14, len(spoilt))] = random.randrange(256)
    frames.append(Raw(bytes(spoilt)))
def option(text):
    return group / head / ask / Raw(bytes.fromhex(text))
frames += [
    Raw(whole[:19] + bytes([7]) + whole[20:]),  # ends, by its own word, before the target does
    group / Dot1Q(vlan=5) / head / ask / link,
    group / IPv6(src="fe80::9", dst=GROUP, hlim=64) / ask / link,
    group / head / ICMPv6ND_NS(tgt=VIP, cksum=1) / link,
    group / head / ICMPv6ND_NS(tgt=VIP, code=1) / link,
    group / IPv6(src=VIP, dst=GROUP, hlim=255) / ICMPv6ND_NS(tgt="ff02::1") / link,
    group / IPv6(src="ff02::9", dst=GROUP, hlim=255) / ask / link,
    group / IPv6(src="::", dst=GROUP, hlim=255) / ask / link,
    group / IPv6(src="::", dst="ff02::1", hlim=255) / ask,
    group / IPv6(src="::", dst="ff02::1", hlim=255) / say,
    group / IPv6(src="fe80::9", dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=VIP, S=1),
    option("0100020000000009"), option("0109020000000009"), option("01"), option("0101ffffffffffff"),
    option("01020200000000090000000000000000"), option("c801000000000000" * 40),
]
sendp(frames, iface=IFACE)
"""

# All but those that the switch or the kernel's filter keeps from us.
REFUSALS = ("short", "long", "vlan_tagged", "bad_hop_limit", "bad_checksum", "bad_code", "bad_option",
            "bad_link_address", "bad_target", "bad_source", "probe_destination", "probe_link_address",
            "solicited_to_group")


def test_L02_hostile_frames_are_counted_and_do_no_harm(speakers, lab):
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    scapy(lab.add_host("stranger", "192.0.2.66"), HOSTILE)
    for reason in REFUSALS:
        wait_for(reason, lambda: speakers.metric(owner, "herald_speaker_ndp_dropped_total", reason=reason) > 0)
    speakers.running[owner.name].require_running()
    assert answers(lab.client, VIP) == {owner.mac}
    assert speakers.metric(owner, "herald_speaker_conflicts_total") == 0
