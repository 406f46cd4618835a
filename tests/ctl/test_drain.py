# SPDX-License-Identifier: Apache-2.0
"""`heraldctl drain` and `undrain`: a node hands its addresses over, and that is waited for
(C13, C21)."""
import pytest

from harness import kube
from harness.ctl import heraldctl
from harness.kubectl import rows
from harness.mini import MiniApiServer
from harness.speaker import Speakers, answers
from harness.wait import wait_for


def label(herald, node):
    return herald.kube.get("nodes", node)["metadata"]["labels"].get("herald.io/drain")


def test_C21_a_dry_run_says_where_addresses_would_go(on_both):
    for name in ("one", "two", "three"):
        on_both.add(name)
    owned = on_both.json("nodes", "node1")["nodes"][0]["addresses"]
    table = on_both.ctl("drain", "node1", "--dry-run").out
    assert {(row["ADDRESS"], row["TO"]) for row in rows(table)} == {(ip, "node2") for ip in owned} if owned else True
    data = on_both.json("drain", "node1", "--dry-run")
    assert [move["address"] for move in data["moves"]] == owned and data["dryRun"]
    assert label(on_both, "node1") is None


def test_an_address_that_would_go_nowhere_stops_it(herald):
    herald.kube.create(kube.endpointslice("web", [("10.0.0.1", "node1")]))
    herald.add("web", externalTrafficPolicy="Local")
    done = herald.ctl("drain", "node1", code=1)
    assert "nobody" in done.out and "--force drains all the same" in done.err
    assert label(herald, "node1") is None


def test_who_does_not_renew_is_not_taken_for_drained(herald):
    """The Leases of these speakers are only written, never renewed."""
    herald.add("web")
    done = herald.ctl("drain", "node1", "--timeout", "1", code=2)
    assert "with a longer --timeout" in done.err and label(herald, "node1") == ""
    assert "takes addresses back" in herald.ctl("undrain", "node1").err
    assert label(herald, "node1") is None
    assert "is not drained" in herald.ctl("undrain", "node1").err


def test_no_such_node_and_no_right_to_write(herald):
    for verb in ("drain", "undrain"):
        assert 'did you mean "node1"?' in herald.ctl(verb, "node11", code=1).err
        assert heraldctl(verb).code == 64
    herald.kube.create({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "look"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["list", "watch"]}]})
    herald.kube.create({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "look"},
        "subjects": [{"kind": "User", "name": "looker"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "look"}})
    done = herald.ctl("drain", "node1", code=2, kubeconfig=herald.server.kubeconfig_for("looker"))
    assert "grant verb `patch` on `nodes`" in done.err


@pytest.fixture
def speakers(lab, workdir):
    server = MiniApiServer(workdir / "api", listen="10.199.0.1:0")
    made = Speakers(server, lab, workdir)
    made.start()
    yield made
    made.stop()
    server.stop()


def test_C13_when_drain_returns_the_node_answers_for_nothing(speakers, lab):
    vips = [f"192.0.2.{n}" for n in range(230, 236)]
    for vip in vips:
        speakers.add_service(f"web-{vip.replace('.', '-')}", vip)
    owners = {vip: speakers.owner(vip) for vip in vips}
    node = owners[vips[0]]
    done = heraldctl("drain", node.name, "--kubeconfig", speakers.kubeconfig)
    assert done.code == 0, done.err
    assert [row["ADDRESS"] for row in rows(done.out)] == [vip for vip in vips if owners[vip] is node]
    assert {speakers.address(node, vip)["state"] for vip in vips} == {"none"}
    for vip in vips:
        assert answers(lab.client, vip) == {speakers.other(node).mac}
    assert heraldctl("undrain", node.name, "--kubeconfig", speakers.kubeconfig).code == 0
    wait_for("the node to be eligible", lambda: "eligible" in heraldctl(
        "nodes", node.name, "--kubeconfig", speakers.kubeconfig).out)
