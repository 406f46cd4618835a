# SPDX-License-Identifier: Apache-2.0
"""C33: the programs run under exactly the rights of config/rbac, on a real API server
that keeps an audit log: nothing they ask for is forbidden, and nothing that they are
granted goes unused."""
import json
import subprocess

import pytest
import yaml

from harness.controller import CONFIG, Controllers
from harness.kube import namespace
from harness.lab import API_ADDRESS
from harness.manifests import CONFIG as MANIFESTS, default_manifests, load_file
from harness.real import RealApiServer
from harness.speaker import CONFIG as SPEAKER_CONFIG
from harness.speaker import NAMESPACE, Speakers
from harness.wait import wait_for

RIGHTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
VIP = "192.0.2.200"
BGP_CONFIG = SPEAKER_CONFIG + """bgp:
  asn: 64512
  peers:
  - {name: a, peerASN: 64601, peerAddress: 192.0.2.60, passwordSecret: {name: herald-bgp}}
  - {name: b, peerASN: 64602, peerAddress: 192.0.2.61, passwordSecret: {name: another}}
"""
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [
    {"level": "Metadata", "userGroups": [f"system:serviceaccounts:{NAMESPACE}"]}, {"level": "None"}]}


@pytest.fixture
def audited(cluster_bins, workdir):
    """A server without streaming lists, so that the programs list (K55's way back), and
    with config/'s rights for their service accounts."""
    policy, log = workdir / "policy.yaml", workdir / "audit.jsonl"
    policy.write_text(yaml.safe_dump(POLICY))
    server = RealApiServer(workdir / "api", API_ADDRESS, args=[
        f"--audit-policy-file={policy}", f"--audit-log-path={log}", "--feature-gates=WatchList=false"])
    server.admin.create(namespace(NAMESPACE))
    for obj in default_manifests():
        if obj["kind"] in RIGHTS:
            server.admin.create(obj)
    server.audit_log = log
    yield server
    server.stop()


def account(component):
    return f"system:serviceaccount:{NAMESPACE}:herald-{component}"


def requests_by(server, component):
    """{(API group, resource, verb): the worst status code}, from the audit log."""
    seen = {}
    for line in server.audit_log.read_text().splitlines():
        entry = json.loads(line)
        about = entry.get("objectRef", {})
        if entry["user"]["username"] != account(component):
            continue
        resource = "/".join(filter(None, (about.get("resource"), about.get("subresource"))))
        key = about.get("apiGroup", ""), resource, entry["verb"]
        code = entry.get("responseStatus", {}).get("code", 0)
        seen[key] = max(seen.get(key, 0), code)
    return seen


def secrets_asked_for(server):
    """{name: the best status code}: each request for Secrets names one."""
    seen = {}
    for line in server.audit_log.read_text().splitlines():
        entry = json.loads(line)
        if entry.get("objectRef", {}).get("resource") == "secrets":
            name, code = entry["objectRef"]["name"], entry.get("responseStatus", {}).get("code", 0)
            seen[name] = min(seen.get(name, code), code)
    return seen


def granted_to(component, more=()):
    """`more`: further objects that count, besides those of config/default."""
    labels = {"app.kubernetes.io/name": "herald", "app.kubernetes.io/component": component}
    return {(group, resource, verb)
            for obj in [*default_manifests(), *more]
            if obj["kind"] in ("Role", "ClusterRole") and obj["metadata"]["labels"] == labels
            for rule in obj["rules"]
            for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]}


def check(server, component, more=()):
    wait_for(f"the {component} to have used all its rights",
             lambda: granted_to(component, more) <= set(requests_by(server, component)))
    seen = requests_by(server, component)
    assert [key for key, code in seen.items() if code in (401, 403)] == []
    assert set(seen) == granted_to(component, more)


def repeat_until(condition, *changes):
    """Makes the changes in turn, over and over, until the condition holds."""
    def turn():
        for change in changes:
            change()
        return condition()
    wait_for("an Event to be counted up", turn, timeout=20)


def counted_up(kube, reason):
    return [e for e in kube.items("events") if e["reason"] == reason and e.get("count", 1) > 1]


def test_C33_speaker_has_the_rights_that_it_uses(audited, lab, workdir):
    speakers = Speakers(audited, lab, workdir)
    speakers.kubeconfig = audited.kubeconfig_for(account("speaker"))
    node = lab.nodes[0]
    speakers.start(node)
    speakers.add_service("web", VIP, [("10.244.1.2", node.name)])
    kube = audited.admin

    def exclude(value):
        kube.patch("nodes", node.name, {"metadata": {"labels": {EXCLUDE: value}}}, ns=None)
        state = "held" if value is None else "none"
        wait_for("the speaker to follow", lambda: speakers.address(node, VIP)["state"] == state)
    repeat_until(lambda: counted_up(kube, "nodeAssigned"), lambda: exclude(""), lambda: exclude(None))
    assert speakers.running[node.name].stop() == 0
    check(audited, "speaker")


def test_C33_speaker_with_bgp_reads_the_secret_that_is_named(audited, cluster_bins, lab, workdir):
    """The rights of config/bgp: on one Secret by its name, and on its own DaemonSet."""
    done = subprocess.run([cluster_bins / "kubectl", "kustomize", MANIFESTS / "bgp"], capture_output=True, text=True, check=True)
    rules = next(o for o in yaml.safe_load_all(done.stdout)
                 if o["kind"] == "Role" and o["metadata"]["name"] == "herald-speaker")["rules"]
    audited.admin.patch("roles", "herald-speaker", {"rules": rules}, ns=NAMESPACE)
    speakers = Speakers(audited, lab, workdir, BGP_CONFIG)
    speakers.kubeconfig = audited.kubeconfig_for(account("speaker"))
    node = lab.nodes[0]
    speakers.start(node, args=["--bird-socket", workdir / "none", "--bird-include", workdir / "include",
                               "--daemonset", "herald-speaker"])
    wait_for("the answers", lambda: "does not exist" in str(speakers.status(node)["bgp"]["problems"])
             and "forbidden" in str(speakers.status(node)["bgp"]["problems"]))
    assert speakers.running[node.name].stop() == 0
    seen = requests_by(audited, "speaker")
    assert seen["", "secrets", "watch"] == 200 or ("", "secrets", "list") in seen
    assert seen["apps", "daemonsets", "get"] == 404
    allowed = {name for name, code in secrets_asked_for(audited).items() if code < 400}
    assert allowed == {"herald-bgp"}


@pytest.mark.parametrize("rights, options", [(None, []), ("components/status-page/rights.yaml", ["--status-page"])],
                         ids=["default", "status-page"])
def test_C33_controller_has_the_rights_that_it_uses(audited, workdir, rights, options):
    controllers = Controllers(audited, workdir)
    kube = audited.admin
    more = load_file(MANIFESTS / rights) if rights else []
    for obj in more:
        kube.create(obj)
    process = controllers.start("c1", *options, kubeconfig=audited.kubeconfig_for(account("controller")))
    controllers.add("web")
    controllers.assigned("web")
    repeat_until(lambda: counted_up(kube, "ConfigAccepted"),
                 lambda: controllers.set_config("pools: 1"), lambda: controllers.set_config(CONFIG))

    def collide():
        """Changes a Service while the controller writes it, for it to meet a conflict and read again."""
        for turn in range(20):
            wish = {"metadata": {"annotations": {"herald.io/ips": f"198.51.100.{1 + turn % 5}", "turn": str(turn)}}}
            kube.patch("services", "web", wish)
    repeat_until(lambda: ("", "services", "get") in requests_by(audited, "controller"), collide)
    assert process.stop() == 0
    check(audited, "controller", more)
