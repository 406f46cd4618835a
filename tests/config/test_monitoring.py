# SPDX-License-Identifier: Apache-2.0
"""config/components/monitoring: the alerts fire when they should and not otherwise, the
dashboard asks for metrics that exist, docs/monitoring.md has every alert, and kustomize makes
of all of it what Prometheus' operator and Grafana look for."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from harness.manifests import CONFIG

FOLDER = CONFIG / "components/monitoring"
TESTS = Path(__file__).resolve().parents[1] / "monitoring/alerts.test.yaml"
DOCS = CONFIG.parent / "docs"
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["spec"]
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]


def documented():
    """{name: labels} of docs/metrics.md; a histogram's parts count as metrics."""
    found = {}
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \|(.*?)\|", (DOCS / "metrics.md").read_text(), re.M):
        own = set(re.findall(r"`(\w+)`", labels))
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            found[name + suffix] = own | ({"le"} if suffix == "_bucket" else set())
    return found


def asked_for(query):
    """{metric: labels by which it is selected} of a query."""
    return {name: set(re.findall(r"(\w+)=", block)) for name, block in
            re.findall(r"\b((?:herald|process|metallb)_\w+)(?:\{(.*?)\})?", query)}


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def rule_file(workdir):
    """The rule file as docs/monitoring.md says how to get it."""
    command = re.search(r"^sed .*alerts\.yaml", (DOCS / "monitoring.md").read_text(), re.M)[0]
    text = subprocess.run(command, shell=True, cwd=CONFIG.parent, capture_output=True, text=True, check=True).stdout
    assert yaml.safe_load(text) == RULES
    path = workdir / "alerts.yaml"
    path.write_text(text)
    return path


def test_alerts_fire_when_they_should(rule_file):
    promtool("check", "rules", "--lint-fatal", str(rule_file))
    cases = rule_file.with_name(TESTS.name)
    cases.write_text(TESTS.read_text())
    promtool("test", "rules", str(cases))


def test_each_alert_has_its_case():
    tests = yaml.safe_load(TESTS.read_text())["tests"]
    assert [test["name"] for test in tests] == ["ordinary days", *(f"{name}!" for name in ALERTS)]
    for test in tests[1:]:
        expected = [sample["labels"] for e in test["promql_expr_test"] for sample in e["exp_samples"]]
        assert any(f'alertname="{test["name"][:-1]}"' in labels for labels in expected), test["name"]
    # In ordinary days there is something to be seen of whatever an alert asks for.
    shown = {re.match(r"\w+", series["series"])[0] for series in tests[0]["input_series"]}
    assert {name for rule in ALERTS.values() for name in asked_for(rule["expr"])} == shown


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in ALERTS.values())])
def test_metrics_that_are_asked_for_exist(query):
    known = documented()
    names = asked_for(query)
    assert names
    for name, labels in names.items():
        assert name in known and labels <= known[name] | {"namespace", "pod"}, name


def test_dashboard_is_one(workdir):
    """Its queries are PromQL; its panels have a place each and a number of their own."""
    rules = workdir / "queries.yaml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": [
        {"record": f"query:{n}", "expr": query.replace("$__rate_interval", "5m").replace("$namespace", "h")}
        for n, query in enumerate(QUERIES)]}]}))
    promtool("check", "rules", str(rules))
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {"datasource", "namespace"}


def test_alerts_are_documented():
    rows = re.findall(r"^\| `(Herald\w+)` \| (\w+) \|", (DOCS / "monitoring.md").read_text(), re.M)
    assert rows == [(name, rule["labels"]["severity"]) for name, rule in ALERTS.items()]


def test_kustomize_adds_it_to_the_rest(cluster_bins, workdir):
    (workdir / "kustomization.yaml").write_text(yaml.safe_dump({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "resources": [os.path.relpath(CONFIG / "bfd", workdir)],
        "components": [os.path.relpath(CONFIG / "components" / name, workdir) for name in ("monitoring", "status-page")]}))
    done = subprocess.run([cluster_bins / "kubectl", "kustomize", workdir], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    objects = {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(done.stdout)}
    assert objects["PrometheusRule", "herald"]["spec"] == RULES
    board = objects["ConfigMap", "herald-dashboard"]
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1" and json.loads(board["data"]["herald.json"]) == DASHBOARD
    wanted = objects["PodMonitor", "herald"]["spec"]
    for kind, name in (("Deployment", "herald-controller"), ("DaemonSet", "herald-speaker")):
        pod = objects[kind, name]["spec"]["template"]
        assert wanted["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
        ports = [port["name"] for port in pod["spec"]["containers"][0]["ports"]]
        assert wanted["podMetricsEndpoints"][0]["port"] in ports
    assert "--status-page" in objects["Deployment", "herald-controller"]["spec"]["template"]["spec"]["containers"][0]["args"]
