# SPDX-License-Identifier: Apache-2.0
"""Starting and stopping programs, in a network namespace where wanted. Each
writes into FOLDER/NAME.log, whose end conftest.py shows when a test fails."""
import os
import signal
import subprocess
from pathlib import Path

from harness.netns import inside


class Process:
    """A running program: .pid, .log (path), .returncode (None while it runs)."""

    def __init__(self, name, argv, folder, netns=None, env=None):
        self.name = name
        self.log = Path(folder) / f"{name}.log"
        self.argv = inside(netns, argv)
        with open(self.log, "ab") as log:
            # `ip netns exec` becomes the program, so the pid is the program's own.
            self._popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})}, start_new_session=True)
        self.pid = self._popen.pid

    @property
    def returncode(self):
        return self._popen.poll()

    @property
    def running(self):
        return self.returncode is None

    def text(self):
        return self.log.read_text(errors="replace")

    def tail(self, lines=40):
        return "\n".join(self.text().splitlines()[-lines:])

    def require_running(self):
        if not self.running:
            raise AssertionError(f"'{self.name}' ended with {self.returncode}; its output:\n{self.tail()}")

    def signal(self, number):
        self._popen.send_signal(number)

    def wait(self, timeout=10):
        return self._popen.wait(timeout)

    def kill(self):
        self._popen.kill()
        self._popen.wait()

    def stop(self, timeout=10):
        """SIGTERM, then SIGKILL at the deadline; the exit code, or None if it had to be killed."""
        if self.running:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
