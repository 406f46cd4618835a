# SPDX-License-Identifier: Apache-2.0
"""10,000 Services at once, and every one gets its address

Herald and a bare client in turns, on one API server. The bare client watches and PATCHes
over one HTTP/2 connection as Herald does, with a body of the same size. Twice:
"created": they are created, through the API server, while the contender watches; time
from the first creation. "waiting": they are there when the contender is started; time
from that start. Both until an onlooker's watch has shown the last address."""
import time

from procs import Floor, cpu_seconds, peak_kib, server_seconds, settled_memory, wait_idle

# The API server makes some hundred Services a second, so that the first case takes minutes.
ROUNDS = {"created": 1, "waiting": 3}
RATIO_MAX = 1.2


def run(bench, section):
    count = 30 if bench.quick else 10000
    for case, measure in (("waiting", waiting), ("created", created)):
        seconds, work = {BareClient: [], Herald: []}, {BareClient: [], Herald: []}
        for round_number in range(1 if bench.quick else ROUNDS[case]):
            # Who begins changes, so that neither always finds the server as the other left it.
            for make in (BareClient, Herald)[::-1 if round_number % 2 else 1]:
                contender = make(bench, count)
                took, servers = measure(bench, count, contender)
                seconds[make].append(took)
                work[make].append((contender.finish(), servers))
                if make is Herald:
                    memory, peak = contender.memory, contender.peak
                bench.stock.clear()
        what = f"{count:,} {case}"
        section.add_ratio(what, seconds[BareClient], seconds[Herald], None if bench.quick else RATIO_MAX)
        section.add_work(what, work[BareClient], work[Herald])
        section.add(f"{what}: addresses a second, Herald", count / min(seconds[Herald]), "/s")
    section.add("Herald: resident afterwards", memory["resident"] / 1024, "MiB")
    section.add("Herald: resident at most", peak / 1024, "MiB")


def created(bench, count, contender):
    wait_idle(bench.server)
    contender.start()
    contender.wait_ready()
    onlooker = Floor(bench.server, bench.folder, "await", count)
    onlooker.wait_ready()
    before = server_seconds(bench.server)
    begin = bench.stock.create(count)
    return end_of(bench, onlooker, contender, begin, before)


def waiting(bench, count, contender):
    bench.stock.put_pending(count)
    onlooker = Floor(bench.server, bench.folder, "await", count)
    onlooker.wait_ready()
    wait_idle(bench.server)
    begin, before = time.monotonic(), server_seconds(bench.server)
    contender.start()
    return end_of(bench, onlooker, contender, begin, before)


def end_of(bench, onlooker, contender, begin, before):
    """(seconds that it took, processor seconds of the API server)"""
    last = onlooker.result(beside=contender.process)["last"]
    return last - begin, server_seconds(bench.server) - before


class BareClient:
    def __init__(self, bench, count):
        self.bench, self.count = bench, count

    def start(self):
        body = self.bench.folder / "patch.json"
        body.write_text(self.bench.stock.patch_body)
        self.floor = Floor(self.bench.server, self.bench.folder, "assign", self.count, body)
        self.process = self.floor.process

    def wait_ready(self):
        self.floor.wait_ready()

    def finish(self):
        return self.floor.result()["cpu"]


class Herald:
    def __init__(self, bench, count):
        self.stock, self.count = bench.stock, count

    def start(self):
        self.process = self.stock.start_herald()

    def wait_ready(self):
        self.stock.wait_settled(0)

    def finish(self):
        self.stock.wait_settled(self.count)
        seconds = cpu_seconds(self.process.pid)
        self.memory, self.peak = settled_memory(self.process.pid), peak_kib(self.process.pid)
        self.process.stop()
        return seconds
