# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts where, and that kubectl finds its plugin there."""
import os
import subprocess

import pytest

from harness.manifests import CONFIG

ROOT = CONFIG.parent
PROGRAMS = {"herald-controller", "herald-speaker", "heraldctl"}


@pytest.fixture(scope="module")
def prefix(session_folder):
    folder = session_folder / "installed"
    subprocess.run(["cmake", "--install", ROOT / "build/release", "--prefix", "/usr", "--strip"],
                   env={**os.environ, "DESTDIR": str(folder)}, capture_output=True, check=True)
    return folder / "usr"


def test_programs_and_the_plugins_name(prefix):
    assert {path.name for path in (prefix / "bin").iterdir()} == PROGRAMS | {"kubectl-herald"}
    assert os.readlink(prefix / "bin/kubectl-herald") == "heraldctl"


def test_every_manual_page(prefix):
    written = {path.name for folder in ("controller", "speaker", "ctl/man") for path in (ROOT / folder).glob("*.[18]")}
    assert {path.name for path in (prefix / "share/man").rglob("*.[18]")} == written
    assert {path.stem for path in (prefix / "share/man").rglob("*.[18]")} >= PROGRAMS


@pytest.mark.parametrize("shell, path", [("bash", "bash-completion/completions/heraldctl"),
                                         ("zsh", "zsh/site-functions/_heraldctl"),
                                         ("fish", "fish/vendor_completions.d/heraldctl.fish")])
def test_each_shell_has_its_completion(prefix, shell, path):
    done = subprocess.run([prefix / "bin/heraldctl", "completion", shell], capture_output=True, text=True, check=True)
    assert (prefix / "share" / path).read_text() == done.stdout


def test_kubectl_has_the_verb(prefix, cluster_bins):
    done = subprocess.run([cluster_bins / "kubectl", "herald", "--version"], capture_output=True, text=True,
                          env={"PATH": f"{prefix}/bin", "HOME": "/nonexistent"})
    assert done.returncode == 0 and done.stdout.startswith("heraldctl "), done.stderr
