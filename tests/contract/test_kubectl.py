# SPDX-License-Identifier: Apache-2.0
"""kubectl on both API servers: what README.md, docs/ and a demo's user ask it to do.
Shown here: K07."""
import json
import re

import pytest
import yaml

from harness import kube
from harness.kube import FINALIZER
from harness.kubectl import Kubectl, rows
from harness.wait import wait_for

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
WEB = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"app": "web"}},
       "spec": {"type": "LoadBalancer", "selector": {"app": "web"},
                "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": "b"}}
REPO = __file__.rsplit("/tests/", 1)[0]


@pytest.fixture
def kubectl(api, cluster_bins, workdir):
    return Kubectl(cluster_bins / "kubectl", api, workdir)


@pytest.fixture
def web(api, kubectl):
    """The Service, applied; with an address, as Herald would leave it."""
    kubectl("apply", "-f", "-", stdin=[WEB])
    return api.admin.patch_status("services", "web", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}})


def test_apply_creates_changes_and_leaves_alone(api, kubectl):
    assert kubectl("apply", "-f", "-", stdin=[WEB, CONFIG]) == "service/web created\nconfigmap/conf created\n"
    first = api.admin.get("services", "web")
    assert kubectl("apply", "-f", "-", stdin=[WEB, CONFIG]) == "service/web unchanged\nconfigmap/conf unchanged\n"
    assert api.admin.get("services", "web") == first
    changed = {**WEB, "metadata": {"name": "web"}, "spec": {**WEB["spec"], "ports": [{"name": "http", "port": 81}]}}
    assert kubectl("apply", "-f", "-", stdin=[changed]) == "service/web configured\n"
    after = api.admin.get("services", "web")
    # What was applied before and is not now, goes; what the server gave, stays.
    assert "labels" not in after["metadata"] and "targetPort" in after["spec"]["ports"][0]
    assert [p["port"] for p in after["spec"]["ports"]] == [81]
    assert after["spec"]["clusterIP"] == first["spec"]["clusterIP"]
    assert json.loads(after["metadata"]["annotations"][APPLIED])["spec"]["ports"] == [{"name": "http", "port": 81}]


def test_apply_keeps_what_others_wrote(api, kubectl, web):
    api.admin.patch("services", "web", {"metadata": {"finalizers": [FINALIZER], "annotations": {"herald.io/x": "y"}}})
    kubectl("apply", "-f", "-", stdin=[{**WEB, "spec": {**WEB["spec"], "externalTrafficPolicy": "Local"}}])
    after = api.admin.get("services", "web")
    assert after["metadata"]["finalizers"] == [FINALIZER] and after["metadata"]["annotations"]["herald.io/x"] == "y"
    assert after["status"] == web["status"] and after["spec"]["externalTrafficPolicy"] == "Local"


def test_apply_tells_what_is_invalid(kubectl):
    bad = {**WEB, "spec": {**WEB["spec"], "type": "Sideways"}}
    assert 'The Service "web" is invalid: spec.type: Unsupported value: "Sideways"' in kubectl.fails(
        "apply", "-f", "-", stdin=[bad])


def test_dry_runs_and_diff(api, kubectl, web):
    changed = {**WEB, "spec": {**WEB["spec"], "externalTrafficPolicy": "Local"}}
    for where in ("server", "client"):
        out = kubectl("apply", f"--dry-run={where}", "-f", "-", stdin=[changed])
        assert out.startswith("service/web configured (") and "dry run" in out
    difference = kubectl.run("diff", "-f", "-", stdin=[changed])
    assert difference.returncode == 1 and "+  externalTrafficPolicy: Local" in difference.stdout
    assert api.admin.get("services", "web") == web


def test_create_and_replace_from_files(api, kubectl):
    assert kubectl("create", "-f", "-", stdin=[WEB]) == "service/web created\n"
    assert 'services "web" already exists' in kubectl.fails("create", "-f", "-", stdin=[WEB])
    before = api.admin.get("services", "web")
    assert kubectl("replace", "-f", "-", stdin=[{**WEB, "metadata": {"name": "web"}}]) == "service/web replaced\n"
    after = api.admin.get("services", "web")
    assert after["metadata"]["uid"] == before["metadata"]["uid"] and "labels" not in after["metadata"]


def test_apply_of_heralds_own_manifests(api, kubectl):
    out = kubectl("apply", "-k", f"{REPO}/config/default").splitlines()
    assert len(out) > 10 and all(line.endswith(" created") for line in out)
    assert "deployment.apps/herald-controller created" in out and "daemonset.apps/herald-speaker created" in out
    again = kubectl("apply", "-k", f"{REPO}/config/default").splitlines()
    # kubectl always writes a PodDisruptionBudget again; that changes nothing.
    settled = [line for line in again if not line.startswith("poddisruptionbudget")]
    assert len(settled) == len(out) - 1 and all(line.endswith(" unchanged") for line in settled)
    assert api.admin.get("poddisruptionbudgets", "herald-controller", "herald-system")["metadata"]["generation"] == 1
    kubectl("delete", "-k", f"{REPO}/config/default", "--wait=false", "--ignore-not-found")
    assert not api.admin.exists("clusterroles", "herald-controller")


def test_get_a_service(api, kubectl, web):
    spec = web["spec"]
    wide = rows(kubectl("get", "service", "web", "-o", "wide"))[0]
    age = wide.pop("AGE")
    assert re.fullmatch(r"\d+s", age)
    assert wide == {"NAME": "web", "TYPE": "LoadBalancer", "CLUSTER-IP": spec["clusterIP"], "EXTERNAL-IP": "192.0.2.7",
                    "PORT(S)": f"80:{spec['ports'][0]['nodePort']}/TCP", "SELECTOR": "app=web"}
    assert [r["NAME"] for r in rows(kubectl("get", "svc", "-l", "app=web"))] == ["web"]
    assert "web" in [r["NAME"] for r in rows(kubectl("get", "svc", "-A"))]
    assert 'services "none" not found' in kubectl.fails("get", "svc", "none")
    assert "doesn't have a resource type" in kubectl.fails("get", "nothings")


@pytest.mark.since(34)
def test_get_in_other_formats(api, kubectl, web):
    as_json = json.loads(kubectl("get", "svc", "web", "-o", "json", "--show-managed-fields"))
    assert as_json == web
    as_yaml = yaml.safe_load(kubectl("get", "svc", "web", "-o", "yaml"))
    assert as_yaml["status"] == web["status"] and as_yaml["metadata"]["uid"] == web["metadata"]["uid"]
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}") == "192.0.2.7"
    assert kubectl("get", "svc", "-l", "app=web", "-o", "name") == "service/web\n"
    assert kubectl("get", "svc", "-l", "app=web", "-o", "custom-columns=N:.metadata.name") == "N\nweb\n"
    assert kubectl("get", "svc", "--field-selector", "spec.type=LoadBalancer", "-o", "name") == "service/web\n"
    assert json.loads(kubectl("get", "--raw", "/api/v1/namespaces/default/services/web")) == web


def test_get_several_kinds(api, kubectl, web):
    api.admin.create({**CONFIG, "metadata": {"name": "conf", "namespace": "default"}})
    api.admin.make_node("n", "192.0.2.11")
    api.admin.create(kube.lease("l", "me"))
    api.admin.create(kube.endpointslice("web", [("10.0.0.1", "n")], ports=((80, "TCP", 8080),)))
    out = kubectl("get", "svc,cm,leases,nodes,endpointslices")
    for name in ("service/web", "configmap/conf", "lease.coordination.k8s.io/l", "node/n",
                 "endpointslice.discovery.k8s.io/web-ipv4"):
        assert name in out
    node = rows(kubectl("get", "node", "n", "-o", "wide"))[0]
    assert (node["STATUS"], node["INTERNAL-IP"], node["ROLES"]) == ("Ready", "192.0.2.11", "<none>")
    assert rows(kubectl("get", "leases"))[0]["HOLDER"] == "me"
    assert "service/web" in kubectl("get", "all")


def test_get_in_pages(api, kubectl):
    for i in range(7):
        api.admin.create(kube.configmap(f"c{i}", {}))
    out = kubectl("get", "cm", "--chunk-size=3", "-o", "name").split()
    assert out == [f"configmap/c{i}" for i in range(7)]


@pytest.mark.parametrize("how", [["-w"], ["--watch-only"], ["-w", "-o", "yaml"]], ids=" ".join)
def test_get_and_watch(api, kubectl, how):
    api.admin.create(kube.configmap("a", {}))
    running = kubectl.start("get", "cm", *how)
    try:
        if "--watch-only" not in how:
            wait_for("the first", lambda: re.search(r"^(a |  name: a$)", running.text(), re.M))
        # Until its watch runs it may miss what comes; then it tells.
        names = iter(range(1000))
        wait_for("a new one", lambda: api.admin.create(kube.configmap(f"b{next(names)}", {}))
                 and re.search(r"^(b\d|  name: b\d)", running.text(), re.M))
        running.require_running()
    finally:
        running.stop()


@pytest.mark.since(34)
def test_describe_a_service_with_its_address_and_events(api, kubectl, web):
    regarding = {"kind": "Service", "namespace": "default", "name": "web", "uid": web["metadata"]["uid"], "apiVersion": "v1"}
    api.admin.create({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "web.1"}, "regarding": regarding,
        "reason": "IPAllocated", "note": "assigned 192.0.2.7", "type": "Normal", "action": "Assign",
        "eventTime": "2026-01-02T03:04:05.000006Z", "reportingController": "herald.io/controller",
        "reportingInstance": "herald-controller-0"})
    slice_ = kube.endpointslice("web", [("10.0.0.1", "n")])
    slice_["ports"] = [{"name": "http", "port": 8080}]
    api.admin.create(slice_)
    out = kubectl("describe", "service", "web")
    told = dict(re.findall(r"^(\S.*?): +(.*)$", out, re.M))
    assert told["LoadBalancer Ingress"] == "192.0.2.7 (VIP)" and told["Type"] == "LoadBalancer"
    assert told["Endpoints"] == "10.0.0.1:8080" and told["IP"] == web["spec"]["clusterIP"]
    assert re.search(r"Normal +IPAllocated +\S+ +herald.io/controller +assigned 192.0.2.7$", out, re.M)
    event = rows(kubectl("get", "events"))[0]
    assert (event["REASON"], event["OBJECT"], event["MESSAGE"]) == ("IPAllocated", "service/web", "assigned 192.0.2.7")
    assert "assigned 192.0.2.7" in kubectl("events", "--for", "service/web")


@pytest.mark.parametrize("what", ["configmap", "lease", "node", "endpointslice", "namespace"])
def test_describe_the_others(api, kubectl, what):
    made = {"configmap": kube.configmap("x", {"a": "b"}), "lease": kube.lease("x", "me"), "node": kube.node("x"),
            "endpointslice": kube.endpointslice("x", [("10.0.0.1", None)], name="x"), "namespace": kube.namespace("x")}
    api.admin.create(made[what])
    assert re.match(r"Name: +x\n", kubectl("describe", what, "x"))


def test_annotate_and_label(api, kubectl, web):
    def meta():
        return api.admin.get("services", "web")["metadata"]
    assert kubectl("annotate", "svc", "web", "herald.io/pool=x") == "service/web annotated\n"
    assert meta()["annotations"]["herald.io/pool"] == "x"
    kubectl("annotate", "svc", "web", "herald.io/pool-")
    assert "herald.io/pool" not in meta()["annotations"]
    kubectl("label", "svc", "web", "tier=1")
    assert "--overwrite is false" in kubectl.fails("label", "svc", "web", "tier=2")
    kubectl("label", "svc", "web", "tier=2", "--overwrite")
    assert meta()["labels"] == {"app": "web", "tier": "2"}


@pytest.mark.parametrize("kind, patch", [
    ("strategic", {"spec": {"externalTrafficPolicy": "Local"}}), ("merge", {"spec": {"externalTrafficPolicy": "Local"}}),
    ("json", [{"op": "replace", "path": "/spec/externalTrafficPolicy", "value": "Local"}])])
def test_patch(api, kubectl, web, kind, patch):
    assert kubectl("patch", "svc", "web", "--type", kind, "-p", json.dumps(patch)) == "service/web patched\n"
    assert api.admin.get("services", "web")["spec"]["externalTrafficPolicy"] == "Local"
    assert kubectl("patch", "svc", "web", "--type", kind, "-p", json.dumps(patch)) == "service/web patched (no change)\n"


def test_patch_of_the_status(api, kubectl, web):
    kubectl("patch", "svc", "web", "--subresource=status", "--type=merge", "-p", '{"status": {"loadBalancer": null}}')
    assert api.admin.get("services", "web")["status"] == {"loadBalancer": {}}


def test_edit(api, kubectl, web, workdir):
    editor = workdir / "editor"
    editor.write_text('#!/bin/sh\nexec sed -i "s/externalTrafficPolicy: Cluster/externalTrafficPolicy: Local/" "$1"\n')
    editor.chmod(0o755)
    kubectl.env["KUBE_EDITOR"] = str(editor)
    assert kubectl("edit", "service", "web") == "service/web edited\n"
    assert api.admin.get("services", "web")["spec"]["externalTrafficPolicy"] == "Local"


def test_k07_delete_waits_for_the_finalizer(api, kubectl, web):
    api.admin.patch("services", "web", {"metadata": {"finalizers": [FINALIZER]}})
    running = kubectl.start("delete", "service", "web")
    try:
        api.admin.wait("services", "web", lambda o: "deletionTimestamp" in o["metadata"])
        wait_for("kubectl to tell", lambda: 'service "web" deleted' in running.text())
        running.require_running()
        # docs/troubleshooting.md tells this as the last resort.
        kubectl("patch", "service", "web", "--type", "merge", "-p", '{"metadata":{"finalizers":null}}')
        assert running.wait(20) == 0
    finally:
        running.stop()
    assert not api.admin.exists("services", "web")


def test_delete(api, kubectl, web):
    assert kubectl("delete", "service", "web").startswith('service "web" deleted')
    assert 'services "web" not found' in kubectl.fails("delete", "service", "web")
    assert kubectl("delete", "service", "web", "--ignore-not-found") == ""
    kubectl("apply", "-f", "-", stdin=[WEB, CONFIG])
    kubectl("delete", "-f", "-", stdin=[WEB, CONFIG])
    api.admin.create(kube.configmap("a", {}))
    assert kubectl("delete", "cm", "--all").startswith('configmap "a" deleted')
    assert api.admin.items("configmaps", "default") == []


def test_wait(kubectl, web):
    assert kubectl("wait", "--for=jsonpath={.status.loadBalancer.ingress[0].ip}", "svc/web", "--timeout=20s") == (
        "service/web condition met\n")
    kubectl("delete", "service", "web")
    kubectl("wait", "--for=delete", "svc/web", "--timeout=20s")


def test_nodes_are_cordoned_and_tainted(api, kubectl):
    api.admin.make_node("n", "192.0.2.11")
    kubectl("cordon", "n")
    assert rows(kubectl("get", "nodes"))[0]["STATUS"] == "Ready,SchedulingDisabled"
    kubectl("uncordon", "n")
    kubectl("taint", "node", "n", "a=b:NoSchedule")
    assert {"key": "a", "value": "b", "effect": "NoSchedule"} in api.admin.get("nodes", "n")["spec"]["taints"]


@pytest.mark.since(34)
def test_api_resources_and_versions(kubectl):
    found = {r["NAME"]: r for r in rows(kubectl("api-resources"))}
    assert (found["services"]["SHORTNAMES"], found["services"]["KIND"]) == ("svc", "Service")
    assert found["leases"]["APIVERSION"] == "coordination.k8s.io/v1" and found["nodes"]["NAMESPACED"] == "false"
    assert "discovery.k8s.io/v1" in kubectl("api-versions").split()
    assert re.search(r"^Server Version: v1\.\d+\.", kubectl("version"), re.M)
    assert "is running at https://" in kubectl("cluster-info")
