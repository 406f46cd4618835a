# SPDX-License-Identifier: Apache-2.0
"""Lists: pages that show one moment, versions, selectors, and tables (K51-K56).
Shown here: K52."""
import pytest

from harness import kube
from harness.kube import path_of
from harness.refusal import refused

FAR_AHEAD = "99999999"


def fill(api, *names, **labels):
    for name in names:
        obj = kube.configmap(name, {"k": name})
        obj["metadata"]["labels"] = labels
        api.admin.create(obj)


def names(answer):
    return [o["metadata"]["name"] for o in answer["items"]]


def lists(api, **params):
    return api.admin.list("configmaps", "default", **params)


def event(name):
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "reason": "R", "message": "m",
            "type": "Normal", "involvedObject": {"kind": "Service", "namespace": "default", "name": "s"}}


def test_a_list(api):
    fill(api, "b", "a")
    answer = lists(api)
    assert answer["kind"] == "ConfigMapList" and answer["apiVersion"] == "v1"
    assert names(answer) == ["a", "b"] and not {"kind", "apiVersion"} & set(answer["items"][0])
    assert set(answer["metadata"]) == {"resourceVersion"}
    assert int(answer["metadata"]["resourceVersion"]) >= int(answer["items"][0]["metadata"]["resourceVersion"])
    assert lists(api, labelSelector="none=such")["items"] == []


def test_lists_of_all_namespaces_and_of_one(api):
    api.admin.create(kube.namespace("other"))
    fill(api, "a")
    api.admin.create(kube.configmap("a", {}, "other"))
    every = [(o["metadata"]["namespace"], o["metadata"]["name"]) for o in api.admin.items("configmaps")]
    assert {("default", "a"), ("other", "a")} <= set(every) and every == sorted(every)
    assert names(api.admin.list("configmaps", "other")) == ["a"]


def test_k56_pages_show_one_moment(api):
    fill(api, *"abcde")
    first = lists(api, limit=2)
    assert names(first) == ["a", "b"] and first["metadata"]["remainingItemCount"] == 3
    api.admin.delete("configmaps", "c")
    fill(api, "bb", "f")
    second = lists(api, limit=2, **{"continue": first["metadata"]["continue"]})
    assert names(second) == ["c", "d"] and second["metadata"]["remainingItemCount"] == 1
    third = lists(api, limit=2, **{"continue": second["metadata"]["continue"]})
    assert names(third) == ["e"] and "continue" not in third["metadata"]
    assert len({page["metadata"]["resourceVersion"] for page in (first, second, third)}) == 1
    assert names(lists(api, limit=10)) == ["a", "b", "bb", "d", "e", "f"]


def test_pages_with_a_selector_count_nothing(api):
    fill(api, "a", "b", "c", app="x")
    fill(api, "aa", "bb", app="y")
    first = lists(api, limit=2, labelSelector="app=x")
    assert names(first) == ["a", "b"] and "remainingItemCount" not in first["metadata"]
    rest = lists(api, limit=2, labelSelector="app=x", **{"continue": first["metadata"]["continue"]})
    assert names(rest) == ["c"]


def test_k56_a_page_of_what_is_forgotten_is_410(api):
    # Events, since the real server's cache remembers pages of all else a while longer.
    for name in "abc":
        api.admin.create(event(name))
    token = api.admin.list("events", "default", limit=1)["metadata"]["continue"]
    api.admin.create(event("d"))
    api.compact()
    refusal = refused(410, api.admin.list, "events", "default", limit=1, **{"continue": token})
    assert refusal.reason == "Expired" and "continue parameter is too old" in refusal.status["message"]
    assert len(api.admin.items("events", "default", limit=10)) == 4


def test_k52_an_exact_version_that_is_forgotten_is_410(api):
    version = api.admin.create(event("a"))["metadata"]["resourceVersion"]
    api.admin.create(event("b"))
    exact = {"resourceVersion": version, "resourceVersionMatch": "Exact"}
    assert names(api.admin.list("events", "default", **exact)) == ["a"]
    api.compact()
    assert refused(410, api.admin.list, "events", "default", **exact).reason == "Expired"


def test_versions(api):
    fill(api, "a")
    version = lists(api)["metadata"]["resourceVersion"]
    fill(api, "b")
    assert names(lists(api, resourceVersion=version, resourceVersionMatch="Exact")) == ["a"]
    assert names(lists(api, resourceVersion=version, limit=5)) == ["a"]
    for params in ({}, {"resourceVersion": ""}, {"resourceVersion": version, "resourceVersionMatch": "NotOlderThan"}):
        assert "a" in names(lists(api, **params))
    newest = lists(api)["metadata"]["resourceVersion"]
    assert names(lists(api, resourceVersion=newest)) == ["a", "b"]
    assert names(lists(api, resourceVersion=newest, resourceVersionMatch="NotOlderThan")) == ["a", "b"]
    lists(api, resourceVersion="0")


def test_k52_a_version_from_the_future_is_504(api):
    refusal = refused(504, lists, api, resourceVersion=FAR_AHEAD)
    assert refusal.reason == "Timeout" and "Too large resource version" in refusal.status["message"]
    assert refusal.status["details"]["retryAfterSeconds"] == 1 and refusal.headers["Retry-After"] == "1"
    assert refusal.status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.since(34)
@pytest.mark.parametrize("code, params", [
    (400, {"resourceVersion": "x"}), (400, {"continue": "x"}), (400, {"limit": "x"}),
    (400, {"labelSelector": "a in b"}), (400, {"labelSelector": "a=b=c"}), (400, {"labelSelector": "!"}),
    (400, {"fieldSelector": "data.k=v"}), (400, {"fieldSelector": "text"}),
    (422, {"resourceVersionMatch": "Exact"}), (422, {"resourceVersionMatch": "Exact", "resourceVersion": "0"}),
    (422, {"resourceVersionMatch": "Sideways", "resourceVersion": "5"}), (422, {"sendInitialEvents": "true"})])
def test_bad_parameters(api, code, params):
    assert refused(code, lists, api, **params).reason == {400: "BadRequest", 422: "Invalid"}[code]


@pytest.mark.parametrize("selector, found", [
    ("app=x", "ab"), ("app==x", "ab"), ("app!=x", "cd"), ("app in (x, y)", "abc"), ("app notin (x)", "cd"),
    ("app", "abc"), ("!app", "d"), ("app,tier=1", "a"), ("app=x,tier!=1", "b"), ("app=", ""), ("tier in (1),app", "a")])
def test_label_selectors(api, selector, found):
    fill(api, "a", app="x", tier="1")
    fill(api, "b", app="x")
    fill(api, "c", app="y")
    fill(api, "d", other="z")
    assert "".join(names(lists(api, labelSelector=selector))) == found


@pytest.mark.since(34)
@pytest.mark.parametrize("resource, selector, found", [
    ("configmaps", "metadata.name=a", ["a"]), ("configmaps", "metadata.name!=a", ["b"]),
    ("configmaps", "metadata.name=a,metadata.namespace=default", ["a"]),
    ("configmaps", "metadata.name=a,metadata.name=b", []),
    ("services", "spec.type=LoadBalancer", ["s"]), ("services", "spec.type!=LoadBalancer,metadata.name!=kubernetes", ["t"])])
def test_field_selectors(api, resource, selector, found):
    fill(api, "a", "b")
    api.admin.create(kube.service("s"))
    api.admin.create(kube.service("t", type="ClusterIP"))
    assert names(api.admin.list(resource, "default", fieldSelector=selector)) == found


def table(api, path, params=None):
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    return api.admin.call("GET", path, headers={"Accept": accept}, params=params)


@pytest.mark.parametrize("resource, obj, columns", [
    ("services", kube.service("s"), ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector"]),
    ("configmaps", kube.configmap("s", {"k": "v"}), ["Name", "Data", "Age"]),
    ("leases", kube.lease("s", "me"), ["Name", "Holder", "Age"]),
    ("endpointslices", kube.endpointslice("s", [("10.0.0.1", None)]), ["Name", "AddressType", "Ports", "Endpoints", "Age"]),
    ("serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "s"}},
     ["Name", "Secrets", "Age"]),
    ("secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}, ["Name", "Type", "Data", "Age"]),
    ("events", event("s"), ["Last Seen", "Type", "Reason", "Object", "Subobject", "Source", "Message", "First Seen",
                            "Count", "Name"])])
def test_tables(api, resource, obj, columns):
    made = api.admin.create(obj, "default")
    one = table(api, path_of(resource, "default", made["metadata"]["name"]))
    every = table(api, path_of(resource, "default"))
    assert one["kind"] == "Table" and one["apiVersion"] == "meta.k8s.io/v1"
    for answer in (one, every):
        shown = [c["name"] for c in answer["columnDefinitions"]]
        # Of a ServiceAccount's Secrets newer versions say nothing.
        if resource == "serviceaccounts" and "Secrets" not in shown:
            columns = ["Name", "Age"]
        assert shown == columns
        row = next(r for r in answer["rows"] if r["object"]["metadata"]["name"] == made["metadata"]["name"])
        assert row["object"]["kind"] == "PartialObjectMetadata" and len(row["cells"]) == len(columns)
        assert row["object"]["metadata"]["uid"] == made["metadata"]["uid"]


def test_a_table_of_services_shows_the_address(api):
    api.admin.create(kube.service("s", selector={"app": "x"}))
    def row():
        return table(api, path_of("services", "default", "s"))["rows"][0]["cells"]
    spec = api.admin.get("services", "s")["spec"]
    port = f"80:{spec['ports'][0]['nodePort']}/TCP"
    assert row()[:5] == ["s", "LoadBalancer", spec["clusterIP"], "<pending>", port] and row()[6] == "app=x"
    ingress = [{"ip": "192.0.2.7"}, {"ip": "2001:db8::7"}]
    api.admin.patch_status("services", "s", {"status": {"loadBalancer": {"ingress": ingress}}})
    assert row()[3] == "192.0.2.7,2001:db8::7"
    api.admin.patch("services", "s", {"spec": {"type": "ClusterIP"}})
    assert row()[1:5] == ["ClusterIP", spec["clusterIP"], "<none>", "80/TCP"]
