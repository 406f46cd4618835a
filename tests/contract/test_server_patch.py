# SPDX-License-Identifier: Apache-2.0
"""The three kinds of patch that an API server takes, and what makes one conflict.
Shown here: K10, K11, K16, K22."""
import pytest

from harness import kube
from harness.kube import FINALIZER
from harness.refusal import refused

PATH = "/api/v1/namespaces/default/services/s"
OTHERS = {"type": "example.com/Other", "status": "True", "reason": "Its", "message": "", "lastTransitionTime":
          "2026-01-02T03:04:05Z"}
OURS = {"type": "herald.io/Assigned", "status": "True", "reason": "Ours", "message": "m", "lastTransitionTime":
        "2026-01-02T03:04:06Z"}


@pytest.fixture
def service(api):
    """A Service with two ports and two finalizers."""
    obj = kube.service("s", ports=((80, "TCP"), (53, "UDP")), labels={"a": "1", "b": "2"})
    obj["metadata"]["finalizers"] = ["example.com/one", "example.com/two"]
    return api.admin.create(obj)


def patch(api, body, kind, **more):
    return api.admin.patch("services", "s", body, kind=kind, **more)


def test_merge_sets_deletes_and_replaces_whole_arrays(api, service):
    after = patch(api, {"metadata": {"labels": {"a": None, "c": "3"}, "annotations": {"x": "y"},
                                     "finalizers": [FINALIZER]}}, "merge")
    assert after["metadata"]["labels"] == {"b": "2", "c": "3"}
    assert after["metadata"]["annotations"] == {"x": "y"} and after["metadata"]["finalizers"] == [FINALIZER]
    assert patch(api, {"metadata": {"labels": None}}, "merge")["metadata"].get("labels") is None
    assert after["spec"] == service["spec"]


def test_k11_k22_strategic_merges_lists_by_their_key(api, service):
    after = patch(api, {"metadata": {"finalizers": [FINALIZER]}}, "strategic")
    assert set(after["metadata"]["finalizers"]) == {"example.com/one", "example.com/two", FINALIZER}
    after = patch(api, {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER, "example.com/one"]}},
                  "strategic")
    assert after["metadata"]["finalizers"] == ["example.com/two"]
    patch(api, {"status": {"conditions": [OTHERS]}}, "strategic", sub="status")
    after = patch(api, {"status": {"conditions": [OURS]}}, "strategic", sub="status")
    assert sorted(after["status"]["conditions"], key=lambda c: c["type"]) == [OTHERS, OURS]
    after = patch(api, {"status": {"conditions": [{"type": OURS["type"], "status": "False"}]}}, "strategic",
                  sub="status")
    assert sorted(after["status"]["conditions"], key=lambda c: c["type"]) == [OTHERS, {**OURS, "status": "False"}]
    after = patch(api, {"status": {"conditions": [{"type": OURS["type"], "$patch": "delete"}]}}, "strategic",
                  sub="status")
    assert after["status"]["conditions"] == [OTHERS]


def test_k16_the_ingress_list_is_atomic_in_each_kind(api, service):
    def ingress(address, kind):
        body = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
        return [i["ip"] for i in patch(api, body, kind, sub="status")["status"]["loadBalancer"]["ingress"]]
    assert [ingress("192.0.2.1", "merge"), ingress("192.0.2.2", "strategic"), ingress("192.0.2.3", "merge")] == [
        ["192.0.2.1"], ["192.0.2.2"], ["192.0.2.3"]]


def test_strategic_merges_ports_by_their_number(api, service):
    after = patch(api, {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}, "strategic")
    assert {p["port"]: p["targetPort"] for p in after["spec"]["ports"]} == {80: 8080, 53: 53}
    assert {p["port"]: p.get("nodePort") for p in after["spec"]["ports"]} == {
        p["port"]: p["nodePort"] for p in service["spec"]["ports"]}
    # Those that the patch names come in its order, and before the others.
    after = patch(api, {"spec": {"ports": [{"name": "new", "port": 90}, {"port": 53}]}}, "strategic")
    assert [p["port"] for p in after["spec"]["ports"]] == [90, 80, 53]
    after = patch(api, {"spec": {"$setElementOrder/ports": [{"port": 53}, {"port": 80}, {"port": 90}]}}, "strategic")
    assert [p["port"] for p in after["spec"]["ports"]] == [53, 80, 90]
    patch(api, {"spec": {"ports": [{"port": 90, "$patch": "delete"}]}}, "strategic")
    after = patch(api, {"spec": {"ports": [{"port": 53, "$patch": "delete"}]}}, "strategic")
    assert [p["port"] for p in after["spec"]["ports"]] == [80]
    after = patch(api, {"spec": {"ports": [{"$patch": "replace"}, {"name": "x", "port": 81}]}}, "strategic")
    assert [p["port"] for p in after["spec"]["ports"]] == [81]


def test_strategic_replaces_or_empties_a_map(api, service):
    after = patch(api, {"metadata": {"labels": {"$patch": "replace", "only": "this"}}}, "strategic")
    assert after["metadata"]["labels"] == {"only": "this"}
    after = patch(api, {"metadata": {"labels": {"$patch": "delete"}}}, "strategic")
    assert not after["metadata"].get("labels")


def test_json_operations(api, service):
    after = patch(api, [{"op": "test", "path": "/metadata/labels/a", "value": "1"},
                        {"op": "add", "path": "/metadata/annotations", "value": {"example.com/x": "1"}},
                        {"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER},
                        {"op": "remove", "path": "/metadata/finalizers/0"},
                        {"op": "replace", "path": "/metadata/annotations/example.com~1x", "value": "2"},
                        {"op": "copy", "from": "/metadata/labels/b", "path": "/metadata/labels/c"},
                        {"op": "move", "from": "/metadata/labels/a", "path": "/metadata/labels/d"}], "json")
    m = after["metadata"]
    assert m["finalizers"] == ["example.com/two", FINALIZER] and m["annotations"] == {"example.com/x": "2"}
    assert m["labels"] == {"b": "2", "c": "2", "d": "1"}


@pytest.mark.parametrize("operation", [
    {"op": "test", "path": "/metadata/labels/a", "value": "9"}, {"op": "remove", "path": "/metadata/labels/none"},
    {"op": "replace", "path": "/metadata/annotations/none", "value": "x"},
    {"op": "add", "path": "/metadata/finalizers/7", "value": "example.com/x"},
    {"op": "add", "path": "/spec/none/deeper", "value": 1}])
def test_a_json_operation_that_does_not_apply(api, service, operation):
    refusal = refused(422, patch, api, [{"op": "add", "path": "/metadata/labels/x", "value": "y"}, operation], "json")
    assert refusal.reason == "Invalid"
    assert api.admin.get("services", "s") == service


@pytest.mark.parametrize("kind, body", [
    *((kind, body) for kind in ("merge", "strategic", "json") for body in ("{", "5", '"x"')),
    ("json", '{"op": "remove"}')])
def test_malformed_patches(api, service, kind, body):
    assert refused(400, patch, api, body, kind).reason == "BadRequest"
    assert api.admin.get("services", "s") == service


def test_a_patch_of_another_media_type(api, service):
    refusal = refused(415, api.admin.call, "PATCH", PATH, {}, {"Content-Type": "application/json"})
    assert refusal.reason == "UnsupportedMediaType"


@pytest.mark.parametrize("kind", ["merge", "strategic"])
def test_k11_a_version_in_a_patch_is_a_precondition(api, service, kind):
    old = service["metadata"]["resourceVersion"]
    now = patch(api, {"metadata": {"resourceVersion": old, "labels": {"a": "5"}}}, kind)
    refusal = refused(409, patch, api, {"metadata": {"resourceVersion": old, "labels": {"a": "6"}}}, kind)
    assert refusal.reason == "Conflict" and "the object has been modified" in refusal.status["message"]
    assert api.admin.get("services", "s") == now
    refused(409, patch, api, {"metadata": {"resourceVersion": old}, "status": {}}, kind, sub="status")
    # Without one it never conflicts.
    assert patch(api, {"metadata": {"labels": {"a": "7"}}}, kind)["metadata"]["labels"]["a"] == "7"


def test_k11_a_version_in_a_json_patch(api, service):
    old = service["metadata"]["resourceVersion"]
    patch(api, {"metadata": {"labels": {"a": "5"}}}, "merge")
    set_ = {"op": "replace", "path": "/metadata/labels/a", "value": "6"}
    refused(422, patch, api, [{"op": "test", "path": "/metadata/resourceVersion", "value": old}, set_], "json")
    refused(409, patch, api, [{"op": "replace", "path": "/metadata/resourceVersion", "value": old}, set_], "json")
    assert api.admin.get("services", "s")["metadata"]["labels"]["a"] == "5"


def test_k10_a_uid_in_a_patch_is_a_precondition(api, service):
    other = "00000000-0000-4000-8000-000000000000"
    refusal = refused(422, patch, api, {"metadata": {"uid": other, "labels": {"a": "5"}}}, "merge")
    assert refusal.causes == {"metadata.uid": f'Invalid value: "{other}": field is immutable'}
    same = {"metadata": {"uid": service["metadata"]["uid"], "labels": {"a": "5"}}}
    assert patch(api, same, "merge")["metadata"]["labels"]["a"] == "5"


def test_a_patch_cannot_rename(api, service):
    assert refused(400, patch, api, {"metadata": {"name": "t"}}, "merge").reason == "BadRequest"
    assert refused(400, patch, api, {"metadata": {"namespace": "kube-system"}}, "merge").reason == "BadRequest"


def test_what_a_patch_leaves_must_be_valid(api, service):
    assert "spec.type" in refused(422, patch, api, {"spec": {"type": "Sideways"}}, "merge").causes
    assert refused(422, patch, api, {"spec": {"ports": []}}, "merge").reason == "Invalid"
    assert api.admin.get("services", "s") == service


@pytest.mark.parametrize("body", [
    {"metadata": {"labels": {"a": 5}}}, {"metadata": {"finalizers": "x"}}, {"spec": {"ports": {"a": "b"}}},
    {"spec": {"ports": [{"port": "80"}]}}, {"spec": {"loadBalancerClass": 5}}, {"spec": "x"}])
def test_what_a_patch_leaves_must_have_the_right_types(api, service, body):
    assert list(refused(422, patch, api, body, "merge").causes) == ["patch"]
    assert api.admin.get("services", "s") == service
