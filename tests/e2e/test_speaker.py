# SPDX-License-Identifier: Apache-2.0
"""The speaker in layer 2, in namespaces, against the embedded API server: it answers
for what it owns and for nothing else, and addresses move when nodes come and go; in both families
where the story is the same (what is of IPv6 alone is in test_ndp.py). The
tests write the Services' status themselves, as the controller would."""
import signal
import time

import pytest

from harness.kube import endpointslice, namespace, service
from harness.process import Process
from harness.speaker import BIN, CONFIG, NAMESPACE, Capture, answers, arping, in_filter, in_group
from harness.wait import wait_for

VIP = "192.0.2.200"
VIP6 = "fd00:192:0:2::200"
BOTH = pytest.mark.parametrize("vip", [VIP, VIP6], ids=["ipv4", "ipv6"])
REQUEST, REPLY = 1, 2
BURST = 5 * 2  # five times, both forms


def wait_for_burst(speakers, node, vip):
    """Until the first announcements are over."""
    metric, frames = ("ndp_unsolicited", 5) if vip == VIP6 else ("arp_gratuitous", BURST)
    wait_for("the burst to end", lambda: speakers.metric(node, f"herald_speaker_{metric}_total") == frames)


@BOTH
def test_L01_answers_for_ours_and_nothing_else(speakers, lab, vip):
    """L01, and L02 for IPv6."""
    def neighbour(n):
        return vip[:-3] + str(n)
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    assert arping(lab.client, vip, count=3, timeout=1) == [owner.mac] * 3
    assert answers(lab.client, neighbour(201)) == set()
    # Outside every pool, of another class, and not of type LoadBalancer.
    outside = vip[:-3] + "99"
    speakers.add_service("outside", outside)
    speakers.add_service("foreign", neighbour(202), loadBalancerClass="example.com/other")
    speakers.kube.create(service("plain", type="ClusterIP"))
    speakers.add_service("last", neighbour(203))
    speakers.owner(neighbour(203))
    for address in (outside, neighbour(202)):
        assert answers(lab.client, address) == set()
    # Deleted, it is answered no more.
    speakers.kube.delete("services", "web")
    wait_for("silence", lambda: not answers(lab.client, vip))


def test_L04_both_gratuitous_forms_are_sent(speakers, lab, workdir):
    speakers.start()
    capture = Capture(lab.client, workdir)
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    wait_for("five of each", lambda: len(capture.gratuitous(VIP)) == 10)
    capture.stop()
    assert set(capture.gratuitous(VIP)) == {(REQUEST, owner.mac), (REPLY, owner.mac)}



def test_L11_cut_node_is_followed_by_the_other(speakers, lab):
    """L11: and when it returns, they agree on one."""
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    other = speakers.other(owner)
    owner.cut_switch_side()
    wait_for("the other node to answer", lambda: answers(lab.client, VIP) == {other.mac})
    events = wait_for("an Event", lambda: speakers.events("web", "nodeAssigned"))
    assert any(f'from "{owner.name}"' in e["message"] and "expired" in e["message"] for e in events)
    # L08: back again, both know of each other and one of them answers.
    owner.restore()
    settled = speakers.owner(VIP)
    assert arping(lab.client, VIP, count=5, timeout=1) == [settled.mac] * 5


def test_L11_killed_speaker_is_followed_by_the_other(speakers, lab):
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    other = speakers.other(owner)
    assert speakers.metric(other, "herald_speaker_failover_seconds_count") == 0
    speakers.running.pop(owner.name).kill()
    wait_for("the other node to answer", lambda: answers(lab.client, VIP) == {other.mac})
    assert speakers.metric(other, "herald_speaker_failover_seconds_count") == 1
    # A Lease lasts for 3 s, by the other's clock.
    assert speakers.metric(other, "herald_speaker_failover_seconds_sum") >= 3


def test_L11_frozen_speaker_does_not_act_on_old_knowledge(speakers, lab):
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    other = speakers.other(owner)
    speakers.running[owner.name].signal(signal.SIGSTOP)
    wait_for("the other node to answer", lambda: answers(lab.client, VIP) == {other.mac})
    speakers.running[owner.name].signal(signal.SIGCONT)
    settled = speakers.owner(VIP)
    assert arping(lab.client, VIP, count=5, timeout=1) == [settled.mac] * 5


@BOTH
def test_O01_sigterm_hands_over_and_ends_in_time(speakers, lab, vip):
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    process = speakers.running.pop(owner.name)
    assert process.stop(timeout=6) == 0
    assert answers(lab.client, vip) == {speakers.other(owner).mac}
    assert not in_group(owner)


@BOTH
def test_L06_carrier_loss_moves_the_address(speakers, lab, vip):
    """C16: a NIC that is down is no black hole, though its node's Lease is alive: the management
    network still works."""
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    other = speakers.other(owner)
    owner.unplug()
    wait_for("the other node to answer", lambda: answers(lab.client, vip) == {other.mac})
    member = next(m for m in speakers.status(other)["members"] if m["node"] == owner.name)
    assert member["state"] == "alive"
    owner.plug()
    assert speakers.owner(vip) is owner
    assert answers(lab.client, vip) == {owner.mac}


def test_C16_bounced_link_is_programmed_again(speakers, lab, workdir):
    """C16, C19: after carrier was away it answers, is a member of the group and in the NIC's
    filter, and announces, in both families; without a new election where the address stays."""
    node = lab.nodes[0]
    speakers.start(node)
    speakers.add_service("web", [VIP, VIP6])
    for vip in (VIP, VIP6):
        speakers.owner(vip, among=[node])
        wait_for_burst(speakers, node, vip)
    node.unplug()
    wait_for("the interface to be given up", lambda: "eth0" not in speakers.address(node, VIP)["interfaces"])
    wait_for("its group to be left", lambda: not in_group(node))
    capture = Capture(lab.client, workdir, "arp or icmp6")
    node.plug()
    wait_for("both forms", lambda: {(REQUEST, node.mac), (REPLY, node.mac)} <= set(capture.gratuitous(VIP)))
    wait_for("an advertisement", lambda: node.mac in capture.announced(VIP6))
    capture.stop()
    wait_for("the membership", lambda: in_group(node) and in_filter(node))
    for vip in (VIP, VIP6):
        assert answers(lab.client, vip) == {node.mac}


def renewals_stay_out(speakers, node, seconds):
    """Becomes true once the node's Lease was not renewed for so long."""
    seen = {}

    def quiet():
        version = speakers.kube.get("leases", f"herald-speaker.{node.name}", NAMESPACE)["metadata"]["resourceVersion"]
        if seen.get("version") != version:
            seen.update(version=version, since=time.monotonic())
        return time.monotonic() - seen["since"] >= seconds
    return quiet


def test_C19_owner_that_was_cut_off_for_a_moment_announces_again(speakers, lab, workdir):
    """Cut at the switch: its link keeps its carrier; and it is back before its Lease expires,
    so that nobody has taken over."""
    speakers.set_config(CONFIG + "membership: {leaseDuration: 60s, renewInterval: 1s}\n")
    speakers.start()
    speakers.add_service("web", [VIP, VIP6])
    owner = speakers.owner(VIP)
    wait_for("the burst to end", lambda: speakers.metric(owner, "herald_speaker_arp_gratuitous_total") == BURST)
    owner.cut_switch_side()
    wait_for("its renewals to stay out", renewals_stay_out(speakers, owner, 2.5))
    capture = Capture(lab.client, workdir, "arp or icmp6")
    owner.restore()
    wait_for("both forms", lambda: {(REQUEST, owner.mac), (REPLY, owner.mac)} <= set(capture.gratuitous(VIP)))
    if speakers.owner(VIP6) is owner:
        wait_for("an advertisement", lambda: owner.mac in [mac for mac, _ in capture.advertised(VIP6)])
    capture.stop()
    assert speakers.owner(VIP) is owner
    assert speakers.metric(speakers.other(owner), "herald_speaker_failovers_total") == 0


def test_L05_interface_that_comes_later_is_used(speakers, lab):
    node1, node2 = lab.nodes
    for node in lab.nodes:
        node.link_down()
    speakers.start()
    speakers.add_service("web", VIP)
    for node in lab.nodes:
        node.link_up()
    wait_for("an answer", lambda: answers(lab.client, VIP) <= {node1.mac, node2.mac} and answers(lab.client, VIP))
    assert arping(lab.client, VIP, timeout=1) == [speakers.owner(VIP).mac]


def test_C04_api_outage_changes_nothing(speakers, lab):
    speakers.start()
    addresses = [f"192.0.2.{n}" for n in range(200, 206)]
    for n, address in enumerate(addresses):
        speakers.add_service(f"web{n}", address)
    owners = {address: speakers.owner(address).mac for address in addresses}
    speakers.server.down()
    wait_for("the Lease to lapse", lambda: all(speakers.status(n)["leaseLapsed"] for n in lab.nodes))
    assert {a: arping(lab.client, a, timeout=0.5) for a in addresses} == {a: [m] for a, m in owners.items()}
    failovers = [speakers.metric(n, "herald_speaker_failovers_total") for n in lab.nodes]
    speakers.server.up()
    speakers.kube = speakers.server.admin
    wait_for("contact again", lambda: all(
        speakers.status(n)["inContact"] and not speakers.status(n)["leaseLapsed"] for n in lab.nodes), timeout=30)
    assert {a: speakers.owner(a).mac for a in addresses} == owners
    assert [speakers.metric(n, "herald_speaker_failovers_total") for n in lab.nodes] == failovers == [0, 0]


@BOTH
def test_D8_restart_within_the_lease_announces_nothing(speakers, lab, workdir, vip):
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    wait_for_burst(speakers, owner, vip)
    speakers.running[owner.name].kill()
    capture = Capture(lab.client, workdir, "arp or icmp6")
    speakers.start(owner)
    assert speakers.owner(vip) is owner
    assert answers(lab.client, vip) == {owner.mac}
    capture.stop()
    assert capture.announced(vip) == []


def test_K02_class_flag(speakers, lab):
    speakers.start(args=["--load-balancer-class", "herald.io/layer2"])
    speakers.add_service("unset", VIP)
    speakers.add_service("ours", "192.0.2.201", loadBalancerClass="herald.io/layer2")
    speakers.owner("192.0.2.201")
    assert answers(lab.client, VIP) == set()


def test_K30_local_policy_follows_the_endpoints(speakers, lab):
    speakers.start()
    node1, node2 = lab.nodes
    speakers.add_service("web", VIP, [("10.244.1.2", node1.name)], externalTrafficPolicy="Local")
    assert speakers.owner(VIP) is node1
    slice_name = "web-ipv4"
    speakers.kube.patch("endpointslices", slice_name, {"endpoints": [
        {"addresses": ["10.244.2.2"], "nodeName": node2.name, "conditions": {"ready": True}}]})
    wait_for("node2 to own it", lambda: speakers.owner(VIP) is node2)
    assert answers(lab.client, VIP) == {node2.mac}
    speakers.kube.patch("endpointslices", slice_name, {"endpoints": []})
    wait_for("silence", lambda: not answers(lab.client, VIP))
    # K42: the reasons are on the Service.
    events = wait_for("an Event", lambda: speakers.events("web", "NoEligibleNode"))
    assert all(f"{n.name}: no endpoint there" in events[0]["message"] for n in lab.nodes)


def test_K39_excluded_node_gives_its_addresses_away(speakers, lab):
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    label = "node.kubernetes.io/exclude-from-external-load-balancers"
    speakers.kube.patch("nodes", owner.name, {"metadata": {"labels": {label: ""}}}, ns=None)
    wait_for("the other to own it", lambda: speakers.owner(VIP) is speakers.other(owner))
    speakers.kube.patch("nodes", owner.name, {"metadata": {"labels": {label: "false"}}}, ns=None)
    wait_for("the owner to have it back", lambda: speakers.owner(VIP) is owner)


@BOTH
def test_L05_rule_limits_interfaces(speakers, lab, vip):
    speakers.set_config(CONFIG + "layer2: [{pools: [main], interfaces: [eth1]}]\n")
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    assert speakers.address(owner, vip)["interfaces"] == "eth1"
    assert in_group(owner, "eth1") == (vip == VIP6) and not in_group(owner)
    assert answers(lab.client, vip) == set()


@BOTH
def test_L05_changed_mac_is_announced(speakers, lab, workdir, vip):
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    capture = Capture(lab.client, workdir, "arp or icmp6")
    mac = "02:00:00:aa:bb:cc"
    owner.run("ip", "link", "set", "eth0", "address", mac)
    wait_for("the new MAC", lambda: capture.announced(vip).count(mac) >= 2)
    if vip == VIP:
        assert {(REQUEST, mac), (REPLY, mac)} <= set(capture.gratuitous(vip))
    else:
        assert mac in [f["ICMPv6NDOptDstLLAddr"].lladdr for _, f in capture.advertised(vip)]
        wait_for("the membership to be there still", lambda: in_group(owner) and in_filter(owner))
    capture.stop()
    assert answers(lab.client, vip) == {mac}


def test_L10_host_settings_that_spoil_it_are_told(speakers, lab):
    """L10: at start, with what mends it."""
    node1, node2 = lab.nodes
    node1.run("sysctl", "-qw", "net.ipv4.conf.eth0.proxy_arp=1")
    node2.run("ip", "link", "add", "kube-ipvs0", "type", "bridge")  # as IPVS mode leaves it
    speakers.start()
    assert "proxy_arp is on" in speakers.running[node1.name].text()
    assert "strictARP" in speakers.running[node2.name].text()
    assert "strictARP" not in speakers.running[node1.name].text()


def test_missing_capability_is_named(speakers, lab):
    node = lab.nodes[0]
    speakers.running[node.name] = Process("without-raw", [
        "setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw", BIN / "herald-speaker", "--node-name",
        node.name, "--kubeconfig", speakers.server.kubeconfig, "--listen", "127.0.0.1:7473"], speakers.folder, node.ns)
    wait_for("the message", lambda: "CAP_NET_RAW" in speakers.running[node.name].text())
    # It lives on and is not eligible: others serve.
    speakers.start(lab.nodes[1])
    speakers.add_service("web", VIP)
    wait_for("the other to own it", lambda: answers(lab.client, VIP) == {lab.nodes[1].mac})
    assert speakers.status(node)["addresses"][0]["owner"] == lab.nodes[1].name


def claim(host, address, count=1):
    """A station says by gratuitous ARP that the address is its own."""
    host.run("/usr/bin/python3", "-c", f"""
from scapy.all import ARP, Ether, sendp, get_if_hwaddr
mac = get_if_hwaddr("eth0")
sendp(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac, psrc="{address}", pdst="{address}"),
      iface="eth0", count={count}, verbose=0)
""")


def test_L08_claim_is_defended_and_told(speakers, lab, workdir):
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    wait_for("the burst to end", lambda: speakers.metric(owner, "herald_speaker_arp_gratuitous_total") == BURST)
    capture = Capture(lab.client, workdir)
    stranger = lab.add_host("stranger", "192.0.2.66")
    mac = stranger.run("cat", "/sys/class/net/eth0/address").stdout.strip()
    claim(stranger, VIP, count=20)
    wait_for("a conflict", lambda: speakers.metric(owner, "herald_speaker_conflicts_total") == 1)
    wait_for("the defence", lambda: (REQUEST, owner.mac) in capture.gratuitous(VIP))
    capture.stop()
    event = wait_for("an Event", lambda: speakers.events("web", "AddressConflict"))[0]
    assert event["type"] == "Warning" and mac in event["message"] and owner.mac in event["message"]
    assert answers(lab.client, VIP) == {owner.mac}


@BOTH
def test_C04_lapsed_owner_yields_to_a_claim(speakers, lab, vip):
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    other = speakers.other(owner)
    owner.cut_api()
    wait_for("the other to answer alone", lambda: answers(lab.client, vip) == {other.mac})
    assert speakers.address(owner, vip)["state"] == "yielded"
    owner.restore_api()
    settled = speakers.owner(vip)
    assert arping(lab.client, vip, count=5, timeout=1) == [settled.mac] * 5


@BOTH
def test_C07_local_policy_with_several_replicas_has_one_answer(speakers, lab, vip):
    """C07: each node has endpoints, and they come and go: two nodes never answer in turn."""
    family, pod = ("IPv6", "fd00:10:244:{}::{}") if vip == VIP6 else ("IPv4", "10.244.{}.{}")
    speakers.start()
    speakers.add_service("web", vip, externalTrafficPolicy="Local", ipFamilies=[family])
    endpoints = [(pod.format(n.number, i), n.name) for n in lab.nodes for i in (2, 3)]
    speakers.kube.create(endpointslice("web", endpoints, family=family))
    owner = speakers.owner(vip)
    moves = [speakers.metric(n, "herald_speaker_failovers_total") for n in lab.nodes]
    for left in (endpoints[:3], endpoints[1:], endpoints):
        speakers.kube.patch("endpointslices", f"web-{family.lower()}", {"endpoints": [
            {"addresses": [address], "nodeName": node, "conditions": {"ready": True}} for address, node in left]})
        assert arping(lab.client, vip, count=20, timeout=1) == [owner.mac] * 20
    assert speakers.owner(vip) is owner
    assert [speakers.metric(n, "herald_speaker_failovers_total") for n in lab.nodes] == moves


def test_C17_announcements_are_repeated_for_switches_that_forget(speakers, lab, workdir):
    """C17: for as long as the address is held, in both families."""
    speakers.set_config(CONFIG + "announce: {refresh: 5s, repeat: 1}\n")
    speakers.start(lab.nodes[0])
    capture = Capture(lab.client, workdir, "arp or icmp6")
    speakers.add_service("web", [VIP, VIP6])
    wait_for("three times", lambda: len(capture.gratuitous(VIP)) >= 2 * 3 and len(capture.advertised(VIP6)) >= 3,
             timeout=30)
    capture.stop()
    assert set(capture.announced(VIP) + capture.announced(VIP6)) == {lab.nodes[0].mac}


def test_L04_forms_repeats_and_spacing_are_configured(speakers, lab, workdir):
    """L04: without the reply form, three times, 400 ms apart."""
    speakers.set_config(CONFIG + "announce: {repeat: 3, spacing: 400ms, replyForm: false}\n")
    speakers.start(lab.nodes[0])
    capture = Capture(lab.client, workdir, "arp or icmp6")
    speakers.add_service("web", [VIP, VIP6])
    wait_for("three of each", lambda: len(capture.gratuitous(VIP)) == 3 and len(capture.advertised(VIP6)) == 3)
    capture.stop()
    assert {form for form, _ in capture.gratuitous(VIP)} == {REQUEST}
    times = [float(f.time) for f in capture.frames() if f.haslayer("ARP") and f["ARP"].psrc == f["ARP"].pdst == VIP]
    assert times[2] - times[0] >= 2 * 0.39


HOSTILE = """
import random, sys
from scapy.all import ARP, Dot1Q, Ether, Raw, sendp, get_if_hwaddr
random.seed(7)
mac = get_if_hwaddr("eth0")
frames = []
for n in range(400):
    whole = bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=mac, pdst="192.0.2.200"))
    cut = bytearray(whole[:random.randrange(14, len(whole) + 1)])
    for _ in range(random.randrange(4)):
        cut[random.randrange(12, len(cut))] = random.randrange(256)
    frames.append(Raw(bytes(cut)))
frames.append(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=5) / ARP(hwsrc=mac, pdst="192.0.2.200"))
frames.append(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc="02:00:00:00:00:99", pdst="192.0.2.200"))
frames.append(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=mac, hwlen=200, pdst="192.0.2.200"))
frames.append(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=9, hwsrc=mac, pdst="192.0.2.200"))
sendp(frames, iface="eth0", verbose=0)
"""


def test_hostile_frames_are_counted_and_do_no_harm(speakers, lab):
    speakers.start()
    speakers.add_service("web", VIP)
    owner = speakers.owner(VIP)
    stranger = lab.add_host("stranger", "192.0.2.66")
    stranger.run("/usr/bin/python3", "-c", HOSTILE)
    for reason in ("sender_mismatch", "bad_hardware_type", "bad_operation", "short"):
        wait_for(reason, lambda: speakers.metric(owner, "herald_speaker_arp_dropped_total", reason=reason) > 0)
    speakers.running[owner.name].require_running()
    assert answers(lab.client, VIP) == {owner.mac}


PROBE = """
from scapy.all import ARP, Ether, srp1, get_if_hwaddr
mac = get_if_hwaddr("eth0")
probe = srp1(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=mac, psrc="0.0.0.0", pdst="{vip}"),
             iface="eth0", timeout=2, verbose=0)
refresh = srp1(Ether(src=mac, dst="{mac}") / ARP(hwsrc=mac, pdst="{vip}", hwdst="{mac}"),
               iface="eth0", timeout=2, verbose=0)
print(probe.hwsrc, probe.psrc, probe.pdst, refresh.hwsrc, refresh.psrc)
"""


def test_L01_probe_and_unicast_refresh_are_answered(speakers, lab):
    speakers.start()
    speakers.add_service("web", VIP)
    mac = speakers.owner(VIP).mac
    said = lab.client.run("/usr/bin/python3", "-c", PROBE.format(vip=VIP, mac=mac)).stdout.split()
    assert said == [mac, VIP, "0.0.0.0", mac, VIP]


def test_start_order_does_not_matter(speakers, lab):
    """C06: the speakers run before the configuration and the API server's objects are there."""
    speakers.kube.delete("configmaps", "herald-config", "herald-system")
    speakers.add_service("web", VIP)
    for node in lab.nodes:
        speakers.running[node.name] = None
    with pytest.raises(AssertionError):
        speakers.start()
    speakers.set_config("""apiVersion: herald.io/v1
pools: [{name: main, addresses: [192.0.2.200/32]}]
""")
    speakers.owner(VIP)
    assert speakers.kube.exists("namespaces", namespace("herald-system")["metadata"]["name"])


def test_external_ips_are_announced_only_where_the_config_allows_it(speakers, lab):
    """CVE-2020-8554: whoever may write a Service may name any address in externalIPs."""
    speakers.start()
    speakers.kube.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "plain"},
                          "spec": {"ports": [{"port": 80}], "externalIPs": ["192.0.2.10", "192.0.2.60"]}})
    speakers.set_config(CONFIG + "addresses: {announceExternalIPs: [192.0.2.60]}\n")
    owner = speakers.owner("192.0.2.60")
    assert answers(lab.client, "192.0.2.60") == {owner.mac}
    assert answers(lab.client, "192.0.2.10") == set()
