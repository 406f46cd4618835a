# SPDX-License-Identifier: Apache-2.0
"""Pools that select (A03, A04), that are full (A09), and that change while their addresses
are in use (A08): what works is kept, whatever the administrator does.
Shown here: A14."""
import pytest

from harness.controller import addresses, condition
from harness.kube import namespace
from harness.wait import wait_for

FIRST, SECOND, THIRD = "198.51.100.1", "198.51.100.2", "198.51.100.3"
HEAD = "apiVersion: herald.io/v1\n"


def pools(*lines):
    return HEAD + "pools:\n" + "".join(f"- {line}\n" for line in lines)


CONFIG = WHOLE = pools("{name: main, addresses: [198.51.100.1-198.51.100.3]}")


def fill(controllers, *names):
    for name, ip in zip(names, (FIRST, SECOND, THIRD)):
        controllers.add(name)
        controllers.assigned(name, [ip])


def test_A08_renamed_split_merged_and_reordered_nothing_is_written(controllers):
    fill(controllers, "a", "b", "c")
    for config in (pools("{name: renamed, addresses: [198.51.100.1-198.51.100.3]}"),
                   pools("{name: x, addresses: [198.51.100.1]}", "{name: y, addresses: [198.51.100.2/31]}"),
                   pools("{name: y, addresses: [198.51.100.3]}", "{name: x, addresses: [198.51.100.1-198.51.100.2]}"),
                   pools("{name: all, addresses: [198.51.100.0/24], allocationOrder: spread, priority: 7}"),
                   pools("{name: all, addresses: [198.51.100.0/24], disabled: true}"),
                   pools("{name: all, addresses: [198.51.100.0/24], autoAssign: false}"), WHOLE):
        before = controllers.touched()
        controllers.reconfigured(config)
        assert controllers.versions() == before, config


def test_A08_grown_it_serves_who_waited_and_nobody_else_notices(controllers):
    fill(controllers, "a", "b", "c")
    controllers.add("waits")
    controllers.refused("waits", "NoAddressAvailable")
    before = controllers.touched()
    controllers.reconfigured(WHOLE.replace(".3]", ".4]"))
    controllers.assigned("waits", ["198.51.100.4"])
    after = controllers.versions()
    assert {n: v for n, v in after.items() if n != "waits"} == {n: v for n, v in before.items() if n != "waits"}


@pytest.mark.parametrize("smaller", [
    pools("{name: main, addresses: [198.51.100.1-198.51.100.2]}"),
    pools("{name: main, addresses: [198.51.100.1-198.51.100.3], reserved: [198.51.100.3]}"),
    pools("{name: main, addresses: [198.51.100.1-198.51.100.2]}",
          "{name: closed, addresses: [198.51.100.3], namespaces: [elsewhere]}"),
    pools("{name: main, addresses: [198.51.100.1-198.51.100.2]}",
          "{name: closed, addresses: [198.51.100.3], serviceSelectors: [{matchLabels: {no: body}}]}")],
    ids=["shrunk", "reserved", "namespace", "selector"])
def test_A08_an_address_taken_out_is_kept_and_told(controllers, smaller):
    fill(controllers, "a", "b", "c")
    before = controllers.touched()
    controllers.reconfigured(smaller)
    obj = controllers.refused("c", "Kept")
    assert addresses(obj) == [THIRD] and condition(obj)["status"] == "True"
    assert "is kept though it would not be assigned now" in condition(obj)["message"]
    assert "whenRemoved: move" in condition(obj)["message"]
    assert controllers.event("c", "AddressKept")["type"] == "Warning"
    after = controllers.versions()
    assert (after["a"], after["b"]) == (before["a"], before["b"])
    controllers.reconfigured(WHOLE)
    assert addresses(controllers.refused("c", "Assigned")) == [THIRD]


@pytest.mark.parametrize("config", [
    pools("{name: other, addresses: [203.0.113.1-203.0.113.9]}") + "addresses: {whenRemoved: move}\n",
    pools("{name: main, addresses: [198.51.100.1], whenRemoved: move}",
          "{name: other, addresses: [203.0.113.1-203.0.113.9]}") + "addresses: {whenRemoved: move}\n"],
    ids=["removed", "shrunk"])
def test_A08_by_explicit_policy_they_are_moved_with_one_event_each(controllers, config):
    fill(controllers, "a", "b")
    stays = "198.51.100.1]" in config
    controllers.reconfigured(config)
    obj = wait_for("b to be moved", lambda: moved(controllers.get("b")))
    ip = addresses(obj)[0]
    told = controllers.event("b", "UpdatedLoadBalancer")
    assert told["message"] == f"address changed from {SECOND} to {ip}: the configuration moves it"
    assert told.get("count", 1) == 1
    if stays:
        assert addresses(controllers.get("a")) == [FIRST]
    else:
        wait_for("a to be moved", lambda: moved(controllers.get("a")))


def moved(obj):
    return obj if addresses(obj)[0].startswith("203.0.113.") else None


def test_A08_a_move_that_finds_nothing_leaves_what_there_is(controllers):
    fill(controllers, "a")
    controllers.reconfigured(pools("{name: other, addresses: [203.0.113.1], namespaces: [x]}")
                             + "addresses: {whenRemoved: move}\n")
    obj = controllers.refused("a", "NoAddressAvailable")
    assert addresses(obj) == [FIRST]


def test_A08_no_pools_at_all(controllers):
    fill(controllers, "a")
    controllers.reconfigured(HEAD + "pools: []\n")
    assert addresses(controllers.refused("a", "Kept")) == [FIRST]
    controllers.add("new")
    obj = controllers.refused("new", "NoAddressAvailable")
    assert condition(obj)["message"] == ("no IPv4 address: there are no pools; "
                                         "add one to the configuration")


def test_A09_exhausted_every_pool_says_why(api, make):
    controllers = make(api, pools(
        "{name: closed, addresses: [203.0.113.1], classes: [example.com/lb]}",
        "{name: elsewhere, addresses: [203.0.113.2], namespaces: [elsewhere]}",
        "{name: full, addresses: [198.51.100.1]}",
        "{name: labelled, addresses: [203.0.113.3], serviceSelectors: [{matchLabels: {a: b}}]}",
        "{name: manual, addresses: [203.0.113.4], autoAssign: false}",
        "{name: off, addresses: [203.0.113.5], disabled: true}",
        "{name: six, addresses: ['2001:db8::1']}"))
    controllers.start()
    fill(controllers, "holder")
    controllers.add("web")
    obj = controllers.refused("web", "NoAddressAvailable")
    message = condition(obj)["message"]
    for words in ("pool `closed`: does not serve loadBalancerClass", "pool `elsewhere`: does not select namespace "
                  "`default`", "pool `full`: full", "pool `labelled`: does not select the Service's labels",
                  "pool `manual`: only on request (autoAssign: false)", "pool `off`: disabled",
                  "pool `six`: has no address of this family"):
        assert words in message
    event = controllers.event("web", "AllocationFailed")
    assert event["type"] == "Warning" and event["message"] == message
    assert controllers.metric("herald_controller_allocation_failures_total", reason="PoolFull") == 1


def test_A09_who_waits_longest_may_not_have_it_then_the_next_does(api, make):
    controllers = make(api, pools("{name: one, addresses: [198.51.100.1], serviceSelectors: "
                                  "[{matchLabels: {may: have}}]}"))
    controllers.start()
    controllers.add("holder", labels={"may": "have"})
    controllers.assigned("holder", [FIRST])
    controllers.add("may-not")
    controllers.refused("may-not", "NoAddressAvailable")
    for name in ("second", "third"):
        controllers.add(name, labels={"may": "have"})
        controllers.refused(name, "NoAddressAvailable")
    controllers.change("holder", type="ClusterIP", allocateLoadBalancerNodePorts=None)
    controllers.assigned("second", [FIRST])
    assert addresses(controllers.get("may-not")) == addresses(controllers.get("third")) == []


def test_A04_priority_then_name(api, make):
    controllers = make(api, pools("{name: b, addresses: [198.51.100.2]}", "{name: a, addresses: [198.51.100.3]}",
                                  "{name: z, addresses: [198.51.100.1], priority: -1}"))
    controllers.start()
    fill(controllers, "one")
    for name, ip in (("two", THIRD), ("three", SECOND)):
        controllers.add(name)
        controllers.assigned(name, [ip])


def test_A04_classes(api, make):
    controllers = make(api, pools("{name: a, addresses: [198.51.100.1], classes: [herald.io/fast]}",
                                  "{name: b, addresses: [198.51.100.2]}"))
    controllers.start("c1", "--load-balancer-class", "herald.io/fast", "--handle-unset-class")
    controllers.add("unset")
    controllers.assigned("unset", [SECOND])
    controllers.add("asks", loadBalancerIP=FIRST)
    obj = controllers.refused("asks", "ClassNotServed")
    assert "let the pool select this Service" in condition(obj)["message"]
    controllers.add("fast", loadBalancerClass="herald.io/fast")
    controllers.assigned("fast", [FIRST])


SELECTING = pools(
    "{name: main, addresses: [198.51.100.1-198.51.100.3], namespaces: [named], "
    "namespaceSelectors: [{matchExpressions: [{key: tier, operator: In, values: [gold]}, "
    "{key: frozen, operator: DoesNotExist}]}]}",
    "{name: labelled, addresses: [203.0.113.1], serviceSelectors: [{matchLabels: {app: shop}, "
    "matchExpressions: [{key: stage, operator: NotIn, values: [test]}, {key: owner, operator: Exists}]}]}")


def test_A04_labels_of_namespaces_and_services_as_they_change(api, make):
    for name in ("named", "tenant"):
        api.admin.ensure(namespace(name))
    controllers = make(api, SELECTING)
    controllers.start()
    controllers.add("by-name", "named")
    controllers.assigned("by-name", [FIRST], ns="named")
    controllers.add("web", "tenant")
    obj = controllers.refused("web", "NoAddressAvailable", ns="tenant")
    assert "pool `main`: does not select namespace `tenant`" in condition(obj)["message"]
    # Not even on request.
    controllers.change("web", "tenant", annotations={"herald.io/ips": SECOND})
    controllers.refused("web", "NamespaceNotSelected", ns="tenant")

    label(api, gold="x", tier="gold", frozen="yes")
    controllers.versions("tenant")
    assert condition(controllers.get("web", "tenant"))["reason"] == "NamespaceNotSelected"
    label(api, frozen=None)
    controllers.assigned("web", [SECOND], ns="tenant")
    # The label goes: the address in use stays (A08), and is told.
    label(api, tier="silver")
    assert addresses(controllers.refused("web", "Kept", ns="tenant")) == [SECOND]
    controllers.add("late", "tenant")
    controllers.refused("late", "NoAddressAvailable", ns="tenant")

    # And by the Service's own labels.
    controllers.change("late", "tenant", labels={"app": "shop", "owner": "me", "stage": "test"})
    controllers.versions("tenant")
    assert addresses(controllers.get("late", "tenant")) == []
    controllers.change("late", "tenant", labels={"stage": "prod"})
    controllers.assigned("late", ["203.0.113.1"], ns="tenant")
    controllers.change("late", "tenant", labels={"owner": None})
    assert addresses(controllers.refused("late", "Kept", ns="tenant")) == ["203.0.113.1"]


def label(api, **labels):
    api.admin.patch("namespaces", "tenant", {"metadata": {"labels": labels}})


def test_A03_a_disabled_pool_gives_nothing_new_and_keeps_what_it_gave(controllers):
    fill(controllers, "a")
    controllers.reconfigured(WHOLE.replace("}", ", disabled: true}"))
    controllers.add("new")
    obj = controllers.refused("new", "NoAddressAvailable")
    assert "pool `main`: disabled" in condition(obj)["message"]
    controllers.add("asks", loadBalancerIP=THIRD)
    controllers.refused("asks", "PoolDisabled")
    assert condition(controllers.get("a"))["reason"] == "Assigned"
    controllers.reconfigured(WHOLE)
    controllers.assigned("new", [SECOND])
    controllers.assigned("asks", [THIRD])


def test_A14_an_address_just_freed_is_not_the_next(api, make):
    controllers = make(api, WHOLE)
    controllers.start()
    fill(controllers, "a")
    controllers.remove("a")
    for name, ip in (("b", SECOND), ("c", THIRD), ("d", FIRST)):
        controllers.add(name)
        controllers.assigned(name, [ip])
