# SPDX-License-Identifier: Apache-2.0
"""Makes a go.mod by which another version of Kubernetes than the pinned one can be built.
Kubernetes' own go.mod takes its staging modules from its own tree; these are replaced
by their published twins, and all others are those that it names itself."""
import json
import re
import subprocess
from pathlib import Path

PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kubectl")


def run(go, folder, environment, *args):
    done = subprocess.run([go, *args], cwd=folder, env={**environment, "GOFLAGS": "-mod=mod"},
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"go {' '.join(args)}: {(done.stderr + done.stdout)[-2000:]}")
    return done.stdout


def go_mod_of(own, kubernetes, module):
    """The text of a go.mod that requires `kubernetes`, from the text of its own one."""
    twin = "v0." + kubernetes.split(".", 1)[1]
    wanted = re.search(r"^go (\S+)$", own, re.M)[1]
    staging = sorted(set(re.findall(r"^\s*(\S+) => \./staging/", own, re.M)))
    required = re.findall(r"^\s+(\S+ v\S+)(?: // indirect)?$", own, re.M)
    others = [line for line in required if line.split()[0] not in staging]
    return wanted, "\n".join([
        f"module {module}", "", f"go {wanted}", "", f"require k8s.io/kubernetes {kubernetes}", "",
        "require (", *(f"\t{line}" for line in others), ")", "",
        "replace (", *(f"\t{name} => {name} {twin}" for name in staging), ")", ""])


def write_modules(folder, kubernetes, environment, find_go):
    """Fills the folder with go.mod, go.sum and tools.go. find_go(version) gives a Go."""
    if (folder / "go.sum").exists():
        return
    answer = run(find_go("1.21"), "/", environment, "mod", "download", "-json", f"k8s.io/kubernetes@{kubernetes}")
    own = Path(json.loads(answer)["GoMod"]).read_text()
    wanted, text = go_mod_of(own, kubernetes, f"herald/kubernetes-{kubernetes}")
    imports = "".join(f'\t_ "k8s.io/kubernetes/cmd/{name}"\n' for name in PROGRAMS)
    (folder / "tools.go").write_text(f"//go:build tools\n\npackage tools\n\nimport (\n{imports})\n")
    (folder / "go.mod").write_text(text)
    run(find_go(wanted), folder, environment, "mod", "tidy")
