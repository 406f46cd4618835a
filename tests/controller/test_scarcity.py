# SPDX-License-Identifier: Apache-2.0
"""What the machine does to a controller: its clock jumps (O06), it runs out of something (O07)."""
import os
import resource
import subprocess

import pytest

from harness.clock import Clock
from harness.controller import addresses
from harness.speaker import BIN, NAMESPACE
from harness.wait import wait_for

FIRST, SECOND = "198.51.100.1", "198.51.100.2"
HOUR = 3600


def renewals(mini):
    return sum(count for what, count in mini.requests()["counts"].items() if what.startswith("patch leases"))


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_O06_a_clock_that_jumps_by_an_hour_changes_nothing(mini, make, workdir, jump):
    """Neither who leads, by the clock of both replicas, nor what is assigned, nor any object."""
    clock = Clock(workdir)
    controllers = make(mini)
    leader = controllers.start("c1", env=clock.env)
    standby = controllers.start("c2", wait=False, env=clock.env)
    wait_for("the second to answer", lambda: controllers.status("c2"))
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    before = mini.admin.get("services", "web")["metadata"]["resourceVersion"]
    clock.jump_to(jump)
    seen = renewals(mini)
    # As many as fit into the time after which a leader that was not heard would be followed.
    wait_for("the Lease to be renewed four times", lambda: renewals(mini) >= seen + 4, timeout=40)
    assert controllers.leader() == "c1"
    assert "no longer leading" not in leader.text() and "msg=leading" not in standby.text()
    assert mini.admin.get("services", "web")["metadata"]["resourceVersion"] == before
    controllers.add("next")
    told = controllers.assigned("next", [SECOND])["status"]["conditions"][0]["lastTransitionTime"]
    created = mini.admin.get("services", "next")["metadata"]["creationTimestamp"]
    assert (told > created) == (jump > 0), "its clock did not jump"


def test_O07_no_file_descriptor_is_told_and_waited_for(mini, make):
    """The API server's connection breaks, and there is none to be had for another."""
    controllers = make(mini)
    process = controllers.start()
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    limit = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    mini.down()
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, limit[1]))
    mini.up()
    wait_for("the reason to be told", lambda: "Too many open files" in process.text(), timeout=30)
    controllers.add("next")
    assert "no address answers" not in process.text()
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limit)
    controllers.assigned("next", [SECOND], timeout=30)
    assert addresses(controllers.get("web")) == [FIRST]


def test_O07_a_full_disk_under_its_log_is_no_matter(mini, make):
    """All that it writes on a disk is its log, by way of who started it."""
    controllers = make(mini)
    controllers.start()
    controllers.running["c1"].stop()
    with open("/dev/full", "wb", buffering=0) as full:
        process = subprocess.Popen([BIN / "herald-controller", "--kubeconfig", mini.kubeconfig, "--namespace",
                                    NAMESPACE, "--listen", "127.0.0.1:0"], stdout=full, stderr=full)
    try:
        controllers.add("web")
        controllers.assigned("web", [FIRST], timeout=30)
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_O07_no_memory_ends_it_and_the_next_one_goes_on(mini, make):
    """It says so, and leaves nothing half written behind; who is started in its place has all."""
    controllers = make(mini)
    process = controllers.start(env={"ASAN_OPTIONS": "max_allocation_size_mb=2:allocator_may_return_null=1"})
    controllers.add("web")
    controllers.assigned("web", [FIRST])
    size = int(open(f"/proc/{process.pid}/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    # What the sanitizers' allocator makes of this limit is nothing; it has its own, above.
    resource.prlimit(process.pid, resource.RLIMIT_AS, (size + (1 << 19), resource.RLIM_INFINITY))
    mini.fault("huge", verb="watch", path="services", mib=8)
    mini.end_watches("services", "close")
    wait_for("it to end", lambda: not process.running, timeout=30)
    assert process.returncode != 0 and "out of memory" in process.text()
    before = mini.admin.get("services", "web")
    mini.clear_faults()
    controllers.start()
    controllers.add("next")
    controllers.assigned("next", [SECOND])
    assert mini.admin.get("services", "web") == before
