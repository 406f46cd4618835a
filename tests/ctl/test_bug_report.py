# SPDX-License-Identifier: Apache-2.0
"""`heraldctl bug-report`: all that is needed, and no secret in any file (B07)."""
import http.server
import json
import os
import stat
import subprocess
import tarfile
import threading

import pytest

from harness import kube
from harness.ctl import BIN, heraldctl
from harness.herald_objects import NS
from harness.lab import API_ADDRESS

SECRETS = ["md5-s3cret", "qu\\oted-s3cret", "misspelt-s3cret", "bird-s3cret", "env-s3cret", "annotation-s3cret",
           "remark-s3cret", "data-s3cret"]
CONFIG = """apiVersion: herald.io/v1  # remark-s3cret
pools:
- name: main
  addresses: [192.0.2.1-192.0.2.4]
bgp:
  asn: 64512
  peers:
  - {name: tor1, peerASN: 64601, peerAddress: 10.0.1.1, password: md5-s3cret}
  - {name: tor2, peerASN: 64601, peerAddress: 10.0.1.2, password: "qu\\\\oted-s3cret"}
  - {name: tor3, peerASN: 64601, peerAddress: 10.0.1.3, passwordSecret: {name: tor3-password}}
"""


def pod(name, labels, port=7473, **spec):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": kube.metadata(name, NS, {"app.kubernetes.io/name": "herald", **labels},
                                      {"other.example.com/token": "annotation-s3cret"}),
            "spec": {"containers": [{"name": "speaker", "image": "herald", **spec,
                                     "env": [{"name": "X", "value": "env-s3cret"}],
                                     "ports": [{"name": "metrics", "containerPort": port}]}],
                     "automountServiceAccountToken": False}}


def fill(herald):
    """What could hold a secret, in every place where one might be."""
    herald.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": kube.metadata("tor3-password", NS),
                        "stringData": {"password": "data-s3cret"}, "type": "kubernetes.io/basic-auth"})
    herald.kube.patch("configmaps", "herald-config", {
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": CONFIG}},
        "data": {"other": "data-s3cret"}}, NS)
    service = herald.controllers.add("web", annotations={"other.example.com/key": "annotation-s3cret"})
    herald.kube.create({"apiVersion": "v1", "kind": "Event", "metadata": kube.metadata("web.1", "default"),
                        "involvedObject": {"kind": "Service", "namespace": "default", "name": "web",
                                           "uid": service["metadata"]["uid"]},
                        "reason": "Odd", "message": "said md5-s3cret and qu\\oted-s3cret", "type": "Normal"})


def read(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def assert_clean(files):
    for name, text in files.items():
        for secret in SECRETS:
            assert secret not in text and json.dumps(secret)[1:-1] not in text, f"{secret} in {name}"


def test_B07_a_folder_without_any_secret(on_both, workdir):
    fill(on_both)
    done = heraldctl("bug-report", "--file", workdir / "report", "--kubeconfig", on_both.server.kubeconfig)
    assert done.code in (0, 3) and done.out.strip() == str(workdir / "report"), done.err
    files = read(workdir / "report")
    assert_clean(files)
    assert {"configmap.json", "services.json", "nodes.json", "leases.json", "endpointslices.json",
            "events-services.json", "version-heraldctl.txt", "version-api-server.json"} <= set(files)
    config = json.loads(files["configmap.json"])[0]
    assert "password: REDACTED" in config["data"]["config.yaml"] and "tor3-password" in config["data"]["config.yaml"]
    assert "64601" in config["data"]["config.yaml"] and config["data"]["other"] == "REDACTED"
    assert [s["metadata"]["name"] for s in json.loads(files["services.json"])] == ["kubernetes", "web"]
    assert {n["metadata"]["name"] for n in json.loads(files["nodes.json"])} == {"node1", "node2"}
    assert any("said REDACTED" in e["message"] for e in json.loads(files["events-services.json"]))
    assert stat.S_IMODE(os.stat(workdir / "report").st_mode) == 0o700
    assert "cannot make the folder" in heraldctl("bug-report", "--file", workdir / "report", "--kubeconfig",
                                                 on_both.server.kubeconfig).err


def test_an_archive(herald, workdir):
    fill(herald)
    done = heraldctl("bug-report", "--kubeconfig", herald.server.kubeconfig, cwd=workdir, env={"TMPDIR": str(workdir)})
    archive = workdir / done.out.strip()
    assert archive.name.startswith("herald-bug-report-") and stat.S_IMODE(archive.stat().st_mode) == 0o600
    with tarfile.open(archive) as packed:
        names = packed.getnames()
        files = {m.name: packed.extractfile(m).read().decode() for m in packed.getmembers() if m.isfile()}
    assert_clean(files)
    assert len({name.split("/")[0] for name in names}) == 1
    assert not [p for p in workdir.iterdir() if p.name.startswith("heraldctl.")]


BAD = {
    "misspelt": "apiVersion: herald.io/v1\npools: []\nbgp: {peers: [{pasword: misspelt-s3cret}]}\n",
    "BIRD's": "apiVersion: herald.io/v1\nbgp:\n  birdConfig: |\n    protocol bgp x { password \"bird-s3cret\"; }\n",
    "no YAML": "bgp: {peers: [{password: md5-s3cret}\n",
    "an alias": "a: &x md5-s3cret\nb: *x\n",
    "nothing": "",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_B07_configurations_that_are_refused(mini, workdir, text):
    mini.admin.ensure(kube.namespace(NS))
    mini.admin.ensure(kube.configmap("herald-config", {"config.yaml": text}, NS))
    heraldctl("bug-report", "--file", workdir / "report", "--kubeconfig", mini.kubeconfig)
    assert_clean(read(workdir / "report"))


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"herald_up 1 of {self.path} md5-s3cret\n".encode())

    def log_message(self, *_):
        pass


def test_metrics_and_status_where_they_can_be_reached(real_api, workdir):
    """Through the API server's proxy, which needs nothing but rights."""
    api = real_api.admin
    api.ensure(kube.namespace(NS))
    api.ensure(kube.configmap("herald-config", {"config.yaml": CONFIG}, NS))
    api.ensure({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": kube.metadata("default", NS)})
    with http.server.ThreadingHTTPServer((API_ADDRESS, 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api.create(pod("speaker-1", {"app.kubernetes.io/component": "speaker"}, server.server_port))
        api.patch_status("pods", "speaker-1", {"status": {"podIP": API_ADDRESS, "podIPs": [{"ip": API_ADDRESS}],
                                                          "phase": "Running"}}, NS)
        done = heraldctl("bug-report", "--file", workdir / "report", "--kubeconfig", real_api.kubeconfig)
        server.shutdown()
    assert done.code in (0, 3), done.err
    files = read(workdir / "report")
    assert_clean(files)
    assert files["pod-speaker-1-metrics.txt"] == "herald_up 1 of /metrics REDACTED\n"
    assert "/status" in files["pod-speaker-1-status.txt"]
    assert "pod-speaker-1-speaker.log" in files or "/log" in files["missing.txt"]
    assert "speaker-1" in files["pods.json"]


def test_who_may_not_read_everything_gets_the_rest(mini, workdir):
    done = heraldctl("bug-report", "--file", workdir / "report", "--kubeconfig", mini.kubeconfig_for("nobody"))
    assert done.code == 3 and "missing.txt" in done.err
    assert "grant verb `list` on `services`" in (workdir / "report/missing.txt").read_text()


def test_what_cannot_be_written_or_asked_is_2(mini, workdir):
    mini_args = ("--kubeconfig", mini.kubeconfig)
    for file in ("/proc/nowhere", "/proc/nowhere.tar.gz"):
        done = heraldctl("bug-report", "--file", file, *mini_args)
        assert (done.code, done.out) == (2, "")
    away = heraldctl("bug-report", "--file", workdir / "r.tgz", "--server", "https://127.0.0.1:1", *mini_args)
    assert away.code == 2 and "is the API server up" in away.err and not (workdir / "r.tgz").exists()
    no_tar = subprocess.run([BIN / "heraldctl", "bug-report", "--file", workdir / "r.tgz", *mini_args],
                            env={"PATH": "/nowhere"}, capture_output=True, text=True)
    assert no_tar.returncode == 2 and "to have a folder instead" in no_tar.stderr
