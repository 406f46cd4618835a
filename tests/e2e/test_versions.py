# SPDX-License-Identifier: Apache-2.0
"""O05: this version and an older one work side by side. One component after the other goes
to the older version and back, with a real API server and kube-proxy, while clients ask: no
request is lost and no address changes."""
import subprocess
from pathlib import Path

import pytest

from harness.controller import Controllers, addresses
from harness.moves import ANYWHERE, LOCAL, Moves
from harness.speaker import BIN
from harness.wait import wait_for

OLDER = Path(__file__).resolve().parents[1] / "older"


@pytest.fixture(scope="module")
def older():
    done = subprocess.run([OLDER], capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("the history here does not reach back to the older version")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture
def moves(real_api, lab, workdir):
    made = Moves(real_api, lab, workdir)
    yield made
    made.close()


@pytest.fixture
def controllers(moves, real_api, workdir):
    made = Controllers(real_api, workdir, config=None)
    yield made
    made.stop()


def replace_speaker(moves, node, programs):
    """As a step of a rolling update: the next one only once this one is back."""
    assert moves.speakers.running.pop(node.name).stop(timeout=8) == 0
    moves.speakers.bin = programs
    moves.speakers.start(node)
    for vip in (ANYWHERE, LOCAL):
        moves.owner(vip)
        before = len(moves.outcomes(vip))
        wait_for("more answers", lambda v=vip, b=before: len(moves.outcomes(v)) > b + 200, timeout=30)


def replace_controller(controllers, programs):
    if "c1" in controllers.running:
        assert controllers.running["c1"].stop() == 0
    controllers.bin = programs
    controllers.start("c1")
    wait_for("the Services to be adopted", lambda: all(
        "herald.io/assigned" in controllers.get(name)["metadata"].get("annotations", {}) for name in ("anywhere", "local")))


def test_O05_one_component_at_a_time_there_and_back(moves, controllers, older):
    def check(new):
        """A new Service is assigned, and nothing has happened to the two that were there."""
        controllers.add(new)
        controllers.assigned(new)
        assert [addresses(controllers.get(name)) for name in ("anywhere", "local")] == [[ANYWHERE], [LOCAL]]
        assert moves.failed() == []

    first, second = moves.lab.nodes
    replace_controller(controllers, BIN)
    check("all-new")
    replace_speaker(moves, first, older)
    check("speakers-differ")
    replace_controller(controllers, older)
    check("controller-older")
    replace_speaker(moves, second, older)
    check("all-older")
    replace_controller(controllers, BIN)
    check("controller-newer")
    replace_speaker(moves, first, BIN)
    replace_speaker(moves, second, BIN)
    check("all-new-again")
