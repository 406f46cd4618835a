# SPDX-License-Identifier: Apache-2.0
"""O04, K50: `kubectl describe service` alone tells the whole story of a Service: assigned,
refused and what to do about it, moved and why. And the condition tells how it stands.
Shown here: K22."""
import pytest

from harness.controller import addresses, condition
from harness.kubectl import Kubectl
from harness.wait import wait_for

FIRST, SECOND = "198.51.100.1", "198.51.100.2"
CONFIG = """apiVersion: herald.io/v1
addresses: {whenRemoved: move}
pools:
- name: main
  addresses: [198.51.100.1-198.51.100.2]
"""


@pytest.fixture
def kubectl(api, cluster_bins, workdir):
    return Kubectl(cluster_bins / "kubectl", api, workdir)


def test_O04_the_story_as_kubectl_describes_it(controllers, kubectl, api):
    def told(reason, words):
        """Events are sent a little later than the status is written."""
        def there():
            page = kubectl("describe", "service", "web")
            return page if f" {reason} " in page and words in page else None
        return wait_for(f"`kubectl describe` to tell {reason}: {words}", there)
    controllers.add("web")
    page = told("IPAllocated", f"assigned {FIRST}")
    assert f"LoadBalancer Ingress:     {FIRST}" in page
    controllers.change("web", loadBalancerIP="203.0.113.7")
    told("AllocationFailed", "203.0.113.7 can't be assigned: in no pool; ask for another address, or add it to a pool")
    controllers.change("web", loadBalancerIP=SECOND)
    told("UpdatedLoadBalancer", f"address changed from {FIRST} to {SECOND}")
    controllers.change("web", loadBalancerIP=None)
    controllers.reconfigured(CONFIG.replace("-198.51.100.2", ""))
    told("UpdatedLoadBalancer", f"address changed from {SECOND} to {FIRST}: the configuration moves it")
    api.admin.patch_status("services", "web", {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}]}}})
    told("StatusRepaired", f"status said 203.0.113.5, which Herald did not write: it is {FIRST} again")
    controllers.change("web", type="ClusterIP", allocateLoadBalancerNodePorts=None)
    page = told("DeletedLoadBalancer", "the address was released")
    assert "LoadBalancer Ingress" not in page


def test_K50_repeats_are_one_event(controllers, api):
    """The same is told again and again: one Event, counted."""
    controllers.add("web", loadBalancerIP="203.0.113.7")
    controllers.event("web", "AllocationFailed")
    for ip in ("203.0.113.8", "203.0.113.7", "203.0.113.8", "203.0.113.7"):
        controllers.change("web", loadBalancerIP=ip)
        wait_for("the reason", lambda: ip in condition(controllers.get("web"))["message"])
    wait_for("both to be told", lambda: len(controllers.events("web", "AllocationFailed")) == 2)
    controllers.versions()
    assert len(controllers.events("web", "AllocationFailed")) == 2


@pytest.mark.parametrize("ask, mend", [
    ({"loadBalancerIP": "203.0.113.7"}, "ask for another address, or add it to a pool"),
    ({"annotations": {"herald.io/pool": "other"}}, "this Service may use: `main`"),
    ({"annotations": {"herald.io/ips": "text"}}, "annotation herald.io/ips: `text` is not an IP address"),
    ({"ipFamilies": ["IPv6"]}, "add a range of this family to a pool")])
def test_K22_the_condition_says_what_to_do(controllers, ask, mend):
    controllers.add("web", **ask)
    obj = wait_for("the condition", lambda: (lambda o: o if condition(o) else None)(controllers.get("web")))
    assert mend in condition(obj)["message"] and addresses(obj) == []
    assert controllers.event("web", "AllocationFailed")["message"] == condition(obj)["message"]
