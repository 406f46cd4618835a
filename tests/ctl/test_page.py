# SPDX-License-Identifier: Apache-2.0
"""docs/heraldctl.md: every command in it is run as it stands there."""
import os
import re
import subprocess
import threading

import pytest

from harness import kube
from harness.ctl import BIN, CONFIG, NODES
from harness.pages import ROOT, blocks
from harness.process import Process
from harness.wait import wait_for

COMMANDS = [command for block in blocks(ROOT / "docs/heraldctl.md") if block.language == "sh"
            for command in block.commands()]
ENDLESS = [command for command in COMMANDS if command.endswith((" watch", " -w"))]


def test_it_names_every_verb():
    listed = subprocess.run([BIN / "heraldctl", "--help"], capture_output=True, text=True, check=True).stdout
    verbs = set(re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE))
    assert verbs == {re.search(r"(?:heraldctl|kubectl herald) ([a-z-]+)", c).group(1) for c in COMMANDS}


@pytest.fixture
def shell(herald, cluster_bins, workdir):
    """run(command) in a folder with what the page speaks of; speakers renew their Leases."""
    herald.kube.create(kube.endpointslice("web", [("10.0.0.1", None)]))
    herald.add("web")
    (workdir / "herald-config.yaml").write_text(CONFIG)
    (workdir / "metallb.yaml").write_text(
        "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a, namespace: metallb-system}\n"
        "spec: {addresses: [192.0.2.0/28]}\n---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\n"
        "metadata: {name: a, namespace: metallb-system}\n")
    env = {**os.environ, "KUBECONFIG": herald.server.kubeconfig, "HOME": str(workdir),
           "PATH": f"{BIN}:{cluster_bins}:{os.environ['PATH']}"}
    done = threading.Event()

    def renew():
        while not done.wait(0.2):
            for node in NODES:
                herald.tell(node)
    renewing = threading.Thread(target=renew)
    renewing.start()
    yield lambda command: ["bash", "-c", command], env, workdir
    done.set()
    renewing.join()


def test_every_command_does_what_it_says(shell):
    made, env, folder = shell
    for command in COMMANDS:
        if command in ENDLESS:
            continue
        done = subprocess.run(made(command), env=env, cwd=folder, capture_output=True, text=True, timeout=60)
        # The embedded server has no pods whose logs could be read.
        assert done.returncode in ((0, 3) if "bug-report" in command else (0,)), f"{command}: {done.stderr}"
        assert done.stdout or done.stderr or "completion" in command, command
    for command in ENDLESS:
        running = Process("endless", made("exec " + command), folder, env=env)
        wait_for(command, lambda r=running: r.text() and r.running)
        running.stop()
