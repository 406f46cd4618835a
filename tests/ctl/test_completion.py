# SPDX-License-Identifier: Apache-2.0
"""Completion in the shells themselves, made from the table of verbs; and heraldctl as a
plugin of the real kubectl."""
import os
import re
import subprocess

import pytest

from harness import kube
from harness.ctl import BIN, heraldctl
from harness.kubectl import Kubectl


def script(shell):
    done = heraldctl("completion", shell)
    assert (done.code, done.err) == (0, "")
    return done.out


def verbs():
    return re.findall(r"^  ([a-z-]+) ", heraldctl("--help").out, re.MULTILINE)


def bash(*words):
    """What bash would offer for the last of these words."""
    line = " ".join(f"'{word}'" for word in words)
    test = f"{script('bash')}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _heraldctl 2>/dev/null\n" \
           'printf "%s\\n" "${COMPREPLY[@]}"'
    return subprocess.run(["bash", "-c", test], capture_output=True, text=True, check=True).stdout.split()


def fish(line):
    done = subprocess.run(["fish", "--no-config", "-c", f"heraldctl completion fish | source; complete -C '{line}'"],
                          capture_output=True, text=True, check=True,
                          env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"})
    return [offer.split("\t")[0] for offer in done.stdout.splitlines()]


def test_bash_offers_verbs_options_and_words():
    assert bash("heraldctl", "") == verbs()
    assert bash("heraldctl", "wa") == ["watch"]
    assert bash("heraldctl", "import", "") == ["metallb"]
    assert bash("heraldctl", "services", "-A", "--all") == ["--all-namespaces"]
    assert bash("heraldctl", "drain", "--dry") == ["--dry-run"]
    assert bash("heraldctl", "nodes", "-o", "j") == ["json"]
    assert "--kubeconfig=" in bash("heraldctl", "why", "--")


def test_fish_offers_the_same():
    assert fish("heraldctl wa") == ["watch"]
    assert set(verbs()) <= set(fish("heraldctl "))
    assert fish("heraldctl completion ba") == ["bash"]
    assert fish("heraldctl drain --dry") == ["--dry-run"]
    assert fish("heraldctl nodes -o ya") == ["yaml"]


def test_zsh_reads_it_and_knows_every_verb(workdir):
    (workdir / "_heraldctl").write_text(script("zsh"))
    subprocess.run(["zsh", "-n", workdir / "_heraldctl"], check=True)
    test = f"""
    fpath=({workdir} $fpath); autoload -U compinit; compinit -u -d {workdir}/dump
    print -r -- $_comps[heraldctl]
    _describe() {{ print -l -- ${{(P)2}} }}
    _arguments() {{ print -l -- "$@" }}
    words=(heraldctl ''); CURRENT=2; _heraldctl
    words=(heraldctl drain ''); CURRENT=3; _heraldctl
    """
    done = subprocess.run(["zsh", "-f", "-c", test], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "_heraldctl" and [line.split(":")[0] for line in lines[1:1 + len(verbs())]] == verbs()
    assert any(line.startswith("--dry-run[") for line in lines)


def test_O01_which_shell():
    assert "bash, zsh or fish" in heraldctl("completion").err
    assert heraldctl("completion", "tcsh").code == 64


def test_it_is_a_plugin_of_kubectl(real_api, cluster_bins, workdir):
    real_api.admin.create(kube.service("web", allocateLoadBalancerNodePorts=False))
    kubectl = Kubectl(cluster_bins / "kubectl", real_api, workdir)
    kubectl.env["PATH"] = f"{BIN}:{kubectl.env['PATH']}"
    assert "kubectl-herald" in kubectl.run("plugin", "list").stdout
    assert kubectl("herald", "services").split()[:4] == ["NAME", "ADDRESSES", "NODES", "STATE"]
    assert "Usage: kubectl herald why" in kubectl("herald", "why", "--help")
    missing = kubectl.run("herald", "services", "wev")
    assert missing.returncode == 1 and 'did you mean "web"?' in missing.stderr
