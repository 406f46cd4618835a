# SPDX-License-Identifier: Apache-2.0
"""The Helm chart: what Helm makes of it is what kustomize makes of config/default and
config/bfd, each value changes what it says and nothing else, wrong values are refused,
and a real API server takes all of it."""
import copy
import re
import subprocess

import pytest
import yaml

from harness.ctl import heraldctl
from harness.helm import CHART, Helm, by_name
from harness.kube import namespace
from harness.manifests import CONFIG, pod_template

STRICT = {"dryRun": "All", "fieldValidation": "Strict"}
DEPLOYMENT, DAEMON_SET = ("Deployment", "herald-controller"), ("DaemonSet", "herald-speaker")
POOLS = {"apiVersion": "herald.io/v1", "pools": [{"name": "main", "addresses": ["192.0.2.200-192.0.2.250"]}],
         "bgp": {"asn": 4200000000}}
DIGEST = "sha256:" + "0123456789abcdef" * 4
TOLERATION = {"key": "edge", "operator": "Exists", "effect": "NoSchedule"}


@pytest.fixture(scope="module")
def helm(cluster_bins, session_folder):
    return Helm(cluster_bins / "helm", session_folder)


@pytest.fixture(scope="module")
def default(helm):
    return helm.render()


def kustomized(cluster_bins, overlay):
    """What kubectl apply -k would send, but for the namespace: Helm makes that itself."""
    done = subprocess.run([cluster_bins / "kubectl", "kustomize", CONFIG / overlay], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    objects = by_name(yaml.safe_load_all(done.stdout))
    del objects["Namespace", "herald-system"]
    return objects


@pytest.mark.parametrize("overlay, values", [("default", {}), ("bfd", {"bird": {"enabled": True}}),
                                              ("bgp", {"bgp": {"enabled": True}}),
                                              ("status-page", {"statusPage": {"enabled": True}})])
def test_it_is_what_kustomize_makes(helm, cluster_bins, overlay, values):
    assert helm.render(values) == kustomized(cluster_bins, overlay)


def test_it_is_clean(helm):
    done = helm.run("lint", "--strict", CHART)
    assert done.returncode == 0 and "[WARNING]" not in done.stdout and "[ERROR]" not in done.stdout, done.stdout


def test_its_version_is_heralds():
    version = re.search(r"project\(herald VERSION (\S+)", (CONFIG.parent / "CMakeLists.txt").read_text())[1]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert {chart["version"], chart["appVersion"], values["image"]["tag"], values["bird"]["image"]["tag"]} == {version}


def pod(objects, which):
    return objects[which]["spec"]["template"]["spec"]


def container(objects, which):
    return pod(objects, which)["containers"][0]


def set_images(objects, image, policy="IfNotPresent"):
    for which in (DEPLOYMENT, DAEMON_SET):
        container(objects, which).update(image=image, imagePullPolicy=policy)


def set_pull_secrets(objects):
    for which in (DEPLOYMENT, DAEMON_SET):
        pod(objects, which)["imagePullSecrets"] = [{"name": "registry"}]


def one_replica(objects):
    objects[DEPLOYMENT]["spec"]["replicas"] = 1
    # It would let no node be drained.
    del objects["PodDisruptionBudget", "herald-controller"]


# Each value, and what it does to the objects.
CHANGES = {
    "image": ({"image": {"repository": "registry.example:5000/x/herald", "tag": "0.2.0", "pullPolicy": "Always"}},
              lambda o: set_images(o, "registry.example:5000/x/herald:0.2.0", "Always")),
    "digest": ({"image": {"digest": DIGEST}}, lambda o: set_images(o, f"localhost/herald@{DIGEST}")),
    "pull-secrets": ({"imagePullSecrets": [{"name": "registry"}]}, set_pull_secrets),
    "replicas": ({"controller": {"replicas": 3}}, lambda o: o[DEPLOYMENT]["spec"].update(replicas=3)),
    "one-replica": ({"controller": {"replicas": 1}}, one_replica),
    **{f"{component}-{name}": ({component: {value: given}}, lambda o, w=which, c=change: c(o, w))
       for component, which in (("controller", DEPLOYMENT), ("speaker", DAEMON_SET))
       for name, value, given, change in (
           ("args", "args", ["--log-level=debug"],
            lambda o, w: container(o, w)["args"].append("--log-level=debug")),
           ("priority", "priorityClassName", "mine", lambda o, w: pod(o, w).update(priorityClassName="mine")),
           ("selector", "nodeSelector", {"edge": "yes"}, lambda o, w: pod(o, w)["nodeSelector"].update(edge="yes")),
           ("tolerations", "tolerations", [TOLERATION], lambda o, w: pod(o, w).update(tolerations=[TOLERATION])),
           ("affinity", "affinity", {"nodeAffinity": {}}, lambda o, w: pod(o, w).update(affinity={"nodeAffinity": {}})),
           ("resources", "resources", {"requests": {"cpu": "1"}},
            lambda o, w: container(o, w).update(resources={"requests": {"cpu": "1"}})),
           ("labels", "podLabels", {"a": "b"},
            lambda o, w: o[w]["spec"]["template"]["metadata"]["labels"].update(a="b")),
           ("annotations", "podAnnotations", {"a": "b"},
            lambda o, w: o[w]["spec"]["template"]["metadata"].update(annotations={"a": "b"})))},
}


@pytest.mark.parametrize("values, change", CHANGES.values(), ids=CHANGES)
def test_a_value_changes_what_it_says(helm, default, values, change):
    expected = copy.deepcopy(default)
    change(expected)
    assert helm.render(values) == expected


def test_birds_values_change_bird_alone(helm):
    with_bird = helm.render({"bird": {"enabled": True}})
    changed = helm.render({"bird": {"enabled": True, "image": {"tag": "9"}, "resources": {"limits": {"cpu": "1"}}}})
    pod(with_bird, DAEMON_SET)["containers"][1].update(
        image="localhost/herald-bird:9", resources={"limits": {"cpu": "1"}})
    assert changed == with_bird


@pytest.mark.parametrize("secrets", [["rack-a", "rack-b"], []])
def test_the_speaker_may_read_the_secrets_that_are_named(helm, secrets):
    expected = helm.render({"bgp": {"enabled": True}})
    rules = expected["Role", "herald-speaker"]["rules"]
    rule = next(r for r in rules if r["resources"] == ["secrets"])
    rule["resourceNames"] = secrets
    if not secrets:  # a rule without names would allow all of them
        rules.remove(rule)
    assert helm.render({"bgp": {"enabled": True, "passwordSecrets": secrets}}) == expected


def test_the_configuration_goes_into_the_config_map(helm, default):
    objects = helm.render({"config": POOLS})
    config_map = objects.pop(("ConfigMap", "herald-config"))
    assert objects == default
    assert yaml.safe_load(config_map["data"]["config.yaml"]) == POOLS
    assert heraldctl("validate", "-", stdin=yaml.safe_dump(config_map)).code == 0


def test_another_namespace_is_taken_everywhere(helm, default):
    text = yaml.safe_dump([*default.values()]).replace("namespace: herald-system", "namespace: edge")
    assert helm.render(namespace="edge") == by_name(yaml.safe_load(text))


@pytest.mark.parametrize("values, place", [
    ({"imagge": {}}, "imagge"),
    ({"image": {"repo": "x"}}, "image"),
    ({"image": {"repository": "Not A Name"}}, "repository"),
    ({"image": {"tag": 1.0}}, "tag"),
    ({"image": {"digest": "sha256:1"}}, "digest"),
    ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
    ({"imagePullSecrets": ["registry"]}, "imagePullSecrets"),
    ({"controller": {"replicas": 0}}, "replicas"),
    ({"controller": {"replicas": "2"}}, "replicas"),
    ({"controller": {"args": ["log-level"]}}, "args"),
    ({"speaker": {"replicas": 2}}, "replicas"),
    ({"speaker": {"tolerations": [{"operator": "Maybe"}]}}, "tolerations"),
    ({"speaker": {"nodeSelector": {"edge": True}}}, "nodeSelector"),
    ({"speaker": {"resources": {"request": {}}}}, "resources"),
    ({"bird": {"enabled": "yes"}}, "enabled"),
    ({"bgp": {"passwordSecrets": "herald-bgp"}}, "passwordSecrets"),
    ({"config": {"pools": []}}, "apiVersion"),
    ({"config": "pools: []"}, "config"),
], ids=lambda v: None if isinstance(v, str) else yaml.safe_dump(v, default_flow_style=True).strip())
def test_wrong_values_are_refused(helm, values, place):
    done = helm.run("template", "herald", CHART, values=values)
    assert done.returncode != 0 and "values don't meet the specifications" in done.stderr
    assert place in done.stderr


def test_every_value_is_in_the_schema(helm, default):
    """The schema is whole: the chart's own values pass it, written out."""
    assert helm.render(yaml.safe_load((CHART / "values.yaml").read_text())) == default


def test_a_server_takes_it(real_api, helm):
    """With everything switched on; and the speaker's pod passes admission."""
    objects = helm.render({"config": POOLS, "bgp": {"enabled": True}, "controller": {"tolerations": [TOLERATION]},
                           "imagePullSecrets": [{"name": "registry"}], "image": {"digest": DIGEST}})
    real_api.admin.create(namespace("herald-system"))
    for obj in objects.values():
        real_api.admin.create(obj, **STRICT)
    for component in ("controller", "speaker"):
        real_api.admin.create(pod_template(objects.values(), component), **STRICT)


def test_it_is_installed_and_upgraded_and_leaves_nothing(real_api, cluster_bins, workdir):
    helm, kube = Helm(cluster_bins / "helm", workdir, real_api.kubeconfig), real_api.admin
    release = ("herald", CHART, "--namespace", "herald-system")
    helm("install", *release, "--create-namespace")
    assert not kube.exists("configmaps", "herald-config", "herald-system")
    helm("upgrade", *release, values={"config": POOLS, "controller": {"replicas": 3}})
    assert kube.get("deployments", "herald-controller", "herald-system")["spec"]["replicas"] == 3
    assert kube.exists("configmaps", "herald-config", "herald-system")
    helm("uninstall", "herald", "--namespace", "herald-system")
    left = [o for kind in ("deployments", "daemonsets", "roles", "rolebindings", "clusterroles", "clusterrolebindings",
                           "poddisruptionbudgets", "serviceaccounts")
            for o in kube.items(kind) if o["metadata"]["name"].startswith("herald")]
    assert left == []
