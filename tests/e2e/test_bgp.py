# SPDX-License-Identifier: Apache-2.0
"""BGP through BIRD with routers of four makes at once, one node: B01, B06, B08, B11, C09, C27.
The features that a router does not have are told in the table that this file prints."""
import pytest

from harness.bgp import ASN, KINDS, BgpCluster
from harness.bgp_table import note, show_table
from harness.wait import wait_for

V4, V6 = "203.0.113.1", "fd00:203:0:113::1"
NEIGHBOUR = "192.0.2.11"
PREFIXES = (f"{V4}/32", f"{V6}/128")


@pytest.fixture(scope="module", autouse=True)
def print_table(request):
    yield
    show_table(request, "BGP features against peers")


@pytest.fixture(scope="module")
def cluster(module_folder):
    """One node, an external router of each make (.60 and up), and an internal one (.70 and up)."""
    made = BgpCluster(module_folder)
    try:
        for offset, kind in enumerate(KINDS):
            made.add_router(kind, 60 + offset, name=f"{kind}-e")
            made.add_router(kind, 70 + offset, asn=ASN, name=f"{kind}-i")
        made.configure([made.peer(r) for r in made.routers.values()])
        made.start()
        made.speakers.add_service("web", [V4, V6])
        made.up()
        yield made
    finally:
        made.close()


def external(cluster):
    return [r for name, r in cluster.routers.items() if name.endswith("-e")]


def internal(cluster):
    return [r for name, r in cluster.routers.items() if name.endswith("-i")]


def wait_route(router, prefix, condition=lambda route: True):
    return wait_for(f"{prefix} at {router.host.name}",
                    lambda: (route := router.route(prefix)) and condition(route) and route)


def plain(cluster):
    cluster.configure([cluster.peer(r) for r in cluster.routers.values()])


def test_B01_B08_both_families_in_one_session(cluster):
    for router in cluster.routers.values():
        v4, v6 = (wait_route(router, prefix) for prefix in PREFIXES)
        own = () if router.asn == ASN else (ASN,)
        assert (v4.next_hop, v4.as_path) == (NEIGHBOUR, own)
        assert (v6.next_hop, v6.as_path) == (cluster.nodes[0].ip6, own)
        note("MP-BGP, both families", router.kind)
        note("external" if own else "internal", router.kind)
    for address in (V4, V6):
        wait_for("the speaker to say so", lambda a=address: cluster.announced_to(a) == sorted(cluster.routers))
    events = wait_for("an Event on the Service", lambda: cluster.speakers.events("web", "nodeAssigned"))
    assert any('from node "node1" with protocol "bgp"' in e["message"] for e in events)
    assert not cluster.speakers.events("web", "NotAnnounced")
    up = cluster.speakers.events("node1", "BGPSessionUp")
    assert {f'the BGP session with the peer "{name}" is up' for name in cluster.routers} == {e["message"] for e in up}
    wait_for("the Lease to tell", lambda: cluster.annotation() == {"peers": {
        name: {"state": "up", "exported": 2, "error": ""} for name in cluster.routers}})
    node = cluster.nodes[0]
    for router in cluster.routers.values():
        assert cluster.speakers.metric(node, "herald_speaker_bgp_session_up", peer=router.host.name) == 1
        assert cluster.speakers.metric(node, "herald_speaker_bgp_routes_exported", peer=router.host.name) == 2
    assert cluster.speakers.metric(node, "herald_speaker_bgp_addresses_announced") == 2


def test_B06_C09_one_service_is_one_prefix_and_touches_no_session(cluster):
    started = cluster.session_starts()
    before = {name: r.updates(NEIGHBOUR) for name, r in cluster.routers.items()}
    cluster.speakers.add_service("other", "203.0.113.77")
    for router in cluster.routers.values():
        wait_route(router, "203.0.113.77/32")
    assert {name: r.updates(NEIGHBOUR) - before[name] for name, r in cluster.routers.items()} == dict.fromkeys(cluster.routers, 1)
    cluster.kube.patch("services", "other", {"metadata": {"annotations": {"example.com/note": "changed"}}})
    cluster.speakers.set_address("other", "203.0.113.78")
    for router in cluster.routers.values():
        wait_route(router, "203.0.113.78/32")
        wait_for("the old one to go", lambda r=router: not r.route("203.0.113.77/32"))
    after = {name: r.updates(NEIGHBOUR) - before[name] for name, r in cluster.routers.items()}
    assert set(after.values()) == {3}, after  # one withdrawal, one route
    cluster.kube.delete("services", "other")
    for router in cluster.routers.values():
        wait_for("it to go", lambda r=router: not r.route("203.0.113.78/32"))
        note("one prefix per change", router.kind)
    assert cluster.restarted(started) == []
    assert cluster.speakers.metric(cluster.nodes[0], "herald_speaker_bgp_sessions_down_total") == 0


def test_B01_B10_attributes(cluster):
    started = cluster.session_starts()
    cluster.configure([cluster.peer(r) for r in cluster.routers.values()],
                      communities=[{"name": "gold", "value": "64512:77"}],
                      advertisements=[{"localPref": 321, "communities": ["gold", "large:64512:1:2"], "med": 42,
                                       "prepend": 2}])
    for router in cluster.routers.values():
        is_external = router in external(cluster)
        for prefix in PREFIXES:
            route = wait_route(router, prefix, lambda r: "64512:77" in r.communities)
            assert route.communities == {"64512:77"} and route.large == {"64512:1:2"}
            assert route.med == 42
            assert route.as_path == ((ASN,) * 3 if is_external else ())
            if not is_external:
                assert route.local_pref == 321
        for feature in ("communities", "large communities", "MED"):
            note(feature, router.kind)
        note("prepend" if is_external else "local preference", router.kind)
    assert cluster.restarted(started) == []
    plain(cluster)
    for router in cluster.routers.values():
        wait_route(router, PREFIXES[0], lambda r: not r.communities)


def test_B01_advertisements_by_peer_and_service(cluster):
    chosen = external(cluster)[0]
    cluster.speakers.add_service("inner", "203.0.113.90")
    cluster.kube.patch("services", "inner", {"metadata": {"labels": {"kind": "inner"}}})
    cluster.configure([cluster.peer(r) for r in cluster.routers.values()], advertisements=[
        {"name": "inner", "peers": [chosen.host.name], "serviceSelectors": [{"matchLabels": {"kind": "inner"}}]},
        {"name": "rest", "serviceSelectors": [{"matchExpressions": [{"key": "kind", "operator": "NotIn", "values": ["inner"]}]}]}])
    wait_route(chosen, "203.0.113.90/32")
    for router in cluster.routers.values():
        if router is not chosen:
            wait_for("nothing of it", lambda r=router: not r.route("203.0.113.90/32"))
        assert router.route(PREFIXES[0])
    wait_for("the speaker to say so", lambda: cluster.announced_to("203.0.113.90") == [chosen.host.name])
    cluster.kube.delete("services", "inner")
    plain(cluster)


def test_B02_advertisements_that_disagree_are_told_on_the_service(cluster):
    """Where labels alone make them meet, no text could show it before: the first one counts."""
    cluster.speakers.add_service("both", "203.0.113.91")
    cluster.kube.patch("services", "both", {"metadata": {"labels": {"one": "yes", "two": "yes"}}})
    cluster.configure([cluster.peer(r) for r in cluster.routers.values()], advertisements=[
        {"name": "rest"}, {"name": "one", "med": 10, "serviceSelectors": [{"matchLabels": {"one": "yes"}}]},
        {"name": "two", "med": 20, "serviceSelectors": [{"matchLabels": {"two": "yes"}}]}])
    events = wait_for("the Event", lambda: cluster.speakers.events("both", "BGPProblem"))
    assert '"one"' in events[0]["message"] and '"two"' in events[0]["message"]
    assert not cluster.speakers.events("web", "BGPProblem")
    for router in external(cluster):
        assert wait_route(router, "203.0.113.91/32").med == 10
    cluster.kube.delete("services", "both")
    plain(cluster)


def test_B09_one_router_twice(cluster):
    """By peers that select different nodes it is no problem; where the labels of this node make both
    select it, the second is held back, and says which the other is."""
    started = cluster.session_starts()
    router = cluster.routers["frr-e"]

    def label(**labels):
        cluster.kube.patch("nodes", "node1", {"metadata": {"labels": labels}}, ns=None)
    label(one="yes")
    cluster.configure([
        *(cluster.peer(r, **({"nodeSelectors": [{"matchLabels": {"one": "yes"}}]} if r is router else {}))
          for r in cluster.routers.values()),
        {**cluster.peer(router), "name": "again", "nodeSelectors": [{"matchLabels": {"two": "yes"}}]}])
    label(two="yes")
    held = wait_for("it to be held back", lambda: cluster.annotation()["peers"].get("again"))
    assert held["state"] == "held" and '"frr-e"' in held["error"] and "node1" in held["error"]
    assert wait_for("the Event", lambda: cluster.speakers.events("node1", "BGPProblem"))
    assert cluster.restarted(started) == []
    label(two=None)
    wait_for("it to be gone", lambda: "again" not in cluster.annotation()["peers"])
    plain(cluster)


def test_B11_nothing_is_taken_in(cluster):
    """A router that offers routes: BIRD's tables have ours alone."""
    router = cluster.routers["bird-e"]
    text = (router.folder / "bird.conf").read_text()
    (router.folder / "bird.conf").write_text(text.replace("export none", "export all").replace(
        "protocol direct", "protocol static evil { ipv4; route 0.0.0.0/0 blackhole; route 203.0.113.1/32 blackhole; }\nprotocol direct"))
    router.ask("configure")
    bird = cluster.birds["node1"]
    wait_for("the offer", lambda: "evil" in router.ask("show route export n0"))
    wait_for("BIRD to have seen it", lambda: "Import updates:" in bird.ask("show protocols all herald_bgp_bird_e"))
    assert "0.0.0.0/0" not in bird.ask("show route table all")
    assert "0 imported" in bird.ask("show protocols all herald_bgp_bird_e")
    (router.folder / "bird.conf").write_text(text)
    router.ask("configure")
    note("takes in nothing", "bird")


def test_C27_silent_peer_is_given_up(cluster):
    """A peer that goes silent without closing: the hold timer ends the session, the Event has
    the reason, and when it is back it gets all routes."""
    router = cluster.routers["gobgp-e"]
    cluster.configure([cluster.peer(r, **({"holdTime": "3s", "keepaliveTime": "1s"} if r is router else {}))
                       for r in cluster.routers.values()])
    wait_for("the new timers", lambda: "/3" in (cluster.birds["node1"].ask("show protocols all herald_bgp_gobgp_e")
                                                .split("Hold timer:")[1].splitlines()[0]), timeout=20)
    router.host.run("iptables", "-A", "INPUT", "-p", "tcp", "-j", "DROP")
    router.host.run("iptables", "-A", "OUTPUT", "-p", "tcp", "-j", "DROP")
    wait_for("the Event", lambda: [e for e in cluster.speakers.events("node1", "BGPSessionDown")
                                   if '"gobgp-e"' in e["message"] and "Hold timer expired" in e["message"]], timeout=20)
    wait_for("the Lease", lambda: cluster.annotation()["peers"]["gobgp-e"]["state"] == "down")
    assert cluster.annotation()["peers"]["frr-e"]["state"] == "up"
    router.host.run("iptables", "-F")
    wait_for("the session", lambda: router.is_up(NEIGHBOUR), timeout=30)
    wait_route(router, PREFIXES[0])
    note("hold timer", "gobgp")
    plain(cluster)
    cluster.up()
