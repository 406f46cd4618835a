# SPDX-License-Identifier: Apache-2.0
"""Running heraldctl."""
import os
import subprocess
from pathlib import Path

BIN = Path(os.environ.get("HERALD_BIN") or Path(__file__).resolve().parents[2] / "build/release/bin")

# What the tests of heraldctl have in their cluster, unless they say otherwise.
CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.1-192.0.2.4]
- name: asked
  addresses: ["2001:db8::/64"]
  autoAssign: false
"""
NODES = {"node1": "192.0.2.101", "node2": "192.0.2.102"}


class Result:
    """.code, .out and .err of one run; a crash or a sanitizer's report is never a result."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        assert self.code in (0, 1, 2, 3, 64), f"heraldctl ended with {self.code}:\n{self.err}"
        assert "Sanitizer" not in self.err and "runtime error" not in self.err, self.err


def heraldctl(*args, stdin="", cwd=None, env=None, timeout=60):
    """`stdin` is text or bytes; what is printed comes back as text."""
    data = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run([BIN / "heraldctl", *map(str, args)], input=data, capture_output=True, cwd=cwd,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}, timeout=timeout)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode(errors="replace")
    return Result(done)
