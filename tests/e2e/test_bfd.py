# SPDX-License-Identifier: Apache-2.0
"""BFD between nodes by a real BIRD on each, in namespaces (C20, issue 4): a node that is
cut off is followed before its Lease expires, and nobody else's addresses move, whatever
happens to one session, to BIRD or to a speaker."""
import contextlib
import signal

import pytest

from harness.bird import Bird
from harness.lab import Lab
from harness.mini import MiniApiServer
from harness.speaker import CONFIG, Capture, Speakers, answers
from harness.wait import wait_for

VIPS = [f"192.0.2.{n}" for n in range(200, 208)]
# The Lease lasts so long that a test which ends in time shows that it was not the Lease.
LEASE = "leaseDuration: 120s, renewInterval: 1s, takeBack: immediate"
BFD = CONFIG + f"membership: {{{LEASE}, bfd: {{interval: 50ms}}}}\n"
NO_BFD = CONFIG + f"membership: {{{LEASE}}}\n"


class Cluster:
    """Nodes with BIRD and a speaker each, and a Service for each of VIPS."""

    def __init__(self, count, workdir, config=BFD):
        self.lab = Lab(nodes=count)
        self.nodes = self.lab.nodes
        self.birds = {node.name: Bird(node, workdir) for node in self.nodes}
        self.server = MiniApiServer(workdir / "api", listen="10.199.0.1:0")
        self.speakers = Speakers(self.server, self.lab, workdir, config)

    def start(self):
        self.speakers.start(args=lambda node: self.birds[node.name].args)
        for n, vip in enumerate(VIPS):
            self.speakers.add_service(f"web{n}", vip)
        self.wait_for_sessions()
        return {vip: self.speakers.owner(vip) for vip in VIPS}

    def restart_speaker(self, node):
        self.speakers.start(node, args=self.birds[node.name].args)

    def sessions(self, node):
        return {s["node"]: s["state"] for s in self.speakers.status(node)["bfd"]["sessions"]}

    def wait_for_sessions(self, *nodes):
        for node in nodes or self.nodes:
            wait_for(f"the BFD sessions of {node.name}", lambda n=node: (
                len(self.sessions(n)) == min(6, len(self.nodes) - 1) and set(self.sessions(n).values()) == {"up"}),
                timeout=30)

    def member(self, node, seen_from):
        return next(m for m in self.speakers.status(seen_from)["members"] if m["node"] == node.name)

    def others(self, *nodes):
        return [node for node in self.nodes if node not in nodes]

    def owners(self):
        """By address: who answers on the wire, by the name of the node."""
        names = {node.mac: node.name for node in self.nodes}
        return {vip: {names[mac] for mac in answers(self.lab.client, vip, 0.15)} for vip in VIPS}

    def moves(self):
        return sum(self.speakers.metric(n, "herald_speaker_failovers_total")
                   for n in self.nodes if n.name in self.speakers.running)

    def close(self):
        self.speakers.stop()
        for bird in self.birds.values():
            bird.close()
        self.server.stop()
        self.lab.close()


@pytest.fixture
def cluster(workdir):
    with contextlib.ExitStack() as stack:
        def make(count, config=BFD):
            made = Cluster(count, workdir, config)
            stack.callback(made.close)
            return made
        yield make


@pytest.mark.parametrize("count", [2, 3, 5])
def test_C20_cut_node_is_followed_before_its_lease_expires(cluster, count):
    c = cluster(count)
    owners = c.start()
    victim = owners[VIPS[0]]
    macs = {node.mac for node in c.others(victim)}
    victim.cut_switch_side()
    wait_for("another node's answer", lambda: answers(c.lab.client, VIPS[0], 0.1) <= macs
             and answers(c.lab.client, VIPS[0], 0.1))
    witness = c.others(victim)[0]
    seen = c.member(victim, witness)
    assert seen["state"] == "alive" and seen["suspected"]  # its Lease has not expired
    # All of its addresses, and nobody else's.
    moved = [vip for vip in VIPS if owners[vip] is victim]
    for vip in VIPS:
        now = c.speakers.owner(vip, among=c.others(victim))
        assert (now is owners[vip]) == (vip not in moved)
    events = wait_for("an Event on the node", lambda: c.speakers.events(victim.name, "NodeSuspected"))
    assert len(events) == 1 and "BFD" in events[0]["message"]
    # Back again, it has its sessions and its addresses.
    victim.restore()
    c.wait_for_sessions()
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners


def test_C20_two_of_five_at_once(cluster):
    c = cluster(5)
    owners = c.start()
    victims = c.nodes[:2]
    alive = c.others(*victims)
    for node in victims:
        node.cut_switch_side()
    for vip in VIPS:
        assert c.speakers.owner(vip, among=alive) in alive
    for node in victims:
        assert c.member(node, alive[0])["state"] == "alive"
    for vip, owner in owners.items():
        if owner in alive:
            assert c.speakers.owner(vip, among=alive) is owner


def test_C20_cut_from_the_segment_alone_it_yields(cluster):
    """The API server can still be reached: the node reads that it counts as dead."""
    c = cluster(3)
    owners = c.start()
    victim = owners[VIPS[0]]
    victim.cut_lan()
    wait_for("all to agree", lambda: all(c.member(victim, n)["suspected"] for n in c.nodes))
    new = c.speakers.owner(VIPS[0])  # all agree, the victim too, and it holds it no more
    assert new is not victim
    assert not c.member(new, victim)["suspected"]
    victim.restore_lan()
    c.wait_for_sessions()
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners


def drop_bfd(node, other):
    """Packets of the one session are lost, in this direction."""
    node.run("iptables", "-A", "INPUT", "-p", "udp", "--dport", "3784", "-s", other.ip, "-j", "DROP")


def allow_bfd(node):
    node.run("iptables", "-F", "INPUT")


def test_C20_flapping_session_moves_nothing(cluster):
    c = cluster(4)
    owners = c.start()
    a, b = c.nodes[:2]
    for _ in range(3):
        drop_bfd(a, b)
        wait_for("the suspicion", lambda: c.sessions(a)[b.name] == "suspected")
        wait_for("everybody to read it", lambda: all(
            b.name in (c.member(a, n)["suspects"] or "").split() for n in c.nodes))
        assert not any(m["suspected"] for n in c.nodes for m in c.speakers.status(n)["members"])
        allow_bfd(a)
        c.wait_for_sessions()
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners
    assert c.moves() == 0
    assert [c.speakers.events(n.name, "NodeSuspected") for n in c.nodes] == [[]] * 4


def test_C20_node_without_bird_is_no_dead_node(cluster):
    """BIRD dies on one node: its speaker says so before the others could agree, and what
    they say counts no more. Then BIRD is back."""
    c = cluster(3)
    owners = c.start()
    victim = owners[VIPS[0]]
    c.birds[victim.name].kill()
    wait_for("all to read it", lambda: all(c.member(victim, n)["bfd"] is None for n in c.nodes))
    wait_for("the others' sessions to go", lambda: all(victim.ip not in c.birds[n.name].sessions()
                                                         for n in c.others(victim)))
    assert c.speakers.status(victim)["bfd"]["problem"]
    assert c.speakers.metric(victim, "herald_speaker_bird_up") == 0
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners
    c.birds[victim.name].start()
    c.wait_for_sessions()
    assert c.speakers.status(victim)["bfd"]["problem"] == ""
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners
    assert c.moves() == 0


def test_C20_hanging_bird_ends_as_no_bird(cluster):
    """Its node is taken for dead, until its speaker has waited for an answer in vain."""
    c = cluster(3)
    owners = c.start()
    victim = owners[VIPS[0]]
    c.birds[victim.name].process.signal(signal.SIGSTOP)
    wait_for("all to read it", lambda: all(c.member(victim, n)["bfd"] is None for n in c.nodes))
    assert not any(c.member(victim, n)["suspected"] for n in c.nodes)
    assert "does not answer" in c.speakers.status(victim)["bfd"]["problem"]
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners
    c.birds[victim.name].process.signal(signal.SIGCONT)
    c.wait_for_sessions()
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners


def test_C20_dead_node_without_bird_is_left_to_its_lease(cluster):
    config = BFD.replace("leaseDuration: 120s", "leaseDuration: 3s")
    c = cluster(3, config)
    owners = c.start()
    victim = owners[VIPS[0]]
    c.birds[victim.name].kill()
    wait_for("all to read it", lambda: all(c.member(victim, n)["bfd"] is None for n in c.nodes))
    victim.cut_switch_side()
    witness = c.others(victim)[0]
    wait_for("the Lease to expire", lambda: c.member(victim, witness)["state"] == "dead")
    assert c.speakers.owner(VIPS[0], among=c.others(victim)) is not victim


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["term", "kill"])
def test_C20_speaker_restart_is_no_suspicion(cluster, how):
    """BIRD goes on alone: the node is there."""
    c = cluster(3)
    owners = c.start()
    node = owners[VIPS[0]]
    process = c.speakers.running.pop(node.name)
    process.signal(how)
    process.wait()
    c.restart_speaker(node)
    c.wait_for_sessions()
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners
    for n in c.nodes:
        assert "counts as dead" not in c.speakers.running[n.name].text()
        assert not any(m["suspects"] for m in c.speakers.status(n)["members"])
    if how == signal.SIGKILL:  # its sessions did not end
        for n in c.others(node):
            assert "BFD: suspected nodes" not in c.speakers.running[n.name].text()


def test_C20_api_away_changes_nothing_and_its_return_neither(cluster):
    config = BFD.replace("leaseDuration: 120s", "leaseDuration: 3s")
    c = cluster(3, config)
    owners = c.start()
    c.server.down()
    wait_for("the Leases to lapse", lambda: all(c.speakers.status(n)["leaseLapsed"] for n in c.nodes))
    assert c.owners() == {vip: {node.name} for vip, node in owners.items()}
    c.server.up()
    wait_for("contact", lambda: all(not c.speakers.status(n)["leaseLapsed"] for n in c.nodes), timeout=30)
    c.wait_for_sessions()
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners
    assert c.moves() == 0


def test_C20_switched_on_and_off(cluster):
    """Nothing moves, and BIRD has the sessions only while they are wanted."""
    c = cluster(3, NO_BFD)
    c.speakers.start(args=lambda node: c.birds[node.name].args)
    for n, vip in enumerate(VIPS):
        c.speakers.add_service(f"web{n}", vip)
    owners = {vip: c.speakers.owner(vip) for vip in VIPS}
    assert c.speakers.status(c.nodes[0])["bfd"]["configured"] is False
    c.speakers.set_config(BFD)
    c.wait_for_sessions()
    for node in c.nodes:
        assert c.birds[node.name].accepts_its_config()
        assert set(c.birds[node.name].sessions().values()) == {"Up"}
    c.speakers.set_config(NO_BFD)
    for node in c.nodes:
        wait_for("no sessions", lambda b=c.birds[node.name]: not b.sessions())
    assert {vip: c.speakers.owner(vip) for vip in VIPS} == owners
    assert c.moves() == 0


def test_C20_bird_that_refuses_keeps_what_it_had(cluster):
    c = cluster(2)
    c.start()
    node = c.nodes[0]
    bird = c.birds[node.name]
    before = bird.include.read_text()
    good = bird.config.read_text()
    bird.config.write_text(good + "protocol nonsense {}\n")
    c.speakers.set_config(BFD.replace("interval: 50ms", "interval: 60ms"))
    problem = wait_for("the problem", lambda: c.speakers.status(node)["bfd"]["problem"])
    assert "refuses" in problem and "bird.conf" in problem
    assert bird.include.read_text() == before
    assert c.speakers.metric(node, "herald_speaker_bird_refused_total") >= 1
    bird.config.write_text(good)
    wait_for("what is wanted, some time after", lambda: "60 ms" in bird.include.read_text(), timeout=30)
    c.wait_for_sessions()
    assert c.speakers.status(node)["bfd"]["problem"] == ""


def test_C20_bfd_without_bird_is_told(cluster):
    c = cluster(2)
    c.speakers.start()
    for node in c.nodes:
        problem = wait_for("the problem", lambda n=node: c.speakers.status(n)["bfd"]["problem"])
        assert "--bird-socket" in problem
        assert "BFD is not in force" in c.speakers.running[node.name].text()
    c.speakers.add_service("web", VIPS[0])
    assert c.speakers.owner(VIPS[0])


def test_C19_owner_that_lost_all_its_peers_announces_again(cluster, workdir):
    """C19: cut off at the switch, its link keeping its carrier, while the API server is away, so
    that nobody can take over: when its peers are back, its neighbours are to hear of it."""
    c = cluster(3)
    owner = c.start()[VIPS[0]]
    c.server.down()
    owner.cut_lan()
    wait_for("its peers to be lost", lambda: set(c.sessions(owner).values()) == {"suspected"})
    capture = Capture(c.lab.client, workdir)
    owner.restore_lan()
    wait_for("an announcement", lambda: owner.mac in [mac for _, mac in capture.gratuitous(VIPS[0])], timeout=20)
    capture.stop()
    assert answers(c.lab.client, VIPS[0]) == {owner.mac}
