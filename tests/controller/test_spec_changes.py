# SPDX-License-Identifier: Apache-2.0
"""Changes of a Service that leave its address alone (K28, K30, K37), strangers who write its
status (K15, K16, K20, K21, C25), and classes (K02, K09).
Shown here: K05, K06, K07, K08, K22, K36."""
import pytest

from harness.controller import ASSIGNED, addresses, condition, has_finalizer
from harness.kube import FINALIZER, ApiError
from harness.wait import wait_for

FIRST, SECOND = "198.51.100.1", "198.51.100.2"


def port(number, **more):
    return {"name": f"p{number}", "port": number, "protocol": "TCP", **more}


@pytest.mark.parametrize("change", [
    {"ports": [port(443), port(8443)]},
    {"ports": [{"name": "a", "port": 80, "protocol": "TCP"}, {"name": "b", "port": 80, "protocol": "UDP"}]},
    {"ports": [port(80, nodePort=31080)], "allocateLoadBalancerNodePorts": True},
    {"selector": {"app": "another"}},
    {"externalTrafficPolicy": "Local", "healthCheckNodePort": 32123},
    {"internalTrafficPolicy": "Local"},
    {"sessionAffinity": "ClientIP"},
    {"loadBalancerSourceRanges": ["192.0.2.0/24"]},
    {"allocateLoadBalancerNodePorts": True}],
    ids=["ports", "protocols", "node-port", "selector", "local", "internal", "affinity", "ranges", "node-ports"])
def test_K28_K30_K37_the_address_is_kept_without_a_write(controllers, change):
    controllers.add("web", selector={"app": "web"})
    controllers.assigned("web", [FIRST])
    version = controllers.change("web", **change)["metadata"]["resourceVersion"]
    assert controllers.versions()["web"] == version
    assert addresses(controllers.get("web")) == [FIRST]


def test_K28_without_node_ports_and_with_them_later(controllers):
    controllers.add("web")
    obj = controllers.assigned("web", [FIRST])
    assert all("nodePort" not in p for p in obj["spec"]["ports"])
    obj = controllers.change("web", allocateLoadBalancerNodePorts=True)
    assert all(p["nodePort"] for p in obj["spec"]["ports"])
    assert controllers.versions()["web"] == obj["metadata"]["resourceVersion"]


def test_K30_policies_to_and_fro(controllers):
    controllers.add("web", selector={"app": "web"})
    controllers.assigned("web", [FIRST])
    for policy in ("Local", "Cluster", "Local"):
        obj = controllers.change("web", externalTrafficPolicy=policy)
        assert controllers.versions()["web"] == obj["metadata"]["resourceVersion"]


@pytest.mark.parametrize("ingress", [
    [{"ip": FIRST, "ipMode": "Proxy"}],
    [{"ip": FIRST, "ports": [{"port": 80, "protocol": "TCP", "error": "Broken"}]}],
    [{"ip": FIRST}, {"ip": "203.0.113.9"}],
    [{"ip": "203.0.113.9"}, {"hostname": "lb.example.com"}],
    []], ids=["mode", "ports", "more", "others", "none"])
def test_K16_K20_K21_a_stranger_s_list_is_replaced_as_a_whole(controllers, api, ingress):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    api.admin.patch_status("services", "web", {"status": {"loadBalancer": {"ingress": ingress}}})
    ours = [{"ip": FIRST, "ipMode": "VIP"}]
    wait_for("the list to be ours", lambda: controllers.get("web")["status"]["loadBalancer"].get("ingress") == ours)


def test_K22_a_condition_or_an_annotation_of_ours_that_is_changed(controllers, api):
    controllers.add("web")
    obj = controllers.assigned("web", [FIRST])
    wrong = {**condition(obj), "status": "False", "reason": "Wrong", "message": "not Herald's word"}
    api.admin.patch_status("services", "web", {"status": {"conditions": [wrong]}})
    controllers.refused("web", "Assigned")
    controllers.change("web", annotations={ASSIGNED: "203.0.113.9"})
    wait_for("the annotation", lambda: controllers.get("web")["metadata"]["annotations"][ASSIGNED] == FIRST)
    controllers.change("web", annotations={ASSIGNED: None})
    wait_for("the annotation", lambda: controllers.get("web")["metadata"]["annotations"].get(ASSIGNED) == FIRST)
    assert addresses(controllers.get("web")) == [FIRST]


def test_K06_a_finalizer_taken_away_is_put_back(controllers, api):
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    api.admin.patch("services", "web", {"metadata": {"finalizers": None}})
    wait_for("the finalizer", lambda: has_finalizer(controllers.get("web")))


def test_K07_other_finalizers_stay(controllers, api):
    other = "example.com/keeps"
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    api.admin.patch("services", "web", {"metadata": {"finalizers": [FINALIZER, other]}})
    api.admin.delete("services", "web")
    obj = wait_for("ours to be gone", lambda: (lambda o: o if not has_finalizer(o) else None)(controllers.get("web")))
    assert obj["metadata"]["finalizers"] == [other]
    # Its address is free before the object is.
    controllers.add("asks", loadBalancerIP=FIRST)
    controllers.assigned("asks", [FIRST])
    api.admin.patch("services", "web", {"metadata": {"finalizers": None}})


def test_K09_the_finalizer_of_others_is_theirs(controllers, api):
    controllers.add("foreign", loadBalancerClass="example.com/lb")
    controllers.add("plain", type="ClusterIP", allocateLoadBalancerNodePorts=None)
    for name in ("foreign", "plain"):
        api.admin.patch("services", name, {"metadata": {"finalizers": [FINALIZER]}})
        api.admin.delete("services", name)
    before = {name: controllers.get(name)["metadata"]["resourceVersion"] for name in ("foreign", "plain")}
    after = controllers.versions()
    assert {name: after[name] for name in before} == before
    for name in before:
        api.admin.patch("services", name, {"metadata": {"finalizers": None}})


def test_K02_with_a_class_also_the_unset_where_asked_for(api, make):
    controllers = make(api)
    controllers.start("c1", "--load-balancer-class", "herald.io/lb", "--handle-unset-class")
    controllers.add("unset")
    controllers.assigned("unset", [FIRST])
    controllers.add("ours", loadBalancerClass="herald.io/lb")
    controllers.assigned("ours", [SECOND])
    controllers.add("theirs", loadBalancerClass="example.com/lb")
    controllers.versions()
    assert condition(controllers.get("theirs")) == {}


KINDS = ("LoadBalancer", "ClusterIP", "NodePort", "ExternalName")
AWAY = {"clusterIP": None, "clusterIPs": None, "ipFamilies": None, "ipFamilyPolicy": None,
        "internalTrafficPolicy": None, "externalTrafficPolicy": None, "allocateLoadBalancerNodePorts": None}


def of_kind(kind):
    """What a patch says to make a Service one of this type."""
    spec = {"type": kind, "externalName": "example.com" if kind == "ExternalName" else None}
    if kind != "LoadBalancer":
        spec["allocateLoadBalancerNodePorts"] = None
    return {**spec, **(AWAY if kind == "ExternalName" else {})}


def test_K08_every_type_to_every_other(controllers):
    ways = {f"{a}-to-{b}".lower(): (a, b) for a in KINDS for b in KINDS if a != b}
    for name, (before, after) in ways.items():
        controllers.add(name, **{**of_kind(before), "allocateLoadBalancerNodePorts": None})
        if before == "LoadBalancer":
            controllers.assigned(name)
        controllers.change(name, **of_kind(after))
    for name, (before, after) in ways.items():
        if after == "LoadBalancer":
            assert has_finalizer(controllers.assigned(name))
            continue
        obj = wait_for(f"{name} to be cleaned up", lambda n=name: clean(controllers.get(n)))
        assert obj["spec"]["type"] == after and addresses(obj) == []
    assert controllers.metric("herald_controller_pool_addresses_in_use", pool="main") == 3


def clean(obj):
    left = has_finalizer(obj) or condition(obj) or ASSIGNED in obj["metadata"].get("annotations", {})
    return None if left else obj


def test_K05_headless_is_refused_by_the_server_itself(controllers):
    with pytest.raises(ApiError) as refused:
        controllers.add("headless", clusterIP="None")
    assert "spec.clusterIPs[0]" in refused.value.causes


def test_K36_three_protocols_on_one_port(controllers):
    controllers.add("web", ports=((53, "TCP"), (53, "UDP"), (53, "SCTP")))
    controllers.assigned("web", [FIRST])
