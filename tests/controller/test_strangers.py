# SPDX-License-Identifier: Apache-2.0
"""Addresses that speakers have found to be another machine's (L09, A07, C25), as their Leases
tell: nobody gets one, who has one by chance moves, and who asked for it stays and is told.
The tests write the speakers' Leases themselves."""
import itertools

import pytest

from harness.controller import addresses, condition
from harness.kube import lease
from harness.speaker import NAMESPACE
from harness.wait import wait_for

FIRST, SECOND, THIRD = "198.51.100.1", "198.51.100.2", "198.51.100.3"
MAC = "02:00:00:aa:bb:cc"
REASON = "AddressOfStranger"
TIMES = (f"2026-01-02T03:04:05.{n:06d}Z" for n in itertools.count())


def tell(controllers, *addresses_of_strangers, node="node1", duration=300, text=None):
    """The node's speaker renews its Lease, with what it has found."""
    found = text if text is not None else " ".join(f"{a}={MAC}" for a in addresses_of_strangers)
    obj = lease(f"herald-speaker.{node}", node, NAMESPACE, duration, next(TIMES))
    obj["metadata"]["labels"] = {"app.kubernetes.io/component": "speaker"}
    obj["metadata"]["annotations"] = {"herald.io/conflicts": found or None}
    controllers.kube.ensure(obj)


def test_L09_who_has_it_by_chance_moves_and_does_not_come_back(controllers):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    tell(controllers, FIRST)
    obj = controllers.assigned("web", [SECOND])
    assert condition(obj)["reason"] == "Assigned"
    assert "another machine" in controllers.event("web", "UpdatedLoadBalancer")["message"]
    controllers.add("other")
    controllers.assigned("other", [THIRD])
    tell(controllers)
    # It is free again: whoever asks for it has it, and nobody else moves.
    controllers.add("asks", loadBalancerIP=FIRST)
    controllers.assigned("asks", [FIRST])
    assert addresses(controllers.get("web")) == [SECOND]
    assert addresses(controllers.get("other")) == [THIRD]


def test_L09_who_asked_for_it_keeps_it_and_is_told(controllers):
    controllers.add("web", loadBalancerIP=FIRST)
    controllers.assigned("web", [FIRST])
    tell(controllers, FIRST)
    obj = controllers.refused("web", REASON)
    assert addresses(obj) == [FIRST] and condition(obj)["status"] == "True"
    for word in (FIRST, MAC, "node1", "not announced"):
        assert word in condition(obj)["message"]
    assert controllers.event("web", "AddressKept")["message"] == condition(obj)["message"]
    tell(controllers)
    assert addresses(controllers.refused("web", "Assigned")) == [FIRST]


def test_A07_asked_for_while_a_stranger_has_it_waits(controllers):
    tell(controllers, FIRST)
    controllers.add("barrier")
    controllers.assigned("barrier")
    controllers.add("web", loadBalancerIP=FIRST)
    obj = controllers.refused("web", REASON)
    assert addresses(obj) == [] and MAC in condition(obj)["message"]
    tell(controllers)
    controllers.assigned("web", [FIRST])


def test_L09_without_another_address_it_stays(controllers):
    controllers.reconfigured(f"apiVersion: herald.io/v1\npools:\n- name: main\n  addresses: [{FIRST}]\n")
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    tell(controllers, FIRST)
    assert addresses(controllers.refused("web", REASON)) == [FIRST]
    controllers.reconfigured(f"apiVersion: herald.io/v1\npools:\n- name: main\n  addresses: [{FIRST}-{SECOND}]\n")
    controllers.assigned("web", [SECOND])


def test_C25_renewals_that_tell_the_same_write_nothing(controllers):
    controllers.add("asked", loadBalancerIP=FIRST)
    controllers.add("moved", annotations={})
    controllers.assigned("asked", [FIRST])
    controllers.assigned("moved", [SECOND])
    tell(controllers, FIRST, SECOND)
    controllers.refused("asked", REASON)
    controllers.assigned("moved", [THIRD])
    before = controllers.versions()
    for _ in range(20):
        tell(controllers, FIRST, SECOND)
        tell(controllers, FIRST, node="node2")
    assert controllers.versions() == before


def test_C25_coming_and_going_moves_it_no_more_than_once(controllers):
    """A stranger that flaps: the Service has left its address, and that is all."""
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    tell(controllers, FIRST)
    controllers.assigned("web", [SECOND])
    before = controllers.versions()
    for _ in range(10):
        tell(controllers)
        tell(controllers, FIRST)
    assert controllers.versions() == before


def test_L09_what_a_dead_speaker_told_counts_no_more(controllers):
    tell(controllers, FIRST, duration=1)
    controllers.add("barrier")
    controllers.add("web", loadBalancerIP=FIRST)
    controllers.refused("web", REASON)

    def freed():
        tell(controllers, node="node2", duration=1)  # somebody lives: silence means something
        return addresses(controllers.get("web")) == [FIRST]
    wait_for("the address to be given", freed)


def test_L09_a_new_leader_knows_and_adopts(controllers):
    controllers.add("asked", loadBalancerIP=FIRST)
    controllers.assigned("asked", [FIRST])
    tell(controllers, FIRST)
    before = controllers.refused("asked", REASON)
    controllers.running["c1"].stop()
    controllers.start("c2")
    controllers.add("web")
    controllers.assigned("web", [SECOND])
    after = controllers.get("asked")
    assert addresses(after) == [FIRST] and condition(after)["reason"] == REASON
    assert condition(after)["lastTransitionTime"] == condition(before)["lastTransitionTime"]


@pytest.mark.parametrize("text", ["nonsense", f"{FIRST}", f"{FIRST}=", f"{FIRST}=ff:ff:ff:ff:ff:ff",
                                  "=" * 5000, f"{FIRST}={MAC}," * 20])
def test_L09_malformed_text_is_ignored(controllers, text):
    tell(controllers, text=text)
    tell(controllers, SECOND, node="node2")
    controllers.add("first")
    controllers.add("second", annotations={})
    controllers.assigned("first", [FIRST])
    controllers.assigned("second", [THIRD])
