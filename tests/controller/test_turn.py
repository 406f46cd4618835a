# SPDX-License-Identifier: Apache-2.0
"""What the controller makes of things that it learns of at once, within one turn of its loop."""
import signal

from harness.kube import service

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
