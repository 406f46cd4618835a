# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks that are named, or all, one after the other; prints a table of each
and writes all figures into one JSON file. A target that is missed is told, and is no
error: what a figure is worth depends on the machine, so that people judge it."""
import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/demo")]

import alloc
import bgp
import bgp_failover
import burst
import ctl
import failover
import flood
import latency
import memory
import moves
import restart
from figures import Report
from harness.lab import API_ADDRESS
from harness.mini import MiniApiServer
from harness.real import RealApiServer
from harness.speaker import BIN
from stock import EtcdStock, MiniStock

BENCHMARKS = {"service-latency": latency, "memory": memory, "burst": burst, "restart": restart, "alloc": alloc,
              "failover": failover, "moves": moves, "flood": flood, "bgp": bgp, "bgp-failover": bgp_failover,
              "heraldctl": ctl}


class Bench:
    """What each benchmark gets: .quick, .folder, .server, .stock (of Services)."""

    def __init__(self, quick, folder):
        self.quick, self.folder = quick, Path(folder)
        self._server = self._stock = None

    @property
    def server(self):
        """The API server, started when it is first needed; all benchmarks share it."""
        if self._server is None:
            where = self.folder / "api"
            self._server = (MiniApiServer(where, listen=f"{API_ADDRESS}:0") if self.quick
                            else RealApiServer(where, API_ADDRESS))
        return self._server

    @property
    def stock(self):
        """The Services, with their configuration in force."""
        if self._stock is None:
            made = MiniStock if self.quick else EtcdStock
            self._stock = made(self.server, self.folder)
        self._stock.configure()
        return self._stock

    def close(self):
        if self._server:
            self._server.stop()


def parse():
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures Herald; see docs/benchmarks.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which (default: all): {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="small numbers, on the embedded API server")
    parser.add_argument("--output", type=Path, default=BIN.parent / "bench.json", help="default: %(default)s")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is named '{unknown[0]}'; there are {', '.join(BENCHMARKS)}")
    return args


def tell_logs(folder):
    for log in sorted(folder.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()[-8:]
        print(f"--- end of {log.name}", *lines, sep="\n", file=sys.stderr)


def main():
    args = parse()
    report = Report(args.quick)
    with tempfile.TemporaryDirectory(prefix="herald-bench-") as folder:
        bench = Bench(args.quick, folder)
        try:
            for name in args.names or BENCHMARKS:
                begin = time.monotonic()
                BENCHMARKS[name].run(bench, report.section(name, BENCHMARKS[name].__doc__))
                report.close_section(time.monotonic() - begin)
                report.write(args.output)
        except BaseException:
            tell_logs(bench.folder)
            raise
        finally:
            bench.close()
    print(f"\nall figures, with every sample: {args.output}")


if __name__ == "__main__":
    main()
