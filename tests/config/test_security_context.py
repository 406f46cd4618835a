# SPDX-License-Identifier: Apache-2.0
"""O01: the programs work as the manifests run them: that user, these capabilities alone,
no way to more, and a root file system that can't be written."""
import base64
from pathlib import Path

import pytest
import yaml

from harness.controller import Controllers
from harness.lab import API_ADDRESS
from harness.manifests import default_manifests, pod_template
from harness.mini import MiniApiServer
from harness.process import Process
from harness.speaker import BIN, STATUS_PORT, Speakers, answers
from harness.wait import wait_for

VIP = "192.0.2.200"

# Root of a mount namespace of its own: the program and its kubeconfig are put where any
# user can read them, and everything else is made read-only.
ENTER = """
set -eu
program=$1 kubeconfig=$2; shift 2
mount -t tmpfs -o mode=755 tmpfs /mnt
install -m 755 "$program" /mnt/program
install -m 644 "$kubeconfig" /mnt/kubeconfig
mount -o remount,ro,bind /mnt
mount -o remount,ro,bind /
exec setpriv "$@"
"""


@pytest.fixture
def server(workdir):
    made = MiniApiServer(workdir / "api", listen=f"{API_ADDRESS}:0")
    yield made
    made.stop()


def as_in_a_pod(component, server, folder, *args):
    """The command line of the component as its container's securityContext says."""
    spec = pod_template(default_manifests(), component)["spec"]
    context = {**spec["securityContext"], **spec["containers"][0]["securityContext"]}
    assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
    kept = [f"+{name.lower()}" for name in context["capabilities"].get("add", [])]
    user = context["runAsUser"]
    kubeconfig = yaml.safe_load(Path(server.kubeconfig).read_text())
    cluster = kubeconfig["clusters"][0]["cluster"]
    if "certificate-authority" in cluster:
        ca = Path(cluster.pop("certificate-authority")).read_bytes()
        cluster["certificate-authority-data"] = base64.b64encode(ca).decode()
    path = folder / f"kubeconfig-{component}"
    path.write_text(yaml.safe_dump(kubeconfig))
    return ["unshare", "--mount", "sh", "-c", ENTER, "enter", BIN / f"herald-{component}", path,
            "--reuid", user, "--regid", context.get("runAsGroup", user), "--clear-groups", "--no-new-privs",
            "--bounding-set", ",".join(["-all", *kept]), "--inh-caps", "-all",
            "/mnt/program", "--kubeconfig", "/mnt/kubeconfig", *args]


def status_of(process):
    text = Path(f"/proc/{process.pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def is_read_only(process):
    mounts = Path(f"/proc/{process.pid}/mountinfo").read_text().splitlines()
    return all("ro" in m.split()[5].split(",") for m in mounts if m.split()[4] in ("/", "/mnt"))


def test_O01_speaker_has_NET_RAW_alone(server, lab, workdir):
    speakers = Speakers(server, lab, workdir)
    node = lab.nodes[0]
    process = Process("speaker-pod", as_in_a_pod(
        "speaker", server, workdir, "--node-name", node.name, "--listen", f"127.0.0.1:{STATUS_PORT}"), workdir, node.ns)
    speakers.running[node.name] = process
    wait_for("the speaker to be alive", lambda: speakers.is_alive(node))
    status = status_of(process)
    assert (int(status["CapEff"], 16), int(status["CapBnd"], 16)) == (1 << 13, 1 << 13)
    assert status["NoNewPrivs"] == "1" and is_read_only(process)
    speakers.add_service("web", VIP)
    wait_for("an answer", lambda: answers(lab.client, VIP) == {node.mac})
    assert process.stop() == 0


def test_O01_controller_is_nobody(server, workdir):
    controllers = Controllers(server, workdir)
    process = Process("controller-pod", as_in_a_pod(
        "controller", server, workdir, "--identity", "pod", "--listen", "127.0.0.1:0"), workdir)
    controllers.running["pod"] = process
    controllers.add("web")
    controllers.assigned("web")
    status = status_of(process)
    assert status["Uid"].split() == ["65532"] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1" and is_read_only(process)
    assert process.stop() == 0
