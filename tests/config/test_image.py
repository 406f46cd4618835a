# SPDX-License-Identifier: Apache-2.0
"""The image that tools/image makes: its programs run with nothing but what is in it, the
list of what is in it is true, and making it again makes the same."""
import hashlib
import json
import os
import re
import subprocess
import tarfile

import pytest

from harness.manifests import CONFIG, default_manifests, pod_template

ROOT = CONFIG.parent
PROGRAMS = ("herald-controller", "herald-speaker", "heraldctl")


class Image:
    """What an OCI layout says, each blob checked against its digest."""

    def __init__(self, folder):
        self.blobs = folder / "blobs/sha256"
        self.digest = json.loads((folder / "index.json").read_text())["manifests"][0]["digest"]
        manifest = json.loads(self.blob(self.digest))
        self.config = json.loads(self.blob(manifest["config"]["digest"]))
        self.layers = [self.path(layer["digest"]) for layer in manifest["layers"]]

    def path(self, digest):
        return self.blobs / digest.removeprefix("sha256:")

    def blob(self, digest):
        data = self.path(digest).read_bytes()
        assert digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
        return data

    def unpack(self, root):
        for layer in self.layers:
            with tarfile.open(layer) as archive:
                archive.extractall(root)


def make(folder, kind="herald", name="herald"):
    """Made from packages that `make e2e` has fetched; there is no network here."""
    done = subprocess.run([ROOT / "tools/image", "--cached", "--output", folder, kind], capture_output=True, text=True)
    if "apt-get" in done.stderr and os.environ.get("CI") != "true":
        pytest.skip(f"the packages are missing; fetch them by: tools/image --fetch {kind}\n{done.stderr}")
    assert done.returncode == 0, done.stderr
    image = Image(folder / name)
    assert image.digest in done.stdout
    return image


@pytest.fixture(scope="module")
def made(session_folder):
    return session_folder / "image"


@pytest.fixture(scope="module")
def image(made):
    return make(made)


@pytest.fixture(scope="module")
def root(image, session_folder):
    folder = session_folder / "image-root"
    folder.mkdir()
    image.unpack(folder)
    return folder


def packages(bill):
    return {p["name"]: p for p in bill["packages"] if p["SPDXID"].startswith("SPDXRef-deb-")}


@pytest.fixture(scope="module")
def bill(root):
    return json.loads((root / "usr/share/herald/herald.spdx.json").read_text())


@pytest.mark.parametrize("program", PROGRAMS)
def test_its_programs_start(root, program):
    done = subprocess.run(["chroot", root, f"/usr/bin/{program}", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and re.fullmatch(rf"{program} \S+\n", done.stdout)


def test_it_has_what_the_manifests_run(image, root):
    for component in ("controller", "speaker"):
        command = pod_template(default_manifests(), component)["spec"]["containers"][0]["command"]
        assert os.access(root / command[0].lstrip("/"), os.X_OK)
    assert (image.config["os"], image.config["config"]["User"]) == ("linux", "65532:65532")


def test_it_has_no_shell_and_nothing_that_gains_rights(root):
    programs = {path.name for path in (root / "usr/bin").iterdir()} | {path.name for path in (root / "usr/sbin").iterdir()}
    assert programs == set(PROGRAMS)
    assert [path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o6000] == []


def test_the_bill_names_what_the_programs_load(root, bill):
    """Each library that the linker finds in the image is in a package of the list, at the
    version that dpkg's data in the image has."""
    listed = packages(bill)
    for name, known in listed.items():
        record = (root / "var/lib/dpkg/status.d" / name).read_text()
        assert f"\nVersion: {known['versionInfo']}\n" in record
        assert known["checksums"][0]["algorithm"] == "SHA256"
        assert known["externalRefs"][0]["referenceLocator"].startswith(f"pkg:deb/debian/{name.replace('+', '%2B')}@")
    assert {"libc6", "libcurl4", "libjansson4", "libmicrohttpd12", "libpcap0.8", "libssl3", "libuv1", "libyaml-0-2"} <= set(listed)
    assert {path.name for path in (root / "var/lib/dpkg/status.d").iterdir()} == set(listed)


def test_the_bill_is_whole(made, bill):
    ids = [p["SPDXID"] for p in bill["packages"]]
    contained = [r["relatedSpdxElement"] for r in bill["relationships"] if r["relationshipType"] == "CONTAINS"]
    assert bill["spdxVersion"] == "SPDX-2.3" and bill["dataLicense"] == "CC0-1.0"
    assert len(set(ids)) == len(ids) and ["SPDXRef-image", *contained] == ids
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name) for name in ids)
    assert json.loads((made / "herald.spdx.json").read_text()) == bill


def test_made_again_it_is_the_same(image, workdir):
    assert make(workdir).digest == image.digest


def test_birds_image_has_what_runs_bird(workdir):
    """The commands of config/bgp's script among it."""
    root = workdir / "root"
    root.mkdir()
    make(workdir, "bird", "herald-bird").unpack(root)
    for script, said in (("bird --version", "BIRD version"),
                         ("birdc -s /nowhere show status", "Unable to connect"),
                         ("command -v cat && command -v mv && command -v rm && command -v sleep", "sleep")):
        done = subprocess.run(["chroot", root, "/bin/sh", "-c", f"PATH=/usr/sbin:/usr/bin; {script}"],
                              capture_output=True, text=True)
        assert said in done.stdout + done.stderr


def test_the_archive_is_the_layout(made, image):
    path, = made.glob("herald-*.tar")
    with tarfile.open(path) as archive:
        names = {member.name for member in archive if member.isfile()}
        assert json.load(archive.extractfile("index.json"))["manifests"][0]["digest"] == image.digest
    assert names == {str(p.relative_to(made / "herald")) for p in (made / "herald").rglob("*") if p.is_file()}
