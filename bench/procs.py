# SPDX-License-Identifier: Apache-2.0
"""What the kernel knows about a process: its memory, its processor time. And the bare
client (kube_floor) as a process."""
import json
import os
import time
from pathlib import Path

from harness.process import Process
from harness.speaker import BIN
from harness.wait import POLL_SECONDS, wait_for

TICK = os.sysconf("SC_CLK_TCK")
IDLE_SECONDS, IDLE_SHARE, IDLE_TIMES = 0.5, 0.1, 3


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


def server_seconds(server):
    """Of the API server, and of the etcd behind a real one."""
    return cpu_seconds(server.pid) + (cpu_seconds(server.etcd.pid) if server.name == "real" else 0)


def wait_idle(server, timeout=240):
    """Until the API server has done next to nothing some times in a row: what came before
    is over."""
    quiet = []

    def idle():
        before = cpu_seconds(server.pid)
        time.sleep(IDLE_SECONDS)
        quiet.append(cpu_seconds(server.pid) - before < IDLE_SECONDS * IDLE_SHARE)
        return len(quiet) >= IDLE_TIMES and all(quiet[-IDLE_TIMES:])
    wait_for("the API server to be idle", idle, timeout)


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

    def result(self, beside=None, timeout=600):
        """What it came to. `beside`: a process without which it never ends."""
        end = time.monotonic() + timeout
        while self.process.running and time.monotonic() < end:
            if beside and beside.returncode not in (None, 0):
                beside.require_running()
            time.sleep(POLL_SECONDS)
        if self.process.returncode != 0:
            raise RuntimeError(f"{self.process.name}: {self.process.returncode or 'not done in time'}:\n"
                               f"{self.process.tail()}")
        return json.loads(self.lines()[-1])
