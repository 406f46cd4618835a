# SPDX-License-Identifier: Apache-2.0
"""A Service's life with the controller, on the embedded and on a real API server: the
Kubernetes contract (K01-K28).
Shown here: A09, K02, K03, K05, K06, K07, K08, K10, K12, K14, K15, K18, K19, K20, K22, K23, K35."""
import pytest

from harness.controller import ASSIGNED, addresses, condition, has_finalizer
from harness.kube import FINALIZER, configmap
from harness.speaker import NAMESPACE
from harness.wait import wait_for

FIRST = "198.51.100.1"


def test_K06_K14_one_write_gives_finalizer_annotation_and_address(controllers, api):
    with api.admin.watch("services", "default", resourceVersion=api.admin.list("services")["metadata"][
            "resourceVersion"]) as watch:
        controllers.add("web")
        seen = watch.until(lambda e: e["object"]["status"].get("loadBalancer"))
    assert [e["type"] for e in seen] == ["ADDED", "MODIFIED"]
    obj = seen[-1]["object"]
    assert addresses(obj) == [FIRST]
    assert obj["metadata"]["finalizers"] == [FINALIZER]
    assert obj["metadata"]["annotations"][ASSIGNED] == FIRST
    assert condition(obj)["status"] == "True" and condition(obj)["lastTransitionTime"]
    assert controllers.event("web", "IPAllocated")["message"] == f"assigned {FIRST}"


def test_K20_ip_mode_is_vip(controllers):
    controllers.add("web")
    ingress = controllers.assigned("web")["status"]["loadBalancer"]["ingress"]
    assert ingress == [{"ip": FIRST, "ipMode": "VIP"}]


def test_K15_our_own_echo_and_a_touch_lead_to_no_write(controllers, api):
    controllers.add("web")
    before = controllers.assigned("web")
    touched = api.admin.patch("services", "web", {"metadata": {"labels": {"touched": "yes"}}})
    controllers.add("later")
    controllers.assigned("later")
    assert before["metadata"]["resourceVersion"] != touched["metadata"]["resourceVersion"]
    assert controllers.get("web")["metadata"]["resourceVersion"] == touched["metadata"]["resourceVersion"]


def test_K01_K02_a_service_of_another_class_is_left_alone(controllers, api):
    theirs = controllers.add("theirs", loadBalancerClass="example.com/internal-vip")
    api.admin.patch_status("services", "theirs", {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}})
    controllers.add("ours")
    controllers.assigned("ours")
    obj = controllers.get("theirs")
    assert addresses(obj) == ["203.0.113.9"]
    assert obj["metadata"].get("finalizers") == theirs["metadata"].get("finalizers")
    assert condition(obj) == {}


@pytest.mark.parametrize("name", ["herald.io/lb", "internal"])
def test_K02_with_a_class_only_that_one(api, make, name):
    """K04: Herald has no class of its own by default; one without a prefix is its user's to choose."""
    controllers = make(api)
    controllers.start("c1", "--load-balancer-class", name)
    controllers.add("unset")
    controllers.add("other", loadBalancerClass={"herald.io/lb": "internal", "internal": "herald.io/lb"}[name])
    controllers.add("ours", loadBalancerClass=name)
    controllers.assigned("ours", [FIRST])
    assert addresses(controllers.get("unset")) == addresses(controllers.get("other")) == []


def test_K05_without_selector_or_endpoints(controllers):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    controllers.add("labelled", labels={"service.kubernetes.io/service-proxy-name": "other"})
    controllers.assigned("labelled")


def test_K07_deletion_waits_for_the_clean_up_and_the_address_is_free(controllers, api):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    api.admin.delete("services", "web")
    wait_for("the Service to be gone", lambda: not api.admin.exists("services", "web"))
    wait_for("its address to be free", lambda: controllers.metric(
        "herald_controller_pool_addresses_in_use", pool="main") == 0)


def test_K07_also_when_nothing_was_ever_assigned(api, make):
    controllers = make(api, config=None)
    obj = controllers.add("web")
    api.admin.patch("services", "web", {"metadata": {"finalizers": [FINALIZER]}})
    controllers.start()
    api.admin.delete("services", obj["metadata"]["name"])
    wait_for("the Service to be gone", lambda: not api.admin.exists("services", "web"))


def test_K08_K17_leaving_the_type_and_coming_back(controllers, api):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    api.admin.patch("services", "web", {"spec": {"type": "ClusterIP", "allocateLoadBalancerNodePorts": None}})
    wait_for("the clean-up", lambda: not has_finalizer(controllers.get("web")))
    obj = controllers.get("web")
    assert addresses(obj) == [] and condition(obj) == {}
    assert ASSIGNED not in obj["metadata"].get("annotations", {})
    # K17: the API server had cleared the status itself; the address was free only then.
    api.admin.patch("services", "web", {"spec": {"type": "LoadBalancer"}})
    assert has_finalizer(controllers.assigned("web"))
    api.admin.delete("services", "web")
    wait_for("the Service to be gone", lambda: not api.admin.exists("services", "web"))


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "ExternalName"])
def test_K08_types_in_every_direction(controllers, api, kind):
    spec = {"type": kind, "allocateLoadBalancerNodePorts": None}
    if kind == "ExternalName":
        spec |= {"externalName": "example.com", "clusterIP": None, "clusterIPs": None, "ipFamilies": None,
                 "ipFamilyPolicy": None, "internalTrafficPolicy": None}
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    api.admin.patch("services", "web", {"spec": spec})
    wait_for("the clean-up", lambda: not has_finalizer(controllers.get("web")))
    controllers.add("next")
    controllers.assigned("next")
    back = {"type": "LoadBalancer", "externalName": None}
    api.admin.patch("services", "web", {"spec": back})
    controllers.assigned("web")


def test_K03_a_change_of_class_over_clusterip_releases(controllers, api):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    api.admin.patch("services", "web", {"spec": {"type": "ClusterIP", "allocateLoadBalancerNodePorts": None}})
    wait_for("the clean-up", lambda: not has_finalizer(controllers.get("web")))
    api.admin.patch("services", "web", {"spec": {"type": "LoadBalancer", "loadBalancerClass": "example.com/x"}})
    controllers.add("next")
    controllers.assigned("next")
    assert addresses(controllers.get("web")) == []


def test_K10_made_again_under_the_same_name(controllers, api):
    for _ in range(3):
        controllers.add("web")
        uid = controllers.assigned("web")["metadata"]["uid"]
        api.admin.delete("services", "web")
        wait_for("the Service to be gone", lambda: not api.admin.exists("services", "web"))
        controllers.add("web")
        assert controllers.assigned("web")["metadata"]["uid"] != uid
        api.admin.delete("services", "web")
        wait_for("the Service to be gone", lambda: not api.admin.exists("services", "web"))
    wait_for("all addresses to be free", lambda: controllers.metric(
        "herald_controller_pool_addresses_in_use", pool="main") == 0)


def test_K12_deletions_missed_while_away_are_made_good(api, make):
    controllers = make(api)
    process = controllers.start()
    controllers.add("deleted"), controllers.add("changed")
    controllers.assigned("deleted"), controllers.assigned("changed")
    assert process.stop() == 0
    api.admin.delete("services", "deleted")
    api.admin.patch("services", "changed", {"spec": {"type": "ClusterIP", "allocateLoadBalancerNodePorts": None}})
    assert api.admin.exists("services", "deleted")
    controllers.start()
    wait_for("the Service to be gone", lambda: not api.admin.exists("services", "deleted"))
    wait_for("the clean-up", lambda: not has_finalizer(controllers.get("changed")))


def test_K18_restored_from_a_backup_it_has_its_address_again(controllers, api):
    for name in ("a", "b", "c"):
        controllers.add(name)
        controllers.assigned(name)
    kept = controllers.get("c")
    address = addresses(kept)
    api.admin.delete("services", "c")
    wait_for("the Service to be gone", lambda: not api.admin.exists("services", "c"))
    api.admin.create({**kept, "metadata": {"name": "c", "annotations": kept["metadata"]["annotations"]},
                      "spec": {k: v for k, v in kept["spec"].items() if not k.startswith("clusterIP")}})
    controllers.assigned("c", address)


def test_K22_conditions_of_others_stay(controllers, api):
    controllers.add("web")
    controllers.assigned("web")
    other = {"type": "example.com/Checked", "status": "True", "reason": "Fine", "message": "",
             "lastTransitionTime": "2026-01-01T00:00:00Z"}
    api.admin.patch_status("services", "web", {"status": {"conditions": [other]}}, kind="strategic")
    api.admin.patch("services", "web", {"spec": {"loadBalancerIP": "203.0.113.77"}})
    obj = controllers.refused("web", "AddressOutsidePools")
    assert [c["type"] for c in obj["status"]["conditions"] if c["type"] != condition(obj)["type"]] == [other["type"]]
    # K25, A07: the request cannot be met, and what the Service had is kept.
    assert addresses(obj) == [FIRST] and condition(obj)["status"] == "False"
    assert "203.0.113.77" in condition(obj)["message"]


def test_K25_the_old_address_is_kept_until_the_new_one_is_certain(controllers, api):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    api.admin.patch("services", "web", {"spec": {"loadBalancerIP": "198.51.100.7"}})
    controllers.assigned("web", ["198.51.100.7"])
    controllers.event("web", "UpdatedLoadBalancer")


def test_K23_a_status_edited_by_a_stranger_is_put_right(controllers, api):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    for wrong in ([{"ip": "203.0.113.5"}], [{"hostname": "example.com"}], None):
        api.admin.patch_status("services", "web", {"status": {"loadBalancer": {"ingress": wrong}}})
        controllers.assigned("web", [FIRST])


def test_K35_addresses_of_nodes_and_external_ips_are_never_assigned(api, make):
    controllers = make(api)
    api.admin.make_node("n1", FIRST)
    api.admin.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "plain"},
                      "spec": {"ports": [{"port": 80}], "externalIPs": ["198.51.100.2"]}})
    controllers.start()
    controllers.add("web")
    controllers.assigned("web", ["198.51.100.3"])
    # A node gone is an address to be had.
    api.admin.delete("nodes", "n1")
    api.admin.delete("services", "plain")
    controllers.add("asks", loadBalancerIP=FIRST)
    controllers.assigned("asks", [FIRST])


def test_A09_the_freed_address_goes_to_whoever_has_waited_longest(api, make):
    controllers = make(api, """apiVersion: herald.io/v1
pools: [{name: one, addresses: [198.51.100.1]}]
""")
    controllers.start()
    controllers.add("holder")
    controllers.assigned("holder", [FIRST])
    for name in ("first", "second"):
        controllers.add(name)
        obj = controllers.refused(name, "NoAddressAvailable")
        assert "pool `one`: full" in condition(obj)["message"]
        controllers.event(name, "AllocationFailed")
    api.admin.delete("services", "holder")
    controllers.assigned("first", [FIRST])
    assert addresses(controllers.get("second")) == []


def test_K19_a_bad_or_missing_configuration_takes_nothing_away(controllers, api):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    controllers.set_config("apiVersion: herald.io/v1\npools: [{name: main, addresses: [198.51.100.300]}]\n")
    event = wait_for("the Event", lambda: [e for e in api.admin.items("events", NAMESPACE)
                                           if e["reason"] == "ConfigRejected"])[0]
    assert "198.51.100.300" in event["message"]
    assert controllers.metric("herald_config_valid") == 0
    controllers.add("next")
    controllers.assigned("next")  # the last good configuration is in force
    api.admin.delete("configmaps", "herald-config", NAMESPACE)
    controllers.add("after")
    controllers.assigned("after")
    assert addresses(controllers.get("web")) == [FIRST]


def test_missing_configuration_is_told_and_mended(api, make):
    controllers = make(api, config=None)
    controllers.start()
    controllers.add("web")
    obj = controllers.refused("web", "NoConfiguration")
    assert "ConfigMap" in condition(obj)["message"]
    api.admin.create(configmap("herald-config", {"config.yaml": """apiVersion: herald.io/v1
pools: [{name: main, addresses: [198.51.100.1]}]
"""}, NAMESPACE))
    controllers.assigned("web", [FIRST])
