# SPDX-License-Identifier: Apache-2.0
"""Sharing one address by key (A06, K36): who may, who may not, and what happens when one of
them changes: the others are never disturbed."""
from harness.controller import CONFIG, addresses, condition
from harness.kube import namespace
from harness.wait import wait_for

FIRST, SECOND = "198.51.100.1", "198.51.100.2"


def share(controllers, name, port=80, protocol="TCP", key="k", ns="default", **more):
    annotations = {"herald.io/share": key, **more.pop("annotations", {})}
    return controllers.add(name, ns, ports=((port, protocol),), annotations=annotations, **more)


def test_A06_K36_same_key_and_other_ports_or_protocol(controllers):
    share(controllers, "a", 80)
    controllers.assigned("a", [FIRST])
    share(controllers, "b", 443)
    controllers.assigned("b", [FIRST])
    share(controllers, "c", 80, "UDP")
    controllers.assigned("c", [FIRST])
    # Another key, and no key at all, never.
    share(controllers, "other", 8080, key="l")
    controllers.assigned("other", [SECOND])
    controllers.add("plain", ports=((9090, "TCP"),), loadBalancerIP=FIRST)
    obj = controllers.refused("plain", "AddressInUse")
    assert "the same herald.io/share key" in condition(obj)["message"]


def test_A06_a_port_that_is_taken_leads_elsewhere_or_is_told(controllers):
    share(controllers, "a", 80)
    controllers.assigned("a", [FIRST])
    share(controllers, "b", 80)
    controllers.assigned("b", [SECOND])
    share(controllers, "c", 80, annotations={"herald.io/ips": FIRST})
    obj = controllers.refused("c", "SharedPortInUse")
    assert "shared with `default/a`, which has one of the ports already" in condition(obj)["message"]
    # The one in its way goes: it is next.
    controllers.remove("a")
    controllers.assigned("c", [FIRST])


def test_A06_traffic_policies_must_agree(controllers):
    local = {"externalTrafficPolicy": "Local"}
    share(controllers, "cluster", 80, selector={"app": "x"})
    controllers.assigned("cluster", [FIRST])
    share(controllers, "local", 81, selector={"app": "x"}, **local)
    controllers.assigned("local", [SECOND])
    share(controllers, "same", 82, selector={"app": "x"}, **local)
    controllers.assigned("same", [SECOND])
    share(controllers, "differs", 83, selector={"app": "y"}, **local)
    controllers.assigned("differs", ["198.51.100.3"])
    share(controllers, "insists", 84, selector={"app": "x"}, annotations={"herald.io/ips": SECOND})
    obj = controllers.refused("insists", "SharedPolicyDiffers")
    assert "externalTrafficPolicy" in condition(obj)["message"]
    # Changed to fit, it may.
    controllers.change("insists", **local)
    controllers.assigned("insists", [SECOND])


def test_A06_not_from_another_namespace_unless_the_pool_says_so(controllers, api):
    api.admin.ensure(namespace("tenant"))
    share(controllers, "a", 80)
    controllers.assigned("a", [FIRST])
    share(controllers, "b", 81, ns="tenant")
    controllers.assigned("b", [SECOND], ns="tenant")
    share(controllers, "c", 82, ns="tenant", annotations={"herald.io/ips": FIRST})
    obj = controllers.refused("c", "SharedAcrossNamespaces", ns="tenant")
    assert "shareAcrossNamespaces" in condition(obj)["message"]
    controllers.reconfigured(CONFIG + "  shareAcrossNamespaces: true\n")
    controllers.assigned("c", [FIRST], ns="tenant")
    # Taken back, those who share stay (A08), and nobody new comes in.
    controllers.reconfigured(CONFIG)
    obj = controllers.refused("c", "Kept", ns="tenant")
    assert addresses(obj) == [FIRST]
    share(controllers, "d", 83, ns="tenant", annotations={"herald.io/ips": FIRST})
    controllers.refused("d", "SharedAcrossNamespaces", ns="tenant")


def changes_nobody_but(controllers, name, change, expect):
    """After `change` Service `name` has `expect`, and nothing was written to the others."""
    others = {n: v for n, v in controllers.versions().items() if n != name}
    change()
    controllers.assigned(name, expect)
    now = controllers.versions()
    assert {n: now[n] for n in others} == others


def test_A06_unsharing_moves_the_one_that_changed(controllers):
    for name, port in (("a", 80), ("b", 81), ("c", 82)):
        share(controllers, name, port)
        controllers.assigned(name, [FIRST])
    changes_nobody_but(controllers, "b", lambda: controllers.change(
        "b", annotations={"herald.io/share": "own"}), [SECOND])
    assert "it could not be shared any longer" in controllers.event("b", "UpdatedLoadBalancer")["message"]
    # Also the one that came first.
    changes_nobody_but(controllers, "a", lambda: controllers.change(
        "a", annotations={"herald.io/share": None}), ["198.51.100.3"])


def test_A06_a_port_or_a_policy_that_no_longer_fits_moves_the_one_that_changed(controllers):
    for name, port in (("a", 80), ("b", 81), ("c", 82)):
        share(controllers, name, port, selector={"app": "x"})
        controllers.assigned(name, [FIRST])
    changes_nobody_but(controllers, "b", lambda: controllers.change(
        "b", ports=[{"name": "p", "port": 80, "protocol": "TCP"}]), [SECOND])
    changes_nobody_but(controllers, "c", lambda: controllers.change(
        "c", externalTrafficPolicy="Local"), ["198.51.100.3"])


def test_A06_one_that_was_changed_while_nobody_looked_is_the_one_that_moves(api, make):
    """Though it is the older one, and whatever the new key is."""
    controllers = make(api, CONFIG)
    process = controllers.start()
    for name, port in (("a", 80), ("b", 81)):
        share(controllers, name, port)
        controllers.assigned(name, [FIRST])
    before = controllers.versions()["b"]
    assert process.stop() == 0
    controllers.change("a", annotations={"herald.io/share": "own"})
    controllers.start()
    controllers.assigned("a", [SECOND])
    assert controllers.versions()["b"] == before
    controllers.change("a", annotations={"herald.io/share": None})
    assert "herald.io/shared-as" in controllers.get("b")["metadata"]["annotations"]
    wait_for("the mark to go with the key",
             lambda: "herald.io/shared-as" not in controllers.get("a")["metadata"]["annotations"])


def test_A06_a_sharer_that_must_leave_and_can_go_nowhere_else(api, make):
    """It can't stay beside the other: nobody has one address against the rules."""
    controllers = make(api, CONFIG.replace("-198.51.100.10", ""))
    controllers.start()
    share(controllers, "a", 80)
    share(controllers, "b", 81)
    controllers.assigned("a", [FIRST]), controllers.assigned("b", [FIRST])
    before = controllers.versions()
    controllers.change("b", ports=[{"name": "p", "port": 80, "protocol": "TCP"}])
    obj = controllers.refused("b", "NoAddressAvailable")
    assert addresses(obj) == [] and addresses(controllers.get("a")) == [FIRST]
    assert controllers.versions()["a"] == before["a"]
    controllers.remove("a")
    controllers.assigned("b", [FIRST])


def test_A06_the_last_sharer_frees_the_address(controllers):
    share(controllers, "a", 80), share(controllers, "b", 81)
    controllers.assigned("a", [FIRST]), controllers.assigned("b", [FIRST])
    in_use = {"pool": "main", "family": "ipv4"}
    assert controllers.metric("herald_controller_pool_addresses_in_use", **in_use) == 1
    controllers.remove("a")
    controllers.versions()
    assert controllers.metric("herald_controller_pool_addresses_in_use", **in_use) == 1
    controllers.remove("b")
    wait_for("it to be free", lambda: controllers.metric("herald_controller_pool_addresses_in_use", **in_use) == 0)
