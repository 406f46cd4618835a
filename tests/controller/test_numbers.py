# SPDX-License-Identifier: Apache-2.0
"""Metrics that tell of the present tell of nothing else.
Shown here: O02."""
import signal

from harness.wait import wait_for

TWO = """apiVersion: herald.io/v1
pools:
- name: stays
  addresses: [198.51.100.1-198.51.100.10]
- name: goes
  addresses: [203.0.113.1-203.0.113.10]
  autoAssign: false
"""
ONE = TWO[:TWO.index("- name: goes")]


def test_O02_a_pool_that_is_gone_is_no_longer_shown(mini, make):
    controllers = make(mini, TWO)
    controllers.start("c1", "--metallb-metrics")
    controllers.add("web")
    controllers.assigned("web")
    for metric in ("herald_controller_pool_addresses", "metallb_allocator_addresses_total"):
        assert controllers.metric(metric, pool="goes") == controllers.metric(metric, pool="stays") == 10
    controllers.set_config(ONE)
    for metric in ("herald_controller_pool_addresses", "metallb_allocator_addresses_total"):
        wait_for("the pool to go", lambda m=metric: controllers.metric(m, pool="goes") == 0)
        assert controllers.metric(metric, pool="stays") == 10


def test_O02_who_leads_no_longer_tells_of_services_no_longer(mini, make):
    controllers = make(mini, TWO)
    process = controllers.start("c1")
    controllers.start("c2", wait=False)
    controllers.add("web")
    controllers.assigned("web")
    wait_for("the number", lambda: controllers.metric("herald_controller_services", "c1", state="assigned") == 1)
    process.signal(signal.SIGSTOP)
    wait_for("the other to lead", lambda: controllers.status("c2").get("started"), timeout=20)
    process.signal(signal.SIGCONT)
    wait_for("the first to stand by", lambda: not controllers.status("c1")["leading"])
    assert controllers.metric("herald_controller_services", "c1") == 0
    assert controllers.metric("herald_controller_pool_addresses", "c1") == 0
    wait_for("the number", lambda: controllers.metric("herald_controller_services", "c2", state="assigned") == 1)


def test_O02_pools_above_the_cap_add_up(mini, make):
    pools = "".join(f"- {{name: p{n}, addresses: [10.0.{n}.1-10.0.{n}.10]}}\n" for n in range(250))
    controllers = make(mini, "apiVersion: herald.io/v1\npools:\n" + pools)
    controllers.start()
    for name in ("a", "b"):
        controllers.add(name)
        controllers.assigned(name)
    assert controllers.metric("herald_controller_pool_addresses") == 2500
    assert controllers.metric("herald_controller_pool_addresses", pool="other") == 500
    wait_for("the number", lambda: controllers.metric("herald_controller_pool_addresses_in_use") == 2)
