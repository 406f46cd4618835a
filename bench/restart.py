# SPDX-License-Identifier: Apache-2.0
"""the controller starts with 50,000 Services that have their addresses

Time from the start of the program until it has judged every one of them, to the time in
which a bare client reads the same list; and what it writes to Services: nothing."""
import time

from procs import Floor, cpu_seconds, peak_kib, server_seconds, wait_idle

ROUNDS = 5
RATIO_MAX = 1.5


def run(bench, section):
    count, rounds = (30, 2) if bench.quick else (50000, ROUNDS)
    stock = bench.stock
    stock.put_assigned(count)
    floors, heralds, floor_work, herald_work, writes = [], [], [], [], 0
    for _ in range(rounds):
        wait_idle(bench.server)
        seconds, work = list_once(bench, count)
        floors.append(seconds)
        floor_work.append(work)
        wait_idle(bench.server)
        seconds, work, wrote, peak = start_once(bench, count)
        heralds.append(seconds)
        herald_work.append(work)
        writes += wrote
    section.add_ratio(f"{count:,} Services", floors, heralds, None if bench.quick else RATIO_MAX)
    section.add_work(f"{count:,} Services", floor_work, herald_work)
    section.add(f"writes to Services in {rounds} restarts", writes, limit=0)
    section.add("memory at most, while it starts", peak / 1024, "MiB")
    stock.clear()


def list_once(bench, count):
    before = server_seconds(bench.server)
    floor = Floor(bench.server, bench.folder, "list")
    done = floor.result()
    if done["objects"] < count:
        raise RuntimeError(f"the list has {done['objects']} Services, and should have {count}")
    return done["listed"] - floor.begin, (done["cpu"], server_seconds(bench.server) - before)


def start_once(bench, count):
    stock, before = bench.stock, server_seconds(bench.server)
    begin = time.monotonic()
    herald = stock.start_herald()
    stock.wait_settled(count)
    seconds = time.monotonic() - begin
    work = cpu_seconds(herald.pid), server_seconds(bench.server) - before
    writes = stock.controllers.metric("herald_controller_service_requests_total", "bench")
    peak = peak_kib(herald.pid)
    herald.stop()
    return seconds, work, int(writes), peak
