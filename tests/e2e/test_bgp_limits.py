# SPDX-License-Identifier: Apache-2.0
"""BGP at its limits: 10,000 addresses, configurations that are wrong in every way, and a
control socket that says anything (B03, B06, B12, C09, C28)."""
import socket
import threading
import time

import pytest

from harness.bgp import ASN, BgpCluster, config_of
from harness.wait import wait_for

NEIGHBOUR = "192.0.2.11"
VIP, PREFIX = "203.0.113.1", "203.0.113.1/32"
PER_SERVICE, SERVICES = 64, 157  # a Service has at most 64 addresses


@pytest.fixture(scope="module")
def cluster(module_folder):
    made = BgpCluster(module_folder)
    try:
        made.add_router("frr")
        plain(made)
        made.start()
        made.speakers.add_service("web", VIP)
        made.up()
        wait_for("the route", lambda: router_of(made).route(PREFIX))
        wait_for("the speaker to know", lambda: made.announced_to(VIP))
        yield made
    finally:
        made.close()


def router_of(cluster):
    return next(iter(cluster.routers.values()))


def plain(cluster):
    cluster.configure([cluster.peer(r) for r in cluster.routers.values()])


# What is wrong, as more of the one peer or of the section.
WRONG = {
    "no address": {"peers": [{"name": "r", "peerASN": 64601, "peerAddress": "rack-a"}]},
    "AS 0": {"peers": [{"name": "r", "peerASN": 0, "peerAddress": "192.0.2.60"}]},
    "hold time of 2 s": {"peers": [{"name": "r", "peerASN": 64601, "peerAddress": "192.0.2.60", "holdTime": "2s"}]},
    "keepalive above hold": {"peers": [{"name": "r", "peerASN": 64601, "peerAddress": "192.0.2.60", "holdTime": "9s", "keepaliveTime": "10s"}]},
    "multihop with ourselves": {"peers": [{"name": "r", "peerASN": ASN, "peerAddress": "192.0.2.60", "ebgpMultiHop": True}]},
    "two passwords": {"peers": [{"name": "r", "peerASN": 64601, "peerAddress": "192.0.2.60", "password": "a",
                                 "passwordSecret": {"name": "b"}}]},
    "an unknown profile": {"peers": [{"name": "r", "peerASN": 64601, "peerAddress": "192.0.2.60", "bfdProfile": "none"}]},
    "an unknown community": {"advertisements": [{"communities": ["gold"]}]},
    "a part that is too large": {"advertisements": [{"communities": ["64512:65536"]}]},
    "an aggregate beyond the pool": {"advertisements": [{"aggregationLength": 8}]},
    "a peer twice": {"peers": [{"name": n, "peerASN": 64601, "peerAddress": "192.0.2.60"} for n in ("a", "a")]},
    "an address and an interface": {"peers": [{"name": "r", "peerASN": 64601, "peerAddress": "192.0.2.60", "interface": "eth0"}]},
    "a password that leaves its text": {"peers": [{"name": "r", "peerASN": 64601, "peerAddress": "192.0.2.60", "password": 'a"; x'}]},
    "text that leaves its block": {"peers": [{"name": "r", "peerASN": 64601, "peerAddress": "192.0.2.60", "birdConfig": "} protocol x {"}]},
    "a file of somebody else's": {"birdConfig": 'include "/etc/passwd";'},
}


def test_B12_C28_wrong_configurations_change_nothing(cluster):
    started, before = cluster.session_starts(), router_of(cluster).updates(NEIGHBOUR)
    text = cluster.birds["node1"].include.read_text()
    log = cluster.speakers.running["node1"]
    for what, wrong in WRONG.items():
        seen = log.text().count("the configuration is refused")
        bgp = {"peers": [cluster.peer(router_of(cluster))], **wrong}
        cluster.speakers.set_config(config_of(bgp.pop("peers"), **bgp))
        wait_for(f"the refusal of {what}", lambda: log.text().count("the configuration is refused") > seen)
    assert cluster.birds["node1"].include.read_text() == text
    assert cluster.restarted(started) == [] and router_of(cluster).updates(NEIGHBOUR) == before
    plain(cluster)


class FakeBird:
    """A control socket that answers each connection with the next of `scripts`, over and over:
    bytes to say, or a number of seconds to be silent."""

    def __init__(self, path, scripts):
        self.scripts, self.served, self.open = scripts, 0, True
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while self.open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(3)
                try:
                    for part in self.scripts[self.served % len(self.scripts)]:
                        if part is None:
                            connection.recv(4096)
                        else:
                            connection.sendall(part)
                except OSError:
                    pass
            self.served += 1

    def close(self):
        self.open = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


HELLO = b"0001 BIRD 2.0.12 ready.\n"
HOSTILE = [
    [], [b"\0\xff\xfe" * 100 + b"\n"], [b"HTTP/1.1 200 OK\r\n\r\n"], [b"x" * 100000], [b"9999 go away\n"], [HELLO * 3],
    [HELLO, None, b"8002 \xff\xc3 refused\n", None],
    [HELLO, None, b"0003 Reconfigured"], [HELLO, None, b"0003-Reconfigured\n" * 400000],
    [HELLO, None, b"0020 Configuration OK\n", None, b"8002 /x/herald.conf:99999999999999999999:5 syntax error\n"],
    [HELLO, None, b"0020 Configuration OK\n", None, b"0003 Reconfigured\n", None,
     b"2002-Name\n1002-herald_bgp_frr60 BGP --- up\n1006-  BGP state: Established\n Routes: 99999999999999 exported\n0000 \n",
     None, b"1007-Table\n " + b"203.0.113.1/33 unreachable\n " * 1000 + b"\n0000 \n"],
    [HELLO, None, b"0020 Configuration OK\n", None, b"0003 Reconfigured\n", None, b"0000 \n0000 \n0000 \n"],
]


def test_hostile_control_socket(cluster):
    """Whatever is said there: the speaker lives, its file is whole, and the real BIRD is welcome after."""
    bird = cluster.birds["node1"]
    started = cluster.session_starts()
    hidden = bird.folder / "hidden"
    cluster.speakers.running.pop("node1").kill()
    bird.socket.rename(hidden)
    text = bird.include.read_text()
    fake = FakeBird(bird.socket, HOSTILE)
    try:
        cluster.start()
        process = cluster.speakers.running["node1"]
        wait_for("all of it to be said", lambda: process.require_running() or fake.served >= len(HOSTILE), timeout=90)
        assert cluster.status()["configured"]
    finally:
        fake.close()
        bird.socket.unlink()
        hidden.rename(bird.socket)
    wait_for("the real one", lambda: cluster.announced_to(VIP) == ["frr60"] and cluster.status()["bird"] == "", timeout=30)
    assert bird.include.read_text() == text and cluster.restarted(started) == []


def test_B03_B06_ten_thousand_addresses(cluster):
    router, node = router_of(cluster), cluster.nodes[0]
    started = cluster.session_starts()
    begin = time.monotonic()
    for n in range(SERVICES):
        numbers = range(n * PER_SERVICE, (n + 1) * PER_SERVICE)
        cluster.speakers.add_service(f"many{n}", [f"10.20.{i >> 8}.{i & 255}" for i in numbers])
    total = PER_SERVICE * SERVICES + 1

    def exported():
        return cluster.speakers.metric(node, "herald_speaker_bgp_addresses_announced")
    wait_for("all announced", lambda: exported() == total, timeout=60)
    wait_for("all at the router", lambda: len(router.prefixes()) == total, timeout=60)
    print(f"\n{total:,} addresses at the router {time.monotonic() - begin:.1f} s after the first was made")
    before = router.updates(NEIGHBOUR)
    begin = time.monotonic()
    cluster.speakers.add_service("last", "203.0.113.200")
    wait_for("the last one", lambda: router.route("203.0.113.200/32"))
    print(f"one more: {time.monotonic() - begin:.2f} s, its making included")
    assert router.updates(NEIGHBOUR) - before == 1
    wait_for("the speaker to know", lambda: exported() == total + 1, timeout=20)
    # A new speaker finds all as it is.
    cluster.restart_speaker(node, "kill")
    wait_for("the speaker to know", lambda: exported() == total + 1, timeout=60)
    assert router.updates(NEIGHBOUR) - before == 1
    assert cluster.restarted(started) == []
