# SPDX-License-Identifier: Apache-2.0
"""That the benchmarks run and come to figures. What the figures are is no matter here,
except that a restart writes nothing, however few the Services."""
import json
import subprocess
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"


def bench(*args):
    """In a sandbox of its own, so that a run that is cut off leaves nothing to other tests."""
    return subprocess.run([BENCH / "run", *map(str, args)], capture_output=True, text=True, timeout=600)


def test_every_benchmark_comes_to_figures(workdir):
    output = workdir / "bench.json"
    done = bench("--quick", "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    benchmarks = json.loads(output.read_text())["benchmarks"]
    assert list(benchmarks) == ["service-latency", "memory", "burst", "restart", "alloc", "failover", "moves",
                                "flood", "bgp", "bgp-failover", "heraldctl"]
    # It needs the real API server; test_planned_moves.py runs the same moves there.
    assert benchmarks.pop("moves")["figures"] == []
    for name, each in benchmarks.items():
        assert each["figures"], name
        for figure in each["figures"]:
            assert figure["what"] in done.stdout
            assert figure["value"] >= 0, figure
    missed = [f for each in benchmarks.values() for f in each["figures"] if f["met"] is False]
    assert not missed, missed
    writes = [f for f in benchmarks["restart"]["figures"] if f["what"].startswith("writes")]
    assert [f["value"] for f in writes] == [0]


def test_an_unknown_benchmark_is_refused_with_the_known_ones(workdir):
    done = bench("burts", "--output", workdir / "bench.json")
    assert done.returncode == 2
    assert "burts" in done.stderr and "service-latency" in done.stderr
