# SPDX-License-Identifier: Apache-2.0
"""`spread: per-client`: three nodes serve one address in one segment at the same time, and
each client is answered by one of them. The clients are hosts with the kernel's own neighbour
tables, and curl; what kube-proxy would do is a rule that sends the address's traffic to a
backend on the node, which says the node's name."""
import sys
from collections import Counter

import pytest

from harness.lab import BACKEND, Lab
from harness.mini import MiniApiServer
from harness.netns import ip, ip_json
from harness.process import Process
from harness.speaker import Capture, Speakers
from harness.wait import wait_for

VIP4, VIP6 = "192.0.2.200", "fd00:192:0:2::200"
VIPS = (VIP4, VIP6)
CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.200-192.0.2.250, "fd00:192:0:2::200-fd00:192:0:2::2ff"]
  spread: per-client
membership: {takeBack: immediate}
"""
RULES = f"""
table inet proxy {{
  chain prerouting {{
    type nat hook prerouting priority -100;
    ip daddr {VIP4} tcp dport 80 redirect to :8080
    ip6 daddr {VIP6} tcp dport 80 redirect to :8080
  }}
}}
"""


@pytest.fixture
def wide(workdir):
    """A lab of three nodes; .clients have fixed MAC addresses, so that each run is the same."""
    lab = Lab(nodes=3)
    lab.clients = [lab.add_host(f"host{n}", f"192.0.2.{100 + n}") for n in range(8)]
    for n, client in enumerate(lab.clients):
        ip(f"link set eth0 address 02:00:00:00:01:{n:02x}", client.ns)
    backends = []
    for node in lab.nodes:
        node.run("nft", RULES)
        backends.append(Process(f"backend-{node.name}", [sys.executable, BACKEND, node.name, 8080], workdir, node.ns))
    server = MiniApiServer(workdir / "api", listen="10.199.0.1:0")
    lab.speakers = Speakers(server, lab, workdir, CONFIG)
    yield lab
    lab.speakers.stop()
    server.stop()
    for backend in backends:
        backend.stop()
    lab.close()


def url(vip):
    return f"http://[{vip}]/" if ":" in vip else f"http://{vip}/"


def states(lab, vip):
    return {n.name: lab.speakers.address(n, vip)["state"] for n in lab.nodes if n.name in lab.speakers.running}


def serve(lab):
    lab.speakers.start()
    lab.speakers.add_service("web", VIPS)
    for vip in VIPS:
        wait_for(f"all to serve {vip}", lambda v=vip: set(states(lab, v).values()) == {"held"})


def name_of(lab, mac):
    return next((n.name for n in lab.nodes if n.mac == mac), mac)


def ask(lab, vip):
    """{client: node}: who served whom; the neighbour entry says the same."""
    served = {}
    for client in lab.clients:
        served[client.name] = wait_for(f"an answer to {client.name}", lambda c=client: try_curl(c, vip))
        assert name_of(lab, client.neighbour(vip)) == served[client.name]
    return served


def try_curl(client, vip):
    try:
        return client.curl(url(vip), timeout=1).split()[0]
    except RuntimeError:
        return None


def entries(lab, vip):
    return {c.name: name_of(lab, c.neighbour(vip)) for c in lab.clients}


def conflicts(lab):
    return sum(lab.speakers.metric(n, "herald_speaker_conflicts_total") for n in lab.nodes
               if n.name in lab.speakers.running)


def busiest(lab, served):
    name = Counter(served.values()).most_common(1)[0][0]
    return next(n for n in lab.nodes if n.name == name)


def test_each_client_has_one_node_and_moves_only_with_it(wide, workdir):
    serve(wide)
    # One more station, which hears what is said to all.
    capture = Capture(wide.client, workdir, "arp or icmp6")
    served = {vip: ask(wide, vip) for vip in VIPS}
    for vip in VIPS:
        assert len(set(served[vip].values())) > 1, "the clients are to be spread"
    lost = busiest(wide, served[VIP4])
    lost.cut_switch_side()
    # Nobody asks: they are told, each for itself, and nobody else is.
    for vip in VIPS:
        mine = [c for c, n in served[vip].items() if n == lost.name]
        now = wait_for(f"clients of {vip} to be told",
                       lambda v=vip, m=mine: all(entries(wide, v)[c] != lost.name for c in m) and entries(wide, v))
        assert {c: n for c, n in now.items() if c not in mine} == \
            {c: n for c, n in served[vip].items() if c not in mine}
        assert ask(wide, vip) == now
    # It returns, and its own clients with it, and no others.
    lost.restore()
    for vip in VIPS:
        wait_for(f"clients of {vip} to be as before", lambda v=vip: entries(wide, v) == served[v])
        assert ask(wide, vip) == served[vip]
    capture.stop()
    assert not said_to_all(capture)
    assert conflicts(wide) == 0


def said_to_all(capture):
    """Frames that would lead whoever hears them to one node."""
    return [frame.summary() for frame in capture.frames() if int(frame.dst[:2], 16) & 1 and (
        (frame.haslayer("ARP") and frame["ARP"].psrc == VIP4)
        or (frame.haslayer("ICMPv6ND_NA") and frame["ICMPv6ND_NA"].tgt == VIP6 and frame["ICMPv6ND_NA"].O))]


def refresh(client, vip, mac):
    """The client's kernel believes in that MAC address, and asks it, and it alone, if it is right."""
    ip(f"neighbour replace {vip} lladdr {mac} dev eth0 nud stale", client.ns)
    ip(f"neighbour change {vip} dev eth0 nud probe", client.ns)


def test_C18_refresh_is_answered_rightly_by_whoever_is_asked(wide):
    """IPv6 hosts refresh from their link-local address: they are the same client still. Who
    asks another's node hears where its own is."""
    serve(wide)
    for vip in VIPS:
        served = ask(wide, vip)
        for client in wide.clients[:4]:
            mine = next(n for n in wide.nodes if n.name == served[client.name])
            for node in wide.nodes:
                refresh(client, vip, node.mac)
                wait_for(f"{client.name} to be told by {node.name}", lambda c=client, v=vip: ip_json(
                    f"neighbour show {v} dev eth0", c.ns)[0]["state"] == ["REACHABLE"])
                assert client.neighbour(vip) == mine.mac
    assert sum(wide.speakers.metric(n, "herald_speaker_clients_redirected_total") for n in wide.nodes) >= 16


def test_planned_stop_moves_only_its_own_clients(wide, workdir):
    serve(wide)
    served = {vip: ask(wide, vip) for vip in VIPS}
    capture = Capture(wide.client, workdir, "arp or icmp6")
    leaving = busiest(wide, served[VIP4])
    assert wide.speakers.running.pop(leaving.name).stop(timeout=6) == 0
    for vip in VIPS:
        rest = {c: n for c, n in served[vip].items() if n != leaving.name}
        now = wait_for(f"clients of {vip} to be told",
                       lambda v=vip: leaving.name not in entries(wide, v).values() and entries(wide, v))
        assert {c: now[c] for c in rest} == rest
    capture.stop()
    assert not said_to_all(capture)


def test_C04_lapsed_node_yields_to_those_who_serve_its_clients(wide):
    """It is cut off from the API server alone: the others tell it, and its clients."""
    serve(wide)
    served = ask(wide, VIP4)
    lapsed = busiest(wide, served)
    lapsed.cut_api()
    wait_for("it to yield", lambda: wide.speakers.address(lapsed, VIP4)["state"] == "yielded")
    now = wait_for("its clients to be told", lambda: lapsed.name not in entries(wide, VIP4).values()
                   and entries(wide, VIP4))
    assert all(now[c] == n for c, n in served.items() if n != lapsed.name)
    lapsed.restore_api()
    wait_for("all to be as before", lambda: entries(wide, VIP4) == served)
    assert conflicts(wide) == 0


def test_K30_local_policy_serves_from_the_nodes_that_have_endpoints(wide):
    wide.speakers.start()
    node1, node2, node3 = wide.nodes
    wide.speakers.add_service("web", VIP4, [("10.244.1.2", node1.name), ("10.244.2.2", node2.name)],
                              externalTrafficPolicy="Local")
    wait_for("two to serve", lambda: sorted(states(wide, VIP4).values()) == ["held", "held", "none"])
    served = ask(wide, VIP4)
    assert set(served.values()) == {node1.name, node2.name}
    # Another endpoint comes, and one goes: only the clients of these nodes move.
    wide.speakers.kube.patch("endpointslices", "web-ipv4", {"endpoints": [
        {"addresses": [f"10.244.{n.number}.2"], "nodeName": n.name, "conditions": {"ready": True}}
        for n in (node2, node3)]})
    wait_for("the third to serve", lambda: states(wide, VIP4)[node3.name] == "held")
    now = wait_for("the clients to move", lambda: node1.name not in entries(wide, VIP4).values()
                   and node3.name in entries(wide, VIP4).values() and entries(wide, VIP4))
    assert all(now[c] in (node3.name, node2.name) for c, n in served.items() if n == node1.name)
    assert all(now[c] in (node3.name, n) for c, n in served.items() if n == node2.name)
    assert ask(wide, VIP4) == now


def test_L09_duplicate_address_detection_finds_us_and_moves_nobody(wide):
    """A host is given the address, in either family: it is told, and no client is led away."""
    serve(wide)
    served = {vip: ask(wide, vip) for vip in VIPS}
    host = wide.add_host("stranger", "192.0.2.66")
    probed = host.run("arping", "-D", "-c", 2, "-w", 3, "-I", "eth0", VIP4, check=False)
    assert probed.returncode == 1, probed.stdout
    host.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=1", "net.ipv6.conf.all.accept_dad=1",
             "net.ipv6.conf.eth0.dad_transmits=1")
    ip(f"address add {VIP6}/64 dev eth0", host.ns)
    wait_for("its detection to fail", lambda: any(
        a.get("dadfailed") for a in ip_json("address show dev eth0", host.ns)[0]["addr_info"] if a["local"] == VIP6))
    assert {vip: entries(wide, vip) for vip in VIPS} == served


def test_switching_it_on_and_off(wide):
    """Nobody is cut off while the pool changes; in the end one node serves all."""
    wide.speakers.set_config(CONFIG.replace("per-client", "one-node"))
    wide.speakers.start()
    wide.speakers.add_service("web", VIP4)
    owner = wide.speakers.owner(VIP4)
    assert set(ask(wide, VIP4).values()) == {owner.name}
    wide.speakers.set_config(CONFIG)
    spread = wait_for("the clients to be spread", lambda: len(set(entries(wide, VIP4).values())) > 1
                      and entries(wide, VIP4))
    assert ask(wide, VIP4) == entries(wide, VIP4)
    assert len(set(spread.values())) > 1
    wide.speakers.set_config(CONFIG.replace("per-client", "one-node"))
    wait_for("all to be led to one", lambda: set(entries(wide, VIP4).values()) == {owner.name})
    assert wide.speakers.owner(VIP4) is owner
    assert set(ask(wide, VIP4).values()) == {owner.name}


@pytest.mark.parametrize("how", ["never", "staggered, takeBackTime: 4s"], ids=["never", "staggered"])
def test_C20_node_that_is_back_takes_its_clients_back_gently(wide, how):
    """Its clients stay with the nodes that took them, for as long as the configuration says;
    whoever asks anew is its own at once."""
    wide.speakers.set_config(CONFIG.replace("immediate", how))
    serve(wide)
    served = {vip: ask(wide, vip) for vip in VIPS}
    lost = busiest(wide, served[VIP4])
    lost.cut_switch_side()
    moved = {vip: wait_for(f"clients of {vip} to be told", lambda v=vip: lost.name not in entries(wide, v).values()
                           and entries(wide, v)) for vip in VIPS}
    lost.restore()
    wait_for("it to serve again", lambda: wide.speakers.status(lost)["leaseLapsed"] is False and all(
        set(states(wide, vip).values()) == {"held"} for vip in VIPS) and all(
        len(wide.speakers.address(n, VIP4)["serving"]) == 3 for n in wide.nodes))
    if how != "never":
        for vip in VIPS:
            wait_for(f"clients of {vip} to be as before", lambda v=vip: entries(wide, v) == served[v])
        return
    for vip in VIPS:
        for client in (c for c in wide.clients if served[vip][c.name] == lost.name):
            host = next(n for n in wide.nodes if n.name == moved[vip][client.name])
            refresh(client, vip, host.mac)
            wait_for("the refresh", lambda c=client, v=vip: ip_json(
                f"neighbour show {v} dev eth0", c.ns)[0]["state"] == ["REACHABLE"])
        assert entries(wide, vip) == moved[vip]
        # Asked anew, by all who are its own.
        for client in wide.clients:
            ip(f"neighbour flush to {vip} dev eth0", client.ns)
        assert ask(wide, vip) == served[vip]
