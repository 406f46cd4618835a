# SPDX-License-Identifier: Apache-2.0
"""From one replica to the next (K12, K18, K59), and news that is missed, late or of no
account (K10, K11, C24, O05): every Service ends as if nothing had happened."""
import signal

import pytest

from harness.controller import ASSIGNED, addresses, condition, has_finalizer
from harness.kube import FINALIZER
from harness.wait import wait_for

FIRST, SECOND, THIRD = "198.51.100.1", "198.51.100.2", "198.51.100.3"
LEASE_SECONDS = 30  # more than a Lease of 6 s lasts, on a busy machine


def leads(controllers, name):
    wait_for(f"{name} to lead", lambda: controllers.status(name).get("started"), timeout=LEASE_SECONDS)


@pytest.fixture
def two(api, make):
    """c1 leads, c2 stands by."""
    made = make(api)
    made.start("c1")
    made.start("c2", wait=False)
    wait_for("the second to answer", lambda: not made.status("c2")["leading"])
    return made


def test_K12_what_nobody_saw_is_made_good_by_the_next_leader(two, api):
    for name in ("deleted", "changed", "kept"):
        two.add(name)
        two.assigned(name)
    kept = two.versions()["kept"]
    two.running["c1"].kill()
    api.admin.delete("services", "deleted")
    two.change("changed", type="ClusterIP", allocateLoadBalancerNodePorts=None)
    two.add("new", loadBalancerIP=FIRST)
    leads(two, "c2")
    wait_for("the Service to be gone", lambda: not api.admin.exists("services", "deleted"))
    wait_for("the clean-up", lambda: not has_finalizer(two.get("changed")))
    two.assigned("new", [FIRST])
    assert two.versions()["kept"] == kept


def test_K18_restored_under_the_next_leader(two, api):
    for name in ("a", "b", "c"):
        two.add(name)
        two.assigned(name)
    kept = two.get("c")
    two.remove("a"), two.remove("c")
    assert two.running["c1"].stop() == 0
    api.admin.create({**kept, "metadata": {"name": "c", "annotations": kept["metadata"]["annotations"]},
                      "spec": {k: v for k, v in kept["spec"].items() if not k.startswith("clusterIP")}})
    leads(two, "c2")
    two.assigned("c", [THIRD])
    # One that is given away meanwhile is not to be had again.
    two.add("thief", loadBalancerIP=FIRST)
    two.assigned("thief", [FIRST])
    two.add("late", annotations={ASSIGNED: FIRST})
    assert addresses(two.assigned("late")) != [FIRST]


def test_K59_a_late_write_of_a_former_leader_comes_to_nothing(mini, make):
    """Sent while it led; it reaches the server when another leads, and the Service and its
    address have gone other ways."""
    controllers = make(mini)
    admins = ["system:masters"]
    frozen = controllers.start("c1", kubeconfig=mini.kubeconfig_for("one", admins))
    mini.fault("delay", user="^one$", method="PATCH", path="/services/web/status$", ms=3600000)
    with mini.admin.watch("services", "default", deadline=120) as watch:
        controllers.add("web")
        wait_for("the write to be on its way", lambda: mini.faults()[0]["hits"])
        frozen.signal(signal.SIGSTOP)
        controllers.change("web", loadBalancerIP=THIRD)
        controllers.add("other", loadBalancerIP=FIRST)
        controllers.start("c2", kubeconfig=mini.kubeconfig_for("two", admins), wait=False)
        leads(controllers, "c2")
        controllers.assigned("web", [THIRD]), controllers.assigned("other", [FIRST])
        # Awake again it gives its request up, and the server acts on what it has been sent.
        frozen.signal(signal.SIGCONT)
        wait_for("the first to follow", lambda: not controllers.status("c1")["leading"])
        controllers.add("zz-last")
        controllers.assigned("zz-last")
        seen = watch.until(lambda e: addresses(e["object"]) and e["object"]["metadata"]["name"] == "zz-last")
    ways = [(e["object"]["metadata"]["name"], addresses(e["object"])) for e in seen if addresses(e["object"])]
    assert {tuple(found) for name, found in ways if name == "web"} == {(THIRD,)}
    assert {tuple(found) for name, found in ways if name == "other"} == {(FIRST,)}


def test_K10_made_again_while_nobody_watched(mini, make):
    controllers = make(mini)
    controllers.start()
    controllers.add("web")
    old = controllers.assigned("web", [FIRST])
    mini.fault("status", verb="watch", path="/services$", times=-1, code=503)
    mini.fault("status", verb="list", path="/services$", times=-1, code=503)
    mini.end_watches("/services$", "drop")
    mini.admin.patch("services", "web", {"metadata": {"finalizers": None}})
    mini.admin.delete("services", "web")
    controllers.add("web", loadBalancerIP=SECOND)
    mini.compact()
    mini.clear_faults()
    new = controllers.assigned("web", [SECOND], timeout=30)
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    wait_for("the old one's address to be free", lambda: controllers.metric(
        "herald_controller_pool_addresses_in_use", pool="main") == 1)


@pytest.mark.parametrize("action", ["drop", "drop_after", "reset", "reset_after"])
def test_K11_gone_while_its_finalizer_is_taken_away(mini, make, action):
    controllers = make(mini)
    controllers.start()
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    mini.fault(action, method="PATCH", path="/services/web/status$")
    controllers.remove("web")
    wait_for("its address to be free", lambda: controllers.metric(
        "herald_controller_pool_addresses_in_use", pool="main") == 0)
    controllers.add("web", loadBalancerIP=FIRST)
    controllers.assigned("web", [FIRST])


def test_C24_changes_of_no_account_lead_to_no_event_and_no_write(api, make):
    controllers = make(api, """apiVersion: herald.io/v1
pools: [{name: one, addresses: [198.51.100.1]}]
""")
    controllers.start()
    controllers.add("has"), controllers.assigned("has", [FIRST])
    controllers.add("waits"), controllers.event("waits", "AllocationFailed")
    told = {(e["metadata"]["name"], e.get("count")) for e in api.admin.items("events", "default")}
    for _ in range(5):
        before = controllers.touched()
        assert controllers.versions() == before
    now = {(e["metadata"]["name"], e.get("count")) for e in api.admin.items("events", "default")
           if not e["involvedObject"]["name"].startswith("zz-")}
    assert now == told


def test_O05_what_another_version_left_is_taken_over_and_left_alone(api, make):
    """An older one wrote no condition and no mark of what is shared; a newer one writes
    annotations and conditions that this one does not know."""
    controllers = make(api)
    older = {"a": FIRST, "s1": SECOND, "s2": SECOND}
    for name, ip in older.items():
        share = {"herald.io/share": "k"} if name.startswith("s") else {}
        controllers.add(name, ports=((81 if name == "s1" else 80, "TCP"),),
                        annotations={ASSIGNED: ip, "herald.io/newer": "text", **share})
        api.admin.patch("services", name, {"metadata": {"finalizers": [FINALIZER]}})
        api.admin.patch_status("services", name, {"status": {
            "loadBalancer": {"ingress": [{"ip": ip}]}, "conditions": [{
                "type": "herald.io/Newer", "status": "True", "reason": "Known", "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})
    controllers.start()
    for name, ip in older.items():
        obj = controllers.refused(name, "Assigned")
        assert addresses(obj) == [ip]
        assert obj["metadata"]["annotations"]["herald.io/newer"] == "text"
        assert "herald.io/Newer" in [c["type"] for c in obj["status"]["conditions"]]
        assert controllers.events(name, "UpdatedLoadBalancer") == controllers.events(name, "IPAllocated") == []
    assert condition(controllers.get("s1"))["message"] == f"{SECOND} is assigned"
