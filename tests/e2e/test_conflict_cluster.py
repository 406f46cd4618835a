# SPDX-License-Identifier: Apache-2.0
"""An address that another machine has (L09), with speakers and controller together: the
Service gets the next address, and who asked for that very one has it once it is free."""
import pytest

from harness.controller import Controllers, addresses, condition
from harness.kube import service
from harness.mini import MiniApiServer
from harness.netns import ip
from harness.speaker import Speakers, answers
from harness.wait import wait_for

CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.200-192.0.2.202, "fd00:192:0:2::200-fd00:192:0:2::202"]
"""
FIRST, SECOND = "192.0.2.200", "192.0.2.201"
FIRST6, SECOND6 = "fd00:192:0:2::200", "fd00:192:0:2::201"


@pytest.fixture
def mini(workdir):
    with MiniApiServer(workdir / "api", listen="10.199.0.1:0") as server:
        yield server


@pytest.fixture(params=["mini", "real"])
def api(request):
    return request.getfixturevalue("mini" if request.param == "mini" else "real_api")


@pytest.fixture
def cluster(api, lab, workdir):
    """(speakers, controllers), at work; a machine that has the first addresses."""
    stranger = lab.add_host("stranger", "192.0.2.77")
    ip(f"address add {FIRST}/32 dev eth0", stranger.ns)
    ip(f"address add {FIRST6}/128 dev eth0", stranger.ns)
    speakers = Speakers(api, lab, workdir, CONFIG)
    controllers = Controllers(api, workdir, None)
    speakers.start()
    controllers.start()
    yield speakers, controllers, stranger
    controllers.stop()
    speakers.stop()


def serves(speakers, lab, address):
    owner = speakers.owner(address)
    return answers(lab.client, address) == {owner.mac}


def test_L09_next_address_is_taken(cluster, lab):
    speakers, controllers, stranger = cluster
    speakers.kube.create(service("web", ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4", "IPv6"]))
    controllers.assigned("web", [SECOND, SECOND6])
    assert serves(speakers, lab, SECOND) and serves(speakers, lab, SECOND6)
    assert answers(lab.client, FIRST) == {stranger.mac}
    wait_for("the Event of the speaker", lambda: any(
        stranger.mac in e["message"] for e in speakers.events("web", "AddressConflict")))
    wait_for("the Event of the controller", lambda: any(
        "another machine" in e["message"] for e in speakers.events("web", "UpdatedLoadBalancer")))
    # The next Service is not given the stranger's either: it is remembered.
    speakers.kube.create(service("next"))
    controllers.assigned("next", ["192.0.2.202"])
    assert not [e for e in speakers.events("next", "AddressConflict")]


def test_L09_who_asked_for_it_has_it_once_it_is_free(cluster, lab):
    speakers, controllers, stranger = cluster
    speakers.kube.create(service("web", loadBalancerIP=FIRST))
    obj = controllers.refused("web", "AddressOfStranger")
    assert addresses(obj) == [FIRST] and condition(obj)["status"] == "True"
    assert answers(lab.client, FIRST) == {stranger.mac}
    ip(f"address del {FIRST}/32 dev eth0", stranger.ns)
    controllers.refused("web", "Assigned", timeout=40)
    assert serves(speakers, lab, FIRST)
