# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, bridges and veths: a thin layer over `ip`."""
import json
import subprocess


def run(argv, netns=None, timeout=30, check=True):
    """Runs a command to its end; a failure raises with all that it printed."""
    done = subprocess.run(inside(netns, argv), capture_output=True, text=True,
                          timeout=timeout, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))} (in {netns or 'the sandbox'}) "
                           f"ended with {done.returncode}: {done.stderr.strip()}")
    return done


def inside(netns, argv):
    """The command line that runs argv in a namespace (None: this one)."""
    prefix = ["ip", "netns", "exec", netns] if netns else []
    return prefix + [str(word) for word in argv]


def ip(command, netns=None):
    """ip("link set eth0 up", "node1"): one `ip` command."""
    return run(["ip", *(["-n", netns] if netns else []), *command.split()])


def ip_json(command, netns=None):
    return json.loads(run(["ip", "-j", *(["-n", netns] if netns else []), *command.split()]).stdout or "[]")


def add_netns(name):
    ip(f"netns add {name}")
    ip("link set lo up", name)


def delete_netns(name):
    ip(f"netns delete {name}")


def set_sysctls(netns, **values):
    """set_sysctls("node1", net__ipv4__ip_forward=1)"""
    run(["sysctl", "-q", "-w", *(f"{key.replace('__', '.')}={value}" for key, value in values.items())], netns)


def add_bridge(name):
    # A MAC of its own: by default it is a port's, and then that port, taken out of the
    # bridge, goes on delivering to this namespace what is sent to the bridge.
    mac = "02:00:" + ":".join(f"{byte:02x}" for byte in name.encode()[:4].ljust(4, b"\0"))
    ip(f"link add {name} address {mac} type bridge forward_delay 0")
    ip(f"link set {name} up")


def add_veth(outer, bridge, netns, inner, mac=None):
    """A veth between `inner` in netns and `outer` here, which is a port of the bridge."""
    address = f"address {mac}" if mac else ""
    ip(f"link add {outer} type veth peer name {inner} {address} netns {netns}")
    ip(f"link set {outer} master {bridge} up")
    ip(f"link set {inner} up", netns)
