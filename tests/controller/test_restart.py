# SPDX-License-Identifier: Apache-2.0
"""Restarts, two replicas, faults of the API server: never one address twice, never a
needless write (K51-K61, A12, C25, C26).
Shown here: C31, K11, K52, K53, K58."""
import signal

import pytest

from harness.controller import CONFIG, addresses
from harness.wait import wait_for

FIRST = "198.51.100.1"
TEN = [f"198.51.100.{i}" for i in range(1, 11)]


def all_addresses(kube):
    return sorted(a for obj in kube.items("services", "default") for a in addresses(obj))


def test_A12_a_restart_with_everything_in_place_writes_nothing(mini, make):
    controllers = make(mini)
    process = controllers.start()
    for i in range(10):
        controllers.add(f"web-{i}")
    for i in range(10):
        controllers.assigned(f"web-{i}")
    before = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in mini.admin.items("services")}
    process.kill()
    mini.reset_requests()
    controllers.start()
    controllers.quiet()
    after = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in mini.admin.items("services")}
    assert before == after
    assert [w for w in mini.requests()["writes"] if "services" in w["path"]] == []


def test_C26_more_services_than_addresses_and_kills_shuffle_nothing(mini, make):
    controllers = make(mini)
    for i in range(14):
        controllers.add(f"web-{i:02}")
    process = controllers.start()
    wait_for("all ten addresses", lambda: all_addresses(mini.admin) == sorted(TEN))
    before = {o["metadata"]["name"]: addresses(o) for o in mini.admin.items("services")}
    for _ in range(3):
        process.kill()
        process = controllers.start()
        controllers.quiet()
        assert {o["metadata"]["name"]: addresses(o) for o in mini.admin.items("services")} == before


def test_A12_two_services_with_one_address_in_status(api, make):
    controllers = make(api)
    for name in ("older", "younger"):
        controllers.add(name)
        api.admin.patch_status("services", name, {"status": {"loadBalancer": {"ingress": [{"ip": FIRST}]}}})
    controllers.start()
    wait_for("two addresses", lambda: len(set(all_addresses(api.admin))) == 2)
    owners = {name: addresses(controllers.get(name)) for name in ("older", "younger")}
    assert [FIRST] in owners.values()
    loser = next(name for name, had in owners.items() if had != [FIRST])
    controllers.event(loser, "AddressConflict")
    assert controllers.metric("herald_controller_address_conflicts_total") == 1


def test_K58_two_replicas_one_leads_and_the_other_follows(api, make):
    controllers = make(api)
    controllers.start("c1")
    controllers.start("c2", wait=False)
    wait_for("the second to answer", lambda: controllers.status("c2"))
    assert not controllers.status("c2")["leading"]
    assert controllers.page("c2", "/readyz")
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    # An orderly stop hands over at once; a kill is noticed by the Lease.
    assert controllers.running["c1"].stop() == 0
    wait_for("the other to lead", lambda: controllers.status("c2").get("started"), timeout=5)
    controllers.add("next")
    controllers.assigned("next", ["198.51.100.2"])
    controllers.start("c1", wait=False)
    wait_for("the first to answer", lambda: controllers.status("c1"))
    controllers.running["c2"].kill()
    wait_for("the first to lead again", lambda: controllers.status("c1").get("started"), timeout=30)
    controllers.add("last")
    controllers.assigned("last", ["198.51.100.3"])


def test_K58_a_frozen_leader_that_wakes_up_gives_nothing_away_twice(api, make):
    controllers = make(api)
    frozen = controllers.start("c1")
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    frozen.signal(signal.SIGSTOP)
    controllers.start("c2", wait=False)
    wait_for("the second to lead", lambda: controllers.status("c2").get("started"), timeout=30)
    for i in range(4):
        controllers.add(f"more-{i}")
    frozen.signal(signal.SIGCONT)
    for i in range(4):
        controllers.assigned(f"more-{i}")
    wait_for("the first to follow", lambda: not controllers.status("c1")["leading"])
    found = all_addresses(api.admin)
    assert len(found) == len(set(found)) == 5


@pytest.mark.parametrize("action, details", [
    ("status", {"code": 500}), ("status", {"code": 429}), ("status", {"code": 503}), ("status", {"code": 401}),
    ("drop", {}), ("reset", {}), ("drop_after", {}), ("reset_after", {}), ("truncate", {"bytes": 20}),
    ("truncate", {"bytes": 20, "clean": True}), ("garbage", {"bytes": 100})])
def test_K53_every_write_fails_once(mini, make, action, details):
    """Whatever becomes of a PATCH, applied or not: each Service has one address in the end."""
    controllers = make(mini)
    controllers.start()
    mini.fault(action, method="PATCH", path="/status$", times=5, **details)
    for i in range(5):
        controllers.add(f"web-{i}")
    for i in range(5):
        controllers.assigned(f"web-{i}", timeout=30)
    assert sum(rule["hits"] for rule in mini.faults()) >= 5
    found = all_addresses(mini.admin)
    assert len(found) == len(set(found)) == 5


def test_K11_a_conflict_is_read_and_decided_again(mini, make):
    controllers = make(mini)
    controllers.start()
    mini.fault("status", method="PATCH", path="/status$", times=3, code=409)
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    assert controllers.metric("herald_controller_service_requests_total", outcome="conflict") == 3


def test_C31_a_refused_write_is_told_and_tried_again_on_change(mini, make):
    controllers = make(mini)
    controllers.start()
    mini.fault("status", method="PATCH", path="/status$", times=1, code=422)
    controllers.add("web")
    controllers.event("web", "SyncLoadBalancerFailed")
    mini.admin.patch("services", "web", {"metadata": {"labels": {"a": "b"}}})
    controllers.assigned("web", [FIRST])


@pytest.mark.parametrize("what", ["assign", "let go"])
def test_C31_what_was_refused_is_tried_again_slowly_without_any_event(mini, make, what):
    """A write that was refused for good; nothing happens to the Service, nor to anything else."""
    controllers = make(mini)
    controllers.start("c1", "--retry-interval=1")
    if what == "assign":
        mini.fault("status", method="PATCH", path="/status$", times=2, code=422)
        controllers.add("web")
    else:
        controllers.add("web")
        controllers.assigned("web", [FIRST])
        mini.fault("status", method="PATCH", path="/status$", times=2, code=422)
        mini.admin.delete("services", "web")
    controllers.event("web", "SyncLoadBalancerFailed")
    mini.reset_requests()
    if what == "assign":
        controllers.assigned("web", [FIRST])
    else:
        wait_for("web to be gone", lambda: not mini.admin.exists("services", "web"))
    assert mini.faults()[0]["hits"] == 2
    tries = [w for w in mini.requests()["writes"] if "services" in w["path"]]
    assert {w["path"].rsplit("/services/")[1] for w in tries} == {"web/status"}


def test_C25_a_fight_over_a_status_is_bounded_and_named(mini, make):
    controllers = make(mini)
    controllers.start(kubeconfig=mini.kubeconfig_for("herald", ["system:masters"]))
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    mini.reset_requests()
    wrong = {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}]}}}

    def fight():
        mini.admin.patch_status("services", "web", wrong)
        return controllers.events("web", "StatusContested")
    wait_for("the fight to be named", fight, timeout=30)
    for _ in range(20):
        mini.admin.patch_status("services", "web", wrong)
    controllers.add("other")
    controllers.assigned("other")
    writes = [w for w in mini.requests()["writes"]
              if w["path"].endswith("/services/web/status") and w["user"] == "herald"]
    assert len(writes) <= 31
    assert controllers.metric("herald_controller_contested_services_total") == 1


def test_the_api_server_goes_away_and_comes_back(mini, make):
    controllers = make(mini)
    controllers.start()
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    mini.down()
    mini.up()
    controllers.add("next")
    controllers.assigned("next", ["198.51.100.2"], timeout=30)
    assert addresses(controllers.get("web")) == [FIRST]


def test_K52_history_forgotten_and_a_service_gone_meanwhile(mini, make):
    controllers = make(mini, CONFIG)
    controllers.start()
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    mini.compact()
    mini.end_watches(action="expire")
    controllers.add("next")
    controllers.assigned("next", ["198.51.100.2"])
