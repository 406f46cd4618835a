# SPDX-License-Identifier: Apache-2.0
"""Figures: told as tables, kept as JSON."""
import json
import os
import platform
import statistics
import subprocess
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def p99(samples):
    """The nearest-rank 99th percentile."""
    return sorted(samples)[-(-99 * len(samples) // 100) - 1]


class Section:
    """One benchmark's figures. `limit`, where given, is the most that is wanted (or, with
    at_least, the least)."""

    def __init__(self):
        self.figures, self.samples = [], {}

    def add(self, what, value, unit="", limit=None, at_least=False):
        met = None if limit is None else (value >= limit if at_least else value <= limit)
        self.figures.append({"what": what, "value": value, "unit": unit, "target": limit, "met": met})
        wanted = "" if limit is None else f"{'>=' if at_least else '<='} {number(limit)}"
        verdict = {None: "", True: "met", False: "MISSED"}[met]
        print(f"  {what:58} {number(value):>12} {unit:6} {wanted:>12}  {verdict}".rstrip(), flush=True)

    def keep(self, name, samples):
        """Every single measurement, for the JSON alone."""
        self.samples[name] = samples

    def add_times(self, what, samples, limit=None):
        """Seconds: their median and 99th percentile, told in ms; `limit` is in ms, of the latter."""
        self.keep(what, list(samples))
        self.add(f"{what}, median", statistics.median(samples) * 1000, "ms")
        self.add(f"{what}, p99", p99(samples) * 1000, "ms", limit=limit)

    def add_ratio(self, what, floors, heralds, limit):
        """Seconds of the floor and of Herald, measured in turns. Held against the limit is
        the ratio of the medians; that of the best shows how much the machine disturbed."""
        self.keep(f"{what}: floor", floors)
        self.keep(f"{what}: Herald", heralds)
        self.add(f"{what}: floor, median of {len(floors)}", statistics.median(floors), "s")
        self.add(f"{what}: Herald, median of {len(heralds)}", statistics.median(heralds), "s")
        self.add(f"{what}: ratio of the best", min(heralds) / min(floors))
        self.add(f"{what}: ratio", statistics.median(heralds) / statistics.median(floors), limit=limit)

    def add_work(self, what, floors, heralds):
        """Processor seconds in pairs (program, API server): of both programs in their best
        round, and the ratio of all that was spent. A busy machine changes it little."""
        for who, pairs in (("floor", floors), ("Herald", heralds)):
            self.keep(f"{what}: processor seconds, {who} and API server", pairs)
            best = min(pairs, key=sum)
            self.add(f"{what}: processor time, {who} + API server", sum(best), "s")
            self.add(f"{what}: processor time, {who} alone", best[0], "s")
        self.add(f"{what}: ratio of processor times, best", min(map(sum, heralds)) / min(map(sum, floors)))

    def note(self, text):
        print(f"  ({text})", flush=True)


def number(value):
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


class Report:
    def __init__(self, quick):
        self.content = {"date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "quick": quick,
                        "machine": machine(), "commit": commit(), "benchmarks": {}}

    def section(self, name, doc):
        self.name, self.current = name, Section()
        print(f"\n{name}: {doc.strip().splitlines()[0]}", flush=True)
        return self.current

    def close_section(self, seconds):
        self.current.note(f"took {seconds:.0f} s; load of the machine now {os.getloadavg()[0]:.1f}")
        self.content["benchmarks"][self.name] = {
            "figures": self.current.figures, "samples": self.current.samples, "seconds": seconds}

    def write(self, path):
        path.write_text(json.dumps(self.content, indent=1) + "\n")


def machine():
    models = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]
    return {"cores": os.cpu_count(), "processor": models[0] if models else platform.machine(),
            "kernel": platform.release(), "load": os.getloadavg()}


def commit():
    done = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "describe", "--always", "--dirty"],
                          capture_output=True, text=True)
    return done.stdout.strip() or None
