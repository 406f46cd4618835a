# SPDX-License-Identifier: Apache-2.0
"""Addresses of both families (K26, A11): the three values of ipFamilyPolicy, what happens
when it changes, and pools that have one family or both.
Shown here: A13, K19, K25."""
import pytest

from harness.controller import addresses, condition
from harness.wait import wait_for

V4, V6 = "198.51.100.1", "2001:db8::1"
CONFIG = BOTH = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [198.51.100.1-198.51.100.10, 2001:db8::1-2001:db8::10]
"""
V4_ONLY = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [198.51.100.1-198.51.100.10]
"""
SINGLE = {"ipFamilyPolicy": "SingleStack"}
PREFER = {"ipFamilyPolicy": "PreferDualStack"}
REQUIRE = {"ipFamilyPolicy": "RequireDualStack"}


@pytest.fixture
def v4_only(api, make):
    made = make(api, V4_ONLY)
    made.start()
    return made


def test_K26_each_policy_and_order_of_families(controllers):
    controllers.add("four", **SINGLE)
    controllers.assigned("four", [V4])
    controllers.add("six", ipFamilies=["IPv6"], **SINGLE)
    controllers.assigned("six", [V6])
    controllers.add("prefer", **PREFER)
    controllers.assigned("prefer", ["198.51.100.2", "2001:db8::2"])
    controllers.add("require", ipFamilies=["IPv6", "IPv4"], **REQUIRE)
    obj = controllers.assigned("require", ["2001:db8::3", "198.51.100.3"])
    assert condition(obj)["message"] == "2001:db8::3,198.51.100.3 is assigned"


def test_K26_require_dual_stack_gets_both_or_none_and_the_reason(v4_only):
    v4_only.add("both", **REQUIRE)
    obj = v4_only.refused("both", "NoAddressAvailable")
    assert addresses(obj) == []
    assert "no IPv6 address: pool `main`: has no address of this family" in condition(obj)["message"]
    # What it could not keep is not held for it.
    v4_only.add("one", **SINGLE)
    v4_only.assigned("one", [V4])
    v4_only.reconfigured(BOTH)
    v4_only.assigned("both", ["198.51.100.2", V6])


def test_K26_prefer_dual_stack_takes_what_there_is_and_keeps_it(v4_only):
    v4_only.add("web", **PREFER)
    obj = v4_only.assigned("web", [V4])
    assert condition(obj)["status"] == "True" and condition(obj)["reason"] == "Assigned"
    v4_only.reconfigured(BOTH)
    v4_only.assigned("web", [V4, V6])
    # K16: the list was sent whole, in one write.
    changes = v4_only.events("web", "UpdatedLoadBalancer")
    assert [e["message"] for e in changes] == [f"address changed from {V4} to {V4},{V6}"]


def test_K26_a_family_is_added_and_removed_in_place(controllers):
    controllers.add("web", **SINGLE)
    controllers.assigned("web", [V4])
    controllers.change("web", **PREFER)
    controllers.assigned("web", [V4, V6])
    controllers.change("web", **REQUIRE)
    controllers.versions()
    assert addresses(controllers.get("web")) == [V4, V6]
    controllers.change("web", **SINGLE)
    controllers.assigned("web", [V4])
    wait_for("the other to be free", lambda: controllers.metric(
        "herald_controller_pool_addresses_in_use", pool="main", family="ipv6") == 0)
    # And straight to both, as many as there are ways.
    controllers.change("web", **REQUIRE)
    assert len(addresses(wait_for("both", lambda: two(controllers, "web")))) == 2


def two(controllers, name):
    obj = controllers.get(name)
    return obj if len(addresses(obj)) == 2 and addresses(obj)[0] == V4 else None


def test_K19_K26_a_wish_for_both_that_fails_leaves_the_one_it_had(v4_only):
    v4_only.add("web", **SINGLE)
    v4_only.assigned("web", [V4])
    v4_only.change("web", **REQUIRE)
    obj = v4_only.refused("web", "NoAddressAvailable")
    assert addresses(obj) == [V4] and condition(obj)["status"] == "False"
    v4_only.change("web", **SINGLE)
    v4_only.refused("web", "Assigned")
    assert addresses(v4_only.get("web")) == [V4]


def test_A11_two_pools_give_one_family_each(api, make):
    controllers = make(api, """apiVersion: herald.io/v1
pools:
- {name: four, addresses: [198.51.100.1-198.51.100.10]}
- {name: six, addresses: ["2001:db8::/64"]}
""")
    controllers.start()
    controllers.add("web", **REQUIRE)
    controllers.assigned("web", [V4, "2001:db8::"])
    # A pool asked for by name is asked for both.
    controllers.add("named", annotations={"herald.io/pool": "six"}, **REQUIRE)
    obj = controllers.refused("named", "NoAddressAvailable")
    assert "no IPv4 address: pool `six`: has no address of this family" in condition(obj)["message"]


def test_K25_K26_one_address_a_family_by_annotation(controllers):
    controllers.add("web", annotations={"herald.io/ips": "2001:db8::5, 198.51.100.5"}, **REQUIRE)
    controllers.assigned("web", ["198.51.100.5", "2001:db8::5"])
    # The other family follows by itself where only one is asked for.
    controllers.add("half", annotations={"herald.io/ips": "2001:db8::7"}, **REQUIRE)
    controllers.assigned("half", [V4, "2001:db8::7"])
    controllers.add("taken", annotations={"herald.io/ips": "198.51.100.9,2001:db8::5"}, **REQUIRE)
    obj = controllers.refused("taken", "AddressInUse")
    assert addresses(obj) == [] and "default/web" in condition(obj)["message"]
    controllers.add("nine", annotations={"herald.io/ips": "198.51.100.9"})
    controllers.assigned("nine", ["198.51.100.9"])


def test_A13_a_wide_pool_costs_nothing(api, make):
    controllers = make(api, """apiVersion: herald.io/v1
pools:
- {name: wide, addresses: ["2001:db8::/32"], reserved: ["2001:db8::/112"], allocationOrder: spread}
""")
    controllers.start()
    six = {"ipFamilies": ["IPv6"]}
    for name in ("a", "b", "c"):
        controllers.add(name, **six)
    found = {addresses(controllers.assigned(name))[0] for name in ("a", "b", "c")}
    assert len(found) == 3
    controllers.add("far", loadBalancerIP="2001:DB8:FFFF:0:0:0:0:00ff", **six)
    controllers.assigned("far", ["2001:db8:ffff::ff"])  # K23: in canonical form
    controllers.add("reserved", loadBalancerIP="2001:db8::1", **six)
    controllers.refused("reserved", "AddressReserved")
