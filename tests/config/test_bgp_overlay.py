# SPDX-License-Identifier: Apache-2.0
"""config/bgp: what kubectl makes of the overlay is taken by a real API server, and its
script keeps the routes of a BIRD that is restarted, and withdraws those of one that is
removed (B04, B05), as a router sees it."""
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from harness.bgp import KINDS
from harness.bgp_peer import Neighbour
from harness.kube import namespace, resource_of
from harness.manifests import CONFIG, default_manifests, pod_template
from harness.netns import run
from harness.process import Process
from harness.wait import wait_for

STRICT = {"dryRun": "All", "fieldValidation": "Strict"}
PREFIX = "203.0.113.1/32"
INCLUDE = """ipv4 table herald4;
protocol static herald_ipv4 { ipv4 { table herald4; }; route 203.0.113.1/32 unreachable; }
protocol bgp herald_bgp_r { local as 64512; neighbor 192.0.2.60 as 64660; graceful restart on;
    connect delay time 1; connect retry time 1; error wait time 1, 2;
    ipv4 { table herald4; import none; export all; next hop self; }; }
"""


@pytest.fixture(scope="module")
def objects(cluster_bins):
    done = subprocess.run([cluster_bins / "kubectl", "kustomize", CONFIG / "bgp"], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [o for o in yaml.safe_load_all(done.stdout) if o]


def key(obj):
    return obj["kind"], obj["metadata"]["name"]


def find(objects, *names):
    return next(o for o in objects if key(o) == names)


def test_it_is_accepted(real_api, objects):
    real_api.admin.create(find(objects, "Namespace", "herald-system"))
    for obj in objects:
        if obj["kind"] != "Namespace":
            assert real_api.admin.create(obj, **STRICT)["metadata"]["name"] == obj["metadata"]["name"]
            assert not real_api.admin.exists(resource_of(obj), obj["metadata"]["name"], obj["metadata"].get("namespace"))
    pod = real_api.admin.create(pod_template(objects, "speaker"), **STRICT)
    assert [c["name"] for c in pod["spec"]["containers"]] == ["speaker", "bird"]
    assert {key(o) for o in objects} - {key(o) for o in default_manifests()} == {
        ("ConfigMap", "herald-bird"), ("ConfigMap", "herald-bird-run")}


def test_C33_rights_on_named_objects_alone(objects):
    before = find(default_manifests(), "Role", "herald-speaker")["rules"]
    rules = find(objects, "Role", "herald-speaker")["rules"]
    assert rules[:len(before)] == before
    assert rules[len(before):] == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["herald-bgp"], "verbs": ["list", "watch"]},
        {"apiGroups": ["apps"], "resources": ["daemonsets"], "resourceNames": ["herald-speaker"], "verbs": ["get"]}]
    bird = {c["name"]: c for c in pod_template(objects, "speaker")["spec"]["containers"]}["bird"]
    assert bird["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_RAW", "NET_BIND_SERVICE"]}


class Sidecar:
    """The container of BIRD, run by its command line and with its rights, folders elsewhere."""

    def __init__(self, objects, node, workdir):
        self.node, self.workdir = node, workdir
        self.folder = Path(tempfile.mkdtemp(prefix="bird-"))
        self.shared = self.folder / "shared"
        self.shared.mkdir()
        for name in ("herald-bird", "herald-bird-run"):
            for file, text in find(objects, "ConfigMap", name)["data"].items():
                (self.folder / file).write_text(text.replace("/run/herald-bird", str(self.shared)))
        bird = {c["name"]: c for c in pod_template(objects, "speaker")["spec"]["containers"]}["bird"]
        self.command = [str(self.folder / Path(word).name) if "etc/herald-bird" in word else
                        word.replace("/run/herald-bird", str(self.shared)) for word in bird["command"]]
        self.rights = ",".join(["-all", *(f"+{c.lower()}" for c in bird["securityContext"]["capabilities"]["add"])])
        self.include = self.shared / "herald.conf"

    def start(self):
        self.process = Process("sidecar", ["setpriv", "--no-new-privs", "--bounding-set", self.rights,
                                           "--inh-caps", self.rights, *self.command], self.workdir, self.node.ns)

    def is_up(self):
        return "up and running" in run(["birdc", "-s", self.shared / "socket", "show", "status"], self.node.ns).stdout


@pytest.fixture
def sidecar(objects, lab, workdir):
    made = Sidecar(objects, lab.nodes[0], workdir)
    made.start()
    yield made
    if made.process.running:
        made.process.kill()


def test_B05_script_restarts_and_removes(sidecar, lab, workdir):
    router = KINDS["frr"](lab.add_host("r", "192.0.2.60"), 64660, workdir, [Neighbour(lab.nodes[0].ip, 64512)])
    try:
        # It waits for what the speaker writes first.
        wait_for("the script", lambda: not (sidecar.shared / "socket").exists() and sidecar.process.running)
        sidecar.include.write_text(INCLUDE)
        wait_for("BIRD", sidecar.is_up)
        wait_for("the route", lambda: router.route(PREFIX), timeout=30)
        (sidecar.shared / "stop").write_text("restart\n")
        assert sidecar.process.stop(timeout=20) == 0
        assert wait_for("the end of the session", lambda: not router.is_up(lab.nodes[0].ip))
        assert router.route(PREFIX).stale
        sidecar.start()

        def back():
            assert router.route(PREFIX)
            return not router.route(PREFIX).stale and router.is_up(lab.nodes[0].ip)
        wait_for("the route again", back, timeout=30)
        (sidecar.shared / "stop").write_text("remove\n")
        assert sidecar.process.stop(timeout=20) == 0
        wait_for("the route to be withdrawn", lambda: router.route(PREFIX) is None)
    finally:
        router.close()


def test_B04_script_starts_bird_without_a_part_that_it_refuses(sidecar):
    sidecar.include.write_text("protocol nonsense {}\n")
    wait_for("BIRD", sidecar.is_up)
    assert not sidecar.include.exists()
    assert "without the speaker's part" in sidecar.process.text()
