# SPDX-License-Identifier: Apache-2.0
"""Kinds of BGP sessions, with each router that has them (B01, B04): MD5, another port,
several hops, BFD, graceful restart, unnumbered, and a CNI's own BGP on the node."""
import pytest

from harness.bgp import ASN, KINDS, BgpCluster
from harness.bgp_bird import BirdPeer
from harness.bgp_peer import Neighbour
from harness.bgp_table import note, show_table
from harness.wait import wait_for

V4, V6 = "203.0.113.1", "fd00:203:0:113::1"
PREFIXES = (f"{V4}/32", f"{V6}/128")
NEIGHBOUR = "192.0.2.11"
PASSWORD = "correct-horse-battery"
BFD = [{"name": "fast", "receiveInterval": "100ms", "transmitInterval": "100ms", "detectMultiplier": 3}]


@pytest.fixture(scope="module", autouse=True)
def print_table(request):
    yield
    show_table(request, "BGP sessions against peers")


@pytest.fixture(scope="module")
def cluster(module_folder):
    made = BgpCluster(module_folder)
    try:
        made.configure([])
        made.start()
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
    assert cluster.annotation()["peers"]["gobgp-m"]["state"] == "up"
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
