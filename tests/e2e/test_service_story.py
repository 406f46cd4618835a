# SPDX-License-Identifier: Apache-2.0
"""O04: `kubectl describe service` alone tells the whole story: assigned, announced from where,
moved and why, announced by nobody and what would mend it, refused and why. The controller's
part of it, in detail, is tests/controller/test_story.py."""
from harness.controller import Controllers
from harness.kubectl import Kubectl
from harness.lab import API_ADDRESS
from harness.mini import MiniApiServer
from harness.speaker import Speakers
from harness.wait import wait_for

EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"


def test_O04_the_whole_story(lab, workdir, cluster_bins):
    with MiniApiServer(workdir / "api", listen=f"{API_ADDRESS}:0") as server:
        tell_it(server, lab, workdir, Kubectl(cluster_bins / "kubectl", server, workdir))


def tell_it(server, lab, workdir, kubectl):
    speakers, controllers = Speakers(server, lab, workdir), Controllers(server, workdir, config=None)

    def told(reason, *words):
        """Events come a little later than what they tell of."""
        def there():
            lines = [line for line in kubectl("describe", "service", "web").splitlines() if f" {reason} " in line]
            return any(all(word in line for word in words) for line in lines)
        wait_for(f"`kubectl describe` to tell {reason}: {words}", there, timeout=20)
    controllers.start("c1")
    speakers.start()
    controllers.add("web")
    address = controllers.assigned("web")["status"]["loadBalancer"]["ingress"][0]["ip"]
    owner = speakers.owner(address)
    other = speakers.other(owner)
    told("IPAllocated", f"assigned {address}")
    told("nodeAssigned", f'announcing {address} from node "{owner.name}" on', "(newly assigned)")
    speakers.running.pop(owner.name).kill()
    told("nodeAssigned", f'from node "{other.name}"', f'taken over from "{owner.name}": its speaker\'s Lease has expired')
    server.admin.patch("nodes", other.name, {"metadata": {"labels": {EXCLUDE: ""}}}, ns=None)
    told("NoEligibleNode", f"{other.name}: labelled {EXCLUDE}", f"{owner.name}: its speaker's Lease has expired")
    server.admin.patch("nodes", other.name, {"metadata": {"labels": {EXCLUDE: None}}}, ns=None)
    told("nodeAssigned", f'from node "{other.name}"', "eligible again")
    controllers.change("web", loadBalancerIP="203.0.113.7")
    told("AllocationFailed", "203.0.113.7 can't be assigned: in no pool")
    assert [process.stop() for process in (*controllers.running.values(), *speakers.running.values())] == [0, 0]
