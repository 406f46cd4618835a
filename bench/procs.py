# SPDX-License-Identifier: Apache-2.0
"""What the kernel knows about a process: its memory, its processor time. And the bare
client (kube_floor) as a process."""
import json
import os
import time
from pathlib import Path

from harness.process import Process
from harness.speaker import BIN
from harness.wait import wait_for

TICK = os.sysconf("SC_CLK_TCK")
IDLE_SECONDS, IDLE_SHARE = 0.5, 0.1


def memory(pid):
    """{"resident", "anonymous", "private"} in KiB."""
    values = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        key, _, rest = line.partition(":")
        values[key] = int(rest.split()[0])
    return {"resident": values["Rss"], "anonymous": values["Anonymous"],
            "private": values["Private_Clean"] + values["Private_Dirty"]}


def peak_kib(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def settled_memory(pid):
    """Its memory once that no longer changes."""
    before = None
    while (now := memory(pid)) != before:
        before = now
        time.sleep(IDLE_SECONDS)  # the interval over which "no longer" is meant
    return now


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def wait_idle(pid, timeout=120):
    """Until a process has done next to nothing for a while: what came before is over."""
    def idle():
        before = cpu_seconds(pid)
        time.sleep(IDLE_SECONDS)
        return cpu_seconds(pid) - before < IDLE_SECONDS * IDLE_SHARE
    wait_for(f"process {pid} to be idle", idle, timeout)


class Floor:
    """kube_floor in one of its modes. .begin: when it was started."""

    def __init__(self, server, folder, mode, *args):
        log = Path(folder) / f"floor-{mode}.log"
        self.mark = log.stat().st_size if log.exists() else 0  # what earlier ones wrote
        self.begin = time.monotonic()
        self.process = Process(f"floor-{mode}", [BIN / "kube_floor", mode, server.url, server.ca_file,
                                                 server.token, *args], folder)

    def lines(self):
        return self.process.text()[self.mark:].splitlines()

    def wait_ready(self):
        wait_for(f"{self.process.name} to see what exists", lambda: self._has("ready"), timeout=120)

    def _has(self, word):
        if self.process.returncode not in (None, 0):
            self.process.require_running()
        return word in self.lines()

    def result(self, timeout=600):
        code = self.process.wait(timeout)
        if code != 0:
            raise RuntimeError(f"{self.process.name} ended with {code}:\n{self.process.tail()}")
        return json.loads(self.lines()[-1])
