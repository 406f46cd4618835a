# SPDX-License-Identifier: Apache-2.0
"""`heraldctl watch`: a line for each thing that happens."""
import json

import yaml

from harness import kube
from harness.controller import addresses
from harness.wait import wait_for

STRANGER = "02:00:00:aa:bb:cc"


def started(herald, *args):
    running = herald.start("watch", *args)
    wait_for("the watch", lambda: "watching" in running.text())
    return running


def news(running):
    """(what, about, text) of each line so far, of -o json."""
    lines = [json.loads(line) for line in running.text().splitlines() if line.startswith("{")]
    return [(line["what"], line["about"], line["text"]) for line in lines]


def told(running, what, about, part=""):
    return wait_for(f"{what} {about} {part}", lambda: next(
        (n for n in news(running) if n[:2] == (what, about) and part in n[2]), None))


def test_a_service_from_its_address_to_its_end(on_both):
    running = started(on_both, "-o", "json")
    on_both.add("web")
    ip = addresses(on_both.kube.get("services", "web"))[0]
    told(running, "assigned", "default/web", ip)
    owner = told(running, "announced", ip)[2].rsplit(" ", 1)[1]
    other = {"node1": "node2", "node2": "node1"}[owner]
    on_both.kube.patch("nodes", owner, {"metadata": {"labels": {"herald.io/drain": ""}}})
    moved = told(running, "moved", ip)[2]
    assert moved.startswith(f"of default/web: from {owner} to {other} (labelled herald.io/drain")
    on_both.kube.patch("nodes", other, {"metadata": {"labels": {"herald.io/drain": ""}}})
    told(running, "silent", ip, "announced by nobody")
    on_both.tell(other, conflicts=f"192.0.2.4={STRANGER}")
    told(running, "conflict", "192.0.2.4", STRANGER)
    on_both.tell(other, conflicts="")
    told(running, "resolved", "192.0.2.4")
    on_both.tell(owner, holder="")
    told(running, "speaker", owner, "is leaving")
    on_both.add("waits", loadBalancerIP="203.0.113.1")
    told(running, "waits", "default/waits", "203.0.113.1")
    on_both.controllers.remove("web")
    told(running, "released", "default/web", ip)
    on_both.controllers.set_config("apiVersion: herald.io/v1\npools: 7\n")
    told(running, "config", "configuration", "line 2")
    running.stop()


def test_lines_for_people_and_yaml(herald):
    lines, documents = started(herald), started(herald, "-o", "yaml")
    herald.add("web")
    wait_for("the line", lambda: "assigned   default/web has 192.0.2." in lines.text())
    wait_for("the document", lambda: "announced" in documents.text())
    parsed = list(yaml.safe_load_all(documents.text().split("\n", 1)[1]))
    assert {"assigned", "announced"} <= {p["what"] for p in parsed if p}
    for running in (lines, documents):
        running.stop()


def test_K52_a_watch_goes_on_when_the_api_server_was_away(herald):
    running = started(herald, "-o", "json")
    herald.server.down()
    herald.server.up()
    herald.kube = herald.server.admin
    wait_for("a Service", lambda: herald.kube.ensure(kube.service("web")))
    wait_for("its line", lambda: any(n[1] == "default/web" for n in news(running)), timeout=30)
    assert running.running
    running.stop()
