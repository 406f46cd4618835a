# SPDX-License-Identifier: Apache-2.0
"""The configuration in force and the Events about it (lib/kube/config_watch.c,
event.c) against the embedded API server, seen through config_probe.
Shown here: C24, K50, K60."""
import signal

import pytest

from harness import kube
from harness.mini import MiniApiServer
from harness.probe import LineProbe
from harness.wait import wait_for

NS, NAME = "herald-system", "herald-config"


def text(pool, addresses="192.0.2.0/28"):
    return f"apiVersion: herald.io/v1\npools:\n- name: {pool}\n  addresses: [{addresses}]\n"


GOOD, BETTER, BAD = text("blue"), text("green"), text("red", "192.0.2.300")


@pytest.fixture
def server():
    with MiniApiServer() as mini:
        mini.admin.create(kube.namespace(NS))
        yield mini


@pytest.fixture
def in_force(server):
    """The probe with GOOD in force, which it found when it started."""
    put(server, GOOD)
    with LineProbe("config_probe", server.kubeconfig, NS, NAME) as running:
        assert running.until("changed")["pools"] == ["blue"]
        yield running


@pytest.fixture
def probe(server):
    """The probe, started without a ConfigMap."""
    with LineProbe("config_probe", server.kubeconfig, NS, NAME) as running:
        running.until("started")  # from here on it has its signals' handlers
        yield running


def put(server, value, key="config.yaml"):
    if server.admin.exists("configmaps", NAME, NS):
        server.admin.patch("configmaps", NAME, [{"op": "replace", "path": "/data", "value": {key: value}}],
                           NS, kind="json")
    else:
        server.admin.create(kube.configmap(NAME, {key: value}, NS))


def events(server, reason, ns=NS):
    return [e for e in server.admin.items("events", ns) if e["reason"] == reason]


def logged(probe, what):
    return wait_for(f"a line with {what!r} in the log",
                    lambda: next((line for line in list(probe.log) if what in line), None))


def shown(probe):
    probe.signal(signal.SIGUSR1)
    seen = probe.until("shown")
    return {k: int(seen[k]) for k in ("synced", "current", "valid", "loaded")}


def test_a_good_configuration_is_in_force_and_changes(server, in_force):
    assert shown(in_force) == {"synced": 1, "current": 1, "valid": 1, "loaded": 1}
    put(server, BETTER)
    assert in_force.until("changed")["pools"] == ["green"]
    assert not events(server, "ConfigRejected") and not events(server, "ConfigAccepted")


def test_a_missing_configmap_is_told_once_with_how_to_mend_it(server, probe):
    line = logged(probe, "the ConfigMap is missing")
    for part in (NS, NAME, "config.yaml", "config/", "level=warn"):
        assert part in line
    assert shown(probe) == {"synced": 1, "current": 0, "valid": 0, "loaded": 0}
    server.end_watches("configmaps", "expire")
    put(server, GOOD)
    probe.until("changed")
    assert sum("is missing" in line for line in probe.log) == 1


def test_a_bad_configuration_keeps_the_last_good_one_and_says_so(server, in_force):
    put(server, BAD)
    event = wait_for("the Event", lambda: events(server, "ConfigRejected"))[0]
    assert event["type"] == "Warning" and "192.0.2.300" in event["message"]
    assert "stays in force" in event["message"]
    assert event["involvedObject"]["name"] == NAME and event["involvedObject"]["uid"]
    assert event["reportingComponent"] == event["source"]["component"] == "config_probe"
    assert event["reportingInstance"] == "probe-1" and event["count"] == 1
    assert "192.0.2.300" in logged(in_force, "is refused")
    assert shown(in_force) == {"synced": 1, "current": 1, "valid": 0, "loaded": 1}
    # Mended by the very text that is in force: accepted, and nothing changes.
    put(server, GOOD)
    wait_for("the Event", lambda: events(server, "ConfigAccepted"))
    assert shown(in_force)["valid"] == 1
    assert [c["call"] for c in in_force.calls].count("changed") == 1


def test_c24_touched_or_listed_again_nothing_is_said(server, probe):
    put(server, BAD)
    event = wait_for("the Event", lambda: [e for e in events(server, "ConfigRejected")
                                           if "192.0.2.300" in e["message"]])[0]
    logged(probe, "is refused")
    lines = len(probe.log)
    for i in range(3):
        server.admin.patch("configmaps", NAME, {"metadata": {"labels": {"x": str(i)}}}, NS)
    server.end_watches("configmaps", "expire")
    put(server, GOOD)
    probe.until("changed")
    assert server.admin.get("events", event["metadata"]["name"], NS)["count"] == 1
    assert not any("is refused" in line for line in probe.log[lines:])


@pytest.mark.parametrize("how", ["deleted", "emptied", "other key"])
def test_without_its_text_the_last_good_one_stays(server, in_force, how):
    if how == "deleted":
        server.admin.delete("configmaps", NAME, NS)
    else:
        put(server, "", "config.yaml" if how == "emptied" else "other")
    event = wait_for("the Event", lambda: events(server, "ConfigRejected"))[0]
    assert "stays in force" in event["message"]
    assert shown(in_force) == {"synced": 1, "current": 1, "valid": 0, "loaded": 1}
    put(server, GOOD)
    wait_for("the Event", lambda: events(server, "ConfigAccepted"))
    in_force.quiet()


def test_deleted_while_the_server_was_away(server, in_force):
    server.fault("status", verb="watch", path="configmaps", code=503, times=2)
    server.end_watches("configmaps", "drop")
    server.admin.delete("configmaps", NAME, NS)
    server.compact()
    wait_for("the Event", lambda: events(server, "ConfigRejected"))
    assert shown(in_force)["loaded"] == 1


def test_a_missing_permission_is_told_with_the_rule_that_mends_it(server):
    with LineProbe("config_probe", server.kubeconfig_for("nobody"), NS, NAME) as probe:
        line = logged(probe, "cannot be watched")
        assert "configmaps" in line and NS in line
        assert shown(probe)["synced"] == 0


def test_c24_k50_repeats_are_one_event_with_a_count(server, probe):
    probe.signal(signal.SIGUSR2)
    event = wait_for("all repeats in the count",
                     lambda: [e for e in events(server, "Repeated", "default") if e["count"] == 100])[0]
    assert event["involvedObject"]["kind"] == "Node" and event["metadata"]["name"].startswith("node-1.")
    writes = [w["verb"] for w in server.requests()["writes"] if "/default/events" in w["path"]]
    assert writes == ["create", "patch"]


def test_an_event_that_expired_is_created_anew(server, probe):
    probe.signal(signal.SIGUSR2)
    wait_for("the Event", lambda: events(server, "Repeated", "default"))
    wait_for("the count", lambda: events(server, "Repeated", "default")[0]["count"] == 100)
    server.admin.delete_all("events", "default")
    probe.signal(signal.SIGUSR2)
    wait_for("a new Event", lambda: events(server, "Repeated", "default")[0]["count"] == 200)


def test_events_that_cannot_be_written_are_told_once(server, probe):
    server.fault("status", path="/events", code=500, times=-1)
    for i in range(3):
        put(server, BAD + f"# {i}\n")
        wait_for("the rejection", lambda i=i: sum("is refused" in line for line in probe.log) == i + 1)
    logged(probe, "cannot write an Event")
    assert sum("cannot write an Event" in line for line in probe.log) == 1


def test_k60_events_and_the_configuration_with_the_real_server(real_api):
    real_api.admin.ensure(kube.namespace(NS))
    put(real_api, BAD)
    with LineProbe("config_probe", real_api.kubeconfig, NS, NAME) as probe:
        wait_for("the Event", lambda: events(real_api, "ConfigRejected"))
        put(real_api, GOOD)
        probe.until("changed")
        wait_for("the Event", lambda: events(real_api, "ConfigAccepted"))
        probe.signal(signal.SIGUSR2)
        wait_for("the count", lambda: events(real_api, "Repeated", "default")[0]["count"] == 100)
