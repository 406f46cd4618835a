# SPDX-License-Identifier: Apache-2.0
"""The API behind the status page (docs/status-page.md): what it tells, who may see it, and
how it waits for news."""
import base64
import http.client
import json
import threading

import pytest

from harness.controller import PAGE_PORT, Controllers
from harness.mini import MiniApiServer
from harness.page import ask, fetch, row
from harness.wait import wait_for


def test_summary_counts_pools_and_nodes(scene):
    summary = ask("summary")
    assert summary["leading"] and summary["synced"] and summary["configuration"] == "valid"
    assert summary["services"] == {"total": 10, "conflict": 0, "pending": 1, "unannounced": 0, "kept": 0,
                                   "no-endpoints": 1, "ok": 8}
    assert {pool["name"]: pool for pool in summary["pools"]} == {
        "internal": {"name": "internal", "autoAssign": False, "disabled": False,
                     "ipv4": {"addresses": 256, "inUse": 0}, "ipv6": {"addresses": 256, "inUse": 0}},
        "public": {"name": "public", "autoAssign": True, "disabled": False, "ipv4": {"addresses": 40, "inUse": 9}}}
    nodes = {node["name"]: node for node in summary["nodes"]}
    assert nodes["control1"]["verdict"] == "no speaker runs there" and not nodes["control1"]["eligible"]
    assert all(nodes[name]["eligible"] for name in scene.speakers.names)
    assert sum(node["addresses"] for node in nodes.values()) == 9


def test_services_by_filter_and_order(scene):
    def names(**query):
        return [s["name"] for s in ask("services", **query)["services"]]
    webs = [f"web-{n}" for n in range(1, 9)]
    assert names() == ["elsewhere", "no-pods", *webs]
    assert names(sort="health") == ["elsewhere", "no-pods", *webs]
    assert names(sort="health", order="desc") == [*webs, "no-pods", "elsewhere"]
    assert names(order="desc") == [*reversed(webs), "no-pods", "elsewhere"]
    assert names(q="WEB-3") == ["web-3"] and names(q="default/no") == ["no-pods"]
    address = row("web-5")["addresses"][0]
    assert names(q=address["address"]) == ["web-5"]
    assert "web-5" in names(node=address["owner"]) and "elsewhere" not in names(node=address["owner"])
    assert names(health="pending") == ["elsewhere"] and names(pool="internal") == []
    assert names(namespace="default", q="web", offset=2, limit=3) == ["web-3", "web-4", "web-5"]
    assert names(namespace="other") == [] and names(limit=0) == []
    assert names(sort="address")[0] == "elsewhere" and names(sort="address")[1] == "web-1"
    answer = ask("services", q="web", limit=3)
    assert (answer["total"], answer["matched"], answer["offset"]) == (10, 8, 0)


def test_one_service_says_why(scene):
    pending = ask("service", namespace="default", name="elsewhere")
    assert pending["condition"]["reason"] == "AddressOutsidePools" and pending["addresses"] == []
    web = ask("service", namespace="default", name="web-1")
    assert web["ports"] == [{"port": 80, "protocol": "TCP"}] and (web["ready"], web["endpoints"]) == (2, 2)
    assert {v["node"]: v["eligible"] for v in web["verdicts"]} == {
        "control1": False, "node1": True, "node2": True, "node3": True}


@pytest.mark.parametrize("path, status", [
    ("/nowhere", 404), ("/api/v1/service?namespace=default&name=none", 404), ("/api/v1/service?name=web-1", 400),
    ("/api/v1/services?sort=size", 400), ("/api/v1/services?health=good", 400),
    ("/api/v1/services?offset=99999999999999999999&limit=-1", 200), ("/../status", 404), ("/api/v1/timeline?after=x", 200)])
def test_strange_requests(scene, path, status):
    assert fetch(path)[0] == status


def test_only_reading(scene):
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        connection = http.client.HTTPConnection("127.0.0.1", PAGE_PORT, timeout=10)
        connection.request(method, "/api/v1/summary")
        assert connection.getresponse().status == 405


def test_headers_keep_strangers_out(scene):
    for path in ("/", "/api/v1/summary", "/nowhere"):
        headers = fetch(path)[1]
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'" == policy["style-src"]
        assert policy["frame-ancestors"] == "'none'" and "Access-Control-Allow-Origin" not in headers
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("host, status", [("attacker.example", 421), ("attacker.example:7474", 421), ("", 421),
                                          ("localhost:8080", 200), ("127.0.0.1", 200), ("[::1]:7474", 200)])
def test_without_a_token_no_other_name(scene, host, status):
    """Against DNS rebinding: a browser that was told that a foreign name is 127.0.0.1."""
    assert fetch("/api/v1/summary", {"Host": host})[0] == status


def test_waits_for_news(scene):
    seen = ask("timeline")
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(
        ask("timeline", after=seen["last"], revision=seen["revision"], wait=30)))
    waiting.start()
    scene.controllers.add("news")
    waiting.join(30)
    assert answers[0]["revision"] != seen["revision"]
    # Of old news, and after a restart, which the revision tells: at once.
    assert ask("timeline", revision=seen["revision"], wait=30)["entries"] == ask("timeline")["entries"]
    assert ask("timeline", revision="0." + seen["revision"].split(".")[1], wait=30)
    wait_for("the address to be told", lambda: any(
        e["kind"] == "assigned" and e["service"] == "default/news" and e["node"] for e in ask("timeline")["entries"]))
    scene.controllers.remove("news")
    wait_for("its release to be told", lambda: any(
        e["kind"] == "released" and e["service"] == "default/news" and e["from"] for e in ask("timeline")["entries"]))


def test_waits_no_longer_than_asked(scene):
    def quiet():
        seen = ask("timeline")
        answer = ask("timeline", after=seen["last"], revision=seen["revision"], wait=1)
        return answer["revision"] == seen["revision"] and answer["entries"] == []
    wait_for("a second without news", quiet)


def test_timeline_tells_of_moves_conflicts_and_peers(scene):
    """In numbers without gaps; each with what it is about."""
    start = ask("timeline")["last"]

    def told(kind, **about):
        return wait_for(f"{kind} {about}", lambda: next(
            (e for e in ask("timeline", after=start)["entries"]
             if e["kind"] == kind and all(e[key] == value for key, value in about.items())), None))
    address = row("web-1")["addresses"][0]
    owner = address["owner"]
    other = next(name for name in scene.speakers.names if name != owner)
    scene.speakers.renew(owner, holder="")
    assert told("moved", service="default/web-1")["text"] == "its speaker is stopping"
    told("node-leaving", node=owner)
    scene.speakers.renew(owner)
    told("node-up", node=owner)
    scene.kube.patch_status("nodes", owner, {"status": {"conditions": [
        {"type": "NetworkUnavailable", "status": "True"}, {"type": "Ready", "status": "True"}]}})
    told("failover", **{"from": owner})
    scene.kube.patch_status("nodes", owner, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    free = "198.51.100.40"
    scene.speakers.renew(other, conflicts=f"{free}=02:00:00:aa:bb:cc",
                         bgp={"peers": {"tor": {"state": "up", "exported": 9}, "odd": 3}})
    assert "02:00:00:aa:bb:cc" in told("conflict", address=free, node=other)["text"]
    assert "tor" in told("peer-up", node=other)["text"]
    assert ask("summary")["peers"] == [{"node": other, "name": "tor", "state": "up", "exported": 9, "error": ""}]
    scene.speakers.renew(other, conflicts=None, bgp={"peers": {"tor": {"state": "down", "error": "refused"}}})
    told("conflict-ended", address=free)
    assert told("peer-down", node=other)["text"].endswith("refused")
    scene.speakers.renew(other, bgp="[{ no JSON")
    wait_for("no peers", lambda: ask("summary")["peers"] == [])
    scene.speakers.renew(other, bgp=None)
    numbers = [e["number"] for e in ask("timeline")["entries"]]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_announced_by_bgp_alone(scene):
    """Where layer 2 is off: by whoever has a session that is up."""
    bgp = "layer2: []\nbgp:\n  asn: 64512\n  peers: [{name: tor, peerASN: 64513, peerAddress: 192.0.2.254}]\n"
    scene.controllers.reconfigured(scene.config + bgp)
    wait_for("nobody to announce it", lambda: row("web-1")["health"] == "unannounced")
    scene.speakers.renew("node1", bgp={"peers": {"tor": {"state": "up", "exported": 9}}})
    wait_for("BGP to announce it", lambda: row("web-1")["health"] == "ok")
    address = row("web-1")["addresses"][0]
    assert address["bgp"] and address["owner"] is None
    scene.controllers.reconfigured(scene.config)
    scene.speakers.renew("node1", bgp=None)
    wait_for("a node to announce it", lambda: row("web-1")["addresses"][0]["owner"])
    assert not row("web-1")["addresses"][0]["bgp"]


def test_address_of_another_machine(scene):
    """Its Service asked for it and keeps it: announced by nobody, and said to be in conflict."""
    scene.controllers.add("contested", loadBalancerIP="198.51.100.30")
    scene.controllers.assigned("contested")
    scene.speakers.renew("node1", conflicts="198.51.100.30=02:00:00:aa:bb:cc")
    found = wait_for("the conflict", lambda: (lambda s: s if s and s["health"] == "conflict" else None)(row("contested")))
    assert found["addresses"][0]["station"] == "02:00:00:aa:bb:cc" and found["addresses"][0]["foundBy"] == "node1"
    scene.speakers.renew("node1", conflicts=None)
    scene.controllers.remove("contested")


def test_a_replica_that_stands_by_shows_the_same(scene, folder):
    other = "127.0.0.1:7475"
    scene.controllers.start("c2", f"--status-page={other}", "--listen", "127.0.0.1:7476", wait=False)

    def documents():
        status, _, body = fetch("/api/v1/summary", port=7475)
        return json.loads(body) if status == 200 else None
    summary = wait_for("the other replica", lambda: scene.controllers.running["c2"].running and answers(documents))
    assert not summary["leading"]
    mine = ask("summary")
    same = ("services", "pools", "nodes")
    wait_for("the same to be shown", lambda: {k: documents()[k] for k in same} == {k: mine[k] for k in same})
    # Who waits when it stops is told so, and does not hold it up.
    waiting = http.client.HTTPConnection("127.0.0.1", 7475, timeout=40)
    waiting.request("GET", f"/api/v1/timeline?revision={documents()['revision']}&wait=30")
    documents()
    assert scene.controllers.running.pop("c2").stop() == 0
    assert waiting.getresponse().status in (200, 503)


def answers(function):
    try:
        return function()
    except OSError:
        return None


def test_token(scene, folder):
    """Given as a program or as a browser does; one that is replaced counts at once; without
    the file nobody gets in."""
    secret = folder / "token"
    secret.write_text("first-token\n")
    scene.controllers.start("c3", "--status-page=127.0.0.1:7475", f"--status-page-token-file={secret}",
                            "--listen", "127.0.0.1:7476", wait=False)

    def status(headers=None, path="/api/v1/summary"):
        return fetch(path, headers, port=7475)[0]
    wait_for("the page", lambda: answers(status))
    basic = {"Authorization": "Basic " + base64.b64encode(b"anybody:first-token").decode()}
    assert status() == 401 and status(path="/") == 401 and status(path="/script.js") == 401
    assert "Basic" in fetch("/", port=7475)[1]["WWW-Authenticate"]
    assert status({"Authorization": "Bearer first-token"}) == 200 == status(basic)
    for wrong in ("Bearer first-toke", "Bearer first-tokens", "Bearer ", "Bearer", "first-token", "Basic ????", ""):
        assert status({"Authorization": wrong}) == 401
    # With a token the page may be reached under a name.
    assert status({"Host": "herald.example.com", **basic}) == 200
    secret.write_text("second-token")
    assert status(basic) == 401 and status({"Authorization": "Bearer second-token"}) == 200
    secret.unlink()
    assert status({"Authorization": "Bearer second-token"}) == 401
    process = scene.controllers.running.pop("c3")
    assert process.stop() == 0
    assert "first-token" not in process.text() and "second-token" not in process.text()
    assert process.text().count("its token can't be read") == 1


def test_without_the_option_nothing_is_watched_for_it(folder):
    with MiniApiServer(folder / "without") as server:
        controllers = Controllers(server, folder)
        controllers.start("plain")
        assert server.watches("endpointslices") == 0 and server.watches("services") == 1
        assert controllers.stop() == {"plain": 0}
