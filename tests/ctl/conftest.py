# SPDX-License-Identifier: Apache-2.0
"""What the tests of heraldctl share: an API server, a controller at work there, two nodes,
and speakers' Leases as if they ran."""
import json

import pytest
import yaml

from harness.controller import Controllers
from harness.ctl import BIN, CONFIG, NODES, heraldctl
from harness.herald_objects import speaker_lease
from harness.mini import MiniApiServer
from harness.process import Process


class Herald:
    """.kube is an admin's client, .controllers has the controller "c1" at work."""

    def __init__(self, server, folder, config=CONFIG):
        self.server, self.kube, self.folder = server, server.admin, folder
        self.controllers = Controllers(server, folder, config)
        self.started = 0
        for name, ip in NODES.items():
            self.kube.make_node(name, ip)
            self.tell(name)
        self.controllers.start()

    def tell(self, node, **told):
        """The Lease of a node's speaker, as speaker_lease makes it."""
        self.kube.ensure(speaker_lease(node, **told))

    def add(self, name, ns="default", **spec):
        """A Service with its address, or with the reason for none in its condition."""
        self.controllers.add(name, ns, **spec)
        self.kube.wait("services", name, lambda s: s["status"].get("conditions"), ns)

    def ctl(self, *args, code=0, kubeconfig=None):
        """What it prints; nothing else is said where the code is 0."""
        done = heraldctl(*args, "--kubeconfig", kubeconfig or self.server.kubeconfig, cwd=self.folder)
        assert done.code == code, f"{args}: {done.code}: {done.out}{done.err}"
        return done

    def json(self, *args, code=0):
        """What it says as JSON, which is the same as YAML."""
        done = self.ctl(*args, "-o", "json", code=code)
        return json.loads(done.out)

    def yaml(self, *args, code=0):
        return yaml.safe_load(self.ctl(*args, "-o", "yaml", code=code).out)

    def start(self, *args):
        """A heraldctl that goes on; its output is .text()."""
        self.started += 1
        return Process(f"heraldctl-{self.started}", [BIN / "heraldctl", *args, "--kubeconfig", self.server.kubeconfig], self.folder)


def at_work(request, server, workdir):
    made = Herald(server, workdir, getattr(request.module, "CONFIG", CONFIG))
    request.addfinalizer(made.controllers.stop)
    return made


@pytest.fixture
def mini(workdir):
    with MiniApiServer(workdir / "mini") as server:
        yield server


@pytest.fixture
def herald(request, mini, workdir):
    return at_work(request, mini, workdir)


@pytest.fixture(params=["mini", "real"])
def on_both(request, workdir):
    """The same on each API server."""
    server = request.getfixturevalue("mini" if request.param == "mini" else "real_api")
    return at_work(request, server, workdir)
