# SPDX-License-Identifier: Apache-2.0
"""Kinds of BGP sessions, with each router that has them (B01, B04): MD5, another port,
several hops, BFD, graceful restart, unnumbered, a CNI's own BGP on the node, TTL security,
passive, long-lived restart, dynamic neighbours, VRF, weights."""
import re

import pytest

from harness.bgp import ASN, KINDS, BgpCluster
from harness.bgp_bird import BirdPeer
from harness.bgp_frr import FrrPeer
from harness.bgp_peer import Neighbour
from harness.bgp_table import note, show_table
from harness.netns import ip
from harness.wait import wait_for

V4, V6 = "203.0.113.1", "fd00:203:0:113::1"
PREFIXES = (f"{V4}/32", f"{V6}/128")
NEIGHBOUR = "192.0.2.11"
WEIGHED, SPREAD = "203.0.113.3", "203.0.113.4"
GBIT = 125_000_000  # bytes a second: what an endpoint stands for
STRICT = {"ttlSecurity": True, "passive": True, "gracefulRestart": True, "gracefulRestartTime": "1s", "longLivedTime": "3600s"}
PASSWORD = "correct-horse-battery"
BFD = [{"name": "fast", "receiveInterval": "100ms", "transmitInterval": "100ms", "detectMultiplier": 3}]


@pytest.fixture(scope="module", autouse=True)
def print_table(request):
    yield
    show_table(request, "BGP sessions against peers")


@pytest.fixture(scope="module")
def cluster(module_folder):
    made = BgpCluster(module_folder, nodes=2)
    try:
        made.configure([])
        made.start(made.nodes[0])  # the other one only where weights are compared
        made.speakers.add_service("web", [V4, V6])
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def routers(cluster):
    """One of each make, on port 1790, behind several hops as far as they know, with a password."""
    for offset, kind in enumerate(KINDS):
        bfd = "bfd" in KINDS[kind].can
        router = KINDS[kind](cluster.lab.add_host(f"{kind}-m", f"192.0.2.{60 + offset}"), 64660 + offset, cluster.folder, [
            Neighbour(NEIGHBOUR, ASN, password=PASSWORD, multihop=True, bfd=bfd)], port=1790)
        cluster.routers[router.host.name] = router
    cluster.configure([cluster.peer(r, password=PASSWORD, peerPort=1790, ebgpMultiHop=True, gracefulRestart=True)
                       for r in cluster.routers.values()], bfdProfiles=BFD)
    all_have_routes(cluster)
    return cluster.routers


def all_have_routes(cluster):
    cluster.up()
    for router in cluster.routers.values():
        for prefix in PREFIXES:
            wait_for(f"{prefix} at {router.host.name}", lambda r=router, p=prefix: r.route(p))


def test_B01_md5_port_and_hops(cluster, routers):
    for router in routers.values():
        for feature in ("MD5 password", "another port", "multihop"):
            note(feature, router.kind)
    # A wrong password ends in no session, and in words.
    router = routers["frr-m"]
    cluster.configure([cluster.peer(r, password="wrong" if r is router else PASSWORD, peerPort=1790, ebgpMultiHop=True,
                                    gracefulRestart=True, holdTime="3s" if r is router else "90s") for r in routers.values()], bfdProfiles=BFD)
    wait_for("the session to be down", lambda: cluster.annotation()["peers"]["frr-m"]["state"] == "down", timeout=20)
    wait_for("the others to be told of", lambda: cluster.annotation()["peers"]["gobgp-m"]["state"] == "up", timeout=30)
    cluster.configure([cluster.peer(r, password=PASSWORD, peerPort=1790, ebgpMultiHop=True, gracefulRestart=True)
                       for r in routers.values()], bfdProfiles=BFD)
    all_have_routes(cluster)


def test_B04_graceful_restart_with_every_router(cluster, routers):
    """BIRD dies, and comes back: every router keeps the routes meanwhile."""
    bird = cluster.birds["node1"]
    bird.process.kill()
    for router in routers.values():
        wait_for(f"the end at {router.host.name}", lambda r=router: not r.is_up(NEIGHBOUR), timeout=30)
        assert router.route(PREFIXES[0]), router.host.name
    bird.start()

    def back():
        for router in routers.values():
            assert router.route(PREFIXES[0]), router.host.name
        return all(r.is_up(NEIGHBOUR) for r in routers.values())
    wait_for("all sessions again", back, timeout=40)
    for router in routers.values():
        wait_for("a fresh route", lambda r=router: r.route(PREFIXES[0]) and not r.route(PREFIXES[0]).stale, timeout=30)
        note("graceful restart", router.kind)


def test_B01_bfd(cluster, routers):
    chosen = [r for r in routers.values() if "bfd" in r.can]
    cluster.configure([cluster.peer(r, password=PASSWORD, peerPort=1790, ebgpMultiHop=True, gracefulRestart=True,
                                    **({"bfdProfile": "fast"} if r in chosen else {})) for r in routers.values()], bfdProfiles=BFD)
    cluster.up(*routers.values())
    for router in chosen:
        wait_for(f"BFD with {router.host.name}", lambda r=router: cluster.birds["node1"].sessions().get(r.host.ip) == "Up", timeout=30)
        note("BFD", router.kind)
    # Silent: BFD ends the session long before the hold timer.
    router = routers["frr-m"]
    router.host.run("iptables", "-A", "INPUT", "-j", "DROP")
    wait_for("the Event", lambda: [e for e in cluster.speakers.events("node1", "BGPSessionDown")
                                   if '"frr-m"' in e["message"] and "BFD" in e["message"]], timeout=20)
    router.host.run("iptables", "-F")
    cluster.up(router)


def test_B01_unnumbered(cluster, routers):
    """By interface alone, both families over link-local addresses; FRR finds us by our advertisements."""
    host = cluster.lab.add_host("frr-u", "192.0.2.69")
    router = KINDS["frr"](host, 64669, cluster.folder, [Neighbour(interface="eth0", asn=ASN)])
    cluster.routers["frr-u"] = router
    try:
        cluster.configure([{"name": "frr-u", "dynamicASN": "external", "interface": "eth0"}])
        wait_for("the session", lambda: router.is_up("eth0"), timeout=40)
        for prefix in PREFIXES:
            wait_for("the route", lambda p=prefix: router.prefixes() & {p})
        wait_for("the speaker to know", lambda: cluster.announced_to(V4) == ["frr-u"])
        note("unnumbered", "frr")
    finally:
        cluster.routers.pop("frr-u").close()


def test_cni_with_bgp_on_the_node(cluster, routers):
    """The port 179 of the node's address is taken by the CNI's daemon. Two ways to live with it: another
    port of ours towards the router; or the daemon as our only peer, which tells the router."""
    router = KINDS["openbgpd"](cluster.lab.add_host("obgpd-c", "192.0.2.75"), 64675, cluster.folder,
                               [Neighbour(NEIGHBOUR, ASN)])
    cluster.routers["obgpd-c"] = router
    cluster.configure([])
    bird = cluster.birds["node1"]
    wait_for("our BIRD to let go of port 179", lambda: ":179 " not in cluster.nodes[0].run("ss", "-ltn").stdout)
    # Another BIRD, as Calico has one there.
    cni = BirdPeer(cluster.nodes[0], 64700, cluster.folder, [
        Neighbour("127.0.0.1", ASN, local="127.0.0.1", port=1179, multihop=True)])
    try:
        assert ":179 " in cluster.nodes[0].run("ss", "-ltn").stdout
        cluster.configure([cluster.peer(router, localPort=1179)])
        cluster.up(router)
        wait_for("the route", lambda: router.route(PREFIXES[0]))
        assert "herald_bgp_obgpd_c" in bird.ask("show protocols")
        # The other way: we call the daemon on the node itself.
        cluster.configure([{"name": "calico", "peerASN": 64700, "peerAddress": "127.0.0.1", "sourceAddress": "127.0.0.1",
                            "localPort": 1179, "ebgpMultiHop": True, "families": ["ipv4"], "connectTime": "1s"}],
                          advertisements=[{"nextHop": "node"}])
        route = wait_for("the route at the CNI's daemon", lambda: cni.route(PREFIXES[0]), timeout=20)
        assert route.as_path == (ASN,)
    finally:
        cni.close()
        cluster.routers.pop("obgpd-c").close()


@pytest.fixture(scope="module")
def strict(cluster):
    """One of each make that sends and takes nothing but TTL 255, and that has to connect by itself."""
    made = {}
    try:
        cluster.configure([{**STRICT, "name": f"{kind}-s", "peerASN": 64680 + offset, "peerAddress": f"192.0.2.{80 + offset}"}
                           for offset, kind in enumerate(KINDS)])
        for offset, kind in enumerate(KINDS):
            made[kind] = KINDS[kind](cluster.lab.add_host(f"{kind}-s", f"192.0.2.{80 + offset}"), 64680 + offset,
                                     cluster.folder, [Neighbour(NEIGHBOUR, ASN, ttl_security=True)])
        yield made
    finally:
        for router in made.values():
            router.close()


def wait_route(router, condition, prefix=PREFIXES[0]):
    return wait_for(f"{prefix} at {router.host.name}", lambda: (r := router.route(prefix)) and condition(r) and r, timeout=30)


def dropped_for_ttl(node):
    return int(node.run("nstat", "-asz", "TcpExtTCPMinTTLDrop").stdout.split()[2])


def test_ttl_security_passive_and_long_lived(cluster, strict):
    """B01: three options at once, with each router."""
    node, bird = cluster.nodes[0], cluster.birds["node1"]
    for kind, router in strict.items():
        wait_route(router, lambda r: True)
        note("TTL security", kind)
        # Passive: it was the router that called.
        ours = node.run("ss", "-Htn", "state", "established", "dst", router.host.ip).stdout.split()[2::4]
        assert ours and set(ours) == {f"{NEIGHBOUR}:179"}, ours
        note("passive", kind)
    # The restart time passes without us: our routes become those of last resort (LLGR_STALE).
    bird.process.kill()
    try:
        for kind, router in strict.items():
            if "long_lived" in router.can:
                wait_route(router, lambda r: r.communities == {"65535:6"})
                assert not router.is_up(NEIGHBOUR)
                note("long-lived restart", kind)
            else:
                wait_for("the route to go", lambda r=router: not r.route(PREFIXES[0]))
    finally:
        bird.start()
    # A neighbour that we know, but with a TTL that says that it is further away: not heard.
    router = strict["bird"]
    wait_route(router, lambda r: not r.communities)
    before = dropped_for_ttl(node)
    router.neighbours[0].ttl_security = False
    router.reconfigure()
    wait_for("the session to be down", lambda: cluster.annotation()["peers"]["bird-s"]["state"] == "down", timeout=20)
    wait_for("the kernel to drop packets", lambda: dropped_for_ttl(node) > before + 2, timeout=20)
    assert cluster.annotation()["peers"]["bird-s"]["state"] == "down" and not router.route(PREFIXES[0])


def test_dynamic_neighbours_and_link_bandwidth(cluster, strict):
    """B01: routers of several ASes, by one peer that is a range; to each, what `weight: bandwidth` says."""
    cluster.speakers.add_service("weighed", WEIGHED, [
        (f"10.1.0.{number}", node) for number, node in enumerate(("node1", "node1", "node1", "node2"), 1)],
        externalTrafficPolicy="Local")
    strict["bird"].neighbours[0].ttl_security = True
    strict["bird"].reconfigure()
    cluster.configure([{"name": "rack", "peerRange": "192.0.2.80/30", "dynamicASN": "external", "ttlSecurity": True}],
                      advertisements=[{"weight": "bandwidth"}])
    for kind, router in strict.items():
        router.connect_now(NEIGHBOUR)
        assert wait_route(router, lambda r: r.bandwidth, f"{WEIGHED}/32").bandwidth == 3 * GBIT
        assert wait_route(router, lambda r: True).bandwidth is None  # not of policy Local
        note("dynamic neighbours", kind)
        note("link bandwidth", kind)
    wait_for("the speaker to know", lambda: cluster.announced_to(V4) == ["rack"])
    cluster.kube.delete("services", "weighed")


def test_vrf(cluster):
    """B01: the router's link, and so the session, is in a VRF."""
    node = cluster.nodes[0]
    made = node.run("ip", "link", "add", "red", "type", "vrf", "table", "100", check=False)
    if made.returncode != 0:
        pytest.skip(f"this kernel has no VRF: {made.stderr.strip()}")
    host = cluster.lab.add_host("bird-v", "192.0.2.90")
    ip(f"link add red0 netns {node.ns} type veth peer name eth1 netns {host.ns}")
    for command in ("link set red up", "link set red0 master red", "address add 198.51.100.1/24 dev red0", "link set red0 up"):
        ip(command, node.ns)
    ip("address add 198.51.100.2/24 dev eth1", host.ns)
    ip("link set eth1 up", host.ns)
    router = BirdPeer(host, 64690, cluster.folder, [Neighbour("198.51.100.1", ASN, local="198.51.100.2")])
    try:
        cluster.configure([cluster.peer(router, peerAddress="198.51.100.2", vrf="red", families=["ipv4"])])
        assert wait_route(router, lambda r: True).next_hop == "198.51.100.1"
        note("VRF", "bird")
    finally:
        router.close()
        ip("link delete red0", node.ns)
        ip("link delete red", node.ns)


def test_weights_of_two_nodes(cluster):
    """B01: a router spreads traffic as the nodes have endpoints, or it goes to the one that has most."""
    router = FrrPeer(cluster.lab.add_host("frr-w", "192.0.2.91"), 64691, cluster.folder,
                     [Neighbour(node.ip, ASN) for node in cluster.nodes])
    cluster.start(cluster.nodes[1])
    first, second = (node.ip for node in cluster.nodes)
    cluster.speakers.add_service("spread", SPREAD, [
        (f"10.1.1.{number}", node) for number, node in enumerate(("node1", "node1", "node1", "node2"), 1)],
        externalTrafficPolicy="Local")

    def ways():
        """In the router's kernel, with their weights, which a single one has not."""
        text = router.host.run("ip", "route", "show", SPREAD).stdout
        return {m[1]: int(m[2] or 0) for m in re.finditer(r"via (\S+) dev \S+(?: weight (\d+))?", text)}
    try:
        cluster.configure([cluster.peer(router)], advertisements=[{"weight": "bandwidth"}])
        weights = wait_for("unequal ways", lambda: (w := ways()) and len(set(w.values())) == 2 and w, timeout=40)
        assert weights == {first: 3 * weights[second], second: weights[second]}
        note("spread by bandwidth", "frr")
        cluster.configure([cluster.peer(router)], advertisements=[{"weight": "prepend"}])
        wait_for("one way", lambda: ways() == {first: 0}, timeout=30)
        paths = {route.via: route.as_path for route in router.routes(f"{SPREAD}/32")}
        assert paths == {first: (ASN,), second: (ASN,) * 3}
        note("weight: prepend", "frr")
    finally:
        router.close()
