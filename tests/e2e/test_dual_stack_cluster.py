# SPDX-License-Identifier: Apache-2.0
"""A dual-stack Service with a real API server and kube-proxy: clients reach both of its
addresses, also after the node that had them is cut off."""
import pytest

from harness.kube import endpointslice
from harness.kubeproxy import start_kube_proxy
from harness.speaker import PORTS, Speakers, ask_datagrams_forever
from harness.wait import wait_for

VIPS = ("192.0.2.230", "fd00:192:0:2::230")
URLS = (f"http://{VIPS[0]}/", f"http://[{VIPS[1]}]/")


@pytest.fixture
def speakers(real_api, lab, workdir):
    """A Service of both families whose backend is a host that is no node."""
    backend_host = lab.add_host("backend", "192.0.2.100")
    backend = backend_host.serve(workdir)
    made = Speakers(real_api, lab, workdir)
    made.start()
    made.add_service("web", VIPS, [(backend_host.ip, None)], ipFamilyPolicy="RequireDualStack",
                     ipFamilies=["IPv4", "IPv6"])
    made.kube.create(endpointslice("web", [(backend_host.ip6, None)], ports=PORTS, family="IPv6"))
    proxies = [start_kube_proxy(node, real_api, workdir) for node in lab.nodes]
    for address in VIPS:
        made.owner(address)
    yield made
    for process in (*proxies, backend):
        process.stop()
    made.stop()


def answered(lab, url):
    try:
        return lab.client.curl(url, timeout=1)
    except RuntimeError:
        return ""


def test_L11_both_families_are_reached_and_come_back(speakers, lab):
    for url in URLS:
        wait_for(f"an answer from {url}", lambda u=url: answered(lab, u).startswith("backend "), timeout=20)
    for address in VIPS:
        assert lab.client.neighbour(address) == speakers.owner(address).mac
    owner = speakers.owner(VIPS[1])
    other = speakers.other(owner)
    owner.cut_switch_side()
    wait_for("the client to be told", lambda: lab.client.neighbour(VIPS[1]) == other.mac, timeout=20)
    for url in URLS:
        wait_for(f"an answer from {url}", lambda u=url: answered(lab, u).startswith("backend "), timeout=20)
    # L07: kube-proxy put it nowhere either.
    for node in lab.nodes:
        assert all(address not in node.run("ip", "address").stdout for address in VIPS)


def test_O01_sigterm_loses_no_request(speakers, lab, workdir):
    owner = speakers.owner(VIPS[1])
    wait_for("an answer", lambda: answered(lab, URLS[1]), timeout=20)
    client = ask_datagrams_forever(lab.client, VIPS[1], workdir)
    wait_for("the client's first answers", lambda: client.text().count(" ok") > 10)
    assert speakers.running.pop(owner.name).stop(timeout=6) == 0
    wait_for("the client to use the other node",
             lambda: lab.client.neighbour(VIPS[1]) == speakers.other(owner).mac)
    before = client.text().count(" ok")
    wait_for("more answers", lambda: client.text().count(" ok") >= before + 300, timeout=20)
    client.stop()
    assert [line for line in client.text().splitlines() if not line.endswith("ok")] == []
