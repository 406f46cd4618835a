# SPDX-License-Identifier: Apache-2.0
"""The demo works, says so by its exit code, and leaves nothing behind; where a step
does not happen, it says that too."""
import os
import subprocess
from pathlib import Path

from harness.speaker import BIN

DEMO = Path(__file__).with_name("run")
STEPS = ("(pending)", '{"ip": "192.0.2.200"', "web-1 answers", "web-2 answers", "on no interface of any node",
         "requests fail", "its speaker's Lease has expired", "from the cut to the first answer", "done; every step")


def play(folder):
    """The demo with the programs of that folder, in a sandbox inside this one."""
    return subprocess.run([DEMO], env={**os.environ, "HERALD_BIN": str(folder)}, capture_output=True, text=True,
                          timeout=120)


def namespaces():
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout


def test_demo_shows_every_step():
    before = namespaces()
    done = play(BIN)
    assert done.returncode == 0, done.stdout + done.stderr
    for step in STEPS:
        assert step in done.stdout, step
    assert namespaces() == before
    assert not list(Path("/mnt").glob("*.log"))


def test_demo_fails_where_a_step_does_not_happen(workdir):
    """With a controller that does nothing but end."""
    (workdir / "herald-speaker").symlink_to(BIN / "herald-speaker")
    (workdir / "herald-controller").symlink_to("/bin/false")
    done = play(workdir)
    assert done.returncode == 1
    assert "the demo failed: waited 10 s for the controller to lead" in done.stderr
    assert "ended with 1" in done.stderr
