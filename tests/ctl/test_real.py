# SPDX-License-Identifier: Apache-2.0
"""`heraldctl diff` against a real API server."""
import json

from harness import kube
from harness.ctl import heraldctl
from harness.wait import wait_for

NS = "herald-system"
NEW = "apiVersion: herald.io/v1\npools:\n- {name: n, addresses: [203.0.113.5-203.0.113.9]}\n"
NOW = "apiVersion: herald.io/v1\npools:\n- {name: a, addresses: [192.0.2.1], whenRemoved: move}\n"


def test_A08_diff_reads_a_real_cluster(real_api, workdir):
    api = real_api.admin
    api.ensure(kube.namespace(NS))
    api.ensure(kube.configmap("herald-config", {"config.yaml": NOW}, NS))
    for name in ("has", "waits"):
        api.create(kube.service(name, allocateLoadBalancerNodePorts=False))
    api.patch_status("services", "has", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}})
    wait_for("the address in status", lambda: api.get("services", "has")["status"]["loadBalancer"].get("ingress"))
    (workdir / "new.yaml").write_text(NEW)
    done = heraldctl("diff", "-f", "new.yaml", "-o", "json", "--kubeconfig", real_api.kubeconfig, cwd=workdir)
    assert (done.code, done.err) == (1, "")
    rows = {row["service"]: (row["change"], row["then"]) for row in json.loads(done.out)["services"]}
    assert rows == {"default/waits": ("gets", ["203.0.113.5"]), "default/has": ("changes", ["203.0.113.6"])}
