# SPDX-License-Identifier: Apache-2.0
"""The test bed itself works: a real API server, and in a lab of two nodes a
kube-proxy that carries traffic for a Service address. No Herald here: the test
writes the status, and a pinned ARP entry stands in for the announcement."""
import json
import os
import re

import pytest

from harness.kube import Kube, endpointslice, service
from harness.kubeproxy import MODES, missing_for, start_kube_proxy
from harness.wait import wait_for

VIP = "192.0.2.240"
CLUSTER_GO_MOD = "k8s/go.mod"


def test_api_server_reports_the_pinned_version(real_api, request):
    go_mod = (request.path.parent / CLUSTER_GO_MOD).read_text()
    wanted = os.environ.get("HERALD_KUBERNETES") or re.search(r"k8s.io/kubernetes (v\S+)", go_mod)[1]
    assert real_api.admin.call("GET", "/version")["gitVersion"] == wanted


def test_reset_leaves_nothing_of_a_test(real_api):
    held = service("held")
    held["metadata"]["finalizers"] = ["service.kubernetes.io/load-balancer-cleanup"]
    real_api.admin.create(held)
    real_api.admin.make_node("node1", "192.0.2.11")
    real_api.token_for("system:serviceaccount:elsewhere:someone")
    real_api.reset()
    assert [s["metadata"]["name"] for s in real_api.admin.items("services")] in ([], ["kubernetes"])
    assert real_api.admin.items("nodes") == []
    assert not real_api.admin.exists("namespaces", "elsewhere")


def test_service_account_token_has_only_the_rights_given(real_api):
    token = real_api.token_for("system:serviceaccount:default:reader")
    assert Kube(real_api, token).raw("GET", "/api/v1/services").status_code == 403


def test_admin_client_certificate_is_accepted(real_api, lab):
    answer = lab.nodes[0].run("curl", "-sS", "--cacert", real_api.ca_file, "--cert", real_api.client_cert,
                              "--key", real_api.client_key, f"{real_api.url}/api/v1/nodes")
    assert json.loads(answer.stdout)["kind"] == "NodeList"


def test_killed_api_server_comes_back_with_its_data(real_api):
    real_api.admin.create(service("kept"))
    url, pid = real_api.url, real_api.pid
    real_api.kill_apiserver()
    real_api.start_apiserver()
    assert real_api.url == url and real_api.pid != pid
    assert real_api.admin.exists("services", "kept")


def test_endpointslice_controller_makes_slices(real_api):
    real_api.start_controllers("endpointslice-controller")
    try:
        real_api.admin.create(service("selected", selector={"app": "web"}))
        wait_for("a slice of the Service", lambda: real_api.admin.items(
            "endpointslices", "default", labelSelector="kubernetes.io/service-name=selected"), timeout=30)
    finally:
        real_api.stop_controllers()


@pytest.mark.parametrize("mode", MODES)
def test_kube_proxy_carries_a_service_address(mode, real_api, lab, workdir):
    reason = missing_for(mode)
    if reason:
        pytest.skip(f"KUBE-PROXY IN MODE {mode} NOT TESTED: {reason}")
    node1, node2 = lab.nodes
    pod = node2.add_pod("web")
    running = [pod.serve(workdir)]
    for node in lab.nodes:
        real_api.admin.make_node(node.name, node.ip)
    real_api.admin.create(service("web", ports=((80, "TCP", 8080),)))
    real_api.admin.create(endpointslice("web", [(pod.ip, "node2")], ports=((80, "TCP", 8080),)))
    real_api.admin.patch_status("services", "web", {"status": {"loadBalancer": {"ingress": [{"ip": VIP}]}}})
    try:
        for node in lab.nodes:
            running.append(start_kube_proxy(node, real_api, workdir, mode))
        lab.client.pin_neighbour(VIP, node1.mac)
        answer = wait_for("an answer from the Service address",
                          lambda: lab.client.curl(f"http://{VIP}/", timeout=1), timeout=20)
        # Under the Cluster policy node1 passes it on in its own name.
        assert answer == f"web {node1.ip}\n"
        assert lab.client.neighbour(VIP) == node1.mac
    finally:
        for process in running:
            process.stop()


def test_cut_node_keeps_its_carrier_and_comes_back(lab, workdir):
    node1, node2 = lab.nodes
    backend = node1.serve(workdir)
    try:
        node1.cut_switch_side()
        assert "LOWER_UP" in node1.run("ip", "link", "show", "eth0").stdout
        with pytest.raises(RuntimeError):
            lab.client.curl(f"http://{node1.ip}:8080/", timeout=1)
        node1.restore()
        wait_for("node1 to answer again", lambda: lab.client.curl(f"http://{node1.ip}:8080/", timeout=1))
        node1.unplug()
        assert "NO-CARRIER" in node1.run("ip", "link", "show", "eth0").stdout
        node1.plug()
        node1.link_down()
        node1.link_up()
        wait_for("node1 to answer again", lambda: lab.client.curl(f"http://{node1.ip}:8080/", timeout=1))
    finally:
        backend.stop()
