# SPDX-License-Identifier: Apache-2.0
"""Which node has an address, on a real API server: nodes that die, are tainted, labelled,
cordoned or preferred, and nodes that come back."""
import copy

import pytest

from harness.kube import lease, node_status
from harness.speaker import NAMESPACE, Speakers, answers
from harness.wait import wait_for

VIP = "192.0.2.200"
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
POOL = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.200-192.0.2.250]
"""


@pytest.fixture
def speakers(real_api, lab, workdir):
    made = Speakers(real_api, lab, workdir, POOL)
    yield made
    made.stop()


def patch_node(speakers, node, patch, sub=None):
    speakers.kube.patch("nodes", node.name, patch, ns=None, sub=sub, kind="strategic")


def verdicts(speakers, node, address=VIP):
    return speakers.address(node, address)["verdicts"]


def start_with_service(speakers, **spec):
    speakers.start()
    speakers.add_service("web", VIP, **spec)
    owner = speakers.owner(VIP)
    return owner, speakers.other(owner)


def test_C01_C08_dead_node_loses_it_though_its_endpoint_stays_ready(speakers, lab):
    """C01, C08: a node is switched off, be it the control plane's own: its death alone moves the
    address, whatever the Node and the endpoints on it say for minutes yet."""
    endpoints = [(f"10.244.{node.number}.2", node.name) for node in lab.nodes]
    owner, other = start_with_service(speakers, endpoints=endpoints, externalTrafficPolicy="Local")
    owner.cut_switch_side()
    wait_for("the other node to answer", lambda: answers(lab.client, VIP) == {other.mac})
    ready = speakers.kube.get("endpointslices", "web-ipv4")["endpoints"]
    assert {e["nodeName"]: e["conditions"]["ready"] for e in ready} == {n.name: True for n in lab.nodes}
    assert f"{owner.name}: its speaker's Lease has expired" in verdicts(speakers, other)
    # C05: together again, they agree.
    owner.restore()
    settled = speakers.owner(VIP)
    assert answers(lab.client, VIP) == {settled.mac}


def test_C02_label_that_is_taken_away_moves_it_at_once(speakers, lab):
    speakers.set_config(POOL + "layer2: [{nodeSelectors: [{matchLabels: {edge: 'yes'}}]}]\n")
    for node in lab.nodes:
        patch_node(speakers, node, {"metadata": {"labels": {"edge": "yes"}}})
    owner, other = start_with_service(speakers)
    patch_node(speakers, owner, {"metadata": {"labels": {"edge": None}}})
    wait_for("the other node to answer", lambda: answers(lab.client, VIP) == {other.mac}, timeout=2)
    patch_node(speakers, other, {"metadata": {"labels": {"edge": None}}})
    wait_for("silence", lambda: not answers(lab.client, VIP), timeout=2)


def taint(key):
    return {"spec": {"taints": [{"key": key, "effect": "NoSchedule", "value": "now"}]}}


def condition(kind, status, reason="Test", message=""):
    return {"status": {"conditions": [{"type": kind, "status": status, "reason": reason, "message": message}]}}


GOING = {
    "autoscaler": (taint("ToBeDeletedByClusterAutoscaler"), None, "tainted ToBeDeletedByClusterAutoscaler"),
    "out-of-service": (taint("node.kubernetes.io/out-of-service"), None,
                       "tainted node.kubernetes.io/out-of-service"),
    "no-network": (condition("NetworkUnavailable", "True"), "status", "its network is unavailable"),
    "not-ready": (condition("Ready", "False"), "status", "eligible, but not ready"),
    "drained": ({"metadata": {"labels": {"herald.io/drain": "true"}}}, None, "labelled herald.io/drain"),
    "shutting-down": (condition("Ready", "False", "KubeletNotReady", "node is shutting down"), "status",
                      "the node is shutting down"),
    "excluded": ({"metadata": {"labels": {EXCLUDE: ""}}}, None, f"labelled {EXCLUDE}"),
}


@pytest.mark.parametrize("case", GOING)
def test_C12_C21_K39_K40_node_on_its_way_out_gives_it_away(speakers, lab, case):
    patch, sub, why = GOING[case]
    owner, other = start_with_service(speakers)
    patch_node(speakers, owner, patch, sub)
    wait_for("the other node to answer", lambda: answers(lab.client, VIP) == {other.mac})
    assert f"{owner.name}: {why}" in verdicts(speakers, other)
    # The same on both: not ready is better than nobody, the others are not.
    patch_node(speakers, other, patch, sub)
    if case == "not-ready":
        wait_for("both to be seen", lambda: verdicts(speakers, owner).count(why) == 2)
        assert len(answers(lab.client, VIP)) == 1
    else:
        wait_for("silence", lambda: not answers(lab.client, VIP))
        event = wait_for("an Event", lambda: speakers.events("web", "NoEligibleNode"))[0]
        assert event["type"] == "Warning" and event["message"].count(why) == 2


def test_K40_deleted_node_gives_it_away(speakers, lab):
    owner, other = start_with_service(speakers)
    patch_node(speakers, owner, {"metadata": {"finalizers": ["example.com/wait"]}})
    speakers.kube.delete("nodes", owner.name, ns=None)
    wait_for("the other node to answer", lambda: answers(lab.client, VIP) == {other.mac})
    assert f"{owner.name}: the node is being deleted" in verdicts(speakers, other)
    patch_node(speakers, owner, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/wait"]}})
    wait_for("the node to be gone", lambda: owner.name not in verdicts(speakers, other))
    assert answers(lab.client, VIP) == {other.mac}


def test_C21_cordon_alone_moves_nothing(speakers, lab):
    owner, other = start_with_service(speakers)
    taken = speakers.metric(other, "herald_speaker_arp_gratuitous_total")
    patch_node(speakers, owner, {"spec": {"unschedulable": True}})
    # What comes after it in the same watch is seen: so was the cordon.
    patch_node(speakers, other, {"metadata": {"labels": {EXCLUDE: ""}}})
    wait_for("both to see the label", lambda: all(f"labelled {EXCLUDE}" in verdicts(speakers, n) for n in lab.nodes))
    assert speakers.owner(VIP) is owner
    assert f"{owner.name}: eligible" in verdicts(speakers, other)
    assert speakers.metric(other, "herald_speaker_arp_gratuitous_total") == taken


def test_C13_C21_cordon_moves_it_where_the_configuration_says_so(speakers, lab):
    speakers.set_config(POOL + "nodes: {moveOnCordon: true}\n")
    owner, other = start_with_service(speakers)
    patch_node(speakers, owner, {"spec": {"unschedulable": True}})
    wait_for("the other node to answer", lambda: answers(lab.client, VIP) == {other.mac})
    assert f"{owner.name}: cordoned" in verdicts(speakers, other)
    patch_node(speakers, owner, {"spec": {"unschedulable": None}})
    wait_for("it to come back", lambda: answers(lab.client, VIP) == {owner.mac})


def test_C22_excluded_control_plane_says_so_and_can_be_used(speakers, lab):
    for node in lab.nodes:
        patch_node(speakers, node, {"metadata": {"labels": {EXCLUDE: ""}}})
    speakers.start()
    speakers.add_service("web", VIP)
    event = wait_for("an Event", lambda: speakers.events("web", "NoEligibleNode"))[0]
    assert all(f"{node.name}: labelled {EXCLUDE}" in event["message"] for node in lab.nodes)
    assert len(speakers.events("web", "NoEligibleNode")) == 1  # one of the speakers tells it
    speakers.set_config(POOL + "nodes: {ignoreExcludeLabel: true}\n")
    owner = speakers.owner(VIP)
    assert answers(lab.client, VIP) == {owner.mac}


def test_L14_service_that_no_rule_covers_is_told(speakers, lab):
    speakers.set_config(POOL + "layer2: [{serviceSelectors: [{matchLabels: {announce: 'yes'}}]}]\n")
    speakers.start()
    speakers.add_service("web", VIP)
    event = wait_for("an Event", lambda: speakers.events("web", "NotAnnounced"))[0]
    assert event["type"] == "Warning" and VIP in event["message"] and "add one" in event["message"]
    assert not answers(lab.client, VIP)
    speakers.kube.patch("services", "web", {"metadata": {"labels": {"announce": "yes"}}})
    owner = speakers.owner(VIP)
    assert answers(lab.client, VIP) == {owner.mac}


PREFER = POOL + """layer2:
- nodePreferences:
  - {weight: 10, preference: {matchLabels: {fast: "yes"}}}
  - {weight: 10, preference: {matchLabels: {near: "yes"}}}
"""
TAKE_BACK = PREFER + "membership: {takeBack: %s, takeBackTime: 1s}\n"


def holds_of(speakers, node):
    """What its Lease says that it holds; None: it is not established."""
    meta = speakers.kube.get("leases", f"herald-speaker.{node.name}", NAMESPACE)["metadata"]
    return meta.get("annotations", {}).get("herald.io/holds")


def preferred_node_goes_away(speakers, take_back):
    """The other node then has the address, and says that it holds it."""
    speakers.set_config(TAKE_BACK % take_back)
    owner, other = start_with_service(speakers)
    # L13: against the election, by two weights against one.
    patch_node(speakers, owner, {"metadata": {"labels": {"fast": "yes"}}})
    patch_node(speakers, other, {"metadata": {"labels": {"fast": "yes", "near": "yes"}}})
    owner, other = other, owner
    wait_for("the preferred node to have it", lambda: speakers.owner(VIP) is owner)
    wait_for("both to be established", lambda: all(holds_of(speakers, n) is not None for n in (owner, other)))
    assert speakers.running.pop(owner.name).stop(timeout=6) == 0
    wait_for("the other node to say that it holds it", lambda: holds_of(speakers, other))
    return owner, other


def test_L13_C20_preferred_node_takes_back_what_is_let_go(speakers, lab):
    owner, other = preferred_node_goes_away(speakers, "staggered")
    speakers.start(owner)
    wait_for("the preferred node to have it again", lambda: speakers.owner(VIP) is owner)
    assert answers(lab.client, VIP) == {owner.mac}
    wait_for("nothing to be held", lambda: holds_of(speakers, other) == "")


def test_L13_C20_never_means_never_while_it_is_served_well(speakers, lab):
    owner, other = preferred_node_goes_away(speakers, "never")
    speakers.start(owner)
    wait_for("the other node to know its heir", lambda: speakers.address(other, VIP)["heir"] == owner.name)
    assert speakers.owner(VIP) is other
    # A restart within its Lease forgets nothing of what it holds (D8).
    speakers.running[other.name].kill()
    speakers.start(other)
    assert speakers.owner(VIP) is other
    assert speakers.address(other, VIP)["heir"] == owner.name
    # It is given up at once where it is no longer served well, or no longer wanted.
    speakers.set_config(TAKE_BACK % "immediate")
    wait_for("the preferred node to have it again", lambda: speakers.owner(VIP) is owner)
    wait_for("no annotation", lambda: holds_of(speakers, other) is None)


def test_O06_many_speakers_renew_less_often(speakers, lab):
    """200 more at once: each lease lasts longer, until they have expired again."""
    speakers.start()
    name = f"herald-speaker.{lab.nodes[0].name}"
    label = {"app.kubernetes.io/component": "speaker"}
    for n in range(200):
        made = lease(f"herald-speaker.other{n}", f"other{n}", NAMESPACE, duration=8)
        speakers.kube.create({**made, "metadata": {**made["metadata"], "labels": label}})
    seconds = lambda: speakers.kube.get("leases", name, NAMESPACE)["spec"]["leaseDurationSeconds"]
    wait_for("a longer Lease", lambda: seconds() == 16, timeout=20)
    wait_for("a short Lease again", lambda: seconds() == 3, timeout=60)
    assert all(speakers.status(n)["inContact"] for n in lab.nodes)


@pytest.mark.parametrize("place", ["first", "last"])
def test_C04_cut_off_node_whose_lease_is_valid_yields(speakers, lab, place):
    """It can't know that the address is another's now, and its Lease lasts for long yet. Who
    of the two is stale must not depend on their names."""
    speakers.set_config(POOL + "membership: {leaseDuration: 5m, renewInterval: 500ms}\n")
    speakers.start()
    node = lab.nodes[0 if place == "first" else -1]
    vips = [f"192.0.2.{200 + n}" for n in range(8)]
    for n, vip in enumerate(vips):
        speakers.add_service(f"web{n}", vip)
    vip = next(v for v in vips if speakers.owner(v) is node)
    other = speakers.other(node)
    node.cut_api()
    patch_node(speakers, node, {"metadata": {"labels": {EXCLUDE: ""}}})
    wait_for("the other node to answer alone", lambda: answers(lab.client, vip) == {other.mac})
    mine = speakers.address(node, vip)
    assert mine["state"] == "yielded" and f"{node.name}: eligible" in mine["verdicts"]
    assert {m["node"]: m["state"] for m in speakers.status(node)["members"]}[node.name] == "alive"
    node.restore_api()
    assert speakers.owner(vip) is other


def test_K58_lease_of_a_removed_node_is_collected_and_forgotten(speakers, lab, real_api):
    speakers.start()
    gone, other = lab.nodes[:2]
    name = f"herald-speaker.{gone.name}"
    uid = speakers.kube.get("nodes", gone.name, ns=None)["metadata"]["uid"]
    owner = speakers.kube.get("leases", name, NAMESPACE)["metadata"]["ownerReferences"]
    assert owner == [{"apiVersion": "v1", "kind": "Node", "name": gone.name, "uid": uid}]
    assert speakers.running.pop(gone.name).stop(timeout=6) == 0
    known = lambda: {m["node"] for m in speakers.status(other)["members"]}
    assert gone.name in known()
    real_api.start_controllers("garbage-collector-controller")
    try:
        speakers.kube.delete("nodes", gone.name, ns=None)
        wait_for("its Lease to be deleted", lambda: name not in {
            each["metadata"]["name"] for each in speakers.kube.items("leases", NAMESPACE)}, timeout=60)
        wait_for("it to be forgotten", lambda: known() == {other.name})
    finally:
        real_api.stop_controllers()


def test_O06_one_speaker_among_many_nodes_starts_soon(speakers, lab):
    """Most of them may be starting, too, for all that it knows; nobody is seen to."""
    for n in range(150):
        speakers.kube.make_node(f"many{n}", f"10.99.0.{n + 1}")
    speakers.start()
    speakers.add_service("web", VIP)
    seconds = lambda node: speakers.kube.get(
        "leases", f"herald-speaker.{node.name}", NAMESPACE)["spec"]["leaseDurationSeconds"]
    wait_for("short Leases, as two speakers have them", lambda: all(seconds(n) == 3 for n in lab.nodes), timeout=30)
    owner = speakers.owner(VIP)
    assert answers(lab.client, VIP) == {owner.mac}


def test_K58_node_whose_name_is_long(speakers, lab):
    """The name of its Lease would be longer than 253 characters."""
    node = copy.copy(lab.nodes[0])
    node.name = "-".join(["a" * 60] * 3 + ["b" * 57])
    speakers.kube.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.name}})
    speakers.kube.patch_status("nodes", node.name, {"status": node_status(node.ip)}, None, kind="strategic")
    speakers.start(node, lab.nodes[1])
    known = {m["node"]: m["state"] for m in speakers.status(lab.nodes[1])["members"]}
    assert known == {node.name: "alive", lab.nodes[1].name: "alive"}
    names = [each["metadata"]["name"] for each in speakers.kube.items("leases", NAMESPACE)]
    assert max(map(len, names)) <= 253 and len(names) == 2
