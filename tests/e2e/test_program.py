# SPDX-License-Identifier: Apache-2.0
"""O01: how the two daemons are begun and ended. Their manual pages say which exit codes and
which bounds are meant (tests/ctl/test_man.py); the users and capabilities that they run
under are tested in tests/config/test_security_context.py."""
import re
import signal
import subprocess

import pytest

from harness.controller import Controllers
from harness.lab import API_ADDRESS
from harness.mini import MiniApiServer
from harness.speaker import BIN, NAMESPACE, Speakers
from harness.wait import wait_for

PROGRAMS = ["herald-controller", "herald-speaker"]
LEASES = {"herald-controller": "leases/herald-controller", "herald-speaker": "leases/herald-speaker"}
VIP = "192.0.2.200"


@pytest.fixture
def server(workdir, lab):
    with MiniApiServer(workdir / "api", listen=f"{API_ADDRESS}:0") as made:
        yield made


class Daemon:
    """One of the programs at work: .process, .page(path)."""

    def __init__(self, program, server, lab, workdir):
        self.server, self.lease = server, LEASES[program]
        if program == "herald-speaker":
            node = lab.nodes[0]
            owner = Speakers(server, lab, workdir)
            owner.start(node)
            self.process, self.page = owner.running[node.name], lambda path: owner.page(node, path)
        else:
            owner = Controllers(server, workdir)
            self.process, self.page = owner.start("c1"), lambda path: owner.page("c1", path)
        self.owner = owner


@pytest.fixture(params=PROGRAMS)
def daemon(request, server, lab, workdir):
    made = Daemon(request.param, server, lab, workdir)
    yield made
    if made.process.running:
        made.process.kill()


def call(program, *arguments):
    return subprocess.run([BIN / program, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("program", PROGRAMS)
def test_O01_help_and_version(program):
    for option in ("--help", "--usage"):
        done = call(program, option)
        assert done.returncode == 0 and done.stderr == "" and "--kubeconfig" in done.stdout
    done = call(program, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"{program} \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("arguments", [
    ["--no-such-option"], ["--listen", "example.com:80"], ["--log-level", "loud"], ["--log-format", "xml"],
    ["--namespace", "No Name"], ["--listen"], ["--kubeconfig", ""]], ids=" ".join)
def test_O01_wrong_command_lines(program, arguments):
    done = call(program, "--node-name=n" if program == "herald-speaker" else "--identity=c", *arguments)
    assert done.returncode == 64 and done.stdout == "" and f"{program}: " in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_O01_cannot_start(program, workdir):
    """Exit code 1, and one sentence that says why."""
    identity = "--node-name=n" if program == "herald-speaker" else "--identity=c"
    done = call(program, identity, "--listen=127.0.0.1:0", "--kubeconfig", str(workdir / "none"))
    assert done.returncode == 1 and done.stdout == ""
    assert re.fullmatch(rf'{program}: .*"{workdir}/none".*\n', done.stderr)


def test_O01_sighup_is_harmless(daemon):
    before = daemon.process.pid, len(daemon.server.requests()["writes"])
    for _ in range(3):
        daemon.process.signal(signal.SIGHUP)
    assert daemon.page("/healthz") == "ok\n" and daemon.page("/readyz") == "ok\n"
    assert daemon.process.running and daemon.process.pid == before[0]
    assert "stopping" not in daemon.process.text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_O01_ends_in_order(daemon, number):
    """With its Lease released, so that others need not wait for it to expire."""
    daemon.process.signal(number)
    assert daemon.process.wait(20) == 0
    leases = [lease for lease in daemon.server.admin.items("leases", NAMESPACE)
              if f"leases/{lease['metadata']['name']}".startswith(daemon.lease)]
    assert leases and all(not lease["spec"].get("holderIdentity") for lease in leases)


def test_O01_ends_within_its_bound_though_nobody_answers(daemon):
    """The bound is 8 s and 6 s; that a loaded machine takes longer is no matter here."""
    daemon.server.fault("hang", times=-1, ms=0)
    daemon.process.signal(signal.SIGTERM)
    assert daemon.process.wait(60) in (0, 1)
    daemon.server.clear_faults()


def test_O01_second_signal_ends_it_at_once(daemon):
    daemon.server.fault("hang", times=-1, ms=0)
    daemon.process.signal(signal.SIGTERM)
    wait_for("the first signal to be heard", lambda: "msg=stopping" in daemon.process.text())
    daemon.process.signal(signal.SIGTERM)
    assert daemon.process.wait(20) == 0
    assert "stopping at once" in daemon.process.text()
    daemon.server.clear_faults()
