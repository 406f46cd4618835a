# SPDX-License-Identifier: Apache-2.0
"""`heraldctl status`, `services`, `pools` and `nodes`: tables as kubectl prints them, and
data of a stable shape, from both API servers."""
import pytest

from harness import kube
from harness.controller import addresses
from harness.ctl import heraldctl
from harness.herald_objects import NS
from harness.kubectl import rows
from harness.mini import MiniApiServer
from harness.wait import wait_for

STRANGER = "02:00:00:aa:bb:cc"
PER_CLIENT = """apiVersion: herald.io/v1
pools: [{name: main, addresses: [192.0.2.1-192.0.2.4], spread: per-client}]
"""


def test_services_as_a_table_and_as_data(on_both):
    on_both.add("web")
    on_both.kube.ensure(kube.namespace("shop"))
    on_both.add("api", "shop", externalTrafficPolicy="Local")
    on_both.add("waits", loadBalancerIP="203.0.113.9")
    address = addresses(on_both.kube.get("services", "web"))[0]
    table = rows(on_both.ctl("services").out)
    assert [row["NAME"] for row in table] == ["waits", "web"]
    assert list(table[0]) == ["NAME", "ADDRESSES", "NODES", "STATE"]
    assert table[0]["STATE"] == "Pending" and table[0]["ADDRESSES"] == "<none>"
    assert table[1] == {"NAME": "web", "ADDRESSES": address, "NODES": table[1]["NODES"], "STATE": "Announced"}
    assert table[1]["NODES"] in ("node1", "node2")
    everywhere = {row["NAME"]: row for row in rows(on_both.ctl("services", "-A", "-o", "wide").out)}
    assert set(everywhere) == {"api", "waits", "web"}
    assert everywhere["api"]["NAMESPACE"] == "shop" and everywhere["api"]["POLICY"] == "Local"
    assert everywhere["api"]["STATE"] == "NoEligibleNode"
    assert "203.0.113.9" in everywhere["waits"]["WHY"]
    data = on_both.json("services", "web")
    assert data == on_both.yaml("services", "web") == {"services": [{
        "namespace": "default", "name": "web", "state": "Announced", "why": "", "externalTrafficPolicy": "Cluster",
        "addresses": [{"address": address, "pool": "main", "node": table[1]["NODES"],
                       "bgpNodes": [], "sharers": 1, "station": None}],
    }]}


def test_all_nodes_that_serve_an_address_are_told(herald):
    """Of a pool with `spread: per-client`."""
    herald.controllers.reconfigured(PER_CLIENT)
    herald.add("web")
    assert [row["NODES"] for row in rows(herald.ctl("services").out)] == ["node1,node2"]
    assert [row["ADDRESSES"] for row in rows(herald.ctl("nodes").out)] == ["1", "1"]
    assert "2 nodes serve 192.0.2.1 at the same time" in herald.ctl("why", "svc/web", code=1).out


def test_pools_count_as_the_controller_does(herald):
    herald.add("one")
    assert rows(herald.ctl("pools").out) == [
        {"NAME": "asked", "IPV4": "-", "IPV6": "0/18446744073709551616", "ASSIGNS": "on request"},
        {"NAME": "main", "IPV4": "1/4", "IPV6": "-", "ASSIGNS": "automatically"}]
    wide = rows(herald.ctl("pools", "main", "-o", "wide").out)
    assert wide[0]["ADDRESSES"] == "192.0.2.1-192.0.2.4" and wide[0]["PRIORITY"] == "0"
    assert herald.json("pools", "main") == {"pools": [{
        "name": "main", "ipv4": {"used": 1, "total": 4.0}, "ipv6": {"used": 0, "total": 0.0},
        "assigns": "automatically", "priority": 0, "addresses": ["192.0.2.1-192.0.2.4"]}]}


def test_nodes_and_who_is_alive(herald):
    """node2's speaker is dead: its Lease says so, and is seen not to be renewed."""
    herald.tell("node2", ago=9, duration=2)
    for name in ("one", "two"):
        herald.add(name)
    table = {row["NAME"]: row for row in rows(herald.ctl("nodes", "-o", "wide").out)}
    assert (table["node1"]["SPEAKER"], table["node1"]["ADDRESSES"]) == ("alive", "2")
    assert (table["node1"]["VERDICT"], table["node1"]["INTERFACES"]) == ("eligible", "eth0")
    assert (table["node2"]["SPEAKER"], table["node2"]["ADDRESSES"]) == ("dead", "0")
    assert table["node2"]["VERDICT"] == "its speaker's Lease has expired"
    data = herald.json("nodes", "node1")["nodes"][0]
    assert data["addresses"] == ["192.0.2.1", "192.0.2.2"] and data["speaker"] == "alive"


def test_K58_clocks_that_differ_bury_nobody(herald):
    """A Lease that looks old is renewed while heraldctl looks: it is alive."""
    herald.tell("node2", ago=3700, duration=10)
    running = herald.start("nodes", "node2", "-o", "json")
    wait_for("its watch of the Leases", lambda: herald.server.watches("leases"))

    def renewed():
        herald.tell("node2", ago=3600, duration=10)
        return not running.running
    wait_for("the answer", renewed)
    assert '"speaker": "alive"' in running.text()


def test_status_is_good_then_names_what_is_wrong(on_both):
    on_both.add("web")
    good = on_both.ctl("status").out
    assert "alive on 2 of 2 nodes" in good and "c1 leads" in good and "1: 1 Announced" in good
    assert "PROBLEM" not in good and on_both.json("status")["good"]
    on_both.tell("node2", conflicts=f"192.0.2.1={STRANGER}")
    on_both.kube.delete("nodes", "node1")
    on_both.add("pending", loadBalancerIP="203.0.113.1")
    on_both.add("taken", loadBalancerIP="192.0.2.1")
    bad = on_both.json("status", code=1)
    assert not bad["good"] and bad["conflicts"] == 1 and bad["nodes"] == {"total": 1, "speakersAlive": 1}
    assert "203.0.113.1" in {p["about"]: p["problem"] for p in bad["problems"]}["service/default/pending"]
    assert bad["services"]["total"] == 3 and bad == on_both.yaml("status", code=1)
    assert "service/default/pending" in on_both.ctl("status", code=1).out


def test_status_without_a_controller(herald):
    assert herald.controllers.running.pop("c1").stop() == 0
    bad = herald.json("status", code=1)
    assert [p["about"] for p in bad["problems"]] == ["controller"] and not bad["controller"]["alive"]
    elsewhere = herald.ctl("status", "--herald-namespace", "default", code=1).out
    assert "is Herald installed" in elsewhere and "there is no ConfigMap" in elsewhere


def test_watch_prints_what_changes_as_kubectl_does(on_both):
    on_both.add("web")
    table, data = on_both.start("services", "-w"), on_both.start("services", "--watch", "-o", "json")
    wait_for("the first row", lambda: "web" in table.text() and '"web"' in data.text())
    on_both.add("later")
    wait_for("the new row", lambda: "later" in table.text() and '"later"' in data.text())
    on_both.kube.patch("nodes", "node1", {"metadata": {"labels": {"herald.io/drain": ""}}})
    on_both.kube.patch("nodes", "node2", {"metadata": {"labels": {"herald.io/drain": ""}}})
    wait_for("both without a node", lambda: table.text().count("NoEligibleNode") >= 2)
    assert table.text().count("STATE") == 1
    for running in (table, data):
        running.stop()


def test_K02_the_class_is_learnt_from_the_controllers_deployment(on_both):
    """So that nobody has to say it each time; what the command line says counts more."""
    labels = {"app.kubernetes.io/name": "herald", "app.kubernetes.io/component": "controller"}
    on_both.controllers.add("ours", loadBalancerClass="example.com/herald")
    on_both.controllers.add("plain")
    assert [row["NAME"] for row in rows(on_both.ctl("services").out)] == ["plain"]
    on_both.kube.create({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": kube.metadata("herald-controller", NS, labels),
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "containers": [{"name": "controller", "image": "herald",
                            "args": ["--listen=:1", "--load-balancer-class=example.com/herald"]}]}}}})
    assert [row["NAME"] for row in rows(on_both.ctl("services").out)] == ["ours"]
    assert on_both.ctl("services", "--load-balancer-class", "x/y").out == ""
    on_both.kube.patch("deployments", "herald-controller", {"spec": {"template": {"spec": {"containers": [
        {"name": "controller", "image": "herald", "args": [
            "--load-balancer-class", "example.com/herald", "--handle-unset-class"]}]}}}}, NS)
    assert [row["NAME"] for row in rows(on_both.ctl("services").out)] == ["ours", "plain"]


@pytest.fixture(scope="module")
def bare():
    """An API server with nothing of Herald's but its namespace."""
    with MiniApiServer() as server:
        server.admin.create(kube.namespace(NS))
        yield server


def ask(bare, *args, **kwargs):
    return heraldctl(*args, "--kubeconfig", kwargs.pop("kubeconfig", bare.kubeconfig), **kwargs)


def test_a_name_that_is_not_there_is_told_with_a_suggestion(bare):
    bare.admin.ensure(kube.service("frontend"))
    done = ask(bare, "services", "fronted")
    assert (done.code, done.out) == (1, "")
    assert 'did you mean "frontend"?' in done.err
    assert "there are no services in namespace kube-system" in ask(bare, "services", "-n", "kube-system").err


def test_hostile_objects_neither_steer_the_terminal_nor_break_the_table(bare):
    bare.admin.ensure(kube.service("evil"))
    bare.admin.patch_status("services", "evil", {"status": {"conditions": [{
        "type": "herald.io/Assigned", "status": "False", "reason": "X", "message": "\x1b[2J\nNAME",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})
    done = ask(bare, "services", "evil", "-o", "wide")
    assert "\x1b" not in done.out and len(done.out.splitlines()) == 2


@pytest.mark.parametrize("verb", ["status", "services", "pools", "nodes"])
def test_what_cannot_be_told_is_2_and_says_what_to_do(bare, workdir, verb):
    refused = ask(bare, verb, kubeconfig=bare.kubeconfig_for("nobody"))
    assert (refused.code, refused.out) == (2, "")
    assert "Forbidden" in refused.err and "ask as somebody who has these rights" in refused.err
    nowhere = ask(bare, verb, kubeconfig="nowhere")
    assert nowhere.code == 2 and "--kubeconfig or --context" in nowhere.err
    away = ask(bare, verb, "--server", "https://127.0.0.1:1")
    assert away.code == 2 and "is the API server up" in away.err
    wrong = ask(bare, verb, "-o", "xml")
    assert wrong.code == 64 and "-o yaml" in wrong.err
