# SPDX-License-Identifier: Apache-2.0
"""O03: one line an event, that a program can read; the same thing is not told a thousand
times, however long it lasts; and no secret is ever told."""
import collections
import json
import re

import pytest

from harness.controller import Controllers
from harness.kube import endpointslice
from harness.lab import API_ADDRESS
from harness.mini import MiniApiServer
from harness.speaker import NAMESPACE, Speakers
from harness.wait import wait_for

VIP = "192.0.2.200"
LOGFMT = re.compile(r'(?:[A-Za-z_.]+=(?:"(?:[^"\\]|\\.)*"|[^ "=]*)(?: |$))+')


@pytest.fixture
def server(workdir, lab):
    with MiniApiServer(workdir / "api", listen=f"{API_ADDRESS}:0") as made:
        yield made


def without_time(lines):
    return [re.sub(r'^time=\S+ |"time":"[^"]*",', "", line) for line in lines]


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_O03_trouble_is_told_but_not_again_and_again(server, lab, workdir, form):
    options = ["--log-level=debug", f"--log-format={form}"]
    node = lab.nodes[0]
    speakers, controllers = Speakers(server, lab, workdir), Controllers(server, workdir, config=None)
    controllers.start("c1", *options)
    speakers.start(node, args=options)
    controllers.add("web", loadBalancerIP=VIP)
    controllers.add("nowhere", loadBalancerIP="203.0.113.9")
    speakers.owner(VIP, among=[node])

    def failures(program):
        page = controllers.page("c1", "/metrics") if program == "controller" else speakers.page(node, "/metrics")
        return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith("herald_watch_failures_total"))
    server.down()
    wait_for("many tries", lambda: failures("controller") > 12 and failures("speaker") > 12, timeout=60)
    server.up()
    # News without news: EndpointSlices written anew, a Service and a bad ConfigMap touched.
    speakers.kube.ensure(endpointslice("web", [("10.1.0.1", node.name)]))
    for turn in range(30):
        speakers.kube.patch("endpointslices", "web-ipv4", {"metadata": {"labels": {"turn": str(turn)}}})
        controllers.change("nowhere", labels={"turn": str(turn)})
        controllers.kube.patch("configmaps", "herald-config", {
            "metadata": {"labels": {"turn": str(turn)}}, "data": {"config.yaml": "pools: 1"}}, NAMESPACE)
    wait_for("contact", lambda: "configuration is refused" in controllers.running["c1"].text())
    speakers.owner(VIP, among=[node])
    controllers.quiet()
    processes = [*controllers.running.values(), *speakers.running.values()]
    assert [process.stop() for process in processes] == [0, 0]
    for process in processes:
        lines = process.text().splitlines()
        if form == "json":
            assert all({"time", "level", "msg"} <= json.loads(line).keys() for line in lines)
        else:
            assert [line for line in lines if not LOGFMT.fullmatch(line)] == []
        loudest, count = collections.Counter(without_time(lines)).most_common(1)[0]
        assert count <= 5, (count, loudest)
        assert len(lines) < 100
        for secret in (server.token, "Bearer", "PRIVATE KEY"):
            assert secret not in process.text()
