# SPDX-License-Identifier: Apache-2.0
"""What the controller makes of things that happen at once: within one turn of its loop, while it stops.
Shown here: A09, K54, K58, O01."""
import signal

import pytest

from harness.kube import service
from harness.mini import MiniApiServer
from harness.wait import wait_for

CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [198.51.100.1-198.51.100.2]
"""
TAKEN, BLOCKED = "198.51.100.1", "198.51.100.2"


def test_A09_one_that_waits_is_no_loadbalancer_any_more_as_an_address_comes_free(mini, make):
    """It leaves the table while the turn is at it."""
    controllers = make(mini, CONFIG)
    mini.admin.create(service("blocks", type="ClusterIP", externalIPs=[BLOCKED]))
    process = controllers.start()
    controllers.add("has", loadBalancerIP=TAKEN)
    controllers.assigned("has")
    # Refused, so that nothing of it is written, and its next change is its end.
    mini.fault("status", verb="patch", path="/services/waits/status", code=422, times=-1)
    controllers.add("waits")
    controllers.event("waits", "SyncLoadBalancerFailed")
    process.signal(signal.SIGSTOP)
    controllers.change("waits", type="ClusterIP")
    mini.admin.delete("services", "blocks")
    process.signal(signal.SIGCONT)
    controllers.add("next")
    controllers.assigned("next", [BLOCKED])
    process.require_running()


def test_O01_a_service_that_goes_while_its_write_is_awaited_does_not_hold_up_the_stop(mini, make):
    controllers = make(mini, CONFIG)
    process = controllers.start()
    controllers.add("web")
    controllers.assigned("web")
    mini.fault("hang", verb="patch", path="/services/web/status")
    mini.admin.delete("services", "web")
    wait_for("the write to be awaited", lambda: mini.faults()[0]["hits"])
    process.signal(signal.SIGTERM)
    wait_for("the controller to stop", lambda: "msg=stopping" in process.text())
    mini.admin.patch("services", "web", {"metadata": {"finalizers": None}})
    assert process.wait() == 0, "the bound was exceeded"


def test_O01_the_stop_goes_on_where_the_lease_is_lost_while_a_write_is_awaited(mini, make):
    controllers = make(mini, CONFIG)
    process = controllers.start()
    controllers.add("web")
    controllers.assigned("web")
    mini.fault("hang", verb="patch", path="/leases/", times=-1)
    wait_for("a renewal to be awaited", lambda: mini.faults()[0]["hits"])
    mini.fault("hang", verb="patch", path="/services/web/status", times=-1)
    mini.admin.delete("services", "web")
    wait_for("the write to be awaited", lambda: mini.faults()[1]["hits"])
    process.signal(signal.SIGTERM)
    assert process.wait(30) == 0, "the bound was exceeded"
    assert "no longer leading" in process.text()


@pytest.fixture(params=[True, False], ids=["http2", "http1"])
def of_either_http(request, workdir):
    """(server, the writes that it gets at once): each takes a connection for itself in HTTP/1.1."""
    prefix, most = ([], 80) if request.param else (["env", "GODEBUG=http2server=0"], 5)
    with MiniApiServer(workdir / "mini", prefix=prefix) as server:
        yield server, most


def test_K58_writes_that_hang_do_not_keep_the_lease_from_being_renewed(of_either_http, make):
    mini, most = of_either_http

    def renewals():
        return sum(count for what, count in mini.requests()["counts"].items() if what.startswith("patch leases"))
    controllers = make(mini, CONFIG)
    process = controllers.start()
    mini.fault("hang", verb="patch", path="/services/[^/]*/status", times=-1)
    for n in range(150):
        controllers.add(f"web-{n}")
    wait_for("as many writes as there may be", lambda: mini.faults()[0]["hits"] >= most)
    before = renewals()
    wait_for("a renewal", lambda: renewals() > before)
    assert "cannot write now" not in process.text(), "it waited for the writes to be given up"


def test_K54_the_stream_is_read_on_while_writes_hang_and_what_waits_is_bounded(mini, make):
    """By the number of Services, however often each of them changes meanwhile."""
    count = 20
    controllers = make(mini, CONFIG.replace("198.51.100.2", "198.51.100.99"))
    controllers.start()
    mini.fault("hang", verb="patch", path="/services/[^/]*/status", times=-1)
    for n in range(count):
        controllers.add(f"web-{n}")
    for _ in range(25):
        controllers.touched()
    controllers.add("last")
    wait_for("the end of the stream to be judged",
             lambda: controllers.status()["services"]["assigned"] == count + 1)
    assert controllers.status()["queued"] <= count + 1
    mini.clear_faults()
    for name in [*(f"web-{n}" for n in range(count)), "last"]:
        controllers.assigned(name, timeout=30)
