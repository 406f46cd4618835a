# SPDX-License-Identifier: Apache-2.0
"""The folder with etcd, kube-apiserver, kube-controller-manager, kube-proxy and kubectl."""
import functools
import subprocess
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "cluster" / "build"
NO_TOOLCHAIN = 77


class NoToolchain(Exception):
    """The programs can't be built on this machine; the text says why."""


@functools.cache
def cluster_binaries():
    """Builds what is missing (about six minutes, once) and returns the folder."""
    done = subprocess.run([BUILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == NO_TOOLCHAIN:
        raise NoToolchain(done.stderr.strip())
    if done.returncode != 0:
        raise RuntimeError(f"tests/cluster/build failed:\n{done.stderr[-4000:]}")
    return Path(done.stdout.splitlines()[-1])
