# SPDX-License-Identifier: Apache-2.0
"""`heraldctl bgp peers` and `bgp routes`: what each node is to say by BGP, by the speakers'
own plan, and what their Leases tell of it (B01, B07, B08, B10)."""
import json

from harness import kube
from harness.controller import addresses
from harness.kubectl import rows

PASSWORD = "tops3cret"
CONFIG = f"""apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.1-192.0.2.9]
layer2:
- {{interfaces: [none]}}
bgp:
  asn: 64512
  peers:
  - {{name: tor1, peerASN: 64601, peerAddress: 10.0.1.1, password: {PASSWORD}}}
  - {{name: tor2, peerASN: 64602, peerAddress: 10.0.1.2, nodeSelectors: [{{matchLabels: {{rack: b}}}}]}}
  advertisements:
  - {{name: all, localPref: 50, communities: ["64512:7"]}}
"""


def tell(herald, node, **peers):
    herald.tell(node, bgp=json.dumps({"peers": peers}))


def serve(herald, name, **spec):
    herald.kube.create(kube.endpointslice(name, [("10.0.0.1", "node1")]))
    herald.add(name, **spec)
    return addresses(herald.kube.get("services", name))[0]


def test_B08_peers_as_planned_and_as_told(on_both):
    on_both.kube.patch("nodes", "node2", {"metadata": {"labels": {"rack": "b"}}})
    tell(on_both, "node1", tor1={"state": "up", "exported": 3})
    tell(on_both, "node2", tor2={"state": "down", "exported": 0, "error": "Connection refused"})
    done = on_both.ctl("bgp", "peers", "-o", "wide")
    assert PASSWORD not in done.out + done.err
    table = {(row["NODE"], row["PEER"]): row for row in rows(done.out)}
    assert {key: row["STATE"] for key, row in table.items()} == {
        ("node1", "tor1"): "up", ("node2", "tor1"): "unknown", ("node2", "tor2"): "down"}
    assert (table["node1", "tor1"]["ROUTES"], table["node1", "tor1"]["ASN"]) == ("3", "64601")
    assert table["node2", "tor2"]["ERROR"] == "Connection refused"
    data = on_both.json("bgp", "peers", "tor2")
    assert data == on_both.yaml("bgp", "peers", "tor2") == {"peers": [{
        "node": "node2", "name": "tor2", "state": "down", "exported": 0, "address": "10.0.1.2", "asn": 64602,
        "error": "Connection refused"}]}


def test_B10_routes_which_node_announces_what_to_whom(on_both):
    ip = serve(on_both, "web", externalTrafficPolicy="Local")
    data = on_both.json("bgp", "routes")
    assert data == {"routes": [{
        "node": "node1", "name": f"{ip}/32", "peers": ["tor1"], "services": "default/web", "localPref": 50,
        "communities": "64512:7"}]}
    table = rows(on_both.ctl("bgp", "routes", "-o", "wide").out)
    assert table[0]["COMMUNITIES"] == "64512:7" and table[0]["SERVICES"] == "default/web"
    service = on_both.json("services", "web")["services"][0]
    assert service["state"] == "Announced" and service["addresses"][0]["bgpNodes"] == ["node1"]
    on_both.tell("node1", ago=9, duration=2)
    assert on_both.json("bgp", "routes") == {"routes": []}
    assert on_both.json("services", "web")["services"][0]["state"] != "Announced"


def test_B08_why_names_the_routers_that_have_a_route(herald):
    serve(herald, "web")
    tell(herald, "node1", tor1={"state": "down", "error": "Hold timer expired"})
    answer = herald.json("why", "web", code=1)
    assert [f["reason"] for f in answer["findings"] if f["result"] == "wrong"] == ["NoPeerHasRoute"]
    assert any("Hold timer expired" in f["text"] for f in answer["findings"])
    assert "heraldctl bgp peers" in answer["next"][0]
    tell(herald, "node2", tor1={"state": "up", "exported": 1})
    answer = herald.json("why", "web")
    assert "node2: its session with tor1 is up, 1 routes are with it" in [f["text"] for f in answer["findings"]]


def test_B02_why_names_advertisements_that_disagree_and_nodes_that_do_not_announce(herald):
    serve(herald, "web", externalTrafficPolicy="Local")
    for node in ("node1", "node2"):
        tell(herald, node, tor1={"state": "up", "exported": 1})
    answer = herald.json("why", "web")
    assert any(f["text"].startswith("node2 does not announce") and "no endpoint there" in f["text"]
               for f in answer["findings"])
    # That two advertisements meet in one Service is seen only when there is such a Service.
    herald.controllers.change("web", labels={"a": "x", "b": "y"})
    both = "".join(f"  - {{name: {name}, localPref: {pref}, serviceSelectors: [{{matchLabels: {{{key}: {value}}}}}]}}\n"
                   for name, pref, key, value in (("first", 50, "a", "x"), ("other", 60, "b", "y")))
    herald.controllers.reconfigured(CONFIG.split("  - {name: all")[0] + both)
    answer = herald.json("why", "web", code=1)
    disagreement, = [f for f in answer["findings"] if f["reason"] == "AdvertisementsDisagree"]
    assert "first" in disagreement["text"] and "other" in disagreement["text"]


def test_hostile_words_of_a_speaker_are_left_out(herald):
    serve(herald, "web")
    for text in ("{", "[]", '{"peers": 7}', '{"peers": {"tor1": 7}}', '{"peers": {"tor1": {"state": ["up"]}}}',
                 '{"peers": {"tor1": {"state": "\\u001b[2J", "exported": -5}}}', "[" * 5000):
        herald.tell("node1", bgp=text)
        done = herald.ctl("bgp", "peers")
        assert "\x1b" not in done.out and len(rows(done.out)) == 2


def test_without_bgp_and_without_a_word(herald):
    herald.controllers.reconfigured("apiVersion: herald.io/v1\npools: [{name: a, addresses: [192.0.2.1]}]\n")
    done = herald.ctl("bgp", "peers", "-o", "json")
    assert json.loads(done.out) == {"peers": []} and "no section bgp" in done.err
    assert "which list" in herald.ctl("bgp", code=64).err
    assert "peers|routes" in herald.ctl("bgp", "--help").out
