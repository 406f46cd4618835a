# SPDX-License-Identifier: Apache-2.0
"""The configuration's parser (config_dump) and its schema, side by side."""
import copy
import functools
import json
import re
import subprocess
from pathlib import Path

from jsonschema import Draft202012Validator

from harness.ctl import BIN

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "config/schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)

# Every field of every section once. Lists have one item, so that a path names one place.
SELECTORS = [{"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "In", "values": ["d"]}]}]
WHOLE = {
    "apiVersion": "herald.io/v1",
    "addresses": {"whenRemoved": "move", "announceExternalIPs": ["203.0.113.0/24"]},
    "pools": [{
        "name": "p", "addresses": ["192.0.2.0/24"], "reserved": ["192.0.2.1"], "autoAssign": False,
        "avoidBuggyIPs": True, "disabled": True, "allocationOrder": "spread", "priority": 3, "spread": "per-client",
        "shareAcrossNamespaces": True, "whenRemoved": "keep", "namespaces": ["n"],
        "namespaceSelectors": SELECTORS, "serviceSelectors": SELECTORS, "classes": ["c/d"]}],
    "layer2": [{"name": "l", "pools": ["p"], "interfaces": ["eth0"], "nodeSelectors": SELECTORS,
                "nodePreferences": [{"weight": 7, "preference": SELECTORS[0]}], "serviceSelectors": SELECTORS}],
    "announce": {"repeat": 7, "spacing": "70ms", "refresh": "7s", "replyForm": False,
                 "probe": {"count": 7, "spacing": "70ms"}},
    "membership": {"leaseDuration": "7s", "renewInterval": "700ms", "takeBack": "never", "takeBackTime": "7s",
                   "bfd": {"interval": "70ms", "multiplier": 7, "watchers": 2}},
    "nodes": {"ignoreExcludeLabel": True, "moveOnCordon": True},
    "compatibility": {"metallbAnnotations": True},
    "bgp": {
        "asn": 7, "routerID": "10.0.0.7", "drainTime": "7s", "birdConfig": "# x",
        "announceClusterIPs": ["10.96.0.0/12"],
        "bfdProfiles": [{"name": "b", "receiveInterval": "70ms", "transmitInterval": "70ms",
                         "detectMultiplier": 7, "minimumTTL": 7, "passiveMode": True}],
        "communities": [{"name": "c", "value": "7:7"}],
        "peers": [{
            "name": "r", "myASN": 8, "localASN": 9, "peerASN": 10, "peerAddress": "192.0.2.254",
            "sourceAddress": "192.0.2.253", "peerPort": 7, "holdTime": "70s", "keepaliveTime": "7s",
            "localPort": 7, "connectTime": "7s", "hops": 7, "ttlSecurity": True, "passive": True,
            "gracefulRestart": True, "gracefulRestartTime": "7s", "longLivedTime": "7s", "families": ["ipv6"],
            "birdConfig": "# x",
            "passwordSecret": {"name": "s"}, "routerID": "10.0.0.8", "bfdProfile": "b", "vrf": "v",
            "nodeSelectors": SELECTORS}],
        "advertisements": [{
            "name": "a", "aggregationLength": 31, "aggregationLengthV6": 127, "localPref": 7, "med": 7, "prepend": 7,
            "nextHop": "node", "communities": ["c"], "pools": ["p"], "peers": ["r"], "nodeSelectors": SELECTORS}]},
}
# The fields that exclude one of WHOLE's: what stands in whose place.
INSTEAD = {
    ("bgp", "peers", 0, "dynamicASN"): ("peerASN", "external"),
    ("bgp", "peers", 0, "interface"): ("peerAddress", "eth0"),
    ("bgp", "peers", 0, "peerRange"): ("peerAddress", "192.0.2.0/24"),
    ("bgp", "peers", 0, "ebgpMultiHop"): ("hops", True),
    ("bgp", "peers", 0, "password"): ("passwordSecret", "secret"),
    ("bgp", "advertisements", 0, "serviceSelectors"): ("aggregationLength", SELECTORS),
    ("bgp", "advertisements", 0, "weight"): ("aggregationLength", "bandwidth"),
}
# What can't stand beside those either.
ALSO_OUT = {"interface": ["hops"], "peerRange": ["peerPort"], "ebgpMultiHop": ["ttlSecurity"],
            "serviceSelectors": ["aggregationLengthV6"], "weight": ["aggregationLengthV6"],
            "gracefulRestart": ["gracefulRestartTime", "longLivedTime"]}


class Answer:
    """.good, .dump (the config) or .problems (their texts after the place)."""

    def __init__(self, text):
        verdict, _, rest = text.partition("\n")
        assert verdict in ("taken", "refused")
        self.good, self.dump = verdict == "taken", rest
        self.problems = [] if self.good else [line.partition(": ")[2] for line in rest.splitlines()]


def ask_all(documents):
    """What the parser says of each: YAML text, or a value that is given as JSON."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in documents]
    done = subprocess.run([BIN / "config_dump"], input="".join(text + "\0" for text in texts), text=True,
                          timeout=60, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    answers = [Answer(text) for text in done.stdout.split("\0")[:-1]]
    assert len(answers) == len(texts)
    return answers


def ask(document):
    return ask_all([document])[0]


def schema_takes(document):
    return VALIDATOR.is_valid(document)


def resolve(shape):
    return {**SCHEMA["$defs"][shape["$ref"].rpartition("/")[2]], **shape} if "$ref" in shape else shape


def objects(shape=SCHEMA, path=()):
    """Every mapping with fields of its own in the schema: (path in WHOLE, its schema)."""
    shape = resolve(shape)
    if "properties" in shape:
        yield path, shape
        for key, field in shape["properties"].items():
            yield from objects(field, path + (key,))
    if shape.get("type") == "array":
        yield from objects(shape["items"], path + (0,))


@functools.cache
def fields():
    """Every field of the schema: (path in WHOLE, its schema, is it required)."""
    return [(path + (key,), resolve(field), key in shape.get("required", []))
            for path, shape in objects() for key, field in shape["properties"].items()]


def at(document, path):
    return functools.reduce(lambda value, step: value[step], path, document)


def whole_for(path):
    """A copy of WHOLE in which the field at `path` can stand."""
    document = json.loads(json.dumps(WHOLE))
    for place, (other, value) in INSTEAD.items():
        if path[:len(place)] == place:
            del at(document, place[:-1])[other]
            at(document, place[:-1])[place[-1]] = copy.deepcopy(value)
    for length, step in enumerate(path):
        for field in ALSO_OUT.get(step, ()):
            at(document, path[:length]).pop(field, None)
    return document


def with_value(path, value):
    document = whole_for(path)
    at(document, path[:-1])[path[-1]] = value
    return document


def without(path):
    document = whole_for(path)
    at(document, path[:-1]).pop(path[-1])
    return document


def show(path):
    return re.sub(r"\.(\d+)", r"[\1]", ".".join(map(str, path))) or "document"
