# SPDX-License-Identifier: Apache-2.0
"""The chart of config/helm/herald, rendered by the real Helm."""
import os
import subprocess

import yaml

from harness.manifests import CONFIG

CHART = CONFIG / "helm/herald"


class Helm:
    """`home` keeps what Helm writes; values are given as a dict."""

    def __init__(self, program, home, kubeconfig=None):
        self.program, self.home = program, home
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"], "NO_PROXY": "*",
                    "KUBECONFIG": str(kubeconfig or home / "none")}

    def run(self, *args, values=None):
        """The finished process, whatever its exit code."""
        if values is not None:
            args = (*args, "--values", "-")
        return subprocess.run([self.program, *args], input=yaml.safe_dump(values or {}), capture_output=True,
                              text=True, env=self.env, cwd=self.home, timeout=60)

    def __call__(self, *args, values=None):
        done = self.run(*args, values=values)
        assert done.returncode == 0, f"helm {args}: {done.stderr}"
        return done.stdout

    def render(self, values=None, namespace="herald-system"):
        """{(kind, name): object} of the chart with these values."""
        text = self("template", "herald", CHART, "--namespace", namespace, values=values or {})
        return by_name(yaml.safe_load_all(text))


def by_name(objects):
    found = [o for o in objects if o]
    named = {(o["kind"], o["metadata"]["name"]): o for o in found}
    assert len(named) == len(found), "an object comes twice"
    return named
