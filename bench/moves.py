# SPDX-License-Identifier: Apache-2.0
"""planned moves: requests that get no answer

Two nodes with speaker and kube-proxy, on the real API server, and two clients that ask by
UDP all the time, one each Service, a new port each time: one that any node serves, and one
of externalTrafficPolicy Local with one pod. Moves of each kind go there and back again."""
import statistics
import time

from harness.lab import Lab
from harness.moves import KINDS, Moves

ROUNDS = 10  # of each kind


def run(bench, section):
    if bench.quick:
        section.note("left out: kube-proxy needs the real API server")
        return
    lab = Lab(nodes=2)
    try:
        moves = Moves(bench.server, lab, bench.folder)
        begin, lost_before = time.monotonic(), []
        for what, move in KINDS.items():
            moves.times.clear()
            for _ in range(ROUNDS):
                move(moves)
            section.add(f"{what}: until the client uses the other node, median",
                        statistics.median(moves.times) * 1000, "ms")
            section.keep(what, list(moves.times))
            lost = len(moves.failed()) - len(lost_before)
            section.add(f"{what}: requests that failed, of {ROUNDS} moves", lost, limit=0)
            lost_before = moves.failed()
        elapsed = time.monotonic() - begin
        asked = sum(len(moves.outcomes(vip)) for vip in moves.clients)
        section.add("moves", ROUNDS * len(KINDS))
        section.add("requests a second", asked / elapsed)
        section.add("requests", asked)
        section.keep("requests that failed", lost_before)
        moves.close()
        for name in ("anywhere", "local"):
            bench.server.admin.delete("services", name)
    finally:
        lab.close()
        for node in lab.nodes:
            bench.server.admin.delete("nodes", node.name)
