# SPDX-License-Identifier: Apache-2.0
"""The status page beside real speakers: the owners that it shows are those that answer on the
wire, before and after a failover, and it says so when it lost the API server."""
from harness.controller import Controllers
from harness.lab import API_ADDRESS
from harness.mini import MiniApiServer
from harness.page import ask, row
from harness.speaker import Speakers, answers
from harness.wait import wait_for

COUNT = 6


def shown():
    """{address: the node that the page names}."""
    return {a["address"]: a["owner"] for service in ask("services")["services"] for a in service["addresses"]}


def on_the_wire(lab, addresses):
    names = {node.mac: node.name for node in lab.nodes}
    return {address: ",".join(sorted(names[mac] for mac in answers(lab.client, address, 0.2))) for address in addresses}


def test_owners_are_those_that_answer(lab, workdir):
    with MiniApiServer(workdir / "api", listen=f"{API_ADDRESS}:0") as server:
        speakers = Speakers(server, lab, workdir)
        controllers = Controllers(server, workdir, config=None)
        controllers.start("c1", "--status-page")
        speakers.start()
        for n in range(COUNT):
            controllers.add(f"web-{n}", loadBalancerIP=f"192.0.2.{200 + n}")
        wait_for("all to be announced", lambda: len(shown()) == COUNT and on_the_wire(lab, shown()) == shown(), timeout=30)
        victim = lab.nodes[0]
        lost = [address for address, owner in shown().items() if owner == victim.name]
        speakers.running.pop(victim.name).kill()
        other = speakers.other(victim).name
        wait_for("the other to have them all", lambda: set(shown().values()) == {other}, timeout=30)
        wait_for("all to be answered for", lambda: on_the_wire(lab, shown()) == shown(), timeout=30)
        moved = {e["address"] for e in ask("timeline")["entries"] if e["kind"] == "failover" and e["from"] == victim.name}
        assert moved == set(lost)
        assert ask("summary")["inContact"]
        server.down()
        wait_for("it to be said", lambda: not ask("summary")["inContact"], timeout=30)
        # Nobody is taken for dead for that.
        assert set(shown().values()) == {other} and row("web-0")["health"] == "no-endpoints"
        server.up()
        wait_for("contact", lambda: ask("summary")["inContact"], timeout=60)
        assert set(shown().values()) == {other}
        assert [p.stop() for p in (*controllers.running.values(), *speakers.running.values())] == [0, 0]
