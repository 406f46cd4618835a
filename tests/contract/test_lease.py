# SPDX-License-Identifier: Apache-2.0
"""Leases (lib/kube/lease.c) against the embedded API server and its faults, seen
through lease_probe.
Shown here: K58, K59."""
import re
import signal
import time

import pytest

from harness import kube
from harness.mini import MiniApiServer
from harness.probe import LineProbe
from harness.wait import wait_for

NS, NAME, PATH = "default", "leader", "/leases"
DURATION_MS, RENEW_MS = 2000, 400
READS = "get leases.coordination.k8s.io"


@pytest.fixture(scope="module")
def server():
    with MiniApiServer() as mini:
        yield mini


@pytest.fixture(params=["mini", "real"])
def either(request):
    """Both kinds of server, for what needs no faults (K60)."""
    if request.param == "mini":
        return request.getfixturevalue("server")
    return request.getfixturevalue("real_api")


@pytest.fixture(autouse=True)
def clean(server):
    server.clear_faults()
    server.admin.delete_all("leases", NS)
    server.reset_requests()
    yield
    server.clear_faults()


def candidate(server, identity, namespace=NS, kubeconfig=None):
    return LineProbe("lease_probe", kubeconfig or server.kubeconfig, namespace, NAME, identity,
                     DURATION_MS, RENEW_MS)


def spec(server):
    return server.admin.get("leases", NAME, NS)["spec"]


def renewed_after(server, before):
    return wait_for("a renewal", lambda: spec(server)["renewTime"] != before)


def test_k58_created_renewed_and_released(either):
    with candidate(either, "a") as a:
        a.until("held")
        lease = either.admin.get("leases", NAME, NS)
        assert lease["metadata"]["labels"] == {"herald.io/of": "probe"}
        s = lease["spec"]
        assert s["holderIdentity"] == "a" and s["leaseDurationSeconds"] == 2
        assert s["leaseTransitions"] == 0
        for member in ("acquireTime", "renewTime"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", s[member])
        renewed_after(either, s["renewTime"])
        code, rest = a.stop()
        assert code == 0 and [c["call"] for c in rest] == ["released"]
    after = spec(either)
    assert not after.get("holderIdentity") and after["leaseDurationSeconds"] == 1
    assert after["acquireTime"] == s["acquireTime"]


def test_k58_one_is_killed_and_the_other_takes_over(either):
    with candidate(either, "a") as a:
        a.until("held")
        with candidate(either, "b") as b:
            before = spec(either)["renewTime"]
            renewed_after(either, before)
            b.quiet()
            a.kill()
            b.until("held")
            s = spec(either)
            assert s["holderIdentity"] == "b" and s["leaseTransitions"] == 1
            # Not before the lease had expired since its last renewal.
            assert s["acquireTime"] > before


def test_k58_a_released_lease_is_taken_without_waiting_for_expiry(server):
    with candidate(server, "a") as a:
        a.until("held")
        with candidate(server, "b") as b:
            wait_for("b reading", lambda: server.requests()["counts"].get(READS, 0) > 1)
            a.stop()
            b.until("held")
            assert spec(server)["leaseTransitions"] == 1


def test_k58_a_stopped_holder_loses_it_when_it_wakes(server):
    with candidate(server, "a") as a:
        a.until("held")
        with candidate(server, "b") as b:
            a.signal(signal.SIGSTOP)
            b.until("held")
            a.signal(signal.SIGCONT)
            lost = a.until("lost")
            assert "renewed in time" in lost["text"] or "holds it" in lost["text"]
            assert spec(server)["holderIdentity"] == "b"


def test_k59_a_foreign_take_over_is_noticed(either):
    with candidate(either, "a") as a:
        a.until("held")
        either.admin.patch("leases", NAME, {"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 60}}, NS)
        assert '"thief" holds it' in a.until("lost")["text"]
        code, _ = a.stop()
        assert code == 0
    assert spec(either)["holderIdentity"] == "thief"


def test_k58_touched_by_another_it_stays_held(either):
    with candidate(either, "a") as a:
        a.until("held")
        for i in range(5):
            before = spec(either)["renewTime"]
            either.admin.patch("leases", NAME, {"metadata": {"labels": {"x": str(i)}}}, NS)
            renewed_after(either, before)
        a.quiet()
        assert either.admin.get("leases", NAME, NS)["metadata"]["labels"]["x"] == "4"


@pytest.mark.parametrize("action", ["drop_after", "reset_after", "drop", "reset"])
def test_k58_a_lost_answer_costs_no_lease(server, action):
    with candidate(server, "a") as a:
        a.until("held")
        server.fault(action, method="PATCH", path=PATH, times=1)
        wait_for("the fault", lambda: server.faults()[0]["hits"] == 1)
        renewed_after(server, spec(server)["renewTime"])
        code, rest = a.stop()  # told or not (libcurl repeats some itself), it was never lost
        assert code == 0 and "lost" not in [c["call"] for c in a.calls]


@pytest.mark.parametrize("code", [409, 429, 500, 503])
def test_k58_a_refused_renewal_is_tried_again(server, code):
    with candidate(server, "a") as a:
        a.until("held")
        before = spec(server)["renewTime"]
        server.fault("status", method="PATCH", path=PATH, code=code, times=2)
        wait_for("the fault", lambda: server.faults()[0]["hits"] == 2)
        renewed_after(server, before)
        assert all(c["call"] != "lost" for c in a.calls)


def test_k58_a_lost_race_for_creating_is_read(server):
    server.fault("drop_after", method="POST", path=PATH, times=1)
    with candidate(server, "a") as a:
        a.until("held")
        assert spec(server)["leaseTransitions"] == 0


@pytest.mark.parametrize("action", [{"action": "hang", "ms": 0}, {"action": "status", "code": 500},
                                    {"action": "garbage", "bytes": 2000}, {"action": "drop"}])
def test_k58_without_the_server_it_is_lost_in_time_and_won_again(server, action):
    with candidate(server, "a") as a:
        a.until("held")
        start = time.monotonic()
        server.fault(path=PATH, times=-1, **action)
        lost = a.until("lost")
        # Validity ends 0.9 of the duration after the last renewal that came through.
        assert lost["at"] - start < DURATION_MS / 1000
        server.clear_faults()
        a.until("held")
        assert spec(server)["leaseTransitions"] == 0


def test_a_deleted_lease_is_created_again(either):
    with candidate(either, "a") as a:
        a.until("held")
        uid = either.admin.get("leases", NAME, NS)["metadata"]["uid"]
        either.admin.delete("leases", NAME, NS)
        lease = either.admin.wait("leases", NAME, lambda o: o is not None, NS)
        assert lease["metadata"]["uid"] != uid
        a.quiet()


def test_annotations_are_written_at_once(either):
    with candidate(either, "a") as a:
        a.until("held")
        for i in range(1, 4):
            a.signal(signal.SIGUSR1)
            either.admin.wait("leases", NAME, lambda o, i=i: o["metadata"].get("annotations") ==
                              {"herald.io/probe": str(i)}, NS)


def test_a_missing_permission_is_named(server):
    with candidate(server, "a", kubeconfig=server.kubeconfig_for("nobody")) as a:
        text = a.until("failing")["text"]
        assert "leases" in text and "403" in text or "forbidden" in text.lower()


def test_a_missing_namespace_is_told(either):
    with candidate(either, "a", namespace="nowhere") as a:
        assert "nowhere" in a.until("failing")["text"]


def test_a_release_that_fails_ends_all_the_same(server):
    with candidate(server, "a") as a:
        a.until("held")
        server.fault("hang", ms=0, path=PATH, times=-1)
        code, rest = a.stop()
        assert code == 0 and [c["call"] for c in rest if c["call"] == "released"] == ["released"]
