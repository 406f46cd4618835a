# SPDX-License-Identifier: Apache-2.0
"""What BIRD is given for BGP: word for word for each of tests/bird/cases, and BIRD takes it; so
it does for random configurations and clusters. Whatever happens to Services changes
static routes and what they call only (B06, C09). HERALD_UPDATE=1 writes the cases' last part anew."""
import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from harness.ctl import BIN

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
# What stands in BIRD's own configuration, beside the include.
BASE = "router id 192.0.2.1;\nprotocol device { scan time 10; }\n"
PARTS = ("config", "cluster", "include")


def includes(pairs):
    """The text for each (configuration, cluster)."""
    text = "".join(f"{config if isinstance(config, str) else json.dumps(config)}\0{scene}\0" for config, scene in pairs)
    done = subprocess.run([BIN / "bird_dump"], input=text, text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split("\0")[:-1]


def bird_refuses(workdir, text):
    """What BIRD says of it; "" when it takes it."""
    path = workdir / "bird.conf"
    path.write_text(BASE + text)
    done = subprocess.run(["bird", "-p", "-c", path], text=True, capture_output=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stderr + done.stdout


def read_case(path):
    """Its parts by name: each begins with a line "=== NAME"."""
    parts = dict(part.split("\n", 1) for part in path.read_text().split("=== ")[1:])
    assert tuple(parts) == PARTS
    return parts


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_word_for_word(path, workdir):
    parts = read_case(path)
    text = includes([(parts["config"], parts["cluster"])])[0]
    assert bird_refuses(workdir, text) == ""
    if os.environ.get("HERALD_UPDATE"):
        path.write_text("".join(f"=== {name}\n{part}" for name, part in {**parts, "include": text}.items()))
    else:
        assert text == parts["include"]


def test_there_are_cases():
    assert len(CASES) >= 4


def test_peers_named_like_parts_of_another_one(workdir):
    """BIRD knows "rack" also by names that begin with it: none of them is another peer's."""
    names = ["rack", *(f"rack-{part}" for part in (
        "out", "base", "told", "local-pref", "community", "large", "large-community", "med", "prepend", "bandwidth", "next-hop"))]
    config = {"apiVersion": "herald.io/v1", "pools": [], "bgp": {"asn": 64512, "peers": [
        {"name": name, "peerASN": 1, "peerAddress": f"10.0.0.{number}", "birdConfig": "# more"}
        for number, name in enumerate(names, 1)]}}
    text = includes([(config, "node node1 10.0.0.11")])[0]
    assert text.count("protocol bgp") == len(names)
    assert bird_refuses(workdir, text) == ""


def maybe(rng, fields):
    """Some of the fields."""
    return {name: value() for name, value in fields.items() if rng.random() < 0.4}


def random_peer(rng, number):
    asn = rng.choice([{"peerASN": rng.choice([1, 64512, 65536, 4294967294])}, {"dynamicASN": "internal"},
                      {"dynamicASN": "external"}])
    internal = asn in ({"peerASN": 64512}, {"dynamicASN": "internal"})
    kind = rng.choice(["v4", "v6", "interface", "range4", "range6"])
    place = {"v4": {"peerAddress": f"10.0.{number}.1"}, "v6": {"peerAddress": f"2001:db8:{number}::1"},
             "interface": {"interface": f"eth{number}"}, "range4": {"peerRange": f"10.{number}.0.0/16"},
             "range6": {"peerRange": f"2001:db8:{number}::/48"}}[kind]
    fields = {
        "localPort": lambda: rng.choice([179, 1790, 65535]), "holdTime": lambda: rng.choice(["0s", "3s", "9s", "65535s"]),
        "connectTime": lambda: "5s", "passive": lambda: True, "families": lambda: rng.choice([["ipv4"], ["ipv6"]]),
        "password": lambda: rng.choice(["x", "a b'#{}/*", "p" * 80]), "routerID": lambda: "10.9.9.9",
        "bfdProfile": lambda: rng.choice(["f", "g"]), "vrf": lambda: "red-1", "birdConfig": lambda: "# nothing } more",
    }
    peer = {"name": rng.choice([f"r-{number}", f"{number}" + "x" * 62]), **asn, **place, **maybe(rng, fields)}
    if rng.random() < 0.3:
        peer |= {"gracefulRestart": True, "gracefulRestartTime": "4095s", "longLivedTime": rng.choice(["0s", "1h"])}
    if kind != "interface" and rng.random() < 0.5:
        peer |= {"hops": rng.choice([1, 3, 254]), "ttlSecurity": rng.random() < 0.5}
    elif kind != "interface" and not internal and rng.random() < 0.5:
        peer["ebgpMultiHop"] = True
    if kind == "v4" and rng.random() < 0.3:
        peer |= {"sourceAddress": "10.0.0.11", "peerPort": 1790}
    return peer


def random_advertisement(rng, peers):
    communities = [f"{rng.randrange(65536)}:{rng.randrange(65536)}",
                   f"large:{rng.randrange(2 ** 32)}:{rng.randrange(2 ** 32)}:{rng.randrange(2 ** 32)}", "no-export"]
    label = [{"matchLabels": {"k": rng.choice("ab")}}]
    fields = {
        "localPref": lambda: rng.choice([0, 7, 2 ** 32 - 1]), "med": lambda: rng.choice([0, 2 ** 32 - 1]),
        "prepend": lambda: rng.randrange(11), "nextHop": lambda: rng.choice(["self", "node", "10.1.2.3", "2001:db8::9"]),
        "communities": lambda: rng.sample(communities, rng.randrange(4)),
        "peers": lambda: [peer["name"] for peer in rng.sample(peers, rng.randrange(1, len(peers) + 1))],
    }
    advertisement = {**maybe(rng, fields), "nodeSelectors": [{"matchLabels": {"n": f"{rng.random()}"}}]}
    if rng.random() < 0.7:  # else it selects no node: every one meets no other for certain
        advertisement["nodeSelectors"].append({"matchExpressions": [{"key": f"x{rng.random()}", "operator": "DoesNotExist"}]})
    if rng.random() < 0.3:
        advertisement |= {"aggregationLength": rng.choice([24, 28]), "aggregationLengthV6": rng.choice([120, 125])}
    else:
        advertisement |= {"weight": rng.choice(["none", "bandwidth", "prepend"]), "serviceSelectors": label}
    return advertisement


def random_config(rng):
    peers = [random_peer(rng, number) for number in range(rng.randrange(1, 5))]
    return {
        "apiVersion": "herald.io/v1",
        "pools": [{"name": "p", "addresses": ["192.0.2.0/24", "2001:db8:ffff::/120"]}],
        "bgp": {"asn": rng.choice([64512, 4200000000]), "peers": peers,
                "birdConfig": "function herald_test(int x) { if x = 1 then return true; return false; }",
                "bfdProfiles": [{"name": "f"}, {"name": "g", "receiveInterval": "10ms", "transmitInterval": "60s",
                                                "detectMultiplier": 255, "passiveMode": True}],
                "advertisements": [random_advertisement(rng, peers) for _ in range(rng.randrange(1, 5))]}}


def random_services(rng):
    lines = []
    for number in rng.sample(range(250), rng.randrange(12)):
        local = rng.choice(["", "local"])
        lines.append(f"service s{number} 192.0.2.{number} 2001:db8:ffff::{number:x} k={rng.choice('ab')} {local}")
        lines += [f"endpoint s{number} {rng.choice(['node1', 'node2'])}" for _ in range(rng.randrange(4))]
    return "\n".join(lines) + rng.choice(["", "\ndrain shutdown"])


NODES = ["node node1 10.0.0.11 2001:db8:1::11\nnode node2 10.0.0.12\n", "node node1 10.0.0.11\n",
         "node node1 2001:db8:1::11\n", "node node1\n"]


def is_of_services(line):
    """A route, or a function that routes call; or what the plan tells of them."""
    return line.startswith(("\troute ", "function herald_says_", "# problem"))


def without_routes(text):
    return [line for line in text.splitlines() if line and not is_of_services(line)]


@pytest.mark.parametrize("seed", range(8))
def test_random_ones_are_taken(seed, workdir):
    """Also two clusters that differ in Services give the same text but for routes."""
    rng = random.Random(seed)
    pairs = []
    for _ in range(20):
        config = random_config(rng)
        nodes = rng.choice(NODES)
        pairs += [(config, nodes + random_services(rng)) for _ in range(2)]
    texts = includes(pairs)
    assert len(texts) == len(pairs)
    for (config, _), one, other in zip(pairs[::2], texts[::2], texts[1::2]):
        assert not one.startswith("refused"), (config, one)
        for text in (one, other):
            told = bird_refuses(workdir, text)
            assert told == "", f"{told}\n{json.dumps(config)}\n{text}"
            assert set(re.findall(r"\bimport (\w+)", text)) <= {"none"}  # B11
        assert without_routes(one) == without_routes(other)
        assert any(line.startswith("\troute ") for text in texts for line in text.splitlines())
