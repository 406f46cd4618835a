# SPDX-License-Identifier: Apache-2.0
"""`heraldctl import metallb`: what MetalLB was told, told to Herald; what has no counterpart
is listed, and what is printed passes `heraldctl validate` (A10, B01)."""
import copy
import json
from pathlib import Path

import pytest
import yaml

from harness.ctl import heraldctl

FIXTURES = Path(__file__).parent / "fixtures"


def imported(folder, *documents, code=0, args=()):
    """(Herald's document, what was told). Documents are text, or objects for a kubectl List."""
    names = []
    for index, document in enumerate(documents):
        text = document if isinstance(document, str) else json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": document}, indent=4)
        (folder / f"{index}.yaml").write_text(text)
        names.append(f"{index}.yaml")
    done = heraldctl("import", "metallb", *args, *names, cwd=folder)
    assert done.code == code, done.err
    if code == 1:
        assert done.out == ""
        return None, done.err.splitlines()
    assert heraldctl("validate", "-", stdin=done.out).code == 0
    manifest = yaml.safe_load(done.out)
    assert (manifest["apiVersion"], manifest["kind"], list(manifest["data"])) == ("v1", "ConfigMap", ["config.yaml"])
    return yaml.safe_load(manifest["data"]["config.yaml"]), done.err.splitlines()


def resource(kind, name, spec, version="v1beta1", labels=None):
    return {"apiVersion": f"metallb.io/{version}", "kind": kind, "spec": spec,
            "metadata": {"name": name, "namespace": "metallb-system", "labels": labels or {},
                         "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}}


def pool(name, *addresses, labels=None, **spec):
    return resource("IPAddressPool", name, {"addresses": list(addresses), **spec}, labels=labels)


def peer(name="tor", version="v1beta2", **spec):
    return resource("BGPPeer", name, {"myASN": 64500, "peerASN": 64501, "peerAddress": "10.0.0.1", **spec}, version)


def old(config):
    lines = "".join(f"    {line}\n" for line in config.splitlines())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: config}}\ndata:\n  config: |\n{lines}"


def told(lines, kind="left out"):
    """[(place, text)] of the messages of a kind."""
    return [tuple(line.split(f": {kind}: ", 1)) for line in lines if f": {kind}: " in line]


def test_A10_B01_the_old_config_map(workdir):
    text = (FIXTURES / "metallb-old.yaml").read_text()
    document, lines = imported(workdir, text, code=3)
    assert document["compatibility"] == {"metallbAnnotations": True}
    assert document["pools"] == [
        {"name": "my-ip-space", "addresses": ["192.168.0.1-192.168.0.100", "192.168.1.0/24"], "avoidBuggyIPs": True},
        {"name": "more", "addresses": ["192.168.3.0/24"], "autoAssign": False},
        {"name": "routed", "addresses": ["198.51.100.0/24"]},
        {"name": "plain", "addresses": ["203.0.113.0/24", "2001:db8:1::/64"]}]
    assert document["layer2"] == [{"pools": ["my-ip-space", "more"]}]
    bgp = document["bgp"]
    assert bgp["bfdProfiles"] == [{
        "name": "fast", "receiveInterval": "50ms", "transmitInterval": "60ms", "detectMultiplier": 5,
        "passiveMode": True, "minimumTTL": 250}]
    assert bgp["communities"] == [{"name": "vpn-only", "value": "64500:1"},
                                  {"name": "no-export-community", "value": "65535:65281"}]
    assert bgp["peers"] == [
        {"name": "peer-10-0-0-1", "myASN": 64500, "peerASN": 64501, "peerAddress": "10.0.0.1", "peerPort": 1179,
         "sourceAddress": "10.0.0.2", "holdTime": "90s", "routerID": "10.0.0.9", "bfdProfile": "fast",
         "ebgpMultiHop": True, "password": "not-told", "nodeSelectors": [
             {"matchLabels": {"rack": "frontend"},
              "matchExpressions": [{"key": "kind", "operator": "NotIn", "values": ["virtual"]}]}]},
        {"name": "peer-2001-db8--1", "myASN": 64500, "peerASN": 64501, "peerAddress": "2001:db8::1"}]
    assert bgp["advertisements"] == [
        {"name": "routed", "pools": ["routed"], "aggregationLength": 32, "localPref": 100,
         "communities": ["vpn-only", "no-export-community", "64500:7"]},
        {"name": "routed-2", "pools": ["routed"], "aggregationLength": 24},
        {"name": "plain", "pools": ["plain"]}]
    # Lines are those of the file.
    assert [place for place, _ in told(lines)] == [
        "0.yaml:15: ConfigMap/config: peer-autodiscovery", "0.yaml:46: ConfigMap/config: bfd-profiles[0].echo-mode",
        "0.yaml:51: ConfigMap/config"]
    assert '"my-ip-space": change the annotation' in told(lines)[2][1]
    assert "not-told" not in "\n".join(lines)  # B07


def test_A10_B01_the_resources(workdir):
    text = (FIXTURES / "metallb-resources.yaml").read_text()
    document, lines = imported(workdir, text, code=3)
    assert document["pools"] == [
        {"name": "web", "addresses": ["192.0.2.0/25", "2001:db8:2::/64"], "avoidBuggyIPs": True, "priority": 50,
         "namespaces": ["shop", "123"], "namespaceSelectors": [{"matchLabels": {"team": "shop"}}],
         "serviceSelectors": [{"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "true"]}]}]},
        {"name": "pinned", "addresses": ["192.0.2.128-192.0.2.140"], "priority": 51,
         "serviceSelectors": [{"matchLabels": {"app": "db"}}]},
        {"name": "general-v2", "addresses": ["198.51.100.0/24"], "autoAssign": False, "priority": 52},
        {"name": "legacy", "addresses": ["203.0.113.0/24"], "priority": 52}]
    assert document["layer2"] == [{
        "name": "front", "pools": ["general-v2", "web"], "interfaces": ["eth0", "eth1"],
        "nodeSelectors": [{"matchLabels": {"kubernetes.io/hostname": "node-a"}}]}]
    bgp = document["bgp"]
    assert bgp["peers"] == [
        {"name": "tor-1", "myASN": 64500, "peerASN": 64501, "peerAddress": "10.0.0.1", "sourceAddress": "10.0.0.2",
         "peerPort": 179, "holdTime": "90s", "keepaliveTime": "30s", "connectTime": "2s", "routerID": "10.0.0.9",
         "bfdProfile": "fast", "gracefulRestart": True, "vrf": "red", "families": ["ipv4"],
         "passwordSecret": {"name": "tor-1"}, "nodeSelectors": [{"matchLabels": {"rack": "1"}}]},
        {"name": "unnumbered", "myASN": 64500, "dynamicASN": "external", "interface": "eth1", "password": "hidden"},
        {"name": "older", "myASN": 64500, "peerASN": 64502, "peerAddress": "2001:db8::9"}]
    assert bgp["communities"] == [{"name": "vpn", "value": "64500:100"}, {"name": "big", "value": "large:64500:1:2"}]
    assert bgp["advertisements"] == [
        {"name": "legacy", "pools": ["legacy"], "aggregationLength": 32, "localPref": 5,
         "communities": ["no-advertise"]},
        {"name": "routed", "pools": ["web"], "aggregationLength": 25, "aggregationLengthV6": 64, "localPref": 200,
         "communities": ["vpn", "big", "64500:7"], "peers": ["tor-1"],
         "nodeSelectors": [{"matchLabels": {"rack": "1"}}]}]
    titles = ["IPAddressPool/general.v2", "L2Advertisement/front", "L2Advertisement/nothing",
              "L2Advertisement/nothing", "BGPAdvertisement/routed", "BGPPeer/tor-1", "BGPPeer/unnumbered",
              "Wormhole/w"]
    assert [place.split(": ")[1] for place, _ in told(lines)] == titles
    for place, _ in told(lines):
        number, title = int(place.split(":")[1]), place.split(": ")[1]
        near = text.splitlines()[max(0, number - 20):number + 2]
        assert any(title.split("/")[1] in line for line in near), place
    assert "hidden" not in "\n".join(lines)  # B07


def test_nothing_left_out_is_0(workdir):
    document, lines = imported(workdir, [pool("a", "192.0.2.0/24"), resource("L2Advertisement", "l2", {})])
    assert lines == []
    assert document == {"apiVersion": "herald.io/v1", "compatibility": {"metallbAnnotations": True},
                        "pools": [{"name": "a", "addresses": ["192.0.2.0/24"]}], "layer2": [{"name": "l2"}]}


def test_resources_may_come_in_several_files_and_forms(workdir):
    advertisement = "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: {name: l2}\n"
    one = json.dumps(pool("b", "192.0.2.128/25"))
    document, _ = imported(workdir, [pool("a", "192.0.2.0/25")], advertisement, one)
    assert [p["name"] for p in document["pools"]] == ["a", "b"]
    assert document["layer2"] == [{"name": "l2"}]  # no spec at all: every pool


def test_what_metallb_does_not_announce_is_switched_off(workdir):
    document, _ = imported(workdir, [pool("a", "192.0.2.0/24")])
    assert document["layer2"] == [] and "bgp" not in document
    document, _ = imported(workdir, [pool("a", "192.0.2.0/24"), peer()])
    assert document["bgp"]["advertisements"] == []


def test_the_manifest_is_named_as_wanted(workdir):
    (workdir / "f").write_text(json.dumps(pool("a", "192.0.2.0/24")))
    done = heraldctl("import", "metallb", "--namespace", "lb", "--config-map", "mine", "f", cwd=workdir)
    assert yaml.safe_load(done.out)["metadata"] == {"name": "mine", "namespace": "lb"}
    done = heraldctl("import", "metallb", "-", stdin=(workdir / "f").read_text())
    assert yaml.safe_load(done.out)["metadata"] == {"name": "herald-config", "namespace": "herald-system"}


def test_A04_pools_with_allocation_come_first(workdir):
    """By their priority, then those without one, then the pools for everybody."""
    pools = [pool("all", "10.0.1.0/24"), pool("none", "10.0.2.0/24", serviceAllocation={"namespaces": ["a"]}),
             pool("ten", "10.0.3.0/24", serviceAllocation={"priority": 10, "namespaces": ["a"]}),
             pool("one", "10.0.4.0/24", serviceAllocation={"priority": 1, "namespaces": ["a"]})]
    document, _ = imported(workdir, pools)
    order = sorted(document["pools"], key=lambda p: (p["priority"], p["name"]))
    assert [p["name"] for p in order] == ["one", "ten", "none", "all"]
    document, _ = imported(workdir, pools[:1])
    assert "priority" not in document["pools"][0]


@pytest.mark.parametrize("selectors,pools", [
    ([{"matchLabels": {"tier": "front"}}], ["a", "b"]),
    ([{"matchLabels": {"tier": "front", "zone": "x"}}], ["a"]),
    ([{"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front", "back"]}]}], ["a", "b", "c"]),
    ([{"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]}], ["c", "d"]),
    ([{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}], ["a"]),
    ([{"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}], ["d"]),
    ([{"matchLabels": {"zone": "x"}}, {"matchLabels": {"tier": "back"}}], ["a", "c"]),
    ([{}], ["a", "b", "c", "d"]),
])
def test_B01_pools_selected_by_label_are_named(workdir, selectors, pools):
    labels = {"a": {"tier": "front", "zone": "x"}, "b": {"tier": "front"}, "c": {"tier": "back"}, "d": {}}
    objects = [pool(name, f"10.0.{i}.0/24", labels=l) for i, (name, l) in enumerate(labels.items())]
    document, lines = imported(workdir, [*objects, resource("L2Advertisement", "l2",
                                                            {"ipAddressPoolSelectors": selectors})])
    assert document["layer2"] == [{"name": "l2", "pools": pools}]
    assert "pools have no labels here" in told(lines, "note")[0][1]


def test_B01_what_BIRD_does_in_another_way_is_noted(workdir):
    document, lines = imported(workdir, [
        pool("a", "192.0.2.0/24"), resource("BFDProfile", "far", {"minimumTtl": 250}),
        resource("BGPPeer", "link", {"myASN": 1, "dynamicASN": "external", "interface": "eth1", "bfdProfile": "far"})])
    assert document["bgp"]["peers"][0]["interface"] == "eth1"
    notes = [text for _, text in told(lines, "note")]
    assert len(notes) == 2
    assert any("the router must connect" in text for text in notes) and any("no such bound" in text for text in notes)


def test_an_advertisement_of_nothing_does_not_become_one_of_everything(workdir):
    document, lines = imported(workdir, [
        pool("a", "192.0.2.0/24"), peer(),
        resource("L2Advertisement", "l2", {"ipAddressPoolSelectors": [{"matchLabels": {"no": "where"}}]}),
        resource("BGPAdvertisement", "bgp", {"peers": ["gone"]})], code=3)
    assert document["layer2"] == [] and document["bgp"]["advertisements"] == []
    assert len(told(lines)) == 3


@pytest.mark.parametrize("spec,written", [
    ({}, {}),
    ({"disableMP": False}, {}),
    ({"disableMP": True}, {"families": ["ipv4"]}),
    ({"dualStackAddressFamily": True}, {}),
    ({"dualStackAddressFamily": False}, {"families": ["ipv4"]}),
    ({"dualStackAddressFamily": False, "peerAddress": "2001:db8::1"}, {"families": ["ipv6"]}),
    ({"holdTime": "1m30s"}, {"holdTime": "90s"}),
    ({"holdTime": "0.5h"}, {"holdTime": "1800s"}),
    ({"holdTime": "3000ms", "keepaliveTime": "1s"}, {"holdTime": "3s", "keepaliveTime": "1s"}),
    ({"holdTime": "0s", "keepaliveTime": "0s"}, {"holdTime": "0s"}),
    ({"peerPort": 0}, {}),
    ({"enableGracefulRestart": True, "vrf": "red"}, {"gracefulRestart": True, "vrf": "red"}),
    ({"ebgpMultiHop": True}, {"ebgpMultiHop": True}),
    ({"localASN": 64999}, {"localASN": 64999}),
    ({"password": "", "passwordSecret": {}, "bfdProfile": "", "nodeSelectors": []}, {}),
    ({"routerID": None}, {}),
])
def test_B01_fields_of_a_peer(workdir, spec, written):
    document, lines = imported(workdir, [peer(**spec)])
    kept = {"name": "tor", "myASN": 64500, "peerASN": 64501, "peerAddress": spec.get("peerAddress", "10.0.0.1")}
    assert document["bgp"]["peers"] == [kept | written]
    assert told(lines) == []


def test_B01_a_time_that_is_not_set_in_v1beta1(workdir):
    document, _ = imported(workdir, [peer(version="v1beta1", holdTime="0s", keepaliveTime="0s")])
    assert "holdTime" not in document["bgp"]["peers"][0]


def test_names_are_made_fit_and_differ(workdir):
    document, lines = imported(workdir, [
        pool("a.b", "10.0.0.0/24"), pool("a-b", "10.0.1.0/24"), pool("x" * 80, "10.0.2.0/24"),
        resource("L2Advertisement", "a.b", {"ipAddressPools": ["a.b", "a-b", "x" * 80]})], code=3)
    names = [p["name"] for p in document["pools"]]
    assert names == ["a-b", "a-b-2", "x" * 63]
    assert document["layer2"] == [{"name": "a-b", "pools": names}]
    assert len(told(lines)) == 3 and len(told(lines, "note")) == 1


def test_the_same_resource_twice(workdir):
    document, lines = imported(workdir, [pool("a", "10.0.0.0/24")], [pool("a", "10.0.1.0/24")], code=3)
    assert document["pools"] == [{"name": "a", "addresses": ["10.0.0.0/24"]}]
    assert "given twice, first in 0.yaml" in told(lines)[0][1]


REFUSED = [
    ("overlapping pools", [pool("a", "10.0.0.0/24"), pool("b", "10.0.0.128/25")],
     'IPAddressPool/b: addresses[0]: refused: is "10.0.0.128/25" of pool "b", which overlaps "10.0.0.0/24" of pool "a":'),
    ("a bad address", [pool("a", "10.0.0.300")], "IPAddressPool/a: addresses[0]: refused: "),
    ("an aggregate wider than its pool", [pool("a", "192.0.2.0/28"), peer(), resource(
        "BGPAdvertisement", "adv", {"aggregationLength": 24})], "BGPAdvertisement/adv: "),
    ("a forbidden hold time", [peer(holdTime="2s")], "BGPPeer/tor: holdTime: refused: "),
    ("no peer address", [resource("BGPPeer", "p", {"myASN": 1, "peerASN": 2})], "BGPPeer/p: refused: "),
    ("a pool of nothing", [pool("a")], "IPAddressPool/a: addresses: refused: "),
]


@pytest.mark.parametrize("objects,says", [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_B12_what_herald_would_refuse_is_told_in_terms_of_the_input(workdir, objects, says):
    _, lines = imported(workdir, objects, code=1)
    assert any(says in line for line in lines), lines
    assert "nothing is written" in lines[-1]


@pytest.mark.parametrize("text,says", [
    ("", "holds nothing of MetalLB's"),
    ("hello", "holds nothing of MetalLB's"),
    ("kind: Service\nmetadata: {name: x}\n", "holds nothing of MetalLB's"),
    ("apiVersion: other.io/v1\nkind: IPAddressPool\nspec: {addresses: []}\n", "holds nothing of MetalLB's"),
    ("apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nspec: {a: [}\n", "0.yaml:3:12: is not valid YAML"),
    ("apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nspec: {addresses: &a []}\n", "YAML anchor"),
    (old("address-pools: [\n"), "ConfigMap/config: is not valid YAML"),
    (old("address-pools: &a []\n"), "0.yaml:6:20: ConfigMap/config: has a YAML anchor"),
    ("\0\0\0", "is no text"),
], ids=lambda v: None)
def test_A02_what_cannot_be_read(workdir, text, says):
    _, lines = imported(workdir, text, code=1)
    assert any(says in line for line in lines), lines


@pytest.mark.parametrize("value", [
    "text", 7, [1, [2], {"a": 3}], {"key": ["x"]}, [{"matchLabels": 3}], None,
    [{"matchExpressions": [5, {"operator": "In"}], "other": 1}]], ids=range(7))
def test_A02_shapes_that_are_not_expected(workdir, value):
    """Every field of every resource of a wrong type: an answer, never a crash."""
    resources = [o for o in yaml.safe_load_all((FIXTURES / "metallb-resources.yaml").read_text())
                 if o["apiVersion"].startswith("metallb.io/")]
    cases = []
    for one in resources:
        for key in one.get("spec", {}):
            changed = copy.deepcopy(one)
            changed["spec"][key] = value
            changed["metadata"]["name"] += f"-{len(cases)}"
            cases.append(changed)
    (workdir / "cases.json").write_text(json.dumps({"kind": "List", "items": resources + cases}))
    done = heraldctl("import", "metallb", "cases.json", cwd=workdir)
    assert done.code in (1, 3) and done.err


@pytest.mark.parametrize("name", ["metallb-old.yaml", "metallb-resources.yaml"])
def test_A02_truncated_files(workdir, name):
    text = (FIXTURES / name).read_bytes()
    for end in range(0, len(text), 211):
        (workdir / "cut.yaml").write_bytes(text[:end])
        assert heraldctl("import", "metallb", "cut.yaml", cwd=workdir).code in (0, 1, 3)


@pytest.mark.parametrize("args,says", [
    ((), "what is to be imported is missing"),
    (("metallb",), "a FILE is missing"),
    (("metalb", "f"), 'did you mean "metallb"?'),
    (("cilium", "f"), "only metallb can"),
])
def test_O01_wrong_command_lines(args, says):
    done = heraldctl("import", *args)
    assert (done.code, done.out) == (64, "")
    assert says in done.err


def test_missing_files_are_told_and_nothing_is_written(workdir):
    (workdir / "f").write_text(json.dumps(pool("a", "192.0.2.0/24")))
    done = heraldctl("import", "metallb", "f", "gone", workdir, cwd=workdir)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == ["gone: cannot be opened: No such file or directory",
                                     f"{workdir}: is a directory: name the files in it"]
