# SPDX-License-Identifier: Apache-2.0
"""kube-proxy in a node's namespace."""
import functools
import os

from harness.binaries import cluster_binaries
from harness.netns import run
from harness.process import Process
from harness.wait import wait_for

POD_NETWORK = "10.244.0.0/16"
MODES = ("nftables", "iptables", "ipvs")


@functools.cache
def missing_for(mode):
    """Why this kernel can't run kube-proxy in that mode, or None."""
    if mode != "ipvs":
        return None
    lacks = []
    # In a namespace of its own, so that the probe leaves nothing behind.
    if run(["unshare", "--net", "ip", "link", "add", "probe", "type", "dummy"], check=False).returncode != 0:
        lacks.append("dummy interfaces (CONFIG_DUMMY)")
    if not os.path.exists("/proc/net/ip_vs") and run(["modprobe", "ip_vs"], check=False).returncode != 0:
        lacks.append("IPVS (CONFIG_IP_VS)")
    return f"the kernel has no {' and no '.join(lacks)}" if lacks else None


def gates(mode, api):
    """Before 1.31 the nftables mode has to be switched on."""
    return ["--feature-gates=NFTablesProxyMode=true"] if mode == "nftables" and api.minor < 31 else []


def start_kube_proxy(node, api, folder, mode="nftables", args=()):
    """Starts kube-proxy on the node and returns it (a Process) once it has synced.

    Its health is served on the node's port 10256, as in a cluster."""
    proxy = Process(f"kube-proxy-{node.name}", [
        cluster_binaries() / "kube-proxy", "--kubeconfig", api.kubeconfig, f"--proxy-mode={mode}",
        f"--hostname-override={node.name}", f"--cluster-cidr={POD_NETWORK}",
        # Limits of the machine, not of a namespace: leave them as they are.
        "--conntrack-max-per-core=0", "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0s", "--conntrack-tcp-timeout-close-wait=0s", *gates(mode, api), *args], folder, node.ns)
    wait_for(f"kube-proxy on {node.name} to sync", lambda: is_synced(node, proxy), timeout=30)
    return proxy


def is_synced(node, proxy):
    proxy.require_running()
    return node.curl("http://127.0.0.1:10256/healthz", timeout=2)
