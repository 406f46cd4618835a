# SPDX-License-Identifier: Apache-2.0
"""Speakers with a real API server and kube-proxy: clients' requests when a node is cut
off, a speaker stops, is killed, or the API server is away. The client asks by UDP: a
TCP connection that is open while its address moves is reset, since the node that it
comes to knows nothing of it, however well the move went."""
import time

import pytest

from harness.kubeproxy import start_kube_proxy
from harness.speaker import Speakers, answers, ask_datagrams_forever
from harness.wait import wait_for

VIP = "192.0.2.230"


@pytest.fixture
def service_at_work(real_api, lab, workdir):
    """A Service whose backend is a host that is no node, so that a node's death takes
    no endpoint along; a client asks it all the time."""
    backend_host = lab.add_host("backend", "192.0.2.100")
    running = [backend_host.serve(workdir)]
    speakers = Speakers(real_api, lab, workdir)
    speakers.start()
    speakers.add_service("web", VIP, [(backend_host.ip, None)])
    running += [start_kube_proxy(node, real_api, workdir) for node in lab.nodes]
    wait_for("an answer", lambda: lab.client.curl(f"http://{VIP}/", timeout=1), timeout=20)
    for node in lab.nodes:
        wait_for(f"kube-proxy's rules on {node.name}", lambda n=node: n.curl(f"http://{VIP}/", timeout=1), timeout=20)
    speakers.owner(VIP)
    running.append(ask_datagrams_forever(lab.client, VIP, workdir))
    client = running[-1]
    wait_for("the client's first answers", lambda: client.text().count(" ok") > 10)
    yield speakers, client
    for process in running[::-1]:
        process.stop()
    speakers.stop()


def asked_since(client, mark):
    return client.text()[mark:].splitlines()


def failed(lines):
    return [line for line in lines if not line.endswith("ok")]


def wait_for_answers(client, count=300):
    before = client.text().count(" ok")
    wait_for(f"{count} more answers", lambda: client.text().count(" ok") >= before + count, timeout=20)


def test_L11_traffic_comes_back_when_the_node_is_cut_off(service_at_work, lab):
    speakers, client = service_at_work
    owner = speakers.owner(VIP)
    other = speakers.other(owner)
    cut = time.monotonic()
    owner.cut_switch_side()
    wait_for("the other node's answer", lambda: answers(lab.client, VIP, 0.1) == {other.mac})
    print(f"from the cut to the other node's ARP answer: {time.monotonic() - cut:.2f} s")
    wait_for_answers(client)


def test_O01_sigterm_loses_no_request(service_at_work, lab):
    speakers, client = service_at_work
    owner = speakers.owner(VIP)
    mark = len(client.text())
    assert speakers.running.pop(owner.name).stop(timeout=6) == 0
    wait_for("the client to use the other node",
             lambda: lab.client.neighbour(VIP) == speakers.other(owner).mac)
    wait_for_answers(client)
    # And back again: a new speaker takes over from one that is alive.
    speakers.start(owner)
    wait_for("the owner to have it back", lambda: speakers.owner(VIP) is owner)
    wait_for_answers(client)
    assert failed(asked_since(client, mark)) == []


def test_L11_sigkill_loses_no_request(service_at_work, lab):
    """kube-proxy still forwards on the node whose speaker is gone."""
    speakers, client = service_at_work
    owner = speakers.owner(VIP)
    mark = len(client.text())
    speakers.running.pop(owner.name).kill()
    wait_for("the client to use the other node",
             lambda: lab.client.neighbour(VIP) == speakers.other(owner).mac)
    wait_for_answers(client)
    assert failed(asked_since(client, mark)) == []


def test_C15_api_outage_loses_no_request(service_at_work, lab):
    speakers, client = service_at_work
    owner = speakers.owner(VIP)
    mark = len(client.text())
    speakers.server.kill_apiserver()
    try:
        wait_for("the Lease to lapse", lambda: speakers.status(owner)["leaseLapsed"])
        assert answers(lab.client, VIP) == {owner.mac}
        wait_for_answers(client)
    finally:
        speakers.server.start_apiserver()
    speakers.kube = speakers.server.admin
    wait_for("contact again", lambda: all(
        speakers.status(n)["inContact"] and not speakers.status(n)["leaseLapsed"] for n in lab.nodes), timeout=60)
    assert speakers.owner(VIP) is owner
    assert failed(asked_since(client, mark)) == []


def test_C15_node_that_dies_in_an_outage_is_replaced_after_it(service_at_work, lab):
    """Nobody can agree while the API server is away, so nothing moves; once it is back, those
    who were well keep what they have, and the dead node is found to be dead."""
    speakers, client = service_at_work
    owner = speakers.owner(VIP)
    other = speakers.other(owner)
    speakers.server.kill_apiserver()
    try:
        wait_for("both Leases to lapse", lambda: all(speakers.status(n)["leaseLapsed"] for n in lab.nodes))
        owner.cut_switch_side()
        wait_for("silence", lambda: not answers(lab.client, VIP))
        assert speakers.address(other, VIP)["owner"] == owner.name
    finally:
        speakers.server.start_apiserver()
    wait_for("the other node to answer", lambda: answers(lab.client, VIP) == {other.mac}, timeout=60)
    wait_for_answers(client)
    owner.restore()
    speakers.kube = speakers.server.admin
    settled = speakers.owner(VIP)
    assert answers(lab.client, VIP) == {settled.mac}
