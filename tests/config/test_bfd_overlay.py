# SPDX-License-Identifier: Apache-2.0
"""config/bfd: what kubectl makes of the overlay is taken by a real API server, keeps what is
promised about rights, and works: speaker and BIRD share what their options name, and a
BIRD with the container's rights reads the configuration that it is given."""
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from harness.kube import namespace, resource_of
from harness.manifests import CONFIG, default_manifests, pod_template
from harness.netns import run
from harness.wait import wait_for

STRICT = {"dryRun": "All", "fieldValidation": "Strict"}


@pytest.fixture(scope="module")
def objects(cluster_bins):
    done = subprocess.run([cluster_bins / "kubectl", "kustomize", CONFIG / "bfd"], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [o for o in yaml.safe_load_all(done.stdout) if o]


def containers(objects):
    return {c["name"]: c for c in pod_template(objects, "speaker")["spec"]["containers"]}


def key(obj):
    return obj["kind"], obj["metadata"]["name"]


def test_it_is_accepted_and_adds_one_object(real_api, objects):
    real_api.admin.create(namespace("herald-system"))
    for obj in objects:
        if obj["kind"] != "Namespace":
            assert real_api.admin.create(obj, **STRICT)["metadata"]["name"] == obj["metadata"]["name"]
            assert not real_api.admin.exists(resource_of(obj), obj["metadata"]["name"], obj["metadata"].get("namespace"))
    assert {key(o) for o in objects} - {key(o) for o in default_manifests()} == {("ConfigMap", "herald-bird")}


def test_the_pod_passes_admission(real_api, objects):
    real_api.admin.create(next(o for o in objects if o["kind"] == "Namespace"))
    pod = real_api.admin.create(pod_template(objects, "speaker"), **STRICT)
    assert [c["name"] for c in pod["spec"]["containers"]] == ["speaker", "bird"]


def test_O01_bird_has_the_speakers_rights_and_no_more(objects):
    found = containers(objects)
    assert found["bird"]["securityContext"] == found["speaker"]["securityContext"]
    plain = {c["name"]: c for c in pod_template(default_manifests(), "speaker")["spec"]["containers"]}
    added = found["speaker"]["args"][len(plain["speaker"]["args"]):]
    assert {**found["speaker"], "args": plain["speaker"]["args"], "volumeMounts": None} == {
        **plain["speaker"], "volumeMounts": None}
    options = dict(option.removeprefix("--").split("=") for option in added)
    shared = {mount["mountPath"] for name in found for mount in found[name]["volumeMounts"] if mount["name"] == "bird"}
    assert options.keys() == {"bird-socket", "bird-include"}
    assert shared == {str(Path(path).parent) for path in options.values()}
    assert options["bird-socket"] in found["bird"]["command"]


def test_bird_starts_with_these_rights_and_reads_the_include(lab, objects):
    """Run by the container's command line, with its folders elsewhere."""
    bird = containers(objects)["bird"]
    text = next(o for o in objects if key(o) == ("ConfigMap", "herald-bird"))["data"]["bird.conf"]
    with tempfile.TemporaryDirectory(prefix="bird-") as folder:
        (Path(folder) / "etc").mkdir()
        (Path(folder) / "etc/bird.conf").write_text(text.replace("/run/herald-bird", folder))
        (Path(folder) / "herald.conf").write_text("""protocol bfd herald_bfd {
            accept direct; neighbor 192.0.2.12 dev "eth0" local 192.0.2.11; }""")
        command = [word.replace("/run/herald-bird", folder).replace("/etc/herald-bird", f"{folder}/etc")
                   for word in bird["command"]]
        capabilities = ",".join(["-all", *(f"+{c.lower()}" for c in bird["securityContext"]["capabilities"]["add"])])
        log = open(Path(folder) / "log", "w")
        process = subprocess.Popen(["ip", "netns", "exec", lab.nodes[0].ns, "setpriv", "--no-new-privs",
                                    "--bounding-set", capabilities, "--inh-caps", capabilities, *command], stderr=log)
        try:
            ask = [word.replace("/run/herald-bird", folder) for word in bird["livenessProbe"]["exec"]["command"]]
            wait_for("BIRD", lambda: run(ask, lab.nodes[0].ns).stdout)
            assert "192.0.2.12" in run([*ask[:3], "show", "bfd", "sessions"], lab.nodes[0].ns).stdout
            assert "<ERR>" not in (Path(folder) / "log").read_text()
        finally:
            process.kill()
            process.wait()
            log.close()
