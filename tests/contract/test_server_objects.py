# SPDX-License-Identifier: Apache-2.0
"""What an API server does with any object: what it owns in the metadata, optimistic
concurrency, finalizers, deletion, and how it refuses.
Shown here: K07, K11, K15."""
import re

import pytest

from harness import kube
from harness.kube import FINALIZER
from harness.refusal import refused

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SECOND = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def cm(name="a", **data):
    return kube.configmap(name, data or {"k": "v"}, ns=None)


def plain(obj):
    """Without managedFields, which only the real server keeps."""
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}


def held(api, finalizers=(FINALIZER,), name="a"):
    obj = cm(name)
    obj["metadata"]["finalizers"] = list(finalizers)
    return api.admin.create(obj)


def version(obj):
    return int(obj["metadata"]["resourceVersion"])


def test_the_server_owns_part_of_the_metadata(api):
    sent = cm()
    sent["metadata"].update(uid="mine", creationTimestamp="2001-01-01T00:00:00Z", selfLink="/x",
                            deletionTimestamp="2001-01-01T00:00:00Z", deletionGracePeriodSeconds=7)
    made = api.admin.create(sent)
    m = made["metadata"]
    assert made["kind"] == "ConfigMap" and made["apiVersion"] == "v1" and made["data"] == {"k": "v"}
    assert re.fullmatch(UUID, m["uid"]) and re.fullmatch(SECOND, m["creationTimestamp"])
    assert m["creationTimestamp"] > "2001-01-02" and m["resourceVersion"].isdigit()
    assert set(plain(made)["metadata"]) == {"name", "namespace", "uid", "creationTimestamp", "resourceVersion"}
    assert api.admin.get("configmaps", "a") == made


def test_generate_name(api):
    sent = cm()
    sent["metadata"] = {"generateName": "many-"}
    names = {api.admin.create(sent, "default")["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5 and all(re.fullmatch("many-[a-z0-9]{5}", name) for name in names)
    made = api.admin.get("configmaps", names.pop())
    assert made["metadata"]["generateName"] == "many-"


def test_names_are_unique(api):
    api.admin.create(cm())
    status = refused(409, api.admin.create, cm()).status
    assert status == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                      "message": 'configmaps "a" already exists', "reason": "AlreadyExists",
                      "details": {"name": "a", "kind": "configmaps"}, "code": 409}
    api.admin.create(kube.lease("a", "x"))
    refused(409, api.admin.create, kube.lease("a", "y"))


def test_not_found(api):
    status = refused(404, api.admin.get, "leases", "a").status
    assert status == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                      "message": 'leases.coordination.k8s.io "a" not found', "reason": "NotFound",
                      "details": {"name": "a", "group": "coordination.k8s.io", "kind": "leases"}, "code": 404}
    for refusal in (refused(404, api.admin.update, kube.configmap("a", {})), refused(404, api.admin.patch, "configmaps", "a", {}),
                    refused(404, api.admin.delete, "configmaps", "a")):
        assert refusal.reason == "NotFound" and refusal.status["message"] == 'configmaps "a" not found'


def test_a_missing_namespace_is_named(api):
    refusal = refused(404, api.admin.create, cm(), "nowhere")
    assert refusal.status["message"] == 'namespaces "nowhere" not found'
    assert refusal.status["details"] == {"name": "nowhere", "kind": "namespaces"}
    assert api.admin.items("configmaps", "nowhere") == []


@pytest.mark.parametrize("change", [
    {"metadata": {"name": "Capital"}}, {"metadata": {"name": "a", "labels": {"k": "not a value"}}},
    {"metadata": {"name": "a", "labels": {"no key!": "v"}}},
    {"metadata": {"name": "a", "annotations": {"no key!": "v"}}},
    {"metadata": {"name": "a", "finalizers": ["unprefixed"]}}, {"metadata": {}}])
def test_invalid_metadata(api, change):
    refusal = refused(422, api.admin.create, {**cm(), **change}, "default")
    assert refusal.reason == "Invalid" and refusal.status["details"]["kind"] == "ConfigMap"
    assert [field.split("[")[0] for field in refusal.causes] == [
        "metadata." + (set(change["metadata"]) - {"name"} or {"name"}).pop()]


def test_what_belongs_to_creation_and_nothing_else(api):
    stale = cm()
    stale["metadata"]["resourceVersion"] = "5"
    refused(500, api.admin.create, stale)
    elsewhere = cm()
    elsewhere["metadata"]["namespace"] = "kube-system"
    assert refused(400, api.admin.create, elsewhere, "default").reason == "BadRequest"


@pytest.mark.parametrize("body", ["{", '"text"', "[]", '{"metadata": 5}', '{"kind": "Service", "apiVersion": "v1"}',
                                  '{"kind": "ConfigMap", "apiVersion": "v2"}', '{"data": {"k": 5}}',
                                  '{"data": ["k"]}', '{"metadata": {"name": 5}}', '{"metadata": {"labels": {"a": 1}}}'])
def test_what_is_no_such_object(api, body):
    assert refused(400, api.admin.call, "POST", "/api/v1/namespaces/default/configmaps", body).reason == "BadRequest"


def test_media_types(api):
    path = "/api/v1/namespaces/default/configmaps"
    refusal = refused(415, api.admin.call, "POST", path, "k: v", {"Content-Type": "text/plain"})
    assert refusal.reason == "UnsupportedMediaType"
    assert api.admin.raw("POST", path, "{}" + " " * (3 << 20)).status_code == 413


def test_paths_and_methods_that_are_not_served(api):
    for path in ("/api/v1/nothings", "/api/v2", "/api/v1/namespaces/default/configmaps/a/status", "/api/v1/configmaps/a",
                 "/api/v1/namespaces/default/nodes", "/apis/coordination.k8s.io/v9/leases", "/api/v1/nodes/a/b/c/d",
                 "/apis/coordination.k8s.io/v1/namespaces/default/leases/a/status"):
        refusal = refused(404, api.admin.call, "GET", path)
        assert refusal.reason == "NotFound" and refusal.status["details"] == {}
        assert refusal.status["message"] == "the server could not find the requested resource"
    for path in ("/nowhere", "/apis/nowhere.example", "/apis/nowhere.example/v1/things"):
        response = api.admin.raw("GET", path)
        assert response.status_code == 404 and response.text == "404 page not found\n"
    for method, path in (("DELETE", "/api/v1/configmaps"), ("POST", "/api/v1/namespaces/default/configmaps/a"),
                         ("PUT", "/api/v1/namespaces/default/configmaps"), ("POST", "/api/v1/configmaps")):
        assert refused(405, api.admin.call, method, path, {}).reason == "MethodNotAllowed"


def test_k11_update_needs_the_version_it_replaces(api):
    first = api.admin.create(cm())
    second = api.admin.update({**first, "data": {"k": "2"}})
    assert version(second) > version(first) and second["data"] == {"k": "2"}
    refusal = refused(409, api.admin.update, {**first, "data": {"k": "3"}})
    assert refusal.reason == "Conflict" and refusal.status["details"] == {"name": "a", "kind": "configmaps"}
    assert refusal.status["message"] == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again")
    unconditional = api.admin.update({**cm(k="4"), "metadata": {"name": "a", "namespace": "default"}})
    assert unconditional["data"] == {"k": "4"} and unconditional["metadata"]["uid"] == first["metadata"]["uid"]


def test_update_keeps_what_the_server_owns(api):
    first = api.admin.create(cm())
    sent = {**first, "metadata": {**first["metadata"], "creationTimestamp": "2001-01-01T00:00:00Z",
                                  "labels": {"a": "b"}}}
    second = api.admin.update(sent)
    assert second["metadata"]["creationTimestamp"] == first["metadata"]["creationTimestamp"]
    assert second["metadata"]["labels"] == {"a": "b"}
    assert refused(409, api.admin.update, {**second, "metadata": {
        **second["metadata"], "uid": "00000000-0000-4000-8000-000000000000"}}).reason == "Conflict"
    other_name = {**cm("b"), "metadata": {"name": "b"}}
    assert refused(400, api.admin.call, "PUT", "/api/v1/namespaces/default/configmaps/a", other_name
                   ).reason == "BadRequest"


def test_k15_a_write_that_changes_nothing_makes_no_version(api):
    first = api.admin.create(cm())
    assert version(api.admin.update(first)) == version(first)
    for kind in ("merge", "strategic"):
        assert version(api.admin.patch("configmaps", "a", {"data": {"k": "v"}}, kind=kind)) == version(first)
    assert version(api.admin.patch("configmaps", "a", [], kind="json")) == version(first)
    assert version(api.admin.get("configmaps", "a")) == version(first)


def test_generation_follows_the_spec_where_there_is_one(api):
    slice_ = api.admin.create(kube.endpointslice("s", [("10.0.0.1", None)]))
    assert slice_["metadata"]["generation"] == 1
    labelled = api.admin.patch("endpointslices", slice_["metadata"]["name"], {"metadata": {"annotations": {"a": "b"}}})
    changed = api.admin.patch("endpointslices", slice_["metadata"]["name"], {"ports": []})
    assert [labelled["metadata"]["generation"], changed["metadata"]["generation"]] == [1, 2]
    assert "generation" not in api.admin.create(kube.service("s"))["metadata"]


def test_dry_run_stores_nothing(api):
    assert api.admin.create(cm(), dryRun="All")["metadata"]["uid"]
    assert not api.admin.exists("configmaps", "a")
    first = api.admin.create(cm())
    assert api.admin.patch("configmaps", "a", {"data": {"k": "w"}}, dryRun="All")["data"] == {"k": "w"}
    api.admin.delete("configmaps", "a", dryRun=["All"])
    assert api.admin.get("configmaps", "a") == first


def test_delete_at_once(api):
    made = api.admin.create(cm())
    answer = api.admin.delete("configmaps", "a")
    assert answer == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                      "details": {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}}
    assert not api.admin.exists("configmaps", "a")
    assert api.admin.create(cm())["metadata"]["uid"] != made["metadata"]["uid"]  # K10


def test_delete_preconditions(api):
    made = api.admin.create(cm())
    for wrong in ({"uid": "00000000-0000-4000-8000-000000000000"}, {"resourceVersion": "1"}):
        assert refused(409, api.admin.delete, "configmaps", "a", preconditions=wrong).reason == "Conflict"
    right = {k: made["metadata"][k] for k in ("uid", "resourceVersion")}
    assert api.admin.delete("configmaps", "a", preconditions=right)["status"] == "Success"


def test_delete_of_some_kinds_answers_with_the_object(api):
    made = api.admin.create(kube.service("s"))
    answer = api.admin.delete("services", "s")
    assert answer["kind"] == "Service" and answer["spec"] == made["spec"]
    assert answer["metadata"]["uid"] == made["metadata"]["uid"]
    assert api.admin.delete_all("configmaps", "default")["kind"] == "ConfigMapList"


@pytest.mark.parametrize("obj", [kube.service("s"), kube.lease("s", "x")], ids=lambda obj: obj["kind"])
def test_put_creates_some_kinds(api, obj):
    path = kube.path_of(kube.resource_of(obj), "default", "s")
    stale = {**obj, "metadata": {**obj["metadata"], "resourceVersion": "1"}}
    for sent in (obj, stale):
        response = api.admin.raw("PUT", path, sent)
        assert response.status_code == 201 and response.json()["metadata"]["uid"]
        api.admin.delete(kube.resource_of(obj), "s")
    refused(400, api.admin.call, "PUT", path, {**obj, "metadata": {"name": "t"}})


def test_k07_a_finalizer_holds_a_deleted_object(api):
    made = held(api)
    marked = api.admin.delete("configmaps", "a")
    assert marked["kind"] == "ConfigMap" and re.fullmatch(SECOND, marked["metadata"]["deletionTimestamp"])
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0 and version(marked) > version(made)
    again = api.admin.delete("configmaps", "a")
    assert again["metadata"]["deletionTimestamp"] == marked["metadata"]["deletionTimestamp"]
    # It can still be changed, but not freed of its end.
    changed = api.admin.patch("configmaps", "a", {"data": {"k": "w"}, "metadata": {"deletionTimestamp": None}})
    assert changed["data"] == {"k": "w"} and "deletionTimestamp" in changed["metadata"]
    last = api.admin.patch("configmaps", "a", {"metadata": {"finalizers": None}})
    assert "finalizers" not in last["metadata"] and not api.admin.exists("configmaps", "a")


def test_several_finalizers_go_one_by_one(api):
    held(api, ["example.com/one", "example.com/two"])
    api.admin.delete("configmaps", "a")
    left = api.admin.patch("configmaps", "a", {"metadata": {"finalizers": ["example.com/two"]}})
    assert left["metadata"]["finalizers"] == ["example.com/two"]
    left["metadata"]["finalizers"] = []
    api.admin.update(left)
    assert not api.admin.exists("configmaps", "a")


def test_no_new_finalizer_on_a_deleted_object(api):
    held(api)
    api.admin.delete("configmaps", "a")
    refusal = refused(422, api.admin.patch, "configmaps", "a",
                      {"metadata": {"finalizers": [FINALIZER, "example.com/late"]}})
    assert "no new finalizers can be added if the object is being deleted" in refusal.causes["metadata.finalizers"]


def test_delete_collection(api):
    for name, app in (("a", "x"), ("b", "x"), ("c", "y")):
        api.admin.create({**cm(name), "metadata": {"name": name, "labels": {"app": app}}})
    held(api, name="d")
    api.admin.delete_all("configmaps", "default", labelSelector="app=x")
    assert [o["metadata"]["name"] for o in api.admin.items("configmaps", "default")] == ["c", "d"]
    api.admin.delete_all("configmaps", "default")
    left = api.admin.items("configmaps", "default")
    assert [o["metadata"]["name"] for o in left] == ["d"] and "deletionTimestamp" in left[0]["metadata"]
