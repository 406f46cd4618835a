# SPDX-License-Identifier: Apache-2.0
"""BIRD 2, one on each node of a lab, as it runs beside a speaker."""
import re
import shutil
import tempfile
from pathlib import Path

from harness.netns import run
from harness.process import Process
from harness.wait import wait_for

CONFIG = """log stderr all;
router id {router_id};
protocol device {{ scan time 10; }}
include "{folder}/include/*.conf";
"""


class Bird:
    """BIRD on a node: .folder, .socket, .include, .process. Paths are short, since a socket's
    can't be long."""

    def __init__(self, node, log_folder):
        self.node, self.log_folder = node, log_folder
        self.folder = Path(tempfile.mkdtemp(prefix="bird-"))
        self.socket, self.include = self.folder / "socket", self.folder / "include/herald.conf"
        self.include.parent.mkdir()
        self.config = self.folder / "bird.conf"
        self.config.write_text(CONFIG.format(router_id=f"10.0.0.{node.number}", folder=self.folder))
        self.process = None
        self.start()

    @property
    def args(self):
        """The speaker's options that name this BIRD."""
        return ["--bird-socket", self.socket, "--bird-include", self.include]

    def start(self):
        self.process = Process(f"bird-{self.node.name}", [
            "bird", "-f", "-c", self.config, "-s", self.socket, "-P", self.folder / "pid"],
            self.log_folder, self.node.ns)
        wait_for(f"BIRD on {self.node.name}", lambda: "ready" in self.ask("show status"))

    def ask(self, command, check=True):
        """What birdc prints; RuntimeError where BIRD does not answer, or with an error."""
        return run(["birdc", "-v", "-s", self.socket, command], self.node.ns, timeout=5, check=check).stdout

    def sessions(self):
        """The state of each BFD session by the other end's address."""
        text = self.ask("show bfd sessions", check=False)  # an error where BIRD has no BFD at all
        assert "BIRD" in text
        return dict(re.findall(r"^\s+(\d+\.\d+\.\d+\.\d+)\s+\S+\s+(\S+)", text, re.M))

    def accepts_its_config(self):
        return run(["bird", "-p", "-c", self.config], self.node.ns, check=False).returncode == 0

    def kill(self):
        self.process.kill()

    def close(self):
        if self.process.running:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
