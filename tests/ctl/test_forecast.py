# SPDX-License-Identifier: Apache-2.0
"""What `heraldctl diff` foretells is what the controller then does (A08, A09)."""
import json

import pytest

from harness import kube
from harness.controller import Controllers, addresses
from harness.ctl import heraldctl
from harness.mini import MiniApiServer
from harness.wait import wait_for

HEAD = "apiVersion: herald.io/v1\npools:\n"
BEFORE = HEAD + "- {name: a, addresses: [198.51.100.1-198.51.100.6], whenRemoved: move}\n"

CASES = {
    "shrunk, with another to go to": HEAD + """\
- {name: a, addresses: [198.51.100.1-198.51.100.3], whenRemoved: move}
- {name: n, addresses: [203.0.113.1-203.0.113.5]}
""",
    "shrunk, with too few to go to": HEAD + """\
- {name: a, addresses: [198.51.100.1-198.51.100.3], whenRemoved: move}
- {name: n, addresses: [203.0.113.1]}
""",
    "removed and kept": HEAD + "- {name: n, addresses: [203.0.113.1-203.0.113.2]}\n",
    "renamed and grown": HEAD + "- {name: b, addresses: [198.51.100.0/28]}\n",
    "closed to some": HEAD + """\
- name: a
  addresses: [198.51.100.1-198.51.100.6]
  whenRemoved: move
  serviceSelectors: [{matchLabels: {parity: even}}]
- {name: n, addresses: [203.0.113.1-203.0.113.9]}
""",
    "of another family": HEAD + "- {name: six, addresses: ['2001:db8::/120']}\n",
}


@pytest.fixture
def cluster(workdir):
    with MiniApiServer() as server:
        controllers = Controllers(server, workdir, BEFORE)
        for i in range(9):
            controllers.kube.create(kube.service(f"s{i}", labels={"parity": ("even", "odd")[i % 2]},
                                                 allocateLoadBalancerNodePorts=False))
        controllers.start()
        wait_for("six Services to have an address", lambda: len([n for n in held(controllers) if n[1]]) == 6)
        controllers.quiet()
        yield controllers
        controllers.stop()


def held(controllers):
    return [(obj["metadata"]["name"], addresses(obj)) for obj in controllers.kube.items("services", "default")]


@pytest.mark.parametrize("new", CASES.values(), ids=CASES)
def test_A08_the_controller_does_what_was_foretold(cluster, workdir, new):
    before = dict(held(cluster))
    (workdir / "new.yaml").write_text(new)
    done = heraldctl("diff", "-f", "new.yaml", "-o", "json", "--kubeconfig", cluster.server.kubeconfig, cwd=workdir)
    assert done.err == ""
    rows = {row["service"].split("/")[1]: row for row in json.loads(done.out)["services"]}
    assert done.code == (1 if any(row["change"] in ("loses", "changes") for row in rows.values()) else 0)
    assert all(row["now"] == before[name] for name, row in rows.items())
    foretold = {name: rows[name]["then"] if name in rows else ips for name, ips in before.items()}
    cluster.set_config(new)
    wait_for("what was foretold", lambda: dict(held(cluster)) == foretold)
    cluster.quiet()
    assert dict(held(cluster)) == foretold
