# SPDX-License-Identifier: Apache-2.0
"""What a Service asks for (K25, A03, A05, A07, A10): addresses, a pool, by Herald's words and
by MetalLB's; what can't be had is told, and what the Service had is kept."""
import pytest

from harness.controller import addresses, condition

CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [198.51.100.0-198.51.100.9]
  reserved: [198.51.100.4]
  avoidBuggyIPs: true
- name: manual
  addresses: [203.0.113.0/28]
  autoAssign: false
- name: private
  addresses: [192.0.2.0/28]
  namespaces: [somewhere-else]
"""
FIRST, SECOND = "198.51.100.1", "198.51.100.2"


def asks(value):
    return {"herald.io/ips": value}


@pytest.mark.parametrize("ip, reason, words", [
    ("198.51.100.4", "AddressReserved", "pool `main`: reserved"),
    ("198.51.100.0", "AddressAvoided", "ends in .0 or .255"),
    ("10.9.9.9", "AddressOutsidePools", "in no pool"),
    ("192.0.2.3", "NamespaceNotSelected", "pool `private`: does not select namespace `default`"),
    ("198.51.100.1", "AddressInUse", "in use by `default/holder`"),
    ("2001:db8::1", "InvalidRequest", "of a family that spec.ipFamilies does not have"),
    ("198.51.100.256", "InvalidRequest", "annotation herald.io/ips: `198.51.100.256` is not an IP address"),
    ("198.51.100.2,198.51.100.3", "InvalidRequest", "two addresses of one family"),
    ("::ffff:198.51.100.2", "InvalidRequest", "is not an IP address")])
def test_A07_what_cannot_be_had_is_told_and_takes_nothing_away(controllers, ip, reason, words):
    controllers.add("holder", annotations=asks(FIRST))
    controllers.assigned("holder", [FIRST])
    controllers.add("pending", annotations=asks(ip))
    obj = controllers.refused("pending", reason)
    assert addresses(obj) == [] and words in condition(obj)["message"]
    assert controllers.event("pending", "AllocationFailed")["message"] == condition(obj)["message"]
    controllers.add("kept", annotations=asks(SECOND))
    controllers.assigned("kept", [SECOND])
    controllers.change("kept", annotations=asks(ip))
    obj = controllers.refused("kept", reason)
    assert addresses(obj) == [SECOND] and condition(obj)["status"] == "False"
    # Withdrawn, all is well again, and still the same.
    controllers.change("kept", annotations=asks(None))
    assert addresses(controllers.refused("kept", "Assigned")) == [SECOND]
    controllers.change("pending", annotations=asks(None))
    controllers.assigned("pending", ["198.51.100.3"])


def test_K25_the_field_and_the_annotation_together(controllers):
    controllers.add("same", annotations=asks("198.51.100.5"), loadBalancerIP="198.51.100.5")
    controllers.assigned("same", ["198.51.100.5"])
    controllers.add("torn", annotations=asks("198.51.100.6"), loadBalancerIP="198.51.100.7")
    obj = controllers.refused("torn", "InvalidRequest")
    assert addresses(obj) == []
    assert condition(obj)["message"] == ("spec.loadBalancerIP: differs from the annotation herald.io/ips: "
                                         "remove one of them")
    controllers.change("torn", annotations=asks(None))
    controllers.assigned("torn", ["198.51.100.7"])


def test_A05_a_pool_by_annotation(controllers):
    controllers.add("web", annotations={"herald.io/pool": "manual"})
    controllers.assigned("web", ["203.0.113.0"])
    # A03: by address, too, and never by itself.
    controllers.add("exact", annotations=asks("203.0.113.7"))
    controllers.assigned("exact", ["203.0.113.7"])
    controllers.add("none")
    controllers.assigned("none", [FIRST])
    # Another pool is another address.
    controllers.change("none", annotations={"herald.io/pool": "manual"})
    controllers.assigned("none", ["203.0.113.1"])
    controllers.event("none", "UpdatedLoadBalancer")


def test_A05_an_unknown_pool_and_one_that_does_not_select_it(controllers):
    controllers.add("web", annotations={"herald.io/pool": "mian"})
    obj = controllers.refused("web", "UnknownPool")
    assert condition(obj)["message"] == "pool `mian` does not exist; this Service may use: `main`, `manual`"
    controllers.change("web", annotations={"herald.io/pool": "private"})
    obj = controllers.refused("web", "NoAddressAvailable")
    assert "pool `private`: does not select namespace `default`" in condition(obj)["message"]
    controllers.change("web", annotations={"herald.io/pool": "main"})
    controllers.assigned("web", [FIRST])
    # K19: a pool that is not there takes nothing away.
    controllers.change("web", annotations={"herald.io/pool": "mian"})
    assert addresses(controllers.refused("web", "UnknownPool")) == [FIRST]


def test_A05_address_and_pool_that_contradict_each_other(controllers):
    controllers.add("web", annotations={"herald.io/pool": "manual", "herald.io/ips": FIRST})
    obj = controllers.refused("web", "AddressInOtherPool")
    assert "pool `main`: is not the pool `manual` that was asked for" in condition(obj)["message"]


@pytest.mark.parametrize("prefix", ["metallb.io", "metallb.universe.tf"])
def test_A10_metallb_s_annotations(api, make, prefix):
    plain, compatible = CONFIG, CONFIG + "compatibility: {metallbAnnotations: true}\n"
    controllers = make(api, plain)
    controllers.start()
    controllers.add("ip", annotations={f"{prefix}/loadBalancerIPs": "198.51.100.7"})
    controllers.assigned("ip", [FIRST])  # they say nothing unless the config reads them
    controllers.reconfigured(compatible)
    controllers.assigned("ip", ["198.51.100.7"])
    controllers.add("pool", annotations={f"{prefix}/address-pool": "manual"})
    controllers.assigned("pool", ["203.0.113.0"])
    for name, port in (("s1", 80), ("s2", 81)):
        controllers.add(name, ports=((port, "TCP"),), annotations={f"{prefix}/allow-shared-ip": "key"})
    one, other = controllers.assigned("s1"), controllers.assigned("s2")
    assert addresses(one) == addresses(other)
    # Herald's own word comes first.
    controllers.change("ip", annotations=asks("198.51.100.8"))
    controllers.assigned("ip", ["198.51.100.8"])


def test_A10_a_migration_changes_no_service(api, make):
    """What MetalLB left in status is adopted, annotations and all."""
    controllers = make(api, CONFIG + "compatibility: {metallbAnnotations: true}\n")
    theirs = {"a": ("198.51.100.8", {"metallb.io/loadBalancerIPs": "198.51.100.8"}),
              "b": ("203.0.113.9", {"metallb.universe.tf/address-pool": "manual"}), "c": ("198.51.100.6", {})}
    for name, (ip, annotations) in theirs.items():
        controllers.add(name, annotations=annotations)
        api.admin.patch_status("services", name, {"status": {"loadBalancer": {"ingress": [{"ip": ip}]}}})
    controllers.start()
    for name, (ip, _) in theirs.items():
        controllers.refused(name, "Assigned")
        controllers.assigned(name, [ip])
        assert controllers.events(name, "UpdatedLoadBalancer") == []
