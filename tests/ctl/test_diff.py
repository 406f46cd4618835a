# SPDX-License-Identifier: Apache-2.0
"""`heraldctl diff`: what a new configuration would do to the Services of a cluster, told
before it is applied; from files, and from an API server (A08, A12, K25, K35)."""
import json

import pytest

from harness import kube
from harness.ctl import heraldctl
from harness.mini import MiniApiServer

NS = "herald-system"


def config(*pools, head=""):
    """Each pool as (name, addresses, further fields)."""
    text = "apiVersion: herald.io/v1\n" + head + "pools:\n"
    for name, addresses, *more in pools:
        text += f"- name: {name}\n  addresses: [{addresses}]\n" + "".join(f"  {line}\n" for line in more)
    return text


BOTH = config(("a", "192.0.2.1-192.0.2.2", "whenRemoved: move"), ("b", "198.51.100.1"))


class Cluster:
    """Objects for --services; the Services are of rising age in the order they are made."""

    def __init__(self, folder):
        self.folder = folder
        self.items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns, "labels": {"team": ns}}}
                      for ns in ("default", "other")]

    def service(self, name, *ips, ns="default", families=("IPv4",), policy="SingleStack", annotations=None,
                labels=None, **spec):
        made = kube.service(name, ns, annotations=annotations, labels=labels, ipFamilies=list(families),
                            ipFamilyPolicy=policy, clusterIPs=["10.96.0.1", "fd00::1"][:len(families)], **spec)
        made["metadata"] |= {"uid": name, "resourceVersion": "1",
                             "creationTimestamp": f"2026-01-01T00:{len(self.items):02}:00Z"}
        made["status"] = {"loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"} for ip in ips]} if ips else {}}
        self.items.append(made)

    def node(self, name, ip):
        self.items.append(kube.node(name) | {"status": kube.node_status(ip)})

    def diff(self, new, current=BOTH, code=None, args=()):
        """What is told of each Service that does not stay the same."""
        path = self.folder / "services.json"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": self.items}))
        (self.folder / "new.yaml").write_text(new)
        (self.folder / "current.yaml").write_text(current)
        done = heraldctl("diff", "-f", "new.yaml", "--services", path, "--current", "current.yaml", "-o", "json",
                         *args, cwd=self.folder)
        assert done.err == ""
        answer = json.loads(done.out)
        totals = answer["totals"]
        assert done.code == (1 if totals["loses"] or totals["changes"] else 0)
        assert len(answer["services"]) == sum(totals.values()) - totals["same"]
        return {row["service"]: row for row in answer["services"]}


@pytest.fixture
def cluster(workdir):
    return Cluster(workdir)


def changes(rows):
    return {name: row["change"] for name, row in rows.items()}


def test_A08_nothing_changes_when_pools_are_renamed_split_or_reordered(cluster):
    cluster.service("a", "192.0.2.1")
    cluster.service("b", "192.0.2.2")
    cluster.service("c", "198.51.100.1")
    for new in (BOTH, config(("x", "192.0.2.0/24, 198.51.100.1")),
                config(("b", "198.51.100.1"), ("a2", "192.0.2.2"), ("a1", "192.0.2.1"))):
        assert cluster.diff(new) == {}


def test_A08_a_removed_pool_keeps_its_addresses_unless_it_says_move(cluster):
    cluster.service("moves", "192.0.2.1")
    cluster.service("stays", "198.51.100.1")
    rows = cluster.diff(config(("n", "203.0.113.5-203.0.113.9")))
    assert changes(rows) == {"default/moves": "changes", "default/stays": "keeps"}
    assert rows["default/moves"]["now"] == ["192.0.2.1"]
    assert rows["default/moves"]["then"] == ["203.0.113.5"]
    assert "192.0.2.1: in no pool" in rows["default/moves"]["why"]
    assert rows["default/stays"]["now"] == rows["default/stays"]["then"] == ["198.51.100.1"]


def test_A08_addresses_of_no_pool_move_where_the_new_configuration_says_so(cluster):
    cluster.service("stays", "198.51.100.1")
    head = "addresses: {whenRemoved: move}\n"
    rows = cluster.diff(config(("n", "203.0.113.5"), head=head))
    assert changes(rows) == {"default/stays": "changes"}


def test_A08_a_shrunk_pool_without_another_keeps(cluster):
    cluster.service("a", "192.0.2.1")
    cluster.service("b", "192.0.2.2")
    assert changes(cluster.diff(config(("a", "192.0.2.2", "whenRemoved: move")))) == {"default/a": "keeps"}


def test_A09_pending_ones_get_an_address_oldest_first(cluster):
    cluster.service("zero")
    cluster.service("one")
    cluster.service("two")
    rows = cluster.diff(config(("a", "192.0.2.7-192.0.2.8")))
    assert changes(rows) == {"default/zero": "gets", "default/one": "gets", "default/two": "waits"}
    assert [rows[f"default/{n}"]["then"] for n in ("zero", "one")] == [["192.0.2.7"], ["192.0.2.8"]]
    assert "pool `a`: full" in rows["default/two"]["why"]


def test_A09_what_a_mover_leaves_goes_to_who_waits(cluster):
    """The old address is in the new configuration too, for another Service."""
    cluster.service("waits", annotations={"herald.io/ips": "192.0.2.1"}, ns="other")
    cluster.service("moves", "192.0.2.1")
    rows = cluster.diff(config(("a", "192.0.2.1", "whenRemoved: move", "namespaces: [other]"),
                               ("n", "203.0.113.5", "namespaces: [default]")))
    assert {name: row["then"] for name, row in rows.items()} == {
        "default/moves": ["203.0.113.5"], "other/waits": ["192.0.2.1"]}


def test_A04_a_pool_that_no_longer_selects(cluster):
    cluster.service("web", "192.0.2.1", labels={"app": "web"})
    cluster.service("db", "192.0.2.2", labels={"app": "db"})
    pool = ("a", "192.0.2.1-192.0.2.2", "whenRemoved: move", "serviceSelectors: [{matchLabels: {app: web}}]")
    rows = cluster.diff(config(pool, ("b", "198.51.100.1")))
    assert changes(rows) == {"default/db": "changes"}
    assert "pool `a`" in rows["default/db"]["why"]
    teams = ("a", "192.0.2.1-192.0.2.2", "whenRemoved: move", "namespaceSelectors: [{matchLabels: {team: default}}]")
    assert cluster.diff(config(teams, ("b", "198.51.100.1"))) == {}


def test_A06_sharers_that_may_share_no_longer_keep_their_address(cluster):
    share = {"herald.io/share": "key", "herald.io/ips": "192.0.2.1"}
    cluster.service("one", "192.0.2.1", annotations=share)
    cluster.service("two", "192.0.2.1", ns="other", annotations=share, ports=((81, "TCP"),))
    shared = config(("a", "192.0.2.1", "shareAcrossNamespaces: true"))
    assert cluster.diff(shared, current=shared) == {}
    rows = cluster.diff(config(("a", "192.0.2.1")), current=shared)
    assert rows and {row["change"] for row in rows.values()} == {"keeps"}
    assert all(row["now"] == row["then"] == ["192.0.2.1"] for row in rows.values())


def test_A12_of_two_with_one_address_the_younger_loses(cluster):
    cluster.service("z-older", "192.0.2.1")
    cluster.service("younger", "192.0.2.1", annotations={"herald.io/ips": "192.0.2.1"})
    rows = cluster.diff(BOTH)
    assert changes(rows) == {"default/younger": "loses"}
    assert (rows["default/younger"]["now"], rows["default/younger"]["then"]) == (["192.0.2.1"], [])
    assert "default/z-older" in rows["default/younger"]["why"]


def test_K25_a_request_is_met_as_soon_as_it_can_be(cluster):
    cluster.service("a", "192.0.2.1", annotations={"herald.io/ips": "203.0.113.7"})
    rows = cluster.diff(config(("a", "192.0.2.1"), ("n", "203.0.113.7")))
    assert changes(rows) == {"default/a": "changes"}
    assert rows["default/a"]["then"] == ["203.0.113.7"]


def test_K26_a_second_family_is_a_gain(cluster):
    cluster.service("dual", "192.0.2.1", families=("IPv4", "IPv6"), policy="PreferDualStack")
    rows = cluster.diff(config(("a", "192.0.2.1"), ("six", "2001:db8::7")))
    assert changes(rows) == {"default/dual": "gets"}
    assert rows["default/dual"]["then"] == ["192.0.2.1", "2001:db8::7"]


def test_K35_addresses_of_nodes_are_not_given_out(cluster):
    cluster.service("a")
    cluster.node("n1", "192.0.2.1")
    assert cluster.diff(config(("a", "192.0.2.1-192.0.2.2")))["default/a"]["then"] == ["192.0.2.2"]


def test_K01_other_classes_are_not_ours(cluster):
    cluster.service("theirs", "192.0.2.1", loadBalancerClass="example.com/x")
    cluster.service("plain", type="ClusterIP")
    empty = config(("n", "203.0.113.1", "whenRemoved: move"))
    assert cluster.diff(empty) == {}
    assert changes(cluster.diff(empty, args=("--load-balancer-class", "example.com/x"))) == {
        "default/theirs": "changes"}


def test_A10_metallb_annotations_count_where_they_are_read(cluster):
    cluster.service("a", annotations={"metallb.io/address-pool": "b"})
    head = "compatibility: {metallbAnnotations: true}\n"
    assert cluster.diff(BOTH)["default/a"]["then"] == ["192.0.2.1"]
    with_them = BOTH.replace("pools:\n", head + "pools:\n")
    assert cluster.diff(with_them)["default/a"]["then"] == ["198.51.100.1"]


def test_the_table(cluster):
    cluster.service("a", "192.0.2.1")
    cluster.service("b", "198.51.100.1")
    cluster.service("hostile", annotations={"herald.io/pool": "\x1b[2J"})
    cluster.diff(BOTH)
    (cluster.folder / "new.yaml").write_text(config(("n", "203.0.113.5"), ("b", "198.51.100.1")))
    done = heraldctl("diff", "-f", "new.yaml", "--services", "services.json", "--current", "current.yaml",
                     cwd=cluster.folder)
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["SERVICE", "NOW", "THEN", "CHANGE", "WHY"]
    assert lines[1].split()[:4] == ["default/a", "192.0.2.1", "203.0.113.5", "changes"]
    assert lines[2].split()[:4] == ["default/hostile", "-", "-", "waits"]
    assert lines[3].startswith("3 Services: 0 lose an address, 1 change it, 0 get one,")
    assert len(lines) == 4 and "\x1b" not in done.out


def test_the_config_map_in_force_is_found_among_the_objects(cluster):
    cluster.service("a", "192.0.2.1")
    cluster.items.append(kube.configmap("other", {"config.yaml": "x"}, NS))
    cluster.items.append(kube.configmap("herald-config", {"config.yaml": BOTH}, NS))
    cluster.diff(BOTH)
    (cluster.folder / "new.yaml").write_text(config(("n", "203.0.113.5")))
    done = heraldctl("diff", "-f", "-", "--services", "services.json", cwd=cluster.folder,
                     stdin=config(("n", "203.0.113.5")))
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines()[1].split()[:4] == ["default/a", "192.0.2.1", "203.0.113.5", "changes"]


@pytest.mark.parametrize("services,new,says", [
    ("", BOTH, "is no JSON"),
    ("{", BOTH, "is no JSON"),
    ("[" * 5000, BOTH, "is no JSON"),
    ("[]", BOTH, "is no Kubernetes object"),
    ('{"kind": "List", "items": [{"kind": "Service"}]}', BOTH, "items[0]"),
    ("\0\0", BOTH, "is no JSON"),
    ('{"kind": "List", "items": []}', "apiVersion: herald.io/v1\npools: [{name: a}]\n", "new.yaml:2:9: pools[0]"),
    ('{"kind": "List", "items": []}', None, "cannot be opened"),
    (None, BOTH, "cannot be opened"),
], ids=lambda v: None if v is None or len(v) > 40 else v.replace("\0", "NUL"))
def test_what_cannot_be_told_is_2(workdir, services, new, says):
    for name, text in (("services.json", services), ("new.yaml", new)):
        if text is not None:
            (workdir / name).write_text(text)
    done = heraldctl("diff", "-f", "new.yaml", "--services", "services.json", cwd=workdir)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


@pytest.mark.parametrize("args,says", [
    ((), "the new configuration is missing"),
    (("new.yaml",), "give the new configuration with -f"),
    (("-f", "x", "--services", "y", "--server", "https://z"), "--services works without a cluster"),
    (("-f", "x", "--timeout", "soon"), "is no number of seconds"),
    (("-f", "x", "--timeout", "0"), "is no number of seconds"),
    (("-f", "x", "--herald-namespace", ""), "not empty"),
])
def test_O01_wrong_command_lines(args, says):
    done = heraldctl("diff", *args)
    assert (done.code, done.out) == (64, "")
    assert says in done.err


@pytest.fixture
def server():
    with MiniApiServer() as mini:
        mini.admin.create(kube.namespace(NS))
        mini.admin.make_node("n1", "192.0.2.2")
        for name, ip in (("a", "192.0.2.1"), ("b", None)):
            mini.admin.create(kube.service(name))
            if ip:
                mini.admin.patch_status("services", name, {"status": {"loadBalancer": {"ingress": [{"ip": ip}]}}})
        mini.reset_requests()
        yield mini


def ask(server, workdir, *args, new=config(("n", "203.0.113.5-203.0.113.9")), kubeconfig=None):
    (workdir / "new.yaml").write_text(new)
    return heraldctl("diff", "-f", "new.yaml", "--kubeconfig", kubeconfig or server.kubeconfig, *args, cwd=workdir)


def test_A08_against_an_api_server(server, workdir):
    server.admin.create(kube.configmap("herald-config", {"config.yaml": BOTH}, NS))
    server.reset_requests()
    done = ask(server, workdir, "-o", "json")
    assert (done.code, done.err) == (1, "")
    rows = {row["service"]: row for row in json.loads(done.out)["services"]}
    assert changes(rows) == {"default/a": "changes", "default/b": "gets"}
    same = ask(server, workdir, new=config(("a", "192.0.2.1-192.0.2.2")))
    assert same.code == 0
    assert "default/b" in same.out and "waits" in same.out  # the node has the other address (K35)
    assert server.requests()["writes"] == []


def test_without_a_config_map_in_force(server, workdir):
    done = ask(server, workdir)
    assert done.code == 0
    assert "there is no configuration in force" in done.err
    assert ["default/a", "192.0.2.1", "192.0.2.1", "keeps"] in [line.split()[:4] for line in done.out.splitlines()]


def test_with_a_refused_config_map_in_force(server, workdir):
    server.admin.create(kube.configmap("herald-config", {"config.yaml": "apiVersion: x\n"}, NS))
    done = ask(server, workdir)
    assert done.code == 0
    assert "is refused (line 1: " in done.err


def test_C33_missing_rights_are_named(server, workdir):
    done = ask(server, workdir, kubeconfig=server.kubeconfig_for("nobody"))
    assert (done.code, done.out) == (2, "")
    assert "Forbidden" in done.err


def test_a_busy_server_is_waited_for(server, workdir):
    server.fault("status", path="/api/v1/services", times=2, code=503)
    assert ask(server, workdir).code == 0


def test_an_api_server_that_is_down(server, workdir):
    server.down()
    done = ask(server, workdir)
    assert (done.code, done.out) == (2, "")
    assert server.url.removeprefix("https://") in done.err


def test_an_api_server_that_never_answers(server, workdir):
    server.fault("hang", path="/api/v1/nodes", times=-1)
    done = ask(server, workdir, "--timeout", "1")
    assert (done.code, done.out) == (2, "")
    assert "within 1 s" in done.err


def test_no_kubeconfig(workdir):
    (workdir / "new.yaml").write_text(BOTH)
    done = heraldctl("diff", "-f", "new.yaml", "--kubeconfig", "nowhere", cwd=workdir)
    assert (done.code, done.out) == (2, "")
    assert "nowhere" in done.err
