# SPDX-License-Identifier: Apache-2.0
"""kubectl, at the version of the real control plane, on one server."""
import os
import subprocess

import yaml

from harness.process import Process


class Kubectl:
    """kubectl with `server`'s kubeconfig. `home` keeps its cache and logs."""

    def __init__(self, program, server, home):
        self.program, self.home = str(program), home
        self.env = {"KUBECONFIG": server.kubeconfig, "HOME": str(home), "PATH": os.environ["PATH"], "NO_PROXY": "*"}

    def run(self, *args, stdin=None):
        """The finished process, whatever its exit code. What is no text in stdin becomes YAML."""
        if stdin is not None and not isinstance(stdin, str):
            stdin = yaml.safe_dump_all(stdin)
        return subprocess.run([self.program, *args], input=stdin or "", capture_output=True, text=True,
                              env=self.env, cwd=self.home, timeout=60)

    def __call__(self, *args, stdin=None):
        """What it prints; it has to succeed, and silently on stderr."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode == 0 and not done.stderr, f"kubectl {args}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout

    def fails(self, *args, stdin=None):
        """What it says on stderr; it has to fail."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode != 0 and done.stderr, f"kubectl {args} succeeded: {done.stdout}"
        return done.stderr

    def start(self, *args):
        """A kubectl that goes on, as with --watch, writing into its log."""
        return Process("kubectl", [self.program, *args], self.home, env=self.env)


def rows(table):
    """A printed table as a list of {column: cell}; cells are parted by two blanks or more,
    or by where the heading begins."""
    heading, *lines = table.rstrip("\n").split("\n")
    starts = [i for i, c in enumerate(heading) if c != " " and (i == 0 or heading[i - 2:i] == "  ")]
    ends = [*starts[1:], None]
    return [{heading[a:b].strip(): line[a:b].strip() for a, b in zip(starts, ends)} for line in lines]
