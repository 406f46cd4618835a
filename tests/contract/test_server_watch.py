# SPDX-License-Identifier: Apache-2.0
"""Watches: from a version on, bookmarks, streaming lists, and how they end (K51-K55).
Shown here: K07, K52."""
import json

import pytest

from harness import kube
from harness.kube import FINALIZER, WatchEnded
from harness.refusal import refused
from test_server_lists import FAR_AHEAD, event

STREAMING = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
INITIAL_END = {"k8s.io/initial-events-end": "true"}


def create(api, name="a", value="1", **labels):
    obj = kube.configmap(name, {"k": value})
    obj["metadata"]["labels"] = labels
    return api.admin.create(obj)


def version(obj):
    return obj["metadata"]["resourceVersion"]


def watch(api, **params):
    return api.admin.watch("configmaps", "default", **params)


def now(api):
    return version(api.admin.list("configmaps", "default"))


def seen(running, count):
    events = [running.next() for _ in range(count)]
    return [(e["type"], e["object"]["metadata"]["name"], e["object"].get("data", {}).get("k")) for e in events]


def test_k51_from_a_version_on(api):
    create(api, "before")
    since = now(api)
    create(api)
    with watch(api, resourceVersion=since) as running:
        api.admin.patch("configmaps", "a", {"data": {"k": "2"}})
        api.admin.delete("configmaps", "a")
        create(api, "b")
        assert seen(running, 4) == [("ADDED", "a", "1"), ("MODIFIED", "a", "2"), ("DELETED", "a", "2"),
                                    ("ADDED", "b", "1")]


def test_events_carry_whole_objects_with_rising_versions(api):
    with watch(api, resourceVersion=now(api)) as running:
        made = create(api)
        changed = api.admin.patch("configmaps", "a", {"data": {"k": "2"}})
        api.admin.delete("configmaps", "a")
        events = [running.next() for _ in range(3)]
    assert events[0] == {"type": "ADDED", "object": made} and events[1] == {"type": "MODIFIED", "object": changed}
    gone = events[2]["object"]
    assert int(version(gone)) > int(version(changed)) and gone["data"] == {"k": "2"}


def test_k07_a_finalizer_shows_as_modified_then_deleted(api):
    made = create(api)
    api.admin.patch("configmaps", "a", {"metadata": {"finalizers": [FINALIZER]}})
    with watch(api, resourceVersion=version(made)) as running:
        api.admin.delete("configmaps", "a")
        api.admin.patch("configmaps", "a", {"metadata": {"finalizers": None}})
        events = [running.next() for _ in range(3)]
    assert [e["type"] for e in events] == ["MODIFIED", "MODIFIED", "DELETED"]
    # It goes as it was last stored: with what held it.
    last = events[2]["object"]["metadata"]
    assert "deletionTimestamp" in last and last["finalizers"] == [FINALIZER]
    assert int(last["resourceVersion"]) > int(version(events[1]["object"]))


def test_without_a_version_the_present_comes_first(api):
    create(api)
    create(api, "b")
    for params in ({}, {"resourceVersion": "0"}):
        with watch(api, **params) as running:
            assert sorted(seen(running, 2)) == [("ADDED", "a", "1"), ("ADDED", "b", "1")]
            create(api, "c")
            assert seen(running, 1) == [("ADDED", "c", "1")]
        api.admin.delete("configmaps", "c")


def test_an_object_enters_and_leaves_a_selector(api):
    with watch(api, resourceVersion=now(api), labelSelector="app=x") as running:
        create(api, app="y")
        api.admin.patch("configmaps", "a", {"metadata": {"labels": {"app": "x"}}})
        api.admin.patch("configmaps", "a", {"data": {"k": "2"}})
        last = api.admin.patch("configmaps", "a", {"metadata": {"labels": {"app": "y"}}, "data": {"k": "3"}})
        events = [running.next() for _ in range(3)]
        assert [(e["type"], e["object"]["data"]["k"]) for e in events] == [
            ("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]
        # It leaves as it was last seen, under the version at which it left.
        left = events[2]["object"]["metadata"]
        assert left["labels"] == {"app": "x"} and left["resourceVersion"] == version(last)


def test_a_field_selector_watches_one_object(api):
    with watch(api, resourceVersion=now(api), fieldSelector="metadata.name=b") as running:
        create(api)
        create(api, "b")
        assert seen(running, 1) == [("ADDED", "b", "1")]


def test_k51_bookmarks_go_on_where_nothing_else_happens(api):
    since = now(api)
    with watch(api, resourceVersion=since, allowWatchBookmarks="true", timeoutSeconds=4,
               fieldSelector="metadata.name=none") as running:
        made = create(api)
        event = running.next()
        assert event["type"] == "BOOKMARK"
    mark = event["object"]
    assert mark["kind"] == "ConfigMap" and mark["apiVersion"] == "v1" and "data" not in mark
    assert int(version(mark)) >= int(version(made))
    with watch(api, resourceVersion=version(mark)) as running:
        create(api, "b")
        assert seen(running, 1) == [("ADDED", "b", "1")]


def test_k51_the_server_ends_it_after_timeout_seconds(api):
    with watch(api, resourceVersion=now(api), timeoutSeconds=1) as running:
        with pytest.raises(WatchEnded):
            running.next()


@pytest.mark.since(34)
def test_k55_a_streaming_list(api):
    create(api)
    create(api, "b")
    with watch(api, **STREAMING) as running:
        events = running.until(lambda e: e["type"] == "BOOKMARK")
        assert sorted(e["object"]["metadata"]["name"] for e in events[:-1]) == ["a", "b"]
        assert {e["type"] for e in events[:-1]} == {"ADDED"}
        mark = events[-1]["object"]["metadata"]
        assert mark["annotations"] == INITIAL_END
        assert int(mark["resourceVersion"]) >= max(int(version(e["object"])) for e in events[:-1])
        create(api, "c")
        assert seen(running, 1) == [("ADDED", "c", "1")]


@pytest.mark.since(34)
def test_k55_an_empty_streaming_list_ends_as_well(api):
    with watch(api, **STREAMING) as running:
        first = running.next()
        assert first["type"] == "BOOKMARK" and first["object"]["metadata"]["annotations"] == INITIAL_END


@pytest.mark.since(34)
def test_k55_a_streaming_list_is_not_older_than_asked_for(api):
    made = create(api)
    with watch(api, resourceVersion=version(made), **STREAMING) as running:
        events = running.until(lambda e: e["type"] == "BOOKMARK")
        assert [e["object"]["metadata"].get("name") for e in events[:-1]] == ["a"]
    create(api, "b")
    not_initial = {**STREAMING, "sendInitialEvents": "false"}
    with watch(api, resourceVersion=version(made), **not_initial) as running:
        assert seen(running, 1) == [("ADDED", "b", "1")]


@pytest.mark.since(34)
@pytest.mark.parametrize("params", [
    {"sendInitialEvents": "true"}, {"sendInitialEvents": "true", "resourceVersionMatch": "Exact"},
    {"resourceVersionMatch": "NotOlderThan"}])
def test_bad_parameters(api, params):
    refusal = refused(422, api.admin.list, "configmaps", "default", watch="true", **params)
    assert set(refusal.causes) == {"resourceVersionMatch"}


def test_k52_what_is_forgotten_is_410_in_the_stream(api):
    # Events, since the real server's cache remembers all else a while longer.
    old, _, _ = (api.admin.create(event(name)) for name in "abc")
    api.compact()
    with api.admin.watch("events", "default", resourceVersion=version(old)) as running:
        assert running.code == 200
        error = running.next()
        assert error["type"] == "ERROR" and error["object"]["kind"] == "Status"
        assert (error["object"]["code"], error["object"]["reason"]) == (410, "Expired")
        with pytest.raises(WatchEnded):
            running.next()


def test_a_running_watch_outlives_that(api):
    with watch(api, resourceVersion=now(api)) as running:
        create(api)
        assert seen(running, 1) == [("ADDED", "a", "1")]
        api.compact()
        create(api, "b")
        assert seen(running, 1) == [("ADDED", "b", "1")]


@pytest.mark.since(34)
def test_k52_a_streaming_list_from_the_future_is_504_in_the_stream(api):
    with watch(api, resourceVersion=FAR_AHEAD, **STREAMING) as running:
        error = running.next()["object"]
    assert (error["code"], error["reason"]) == (504, "Timeout")
    assert error["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_watch_of_the_future_just_waits(api):
    with watch(api, resourceVersion=FAR_AHEAD, timeoutSeconds=1) as running:
        create(api)
        with pytest.raises(WatchEnded):
            running.next()


def test_a_watch_of_a_table(api):
    create(api)
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    response = api.admin.raw("GET", "/api/v1/namespaces/default/configmaps", headers=accept,
                             params={"watch": "true", "timeoutSeconds": "1", "fieldSelector": "metadata.name=a"})
    first = json.loads(response.text.splitlines()[0])
    assert first["type"] == "ADDED" and first["object"]["kind"] == "Table"
    assert first["object"]["rows"][0]["cells"][:2] == ["a", 1]
    assert [c["name"] for c in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
