# SPDX-License-Identifier: Apache-2.0
"""The manifests under config/: a real API server takes each of them, as strictly as it
can check, and they keep what is promised about rights (O01, C33)."""
import re
import subprocess
from pathlib import Path

import pytest

from harness.kube import ApiError, namespace, resource_of
from harness.manifests import CONFIG, default_manifests, load_file, pod_template

ROOT = CONFIG.parent
EXAMPLES = sorted((CONFIG / "examples").glob("*.yaml"))
COMPONENTS = ("controller", "speaker")
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}


def name_of(obj):
    return f"{obj['kind']}-{obj['metadata']['name']}"


@pytest.mark.parametrize("obj", default_manifests(), ids=name_of)
def test_manifest_is_accepted(real_api, obj):
    if obj["kind"] != "Namespace":
        real_api.admin.create(namespace("herald-system"))
    stored = real_api.admin.create(obj, **STRICT)
    assert stored["metadata"]["name"] == obj["metadata"]["name"]
    assert not real_api.admin.exists(resource_of(obj), obj["metadata"]["name"], obj["metadata"].get("namespace"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_accepted(real_api, path):
    real_api.admin.create(namespace("herald-system"))
    for obj in load_file(path):
        real_api.admin.create(obj, **STRICT)


@pytest.mark.parametrize("component", COMPONENTS)
def test_pod_passes_admission(real_api, component):
    """Of a Deployment the server checks the pod's fields; of a pod also its admission:
    the priority class, and the namespace's pod security level."""
    objects = default_manifests()
    real_api.admin.create(next(o for o in objects if o["kind"] == "Namespace"))
    pod = real_api.admin.create(pod_template(objects, component), **STRICT)
    assert pod["spec"]["priority"] >= 2_000_000_000


@pytest.mark.parametrize("component, level, refused_for", [
    ("controller", "restricted", set()),
    ("speaker", "privileged", set()),
    ("speaker", "baseline", {"non-default capabilities", "host namespaces", "hostPort"})])
def test_the_strictest_pod_security_level(real_api, component, level, refused_for):
    """The controller would do under the strictest; the speaker needs what its namespace's
    label allows, for its port and its one capability, and nothing else that baseline refuses."""
    labelled = namespace("herald-system")
    labelled["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": level}
    real_api.admin.create(labelled)
    pod = pod_template(default_manifests(), component)
    if not refused_for:
        real_api.admin.create(pod, **STRICT)
        return
    with pytest.raises(ApiError) as refusal:
        real_api.admin.create(pod, **STRICT)
    said = str(refusal.value).split('"baseline:latest": ')[1]
    assert set(re.findall(r"(?:^|, )([\w -]+?) \(", said)) == refused_for


def test_a_rolling_update_hands_over_first():
    objects = default_manifests()
    daemon_set, deployment = (next(o for o in objects if o["kind"] == kind) for kind in ("DaemonSet", "Deployment"))
    assert daemon_set["spec"]["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    for component in COMPONENTS:
        container = pod_template(objects, component)["spec"]["containers"][0]
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_a_field_that_is_none_is_refused(real_api):
    """That the checks above can fail."""
    obj = next(o for o in default_manifests() if o["kind"] == "DaemonSet")
    real_api.admin.create(namespace("herald-system"))
    obj["spec"]["template"]["spec"]["hostNetworks"] = True
    with pytest.raises(Exception, match="unknown field.*hostNetworks"):
        real_api.admin.create(obj, **STRICT)


def test_O01_pods_have_the_least_rights():
    objects = default_manifests()
    spec = {c: pod_template(objects, c)["spec"] for c in COMPONENTS}
    container = {c: spec[c]["containers"][0]["securityContext"] for c in COMPONENTS}
    for component in COMPONENTS:
        assert container[component]["allowPrivilegeEscalation"] is False
        assert container[component]["readOnlyRootFilesystem"] is True
        assert container[component]["capabilities"]["drop"] == ["ALL"]
        assert spec[component]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "add" not in container["controller"]["capabilities"]
    assert container["speaker"]["capabilities"]["add"] == ["NET_RAW"]
    assert spec["controller"]["securityContext"]["runAsNonRoot"] is True
    assert "hostNetwork" not in spec["controller"]


def test_speaker_has_time_to_hand_over():
    bound = int(re.search(r"SPEAKER_STOP_MS (\d+)u", (ROOT / "speaker/speaker.h").read_text())[1])
    spec = pod_template(default_manifests(), "speaker")["spec"]
    assert spec["terminationGracePeriodSeconds"] * 1000 > bound


def stages():
    """The packages that the Containerfile installs: to build, and to run."""
    text = (CONFIG / "container/Containerfile").read_text().replace("\\\n", " ")
    found = re.findall(r"apt-get install -y --no-install-recommends ([^&\n]*)", text)
    assert len(found) == 2
    return [set(packages.split()) for packages in found]


def needed_packages(program):
    """The Debian packages of the shared libraries that the program names."""
    dynamic = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    libraries = set(re.findall(r"\(NEEDED\)\s+Shared library: \[(.*?)\]", dynamic)) - {"libc.so.6", "libm.so.6"}
    packages = set()
    for library in libraries:
        owner = subprocess.run(["dpkg", "-S", f"*/{library}"], capture_output=True, text=True, check=True).stdout
        packages.add(owner.split(":")[0])
    return packages


def test_image_holds_the_libraries_and_no_others():
    build, run = stages()
    programs = [ROOT / "build/release/bin" / name for name in ("herald-controller", "herald-speaker", "heraldctl")]
    assert run == set().union(*map(needed_packages, programs))
    listed = {line for line in (ROOT / "tools/packages.txt").read_text().split() if not line.startswith("#")}
    assert build - {"libc6-dev"} <= listed
