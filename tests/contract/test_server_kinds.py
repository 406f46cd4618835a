# SPDX-License-Identifier: Apache-2.0
"""The other kinds that Herald and its tests use: Leases, Events, ConfigMaps, Secrets,
EndpointSlices, Nodes and Namespaces.
Shown here: K40, K43, K50, K58."""
import pytest

from harness import kube
from harness.kube import path_of
from harness.refusal import refused

TIME = "2026-01-02T03:04:05.000006Z"
OBJECT = {"kind": "Service", "namespace": "default", "name": "s", "uid": "u", "apiVersion": "v1"}
EVENTS, NEW_EVENTS = path_of("events", "default"), path_of("events.events.k8s.io", "default")


def lease_patch(api, **spec):
    return api.admin.patch("leases", "l", {"spec": spec})["spec"]


def test_k58_a_lease_keeps_micro_times(api):
    sent = kube.lease("l", "me")
    made = api.admin.create(sent)
    assert made["spec"] == sent["spec"] and made["spec"]["renewTime"] == TIME
    for bad in ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.123456789Z", "text", 5):
        assert list(refused(422, lease_patch, api, renewTime=bad).causes) == ["patch"]
        refused(400, api.admin.create, kube.lease("m", "me", renew=bad))
    assert "renewTime" not in lease_patch(api, renewTime=None)


@pytest.mark.parametrize("spec, field", [
    ({"leaseDurationSeconds": 0}, "spec.leaseDurationSeconds"), ({"leaseDurationSeconds": -1}, "spec.leaseDurationSeconds"),
    ({"leaseTransitions": -1}, "spec.leaseTransitions"), ({"holderIdentity": 5}, "patch"),
    ({"leaseDurationSeconds": "5"}, "patch")])
def test_bad_leases(api, spec, field):
    api.admin.create(kube.lease("l", "me"))
    assert list(refused(422, lease_patch, api, **spec).causes) == [field]


def test_k58_a_lease_is_released_by_an_empty_holder(api):
    api.admin.create(kube.lease("l", "me"))
    assert lease_patch(api, holderIdentity="", leaseDurationSeconds=1)["holderIdentity"] == ""
    assert "holderIdentity" not in lease_patch(api, holderIdentity=None)


def test_k58_a_lease_is_written_only_from_its_newest_version(api):
    first = api.admin.create(kube.lease("l", "a"))
    taken = api.admin.update({**first, "spec": {**first["spec"], "holderIdentity": "b"}})
    assert taken["spec"]["holderIdentity"] == "b"
    refusal = refused(409, api.admin.update, {**first, "spec": {**first["spec"], "holderIdentity": "c"}})
    assert refusal.reason == "Conflict" and refusal.status["details"]["group"] == "coordination.k8s.io"
    # And never without one.
    refusal = refused(422, api.admin.update, kube.lease("l", "c"))
    assert list(refusal.causes) == ["metadata.resourceVersion"]
    stale = {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}, "spec": {"holderIdentity": "c"}}
    refused(409, api.admin.patch, "leases", "l", stale)
    assert api.admin.get("leases", "l")["spec"]["holderIdentity"] == "b"


def core_event(**fields):
    return {"metadata": {"name": "e"}, "involvedObject": OBJECT, "reason": "IPAllocated", "message": "m",
            "type": "Normal", **fields}


def new_event(**fields):
    return {"metadata": {"name": "e"}, "regarding": OBJECT, "reason": "IPAllocated", "note": "m", "type": "Normal",
            "eventTime": TIME, "action": "Assign", "reportingController": "herald.io/controller",
            "reportingInstance": "i", **fields}


def post(api, path, body):
    return api.admin.call("POST", path, body)


def test_k50_an_event_shows_in_both_groups(api):
    made = post(api, NEW_EVENTS, new_event())
    assert made["apiVersion"] == "events.k8s.io/v1" and made["eventTime"] == TIME
    core = api.admin.get("events", "e")
    assert core["apiVersion"] == "v1" and core["involvedObject"] == OBJECT and core["message"] == "m"
    assert (core["reportingComponent"], core["eventTime"]) == ("herald.io/controller", TIME)
    assert core["firstTimestamp"] is None and core["lastTimestamp"] is None
    api.admin.delete("events", "e")
    post(api, EVENTS, core_event(source={"component": "c"}, count=2))
    new = api.admin.get("events.events.k8s.io", "e")
    assert new["regarding"] == OBJECT and new["note"] == "m" and new["deprecatedCount"] == 2
    assert new["deprecatedSource"] == {"component": "c"}


def test_k50_only_the_series_of_a_new_event_changes(api):
    post(api, NEW_EVENTS, new_event())
    series = {"count": 2, "lastObservedTime": TIME}
    assert api.admin.patch("events.events.k8s.io", "e", {"series": series})["series"] == series
    for change, field in (({"note": "other"}, "message"), ({"reason": "Other"}, "reason"),
                          ({"regarding": {"name": "t"}}, "involvedObject"), ({"type": "Warning"}, "type"),
                          ({"eventTime": "2027-01-02T03:04:05.000006Z"}, "eventTime")):
        assert field in refused(422, api.admin.patch, "events.events.k8s.io", "e", change).causes
    # The older group lets all of it change.
    assert api.admin.patch("events", "e", {"message": "other", "count": 4})["message"] == "other"


@pytest.mark.parametrize("change, field", [
    ({"eventTime": None}, "eventTime"), ({"action": ""}, "action"), ({"reason": ""}, "reason"),
    ({"reason": "x" * 129}, "reason"), ({"reportingController": ""}, "reportingController"),
    ({"reportingController": "no name!"}, "reportingController"), ({"reportingInstance": ""}, "reportingInstance"),
    ({"type": "Odd"}, "type"), ({"note": "x" * 1025}, "message"), ({"deprecatedCount": 3}, "count"),
    ({"deprecatedSource": {"component": "c"}}, "source")])
def test_k50_bad_new_events(api, change, field):
    assert field in refused(422, post, api, NEW_EVENTS, new_event(**change)).causes


def test_k50_an_event_lives_in_its_objects_namespace(api):
    api.admin.create(kube.namespace("other"))
    nodes = new_event(regarding={"kind": "Node", "name": "n"})
    assert post(api, NEW_EVENTS, nodes)["metadata"]["namespace"] == "default"
    refusal = refused(422, post, api, path_of("events.events.k8s.io", "other"), nodes)
    assert list(refusal.causes) == ["involvedObject.namespace"]


def test_core_events_of_the_old_style_are_hardly_checked(api):
    post(api, EVENTS, core_event(message="x" * 2000, type="Odd"))
    refusal = refused(422, post, api, EVENTS, core_event(involvedObject={**OBJECT, "namespace": "other"}))
    assert list(refusal.causes) == ["involvedObject.namespace"]
    # One with an eventTime is of the new style.
    bad = core_event(metadata={"name": "f"}, eventTime=TIME, action="", reportingComponent="c", reportingInstance="i")
    assert "action" in refused(422, post, api, EVENTS, bad).causes
    refused(400, post, api, EVENTS, core_event(eventTime="2026-01-02T03:04:05Z"))


@pytest.mark.parametrize("resource, selector, found", [
    ("events", "involvedObject.name=s,involvedObject.kind=Service,involvedObject.uid=u", 1),
    ("events", "involvedObject.name=t", 0), ("events", "reason=IPAllocated,type=Normal", 1),
    ("events", "reportingComponent=herald.io/controller", 1), ("events.events.k8s.io", "regarding.name=s", 1),
    ("events.events.k8s.io", "reportingController=herald.io/controller", 1)])
def test_k50_events_are_found_by_what_they_regard(api, resource, selector, found):
    post(api, NEW_EVENTS, new_event())
    assert len(api.admin.items(resource, "default", fieldSelector=selector)) == found
    other = {"events": "regarding.name=s", "events.events.k8s.io": "involvedObject.name=s"}[resource]
    refused(400, api.admin.list, resource, "default", fieldSelector=other)


@pytest.mark.since(34)
def test_config_maps(api):
    data = {"config.yaml": "x: 1\n", ".dot": "", "A_b-c": "ä"}
    assert api.admin.create(kube.configmap("c", data))["data"] == data
    for bad in ("a b", "..", "", "x" * 254):
        assert list(refused(422, api.admin.create, kube.configmap("d", {bad: "v"})).causes) == [f"data[{bad}]"]
    largest = api.admin.create(kube.configmap("e", {"k": "x" * (1 << 20)}))
    assert len(largest["data"]["k"]) == 1 << 20
    refusal = refused(422, api.admin.create, kube.configmap("f", {"k": "x" * ((1 << 20) + 1)}))
    assert "may not be more than 1048576 bytes" in refusal.status["message"]
    assert "data" not in api.admin.create(kube.configmap("g", {}))
    api.admin.patch("configmaps", "c", {"immutable": True})
    assert list(refused(422, api.admin.patch, "configmaps", "c", {"data": {"x": "y"}}).causes) == ["data"]


def test_secrets(api):
    made = api.admin.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}})
    assert (made["data"], made["type"]) == ({"a": "Yg=="}, "Opaque") and "stringData" not in made
    refused(400, api.admin.create, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t"}, "data": {"a": "!"}})


def test_k43_endpoint_slices(api):
    sent = kube.endpointslice("s", [{"addresses": ["10.0.0.1"]}, ("10.0.0.2", "node1")])
    made = api.admin.create(sent)
    assert made["endpoints"] == [{"addresses": ["10.0.0.1"], "conditions": {}},
                                 {"addresses": ["10.0.0.2"], "conditions": {"ready": True}, "nodeName": "node1"}]
    # Its labels count as its content; a rewrite without change (C24) does not count.
    assert api.admin.update(made) == made
    labelled = api.admin.patch("endpointslices", "s-ipv4", {"metadata": {"labels": {"x": "y"}}})
    assert labelled["metadata"]["generation"] == 2
    empty = api.admin.patch("endpointslices", "s-ipv4", {"endpoints": [], "ports": None})
    assert (empty["endpoints"], empty["ports"]) == (None, None)
    fqdn = {**kube.endpointslice("t", [("a.example.com", None)]), "addressType": "FQDN"}
    assert api.admin.create(fqdn)["addressType"] == "FQDN"


@pytest.mark.since(34)
@pytest.mark.parametrize("change, field", [
    ({"addressType": "Odd"}, "addressType"), ({"addressType": None}, "addressType"),
    ({"addressType": "IPv6"}, "endpoints[0].addresses"), ({"endpoints": [{"addresses": []}]}, "endpoints[0].addresses"),
    ({"endpoints": [{"addresses": ["text"]}]}, "endpoints[0].addresses[0]"),
    ({"endpoints": [{"addresses": ["127.0.0.1"]}]}, "endpoints[0].addresses[0]"),
    ({"ports": [{"name": "Capital", "port": 80}]}, "ports[0].name"),
    ({"ports": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]}, "ports[1].name"),
    ({"ports": [{"port": 80, "protocol": "XYZ"}]}, "ports[0].protocol")])
def test_bad_endpoint_slices(api, change, field):
    obj = {**kube.endpointslice("s", [("10.0.0.1", None)]), **change}
    assert list(refused(422, api.admin.create, obj).causes) == [field]


def test_the_family_of_a_slice_stays(api):
    api.admin.create(kube.endpointslice("s", [("10.0.0.1", None)]))
    refusal = refused(422, api.admin.patch, "endpointslices", "s-ipv4", {"addressType": "IPv6", "endpoints": []})
    assert list(refusal.causes) == ["addressType"]


def test_k40_nodes(api):
    made = api.admin.create(kube.node("n", {"a": "b"}, [{"key": "k", "effect": "NoExecute"}]))
    # Something that watches nodes has to say first that it is ready.
    assert made["spec"]["taints"] == [{"key": "k", "effect": "NoExecute"},
                                      {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    status = api.admin.patch_status("nodes", "n", {"status": kube.node_status("192.0.2.1")}, kind="strategic")["status"]
    assert status["addresses"] == [{"type": "InternalIP", "address": "192.0.2.1"}]
    after = api.admin.patch_status("nodes", "n", {"status": {"conditions": [
        {"type": "NetworkUnavailable", "status": "True"}]}}, kind="strategic")["status"]
    assert {c["type"]: c["status"] for c in after["conditions"]} == {"Ready": "True", "NetworkUnavailable": "True"}
    # A node's status takes no spec, and its spec no status.
    api.admin.patch_status("nodes", "n", {"spec": {"unschedulable": True}})
    api.admin.patch("nodes", "n", {"status": {"addresses": []}})
    node = api.admin.get("nodes", "n")
    assert "unschedulable" not in node["spec"] and node["status"]["addresses"]
    assert api.admin.patch("nodes", "n", {"spec": {"unschedulable": True, "taints": []}})["spec"] == {
        "unschedulable": True}
    assert [o["metadata"]["name"] for o in api.admin.items("nodes", fieldSelector="spec.unschedulable=true")] == ["n"]
    assert api.admin.patch("nodes", "n", {"spec": {"unschedulable": False}})["spec"] == {}
    assert refused(422, api.admin.patch, "nodes", "n", {"spec": {"taints": [{"key": "x", "effect": "Odd"}]}}).causes
    assert api.admin.delete("nodes", "n")["status"] == "Success"


def test_namespaces(api):
    made = api.admin.create(kube.namespace("other"))
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "other"}
    assert made["status"]["phase"] == "Active"
    obj = kube.configmap("a", {}, "other")
    obj["metadata"]["finalizers"] = ["example.com/held"]
    api.admin.create(obj)
    marked = api.admin.delete("namespaces", "other")
    assert marked["status"]["phase"] == "Terminating" and "deletionTimestamp" in marked["metadata"]
    refusal = refused(403, api.admin.create, kube.configmap("b", {}, "other"))
    assert refusal.reason == "Forbidden" and "because it is being terminated" in refusal.status["message"]
    for name in ("default", "kube-system"):
        assert refused(403, api.admin.delete, "namespaces", name).reason == "Forbidden"
    assert list(refused(422, api.admin.create, kube.namespace("a.b")).causes) == ["metadata.name"]
