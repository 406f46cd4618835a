# SPDX-License-Identifier: Apache-2.0
"""`heraldctl why`: one finding a test, by the reason that it names and what it tells to do
(O04, C22). A controller runs everywhere; speakers run where it is they who find it."""
import json

import pytest

from harness import kube
from harness.controller import Controllers, addresses
from harness.ctl import heraldctl
from harness.mini import MiniApiServer
from harness.speaker import Speakers
from harness.wait import wait_for

STRANGER = "02:00:00:aa:bb:cc"
CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.1-192.0.2.2]
- name: teams
  addresses: [198.51.100.0/24]
  namespaces: [team]
"""


def why(herald, name, *args, code=1):
    """The findings by step, and what is to be done next."""
    answer = herald.json("why", name, *args, code=code)
    assert answer["good"] == (code == 0)
    return answer


def findings(answer, step):
    return [f for f in answer["findings"] if f["step"] == step]


def wrong(answer):
    return [f["reason"] for f in answer["findings"] if f["result"] == "wrong"]


def serve(herald, name, node=None, **spec):
    """A Service with its address and a ready endpoint."""
    herald.kube.create(kube.endpointslice(name, [("10.0.0.1", node)]))
    herald.add(name, **spec)
    return addresses(herald.kube.get("services", name))


def test_O04_nothing_is_wrong(on_both):
    ip = serve(on_both, "web")[0]
    answer = why(on_both, "web", code=0)
    assert [f["step"] for f in answer["findings"] if f["result"] == "good"] == [
        "service", "configuration", "controller", "pools", "address", "condition", "nodes", "owner", "conflicts",
        "endpoints"]
    assert findings(answer, "nodes")[0]["text"] == "node1, node2: eligible"
    assert "elected among the 2 nodes" in findings(answer, "owner")[0]["text"]
    assert any("IPAllocated" in f["text"] for f in findings(answer, "events"))
    assert ip in answer["next"][0] and answer == on_both.yaml("why", "svc/web", "-n", "default")
    text = on_both.ctl("why", "default/web").out
    assert text.startswith("RESULT   STEP") and "\nNext:\n- nothing is wrong" in text


def test_a_foreign_class(herald):
    herald.controllers.add("web", loadBalancerClass="example.com/other")
    answer = why(herald, "web")
    assert wrong(answer) == ["ForeignClass"] and "example.com/other" in answer["findings"][0]["text"]
    assert "--load-balancer-class" in answer["next"][0]


def test_not_a_load_balancer(herald):
    herald.controllers.add("web", type="ClusterIP", allocateLoadBalancerNodePorts=None)
    answer = why(herald, "web")
    assert wrong(answer) == ["NotLoadBalancer"] and "spec.type" in answer["next"][0]


def test_no_pool_that_is_asked_for(herald):
    herald.add("web")
    herald.controllers.change("web", annotations={"herald.io/pool": "mian"})
    herald.add("late", loadBalancerIP="203.0.113.7")
    answer = why(herald, "late")
    assert wrong(answer) == ["AddressOutsidePools"]
    assert findings(answer, "pools")[0]["reason"] == "AddressOutsidePools"
    assert "add it to a pool" in answer["next"][0]


def test_A09_pools_are_exhausted_and_each_says_why_it_refused(on_both):
    for name in ("one", "two", "web"):
        on_both.add(name)
    answer = why(on_both, "web")
    assert [(f["reason"], f["text"]) for f in findings(answer, "pools")] == [
        ("PoolFull", "pool `main`: full"),
        ("NamespaceNotSelected", "pool `teams`: does not select namespace `default`")]
    assert wrong(answer) == ["NoAddressAvailable"] and "enlarge a pool" in answer["next"][0]


def test_A07_the_address_asked_for_is_taken(herald):
    herald.add("first")
    taken = addresses(herald.kube.get("services", "first"))[0]
    herald.add("web", loadBalancerIP=taken)
    answer = why(herald, "web")
    assert wrong(answer) == ["AddressInUse"] and "default/first" in findings(answer, "pools")[0]["text"]
    assert taken in findings(answer, "request")[0]["text"]


def test_C22_a_control_plane_that_is_excluded(herald):
    serve(herald, "web")
    herald.kube.delete("nodes", "node2")
    herald.kube.patch("nodes", "node1", {"metadata": {"labels": {
        "node.kubernetes.io/exclude-from-external-load-balancers": ""}}})
    answer = why(herald, "web")
    assert wrong(answer) == ["NodeRefused", "NoEligibleNode"]
    assert findings(answer, "nodes")[0]["text"].startswith("node1: labelled node.kubernetes.io/exclude")
    assert "nodes.ignoreExcludeLabel: true" in answer["next"][0]


def test_K42_no_eligible_node_and_each_one_says_why(herald):
    serve(herald, "web")
    herald.tell("node1", holder="")
    herald.kube.patch("nodes", "node2", {"metadata": {"labels": {"herald.io/drain": ""}}})
    answer = why(herald, "web")
    assert wrong(answer) == ["NodeRefused", "NodeRefused", "NoEligibleNode"]
    assert {f["text"].split(":")[0] for f in findings(answer, "nodes")} == {"node1", "node2"}
    assert "heraldctl undrain NODE" in answer["next"]


def test_K30_local_without_endpoints(on_both):
    on_both.add("web", externalTrafficPolicy="Local")
    answer = why(on_both, "web")
    assert wrong(answer) == ["NodeRefused", "NoEligibleNode", "NoEndpoints"]
    assert "no endpoint there" in findings(answer, "nodes")[0]["text"]
    on_both.kube.create(kube.endpointslice("web", [("10.0.0.1", "node2")]))
    good = why(on_both, "web", code=0)
    assert "node2 announces" in findings(good, "owner")[0]["text"]
    assert "no other node suits as well" in findings(good, "owner")[0]["text"]


def test_K38_without_endpoints_it_is_announced_and_refused(herald):
    herald.add("web")
    answer = why(herald, "web")
    assert wrong(answer) == ["NoEndpoints"] and "endpointslices -l kubernetes.io/service-name=web" in answer["next"][0]


def test_L14_not_announced_by_any_rule(herald):
    serve(herald, "web")
    herald.controllers.reconfigured(CONFIG + "layer2:\n- {pools: [teams]}\n")
    answer = why(herald, "web")
    assert wrong(answer) == ["NotAnnounced"] and "add a rule to layer2" in answer["next"][0]


def test_a_controller_that_is_away(herald):
    """What it would decide is told all the same."""
    assert herald.controllers.running.pop("c1").stop() == 0
    herald.controllers.add("web")
    answer = why(herald, "web")
    assert "ControllerAway" in wrong(answer) and findings(answer, "condition")[0]["reason"] == "NoCondition"
    assert findings(answer, "pools")[0]["text"] == "192.0.2.1 is free for it"


def test_a_configuration_that_is_refused(herald):
    serve(herald, "web")
    herald.controllers.set_config("apiVersion: herald.io/v1\npools: [{name: a}]\n")
    answer = why(herald, "web")
    assert "ConfigRejected" in wrong(answer) and "line 2" in findings(answer, "configuration")[0]["text"]
    assert "heraldctl validate" in answer["next"][0]


def test_who_has_no_right_to_events_is_told_the_rest(herald):
    serve(herald, "web")
    for kind, name, rules in (
            ("ClusterRole", "look", [
                {"apiGroups": [""], "resources": ["services", "nodes", "namespaces", "configmaps"],
                 "verbs": ["list", "watch"]},
                {"apiGroups": ["discovery.k8s.io", "coordination.k8s.io"], "resources": ["endpointslices", "leases"],
                 "verbs": ["list", "watch"]}]),):
        herald.kube.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name},
                            "rules": rules})
    herald.kube.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                        "metadata": {"name": "look"}, "subjects": [{"kind": "User", "name": "looker"}],
                        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "look"}})
    done = herald.ctl("why", "web", kubeconfig=herald.server.kubeconfig_for("looker"))
    assert "its Events can't be read" in done.err and "grant verb `list` on `events`" in done.err
    assert "owner" in done.out


def test_no_such_service_with_suggestions(herald):
    herald.kube.ensure(kube.namespace("shop"))
    herald.add("web")
    herald.add("cart", "shop")
    for name, says in (("wev", 'did you mean "web"?'), ("cart", "add -n shop"), ("zzz", "services -A")):
        done = herald.ctl("why", name, code=1)
        assert says in done.err and done.out == ""
    assert heraldctl("why").code == 64


@pytest.fixture
def at_work(lab, workdir):
    """A controller and real speakers, against the embedded API server."""
    server = MiniApiServer(workdir / "api", listen="10.199.0.1:0")
    speakers = Speakers(server, lab, workdir)
    controllers = Controllers(server, workdir, config=None)
    controllers.start()
    yield speakers
    controllers.stop()
    speakers.stop()
    server.stop()


def ask(speakers, name):
    done = heraldctl("why", name, "-o", "json", "--kubeconfig", speakers.kubeconfig)
    return done, json.loads(done.out)


def test_L09_a_conflict_that_a_speaker_found(at_work, lab):
    """The Service asks for just the address that another machine has."""
    squatter = lab.add_host("squatter", "192.0.2.240")
    at_work.start()
    at_work.kube.create(kube.endpointslice("web", [("10.0.0.1", None)]))
    at_work.kube.create(kube.service("web", loadBalancerIP="192.0.2.240", allocateLoadBalancerNodePorts=False))

    def told():
        done, answer = ask(at_work, "web")
        return answer if done.code == 1 and "AddressConflict" in wrong(answer) else None
    answer = wait_for("the conflict", told, timeout=20)
    assert squatter.mac in findings(answer, "conflicts")[0]["text"]
    assert any("take 192.0.2.240 from that machine" in step for step in answer["next"])


def test_C08_speakers_that_die_one_by_one(at_work, lab):
    at_work.start()
    at_work.kube.create(kube.endpointslice("web", [("10.0.0.1", None)]))
    at_work.kube.create(kube.service("web", allocateLoadBalancerNodePorts=False))
    address = wait_for("an address", lambda: addresses(at_work.kube.get("services", "web")))[0]
    owner = at_work.owner(address)
    done, answer = ask(at_work, "web")
    assert done.code == 0 and findings(answer, "owner")[0]["text"].startswith(f"{owner.name} announces")
    wait_for("the Event of the announcement", lambda: at_work.events("web", "nodeAssigned"))
    other = at_work.other(owner)
    at_work.running.pop(owner.name).kill()

    def told(name):
        done, answer = ask(at_work, "web")
        dead = any(name in f["text"] and "Lease has expired" in f["text"] for f in findings(answer, "nodes"))
        return (done.code, answer) if dead else None
    code, answer = wait_for("the owner to count as dead", lambda: told(owner.name), timeout=20)
    assert code == 0 and findings(answer, "owner")[0]["text"].startswith(f"{other.name} announces")
    at_work.running.pop(other.name).kill()
    code, answer = wait_for("the other one, too", lambda: told(other.name), timeout=20)
    assert code == 1 and wrong(answer) == ["NodeRefused", "NoEligibleNode"]
    assert "look at the speaker there" in answer["next"][0]
