# SPDX-License-Identifier: Apache-2.0
"""What BGP's peers see of a speaker or a BIRD that dies, hangs, restarts or is removed, and
of a node that leaves: B03, B04, B05, B07, C10, C12, C14, C28."""
import json
import os
import signal
import stat
from pathlib import Path

import pytest

from harness.bgp import BgpCluster
from harness.bgp_peer import Neighbour
from harness.wait import wait_for

VIP, PREFIX, NEIGHBOUR = "203.0.113.1", "203.0.113.1/32", "192.0.2.11"
SHUTDOWN = "65535:0"
PASSWORD, OTHER_PASSWORD = "correct horse battery", "staple of another"


@pytest.fixture(scope="module")
def cluster(module_folder):
    """One node and two routers that keep routes while BIRD restarts."""
    made = BgpCluster(module_folder)
    try:
        for kind in ("frr", "openbgpd"):
            made.add_router(kind)
        plain(made)
        made.start()
        made.speakers.add_service("web", VIP)
        made.up()
        wait_for("the Event", lambda: made.speakers.events("web", "nodeAssigned"))
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def as_before(cluster):
    yield
    plain(cluster)
    node = cluster.nodes[0]
    bird = cluster.birds[node.name]
    if not bird.process.running:
        bird.start()
    if node.name not in cluster.speakers.running:
        cluster.start(node)
    cluster.up()
    wait_everywhere(cluster, lambda route: route and not route.communities)


def plain(cluster, **more):
    cluster.configure([cluster.peer(r, gracefulRestart=True) for r in cluster.routers.values()],
                      drainTime="2s", **more)


def routes(cluster):
    return {name: router.route(PREFIX) for name, router in cluster.routers.items()}


def wait_everywhere(cluster, condition, timeout=20):
    for name, router in cluster.routers.items():
        wait_for(f"the route at {name} to be as wanted", lambda r=router: condition(r.route(PREFIX)), timeout)


def updates(cluster):
    return {name: router.updates(NEIGHBOUR) for name, router in cluster.routers.items()}


def always(cluster, condition, until):
    """The condition holds at each router whenever it is asked, until `until` does."""
    def turn():
        for name, router in cluster.routers.items():
            assert condition(router.route(PREFIX)), name
        return until()
    wait_for("the end of it", turn, timeout=30)


def settled(cluster):
    """The speaker has had BIRD take its configuration, and knows what is exported."""
    return cluster.announced_to(VIP) == sorted(cluster.routers)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_B03_C14_speaker_restart_is_not_seen(cluster, how):
    """Stopped or killed, and started again, as an upgrade does: no UPDATE, no new session, and
    no Event told twice. C10: what it announces is all there."""
    before, started = updates(cluster), cluster.session_starts()
    told = cluster.speakers.events("web", "nodeAssigned")
    cluster.restart_speaker(cluster.nodes[0], how)
    wait_for("the speaker to know", lambda: settled(cluster))
    assert updates(cluster) == before
    assert cluster.restarted(started) == []
    assert cluster.speakers.events("web", "nodeAssigned") == told
    assert set(cluster.annotation()["peers"]) == set(cluster.routers)


def test_B03_node_object_that_is_gone_ends_no_session(cluster):
    """Deleted by mistake and registered again by its kubelet, first without an address: no UPDATE,
    and after that it is followed again."""
    before, started = updates(cluster), cluster.session_starts()
    whole = cluster.kube.get("nodes", "node1", ns=None)
    log = cluster.speakers.running["node1"]
    said = log.text().count("BGP stays as it is")
    cluster.kube.delete("nodes", "node1", ns=None)
    try:
        wait_for("it to be missed", lambda: log.text().count("BGP stays as it is") > said)
    finally:
        cluster.kube.create({key: whole[key] for key in ("apiVersion", "kind")} |
                            {"metadata": {"name": "node1", "labels": whole["metadata"].get("labels", {})}})
        cluster.kube.patch_status("nodes", "node1", {"status": {
            key: whole["status"][key] for key in ("addresses", "conditions")}}, ns=None)
    cluster.speakers.add_service("other", "203.0.113.77")
    try:
        wait_for("the next address", lambda: all(r.route("203.0.113.77/32") for r in cluster.routers.values()))
        assert cluster.restarted(started) == []
        assert {name: after - before[name] for name, after in updates(cluster).items()} == dict.fromkeys(before, 1)
    finally:
        cluster.kube.delete("services", "other")
    wait_for("it to be withdrawn", lambda: not any(r.route("203.0.113.77/32") for r in cluster.routers.values()))


def test_B03_speaker_without_api_server_changes_nothing(cluster):
    before, started = updates(cluster), cluster.session_starts()
    include = cluster.birds["node1"].include
    text = include.read_text()
    process = cluster.speakers.running.pop("node1")
    process.kill()
    cluster.server.down()
    cluster.speakers.has_config = False  # it can't read one
    try:
        cluster.start()
        wait_for("BIRD to be there", lambda: "BIRD is there" in cluster.speakers.running["node1"].text())
        wait_for("it to have tried", lambda: "watch fails" in cluster.speakers.running["node1"].text(), timeout=20)
        assert include.read_text() == text
    finally:
        cluster.speakers.has_config = True
        cluster.server.up()
    wait_for("the speaker to know", lambda: settled(cluster), timeout=30)
    assert updates(cluster) == before and cluster.restarted(started) == []


@pytest.mark.parametrize("how", ["killed", "hangs"])
def test_B04_bird_that_dies_or_hangs(cluster, how):
    """Killed: routers keep the routes as stale, BIRD comes back and has all. Hanging: told, and
    mended when it goes on."""
    bird = cluster.birds["node1"]
    if how == "killed":
        bird.kill()
    else:
        bird.process.signal(signal.SIGSTOP)
    wait_for("the Lease to tell", lambda: {p["state"] for p in cluster.annotation()["peers"].values()} == {"unknown"})
    assert all(p["error"] for p in cluster.annotation()["peers"].values())
    assert cluster.announced_to(VIP) == []
    assert cluster.speakers.metric(cluster.nodes[0], "herald_speaker_bgp_addresses_announced") == 0
    assert all(routes(cluster).values())
    if how == "killed":
        bird.process = None
        bird.start()
    else:
        bird.process.signal(signal.SIGCONT)
    always(cluster, lambda route: route, lambda: settled(cluster))
    wait_for("the Lease to tell", lambda: {p["state"] for p in cluster.annotation()["peers"].values()} == {"up"})


def test_B04_socket_disappears(cluster):
    bird = cluster.birds["node1"]
    hidden = bird.folder / "hidden"
    os.rename(bird.socket, hidden)
    cluster.restart_speaker(cluster.nodes[0])
    wait_for("it to be told", lambda: "cannot connect" in cluster.status()["bird"])
    assert all(routes(cluster).values())
    os.rename(hidden, bird.socket)
    wait_for("the speaker to know", lambda: settled(cluster))


def test_B04_bird_that_refuses_its_configuration(cluster):
    """Something is wrong in BIRD's own file: nothing changes, it is told, and mends itself."""
    bird = cluster.birds["node1"]
    good = bird.config.read_text()
    started = cluster.session_starts()
    bird.config.write_text(good + "protocol nonsense {}\n")
    cluster.speakers.add_service("late", "203.0.113.9")
    wait_for("the problem", lambda: "refuses" in cluster.status()["bird"])
    assert all(routes(cluster).values()) and cluster.announced_to("203.0.113.9") == []
    bird.config.write_text(good)
    wait_for("the late one", lambda: all(r.route("203.0.113.9/32") for r in cluster.routers.values()), timeout=30)
    assert cluster.restarted(started) == []
    cluster.kube.delete("services", "late")


def test_B04_bird_that_waits_for_its_first_file(cluster):
    """As in config/bgp: there is neither BIRD nor a file; the speaker writes it, and BIRD begins."""
    bird = cluster.birds["node1"]
    cluster.speakers.running.pop("node1").kill()
    bird.kill()
    text = bird.include.read_text()
    bird.include.unlink()
    cluster.start()
    wait_for("the file", lambda: bird.include.exists() and bird.include.read_text() == text)
    bird.start()
    wait_for("the speaker to know", lambda: settled(cluster), timeout=30)


def test_B03_B07_secrets_that_cannot_be_read_end_no_session(cluster):
    """A speaker starts while the API server has no answer about Secrets: the session that has its
    password goes on, and so does it after."""
    locked = cluster.add_router("bird", 81, password=PASSWORD)
    cluster.kube.create(secret(PASSWORD))
    try:
        cluster.configure([*(cluster.peer(r, gracefulRestart=True) for r in cluster.routers.values() if r is not locked),
                           cluster.peer(locked, passwordSecret={"name": "r"})], drainTime="2s")
        wait_for("the route", lambda: locked.is_up(NEIGHBOUR) and locked.route(PREFIX), timeout=20)
        started = cluster.session_starts()
        cluster.speakers.running.pop("node1").kill()
        fault = {"verb": "list", "path": "secrets", "code": 500, "times": -1}
        cluster.server.fault("status", **fault)
        cluster.server.fault("status", **{**fault, "verb": "watch"})
        cluster.start()
        wait_for("it to be told", lambda: "a Secret cannot be watched" in cluster.speakers.running["node1"].text(), timeout=20)
        assert cluster.restarted(started) == []
        cluster.server.clear_faults()
        wait_for("the speaker to know", lambda: settled(cluster), timeout=40)
        assert cluster.restarted(started) == []
    finally:
        cluster.server.clear_faults()
        cluster.routers.pop(locked.host.name).close()
        cluster.kube.delete("secrets", "r", "herald-system")


def test_B01_C28_extra_text_that_bird_refuses_is_left_out(cluster):
    """Text of the administrator's: good, it is in force; bad, that alone is left out, and the peer says so."""
    first, second = cluster.routers.values()
    peers = [cluster.peer(first, gracefulRestart=True, birdConfig="description \"from the admin\"; nonsense on;"),
             cluster.peer(second, gracefulRestart=True, birdConfig="description \"good text\";")]
    cluster.configure(peers, drainTime="2s")
    bird = cluster.birds["node1"]
    wait_for("the good text", lambda: "good text" in bird.ask("show protocols all"))
    problem = wait_for("the problem", lambda: cluster.annotation()["peers"][first.host.name]["error"])
    assert "refuses" in problem
    assert cluster.annotation()["peers"][second.host.name]["error"] == ""
    assert "from the admin" not in bird.include.read_text()
    cluster.up()
    peers[0]["birdConfig"] = "description \"from the admin\";"
    cluster.configure(peers, drainTime="2s")
    wait_for("the mended text", lambda: "from the admin" in bird.ask("show protocols all"))
    wait_for("no problem", lambda: cluster.annotation()["peers"][first.host.name]["error"] == "")
    cluster.configure(peers, drainTime="2s", birdConfig="nonsense;")
    wait_for("the problem of the text beside all", lambda: "refuses" in cluster.status()["bird"])
    assert "from the admin" in bird.ask("show protocols all")
    cluster.configure(peers, drainTime="2s")
    wait_for("no problem", lambda: cluster.status()["bird"] == "")


def test_C28_fault_in_birds_own_file_costs_no_extra_text(cluster):
    """It is refused with and without the administrator's text: that is back once the file is mended."""
    first = next(iter(cluster.routers.values()))
    bird = cluster.birds["node1"]
    cluster.configure([cluster.peer(r, gracefulRestart=True, **({"birdConfig": "description \"kept text\";"} if r is first else {}))
                       for r in cluster.routers.values()], drainTime="2s")
    wait_for("the text", lambda: "kept text" in bird.ask("show protocols all"))
    text = bird.config.read_text()
    try:
        bird.config.write_text(text + "nonsense;\n")
        cluster.speakers.add_service("more", "203.0.113.7")
        wait_for("the refusal", lambda: "refuses" in cluster.annotation()["peers"][first.host.name]["error"])
    finally:
        bird.config.write_text(text)
    wait_for("the route", lambda: first.route("203.0.113.7/32"), timeout=40)
    wait_for("the text in force", lambda: "kept text" in bird.include.read_text() and cluster.status()["bird"] == "", timeout=20)
    wait_for("no problem", lambda: cluster.annotation()["peers"][first.host.name]["error"] == "")
    cluster.kube.delete("services", "more", "default")


@pytest.mark.parametrize("label", ["herald.io/drain", "node.kubernetes.io/exclude-from-external-load-balancers"])
def test_B05_C12_node_that_leaves_says_so_first(cluster, label):
    """By label: GRACEFUL_SHUTDOWN, then nothing; the sessions stay. And back."""
    started = cluster.session_starts()
    node = cluster.nodes[0]
    cluster.kube.patch("nodes", node.name, {"metadata": {"labels": {label: "true"}}}, ns=None)
    wait_everywhere(cluster, lambda route: route and SHUTDOWN in route.communities)
    assert cluster.status()["leaving"] == "shutting down"
    wait_everywhere(cluster, lambda route: route is None)
    assert cluster.restarted(started) == []
    cluster.kube.patch("nodes", node.name, {"metadata": {"labels": {label: None}}}, ns=None)
    wait_everywhere(cluster, lambda route: route and not route.communities)


DAEMONSET = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "herald-speaker", "namespace": "herald-system"},
             "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
                 "containers": [{"name": "c", "image": "i"}]}}}}


def restart_with_daemonset(cluster):
    node = cluster.nodes[0]
    cluster.speakers.running.pop(node.name).stop()
    cluster.speakers.start(node, args=[*cluster.birds[node.name].args, "--daemonset", "herald-speaker"])
    wait_for("the speaker to know", lambda: settled(cluster))


def test_B05_planned_restart_and_removal_are_told_apart(cluster):
    cluster.kube.ensure(DAEMONSET)
    restart_with_daemonset(cluster)
    word = cluster.birds["node1"].include.parent / "stop"
    before = updates(cluster)
    process = cluster.speakers.running.pop("node1")
    assert process.stop() == 0
    assert word.read_text() == "restart\n"
    assert updates(cluster) == before and all(routes(cluster).values())
    restart = cluster.speakers
    restart.start(cluster.nodes[0], args=[*cluster.birds["node1"].args, "--daemonset", "herald-speaker"])
    wait_for("the speaker to know", lambda: settled(cluster))
    assert not word.exists()
    cluster.kube.delete("daemonsets", "herald-speaker", "herald-system")
    process = cluster.speakers.running.pop("node1")
    process.signal(signal.SIGTERM)
    wait_everywhere(cluster, lambda route: route and SHUTDOWN in route.communities)
    wait_everywhere(cluster, lambda route: route is None)
    assert process.wait(timeout=20) == 0
    assert word.read_text() == "remove\n"
    word.unlink()


def test_B05_removal_of_a_node_that_is_leaving_does_not_wait_for_all_of_drain_time(cluster):
    """The pod would be killed before, and its routes kept by who knows graceful restart."""
    cluster.kube.ensure(DAEMONSET)
    restart_with_daemonset(cluster)
    word = cluster.birds["node1"].include.parent / "stop"
    cluster.configure([cluster.peer(r, gracefulRestart=True) for r in cluster.routers.values()], drainTime="300s")
    drain = {"metadata": {"labels": {"herald.io/drain": "true"}}}
    cluster.kube.patch("nodes", "node1", drain, ns=None)
    try:
        wait_everywhere(cluster, lambda route: route and SHUTDOWN in route.communities)
        cluster.kube.delete("daemonsets", "herald-speaker", "herald-system")
        process = cluster.speakers.running.pop("node1")
        process.signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0
        assert word.read_text() == "remove\n"
        assert not any(routes(cluster).values())
        word.unlink()
    finally:
        drain["metadata"]["labels"]["herald.io/drain"] = None
        cluster.kube.patch("nodes", "node1", drain, ns=None)


def secret(password, type="kubernetes.io/basic-auth"):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "r", "namespace": "herald-system"},
            "type": type, "stringData": {"username": "any", "password": password}}


def test_B07_C28_password_in_a_secret(cluster):
    """Missing, of another type, right, rotated: only that peer is held back, and heals by itself;
    the password is nowhere that others could read."""
    locked = cluster.add_router("bird", 80, password=PASSWORD)
    first = next(iter(cluster.routers.values()))
    node = cluster.nodes[0]
    try:
        cluster.configure([cluster.peer(first, gracefulRestart=True),
                           cluster.peer(locked, passwordSecret={"name": "r"})], drainTime="2s")
        name = locked.host.name

        def held(why):
            state = wait_for(f"it to be held back: {why}", lambda: (
                p := cluster.annotation()["peers"][name]) and why in p["error"] and p)
            assert state["state"] == "held"
            assert cluster.annotation()["peers"][first.host.name]["state"] == "up"
        held("does not exist")
        cluster.kube.create(secret(PASSWORD, "Opaque"))
        held("is not of type kubernetes.io/basic-auth")
        cluster.kube.delete("secrets", "r", "herald-system")
        cluster.kube.create(secret(PASSWORD))
        wait_for("the session", lambda: locked.is_up(NEIGHBOUR), timeout=20)
        assert wait_for("the route", lambda: locked.route(PREFIX))
        before = cluster.session_starts()
        # Rotated at the router first, then in the Secret.
        locked.neighbours = [Neighbour(node.ip, 64512, password=OTHER_PASSWORD)]
        locked.reconfigure()
        cluster.kube.patch("secrets", "r", {"stringData": {"password": OTHER_PASSWORD}}, ns="herald-system")
        wait_for("the session with the new one", lambda: locked.is_up(NEIGHBOUR) and
                 OTHER_PASSWORD in cluster.birds["node1"].include.read_text(), timeout=30)
        wait_for("BIRD to show it", lambda: f"herald_bgp_{name}" in cluster.session_starts())
        assert f"herald_bgp_{first.host.name}" not in cluster.restarted(before)
        # Made anew: no session ends meanwhile.
        before = cluster.session_starts()
        cluster.kube.delete("secrets", "r", "herald-system")
        wait_for("it to be told", lambda: any("goes on with the password" in p for p in cluster.status()["problems"]))
        cluster.kube.create(secret(OTHER_PASSWORD))
        wait_for("all to be well", lambda: cluster.status()["problems"] == [])
        assert cluster.annotation()["peers"][name]["state"] == "up" and cluster.restarted(before) == []
        assert_not_shown(cluster, node)
    finally:
        cluster.routers.pop(locked.host.name).close()
        cluster.kube.delete("secrets", "r", "herald-system")


def assert_not_shown(cluster, node):
    process = cluster.speakers.running[node.name]
    include = cluster.birds[node.name].include
    assert stat.S_IMODE(include.stat().st_mode) & 0o007 == 0
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert next(line for line in limits.splitlines() if "core file" in line).split()[4] in ("0", "1")
    shown = process.text() + cluster.birds[node.name].process.text()
    shown += cluster.speakers.page(node, "/metrics") + cluster.speakers.page(node, "/status")
    shown += Path(f"/proc/{process.pid}/cmdline").read_text() + Path(f"/proc/{process.pid}/environ").read_text()
    for resource, ns in (("events", "default"), ("leases", "herald-system")):
        shown += json.dumps(cluster.kube.items(resource, ns))
    for word in (PASSWORD, OTHER_PASSWORD):
        assert word not in shown
