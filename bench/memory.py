# SPDX-License-Identifier: Apache-2.0
"""memory of both programs, with Services that have their addresses

Resident memory contains what is read from the programs' and libraries' files and shared
with others that use them; private memory is what each program costs."""
import statistics

from harness.lab import Lab
from harness.page import ask
from harness.speaker import Speakers
from harness.wait import wait_for
from procs import settled_memory

SPEAKER_COUNT = 1000
CONTROLLER_MAX_MIB = 16
GROWTH_MAX_BYTES = 400
ROUNDS = 3


def run(bench, section):
    few, many = (10, 40) if bench.quick else (1000, 10000)
    measured = {count: controller(bench, count) for count in (few, many)}
    for count, each in measured.items():
        section.keep(f"controller, {count}", each)
        tell(section, f"controller, {count:,} Services", each,
             CONTROLLER_MAX_MIB if count == 10000 else None)
    paged = controller(bench, many, "--status-page")
    section.keep(f"controller with the status page, {many}", paged)
    tell(section, f"controller with its status page, {many:,} Services with endpoints", paged)
    growth = [median(measured[count], "anonymous") for count in (few, many)]
    section.add("controller, growth of the heap per Service", (growth[1] - growth[0]) * 1024 / (many - few),
                "bytes", None if bench.quick else GROWTH_MAX_BYTES)
    count = few if bench.quick else SPEAKER_COUNT
    tell(section, f"speaker, {count:,} Services on two nodes", speakers(bench, count))


def median(samples, what):
    return statistics.median(each[what] for each in samples)


def tell(section, who, samples, limit=None):
    section.add(f"{who}: resident", median(samples, "resident") / 1024, "MiB", limit)
    section.add(f"{who}: private", median(samples, "private") / 1024, "MiB")
    section.add(f"{who}: heap and stack", median(samples, "anonymous") / 1024, "MiB")


def controller(bench, count, *args):
    """Of some starts, since where memory is put differs from one to the next."""
    stock, samples = bench.stock, []
    stock.put_assigned(count, slices=bool(args))
    for _ in range(1 if bench.quick else ROUNDS):
        herald = stock.start_herald(args)
        stock.wait_settled(count)
        if args:
            wait_for("the page to show them", lambda: ask("summary")["services"]["total"] == count, timeout=60)
        samples.append(settled_memory(herald.pid))
        herald.stop()
    stock.clear()
    return samples


def speakers(bench, count):
    """Each knows all the Services and endpoints, and answers for about half."""
    bench.stock.put_assigned(count, slices=True)
    lab = Lab(nodes=2)
    try:
        at_work = Speakers(bench.server, lab, bench.folder, config=None)
        at_work.has_config = True  # the stock's
        at_work.start()
        wait_for("every address to be held", lambda: sum(held(at_work, node) for node in lab.nodes) == count,
                 timeout=300)
        samples = [settled_memory(at_work.running[node.name].pid) for node in lab.nodes]
        at_work.stop()
    finally:
        lab.close()
        for node in lab.nodes:
            bench.server.admin.delete("nodes", node.name)
    bench.stock.clear()
    return samples


def held(at_work, node):
    return sum(a["state"] == "held" for a in at_work.status(node)["addresses"])
