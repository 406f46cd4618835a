# SPDX-License-Identifier: Apache-2.0
"""what one allocation costs, alone (alloc_bench)

Over 1,000,000 a second with 100,000 addresses in use, and the cost flat from 1,000 in use
to 1,000,000: the most that it may grow is what a colder cache costs, a factor of 3."""
from harness.netns import run as run_program
from harness.speaker import BIN

FLAT_MAX = 3.0


def run(bench, section):
    counts = [100, 1000] if bench.quick else [1000, 10000, 100000, 1000000]
    lines = run_program([BIN / "alloc_bench", *counts], timeout=600).stdout.splitlines()
    rows = [line.rsplit(None, 6) for line in lines[1:] if line.startswith("IPv")]
    section.keep("columns", lines[0].split())
    section.keep("rows", rows)
    for pool in dict.fromkeys(row[0].strip() for row in rows):
        mine = {int(row[1]): row for row in rows if row[0].strip() == pool}
        middle = min(100000, counts[-1])
        section.add(f"{pool}: allocations a second, {middle:,} in use", float(mine[middle][4]), "/s",
                    None if bench.quick else 1e6, at_least=True)
        section.add(f"{pool}: cost with {counts[-1]:,} to that with {counts[0]:,}", float(mine[counts[-1]][5]),
                    limit=None if bench.quick else FLAT_MAX)
        section.add(f"{pool}: memory of a holder, {counts[-1]:,} in use", float(mine[counts[-1]][6]), "bytes")
