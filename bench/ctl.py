# SPDX-License-Identifier: Apache-2.0
"""heraldctl looks at 5,000 Services that have their addresses

Time from the start of the program to its end, to the time in which a bare client reads the
list of Services alone; and the memory that it takes at most. heraldctl reads EndpointSlices,
nodes, Leases and the configuration, too, and plans who announces what."""
import os
import subprocess
import time

from harness.speaker import BIN
from procs import Floor, wait_idle
from stock import NAMESPACE, name_of

ROUNDS = 5
SECONDS_MAX = 2
PEAK_MAX_MIB = 64


def run(bench, section):
    count, rounds = (30, 2) if bench.quick else (5000, ROUNDS)
    bench.stock.put_assigned(count, slices=True)
    verbs = {"services": ("services", "-A"), "status": ("status",), "why": ("why", name_of(0), "-n", NAMESPACE)}
    floors, seconds, peaks = [], {verb: [] for verb in verbs}, []
    for _ in range(rounds):
        wait_idle(bench.server)
        floors.append(list_once(bench))
        for verb, arguments in verbs.items():
            took, peak = look_once(bench, arguments)
            seconds[verb].append(took)
            peaks.append(peak)
    for verb, samples in seconds.items():
        section.keep(verb, samples)
        section.add(f"heraldctl {verb}, {count:,} Services", sorted(samples)[len(samples) // 2], "s",
                    None if bench.quick else SECONDS_MAX)
    section.add_ratio(f"heraldctl services, {count:,} Services", floors, seconds["services"], None)
    section.add("memory at most", max(peaks) / 1024, "MiB", None if bench.quick else PEAK_MAX_MIB)
    bench.stock.clear()


def list_once(bench):
    floor = Floor(bench.server, bench.folder, "list")
    return floor.result()["listed"] - floor.begin


def look_once(bench, arguments):
    """Seconds, and the resident memory at most in KiB."""
    begin = time.monotonic()
    running = subprocess.Popen([BIN / "heraldctl", *arguments, "--kubeconfig", bench.server.kubeconfig],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = running.stderr.read().decode()
    _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    # 1: something is wrong, as no controller and no speaker runs.
    if running.returncode not in (0, 1):
        raise RuntimeError(f"heraldctl {arguments} ended with {running.returncode}: {said}")
    return time.monotonic() - begin, usage.ru_maxrss
