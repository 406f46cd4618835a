# SPDX-License-Identifier: Apache-2.0
"""config/schema.json and the parser know the same fields, types, bounds and defaults; what
the schema refuses the parser refuses, and what only the parser refuses no schema can say."""
import re

import pytest
from jsonschema import Draft202012Validator

from harness.config import (SCHEMA, WHOLE, ask, ask_all, at, fields, objects, schema_takes, show, whole_for,
                            with_value, without)

FIELDS = fields()
IDS = [show(path) for path, _, _ in FIELDS]
UNKNOWN = re.compile(r": there is no such field: remove it, or use one of (.*)$")


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_the_whole_document_is_taken():
    assert ask(WHOLE).problems == []
    assert schema_takes(WHOLE)


@pytest.mark.parametrize("path,shape", [pytest.param(*o, id=show(o[0])) for o in objects()])
def test_same_fields(path, shape):
    """The parser's own list, which it tells to who writes an unknown field."""
    document = whole_for(path)
    at(document, path)["zzzzzzzzzzzz"] = 1
    problems = ask(document).problems
    assert len(problems) == 1
    assert set(UNKNOWN.search(problems[0]).group(1).split(", ")) == set(shape["properties"])
    assert shape["additionalProperties"] is False and not schema_takes(document)


@pytest.mark.parametrize("path,shape,_", FIELDS, ids=IDS)
def test_only_the_schemas_mappings_have_fields(path, shape, _):
    """Where the schema has no fields, the parser has none either."""
    answer = ask(with_value(path, [{"zzzzzzzzzzzz": 1}] if shape.get("type") == "array" else {"zzzzzzzzzzzz": 1}))
    items = shape.get("items", {})
    mapping = "properties" in shape or items.get("$ref")
    if path[-1] in ("matchLabels", "values"):
        mapping = False
    assert any(UNKNOWN.search(problem) for problem in answer.problems) == bool(mapping)


@pytest.mark.parametrize("path,shape,required", FIELDS, ids=IDS)
def test_required(path, shape, required):
    document = without(path)
    missing = f': the field "{path[-1]}" is missing'
    told = any(missing in problem for problem in ask(document).problems)
    if path[-1] in ("peerASN", "peerAddress", "values"):  # needed by what else stands there
        assert told and not required and not schema_takes(document)
    else:
        assert told == required
        assert not required or not schema_takes(document)


STATIC = [f for f in FIELDS if "default" in f[1]]


@pytest.mark.parametrize("path,shape,_", STATIC, ids=[show(f[0]) for f in STATIC])
def test_defaults(path, shape, _):
    """Left out is the same as the default written out, and another value is not."""
    document = with_value(path, shape["default"])
    other = whole_for(path)
    absent = without(path)
    for each in (document, other, absent):  # what refers to this is no matter here
        if path[-1] == "values":
            at(each, path[:-1])["operator"] = "Exists" if not at(each, path[:-1]).get("values") else "In"
        if path == ("membership", "leaseDuration"):
            each["membership"].pop("renewInterval")
        if path[0] == "bgp" and path[1] in ("bfdProfiles", "communities", "peers") and len(path) == 2:
            peers, advertisements = each["bgp"].get("peers", []), each["bgp"]["advertisements"]
            for item in peers + advertisements:
                item.pop({"bfdProfiles": "bfdProfile"}.get(path[1], path[1]), None)
    answers = ask_all([document, absent, other])
    assert [answer.problems for answer in answers] == [[], [], []]
    assert answers[0].dump == answers[1].dump != answers[2].dump


def milliseconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()
    return int(number) * {"ms": 1, "s": 1000, "m": 60000, "h": 3600000}[unit]


def limits(shape):
    """(value, may it stand) at each bound and just beyond."""
    if "x-minimum" in shape:
        low, high = milliseconds(shape["x-minimum"]), milliseconds(shape["x-maximum"])
        step = 1000 if "x-whole" in shape else 1
        numbers = [(low, True), (low - step, low == step and "x-zero" in shape), (high, True), (high + step, False), (0, "x-zero" in shape)]
        return [(f"{n}ms", good) for n, good in numbers] + [(f"{low + 500}ms", "x-whole" not in shape)]
    low, high = shape["minimum"], shape["maximum"]
    return [(low, True), (low - 1, False), (high, True), (high + 1, False)]


BOUNDED = [f for f in FIELDS if "x-minimum" in f[1] or "minimum" in f[1]]
BEYOND = ": is \"[^\"]*\", (out of bounds|but (only|a Lease counts) whole seconds)"


@pytest.mark.parametrize("path,shape,_", BOUNDED, ids=[show(f[0]) for f in BOUNDED])
def test_bounds(path, shape, _):
    assert len(BOUNDED) > 20
    field = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
    documents = [with_value(path, value) for value, _ in limits(shape)]
    for (value, good), document, answer in zip(limits(shape), documents, ask_all(documents)):
        told = [p for p in answer.problems if re.match(re.escape(field) + BEYOND, p)]
        assert (told == []) == good, (value, told)
        if "minimum" in shape:
            assert schema_takes(document) == good


# What the parser may refuse though the schema takes it: what holds between fields, and what
# a pattern can't say of an address or a duration.
BETWEEN = re.compile(
    r"there is no (pool|BGP peer|BFD profile|community) |is defined twice|overlaps |out of bounds|outside this pool|"
    r"whole seconds|must be less than half|above the hold time|stands beside |no IPv4 or IPv6 address|is no address; |"
    r"no prefix length|runs backwards|host bits|from one family|leave them out|no router can have|no node can have|"
    r"link-local address|of our own AS|same router as|cover addresses beyond|of another family|a well-known community|"
    r"not both$|each part has|BIRD's language|which is no network|no router calls from|that a router can send to|"
    r"how far away the peer|has no meaning without |\"myASN\" is missing|, the name of a well-known")

VALUES = [None, True, False, 0, 1, -1, 7, 10 ** 12, "", "x", "true", "7", "7s", "a b", "é", "A", "x" * 64, "1:2", "0::/0",
          "192.0.2.0/24", "192.0.2.1 - 192.0.2.2", "2001:db8::1", "10.0.0.1", "256.0.0.1", "large:1:2:3", "a/b", "eth*", "a\"b",
          "a\nb", [], [[]], [{}], ["x"], ["x", "x"], ["X"], [7], [None], ["192.0.2.9"], ["ipv4"], ["eth0", "b*"], {},
          {"name": "x"}, {"a": "b"}, {"a": 1}, {"a": None}, {"-": "b"}, {"a": "-"}, {"key": "a", "operator": "Exists"}]


# Selectors are one definition: their inside is tried in one of the places.
DISTINCT = [f for f in FIELDS if not any("Selectors" in str(step) for step in f[0][:-1])
            or f[0][:3] == ("pools", 0, "serviceSelectors")]


@pytest.mark.parametrize("path", [f[0] for f in DISTINCT], ids=[show(f[0]) for f in DISTINCT])
def test_same_verdict_on_any_value(path):
    """Every field with values of every kind."""
    sections = {"apiVersion", "pools", path[0]}  # the others only cost time
    documents = [{key: part for key, part in with_value(path, value).items() if key in sections} for value in VALUES]
    for value, document, answer in zip(VALUES, documents, ask_all(documents)):
        if answer.good:
            assert schema_takes(document), f"only the parser takes {value!r}"
        elif schema_takes(document):
            assert [p for p in answer.problems if not BETWEEN.search(p)] == [], f"only the schema takes {value!r}"


PEER = {"name": "r", "myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.254"}


def peer(drop=(), **more):
    kept = {key: value for key, value in PEER.items() if key not in drop}
    return {"apiVersion": "herald.io/v1", "pools": [], "bgp": {"peers": [{**kept, **more}]}}


def expression(**parts):
    pool = {"name": "p", "addresses": ["192.0.2.1"], "serviceSelectors": [{"matchExpressions": [parts]}]}
    return {"apiVersion": "herald.io/v1", "pools": [pool]}


@pytest.mark.parametrize("what,document,good", [
    ("a peer", peer(), True),
    ("no ASN of theirs", peer(["peerASN"]), False),
    ("a dynamic one", peer(["peerASN"], dynamicASN="internal"), True),
    ("both", peer(dynamicASN="internal"), False),
    ("no address", peer(["peerAddress"]), False),
    ("a network", peer(["peerAddress"], peerRange="192.0.2.0/24"), True),
    ("a network and a port", peer(["peerAddress"], peerRange="192.0.2.0/24", peerPort=1179), False),
    ("address and network", peer(peerRange="192.0.2.0/24"), False),
    ("an interface", peer(["peerAddress"], interface="eth0"), True),
    ("address and interface", peer(interface="eth0"), False),
    ("a password", peer(password="x y"), True),
    ("a long password", peer(password="x" * 81), False),
    ("a quote in it", peer(password='x"y'), False),
    ("a password that is a number", peer(password=7), False),
    ("a Secret", peer(passwordSecret={"name": "s"}), True),
    ("password and Secret", peer(password="x", passwordSecret={"name": "s"}), False),
    ("In", expression(key="a", operator="In", values=["b"]), True),
    ("In without values", expression(key="a", operator="In"), False),
    ("NotIn with none", expression(key="a", operator="NotIn", values=[]), False),
    ("Exists", expression(key="a", operator="Exists"), True),
    ("Exists with none", expression(key="a", operator="Exists", values=[]), True),
    ("Exists with values", expression(key="a", operator="Exists", values=["b"]), False),
    ("a list", [], False), ("text", "x", False), ("an empty document", {}, False),
    ("another version", {"apiVersion": "herald.io/v2", "pools": []}, False),
], ids=lambda value: value if isinstance(value, str) else "")
def test_same_verdict(what, document, good):
    assert (ask(document).good, schema_takes(document)) == (good, good)
