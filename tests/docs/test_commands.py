# SPDX-License-Identifier: Apache-2.0
"""Every command in the README and the docs runs: page by page, block by block, with the
real kubectl and Helm on a real API server where a herald-controller works. Blocks that
can't be run here say why, and the reason is checked (harness/pages.py)."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.controller import Controllers
from harness.kube import KINDS, service
from harness.manifests import load_file
from harness.pages import EXCUSES, LANGUAGES, PAGES, ROOT, blocks
from harness.speaker import BIN
from harness.wait import wait_for

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
COMMANDS = [block for page in PAGES for block in blocks(page) if block.language == "sh"]
PAGES_WITH_COMMANDS = [page for page in PAGES if any(b.page == page and not b.excuse for b in COMMANDS)]


def looks_like_a_command(line):
    return re.match(r"\s*(\$ |(kubectl|heraldctl|helm|make) +[a-z-]+( |$))", line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_has_a_known_language(page):
    """A command in a block of another language would be run by nobody."""
    assert [b.name for b in blocks(page) if b.language not in LANGUAGES] == []
    hidden = [b.name for b in blocks(page) if b.language != "sh" and any(map(looks_like_a_command, b.commands()))]
    assert hidden == []


@pytest.mark.parametrize("block", [b for b in COMMANDS if b.excuse], ids=lambda block: block.name)
def test_a_block_that_is_not_run_says_why(block):
    assert block.excuse in EXCUSES
    assert [command for command in block.commands() if not EXCUSES[block.excuse](command)] == []


@pytest.fixture(scope="module")
def checkout(session_folder, cluster_bins):
    """A copy of the tree, whose commands may change files, and a folder of programs for PATH."""
    tree, programs = session_folder / "checkout", session_folder / "checkout-path"
    names = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout.splitlines()
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
    (tree / "build/release").mkdir(parents=True)
    (tree / "build/release/bin").symlink_to(BIN.resolve())
    programs.mkdir()
    for name in ("kubectl", "helm"):
        (programs / name).symlink_to(cluster_bins / name)
    for name in ("heraldctl", "kubectl-herald"):
        (programs / name).symlink_to(BIN.resolve() / "heraldctl")
    return tree, {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(session_folder), "NO_PROXY": "*",
                  "LC_ALL": "C.UTF-8"}


def verbs_in_sentences():
    """(program, verb) of each command that stands between backticks in a sentence."""
    spans = {span for page in PAGES for span in re.findall(r"`((?:kubectl|heraldctl|helm) [^`]+)`", page.read_text())}
    found = set()
    for span in spans:
        program, *rest = re.sub(r" -n \S+", "", span).split()
        if rest[0][0].isalpha() and rest[0].islower():
            found.add((program, rest[0]))
    return sorted(found)


@pytest.mark.parametrize("program, verb", verbs_in_sentences())
def test_a_verb_in_a_sentence_exists(checkout, program, verb):
    _, environment = checkout
    done = subprocess.run([program, verb, "--help"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Cluster:
    """A real API server with two nodes and a herald-controller, and nothing else of
    Herald's; `furnish` installs it and makes a Service, `web`, with an address."""

    def __init__(self, server, folder):
        self.server, self.folder, self.controllers, self.defined = server, folder, None, []
        self.server.start_controllers("namespace-controller")

    def start(self):
        for name, address in (("node1", "192.0.2.11"), ("node2", "192.0.2.12")):
            self.server.admin.make_node(name, address)
        self.controllers = Controllers(self.server, self.folder, config=None)
        self.controllers.start("c1", wait=False)

    def populate(self, scene):
        """Creates what SCENE.yaml has. Services there may have a status, as another program left it."""
        for obj in load_file(Path(__file__).with_name(f"{scene}.yaml")) if scene else []:
            if obj["kind"] == "CustomResourceDefinition":
                self.define(obj)
            elif obj["kind"] in KINDS:
                self.server.admin.create(obj)
                if "status" in obj:
                    self.server.admin.patch_status("services", obj["metadata"]["name"], {"status": obj["status"]})
            else:
                plural = obj["kind"].lower() + "s"
                path = f"/apis/{obj['apiVersion']}/namespaces/{obj['metadata']['namespace']}/{plural}"
                wait_for(f"{plural} to be served", lambda: self.server.admin.raw("POST", path, obj).status_code in (201, 409))

    def define(self, crd):
        answer = self.server.admin.raw("POST", CRDS, crd)
        assert answer.status_code == 201, answer.text
        self.defined.append(crd["metadata"]["name"])

    def furnish(self, run):
        run("kubectl apply -k config/default && kubectl apply -f config/examples/config-map.yaml")
        if not self.server.admin.exists("services", "web"):
            self.server.admin.create(service("web", type="LoadBalancer"))
        self.controllers.assigned("web")

    def stop(self):
        if self.controllers:
            self.controllers.stop()

    def close(self):
        self.stop()
        self.server.stop_controllers()
        for name in self.defined:
            self.server.admin.raw("DELETE", f"{CRDS}/{name}")


@pytest.fixture
def cluster(real_api, workdir):
    made = Cluster(real_api, workdir)
    yield made
    made.close()


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=lambda page: page.name)
def test_every_command_runs(page, checkout, cluster):
    tree, environment = checkout
    environment = {**environment, "KUBECONFIG": cluster.server.kubeconfig}

    def run(script):
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tree, env=environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    first = True
    for block in [b for b in COMMANDS if b.page == page and not b.excuse]:
        if block.fresh is not None:
            cluster.stop()
            cluster.server.reset()
            cluster.start()
            cluster.populate(block.fresh)
        elif first:
            cluster.start()
            cluster.furnish(run)
        first = False
        done = run(block.script())
        assert done.returncode == 0, f"{block.name} ended with {done.returncode}:\n{block.script()}\n{done.stdout}\n{done.stderr}"
