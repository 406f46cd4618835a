# SPDX-License-Identifier: Apache-2.0
"""Speakers on the nodes of a lab, the objects that they need, and eyes on the wire."""
import json
import os
from pathlib import Path

from harness.kube import configmap, endpointslice, namespace, service
from harness.netns import run
from harness.process import Process
from harness.wait import wait_for

BIN = Path(os.environ.get("HERALD_BIN") or Path(__file__).resolve().parents[2] / "build/release/bin")
NAMESPACE = "herald-system"
STATUS_PORT = 7473
PORTS = ((80, "TCP", 8080), (80, "UDP", 8080))

CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [192.0.2.200-192.0.2.250, 198.51.100.0/24, 10.20.0.0/16, "fd00:192:0:2::200-fd00:192:0:2::2ff"]
"""


class Speakers:
    """`server` is a MiniApiServer or a RealApiServer; .running by node name. With
    config=None there is no ConfigMap until set_config(). `bin`: where the program is."""

    bin = BIN

    def __init__(self, server, lab, folder, config=CONFIG):
        self.server, self.lab, self.folder = server, lab, folder
        self.kube, self.kubeconfig = server.admin, server.kubeconfig
        self.running = {}
        self.has_config = False
        self.kube.ensure(namespace(NAMESPACE))
        if config is not None:
            self.set_config(config)
        for node in lab.nodes:
            self.kube.make_node(node.name, node.ip)

    def set_config(self, config):
        self.kube.ensure(configmap("herald-config", {"config.yaml": config}, NAMESPACE))
        self.has_config = True

    def start(self, *nodes, args=()):
        """`args`: further options, or a function of the node that gives them."""
        for node in nodes or self.lab.nodes:
            self.running[node.name] = Process(f"speaker-{node.name}", [
                self.bin / "herald-speaker", "--node-name", node.name, "--kubeconfig", self.kubeconfig,
                "--namespace", NAMESPACE, "--listen", f"127.0.0.1:{STATUS_PORT}",
                *(args(node) if callable(args) else args)], self.folder, node.ns)
        # Without a configuration a speaker is no member: it has nothing to announce.
        for node in nodes or self.lab.nodes:
            wait_for(f"the speaker on {node.name} to be alive",
                     lambda n=node: self.is_alive(n) if self.has_config else self.is_up(n))

    def is_up(self, node):
        self.running[node.name].require_running()
        return self.page(node, "/healthz")

    def is_alive(self, node):
        self.running[node.name].require_running()
        members = {m["node"]: m for m in self.status(node)["members"]}
        return members[node.name]["state"] == "alive" and members[node.name]["interfaces"]

    def page(self, node, path):
        return node.run("curl", "-sS", "--fail", "--max-time", 3, f"http://127.0.0.1:{STATUS_PORT}{path}").stdout

    def status(self, node):
        return json.loads(self.page(node, "/status"))

    def address(self, node, address):
        """What the node's status page says about an address, or None."""
        return next((a for a in self.status(node)["addresses"] if a["address"] == address), None)

    def metric(self, node, name, **labels):
        """The sum of the series of that name which have these labels."""
        total = 0.0
        for line in self.page(node, "/metrics").splitlines():
            if line.split("{")[0].split(" ")[0] == name and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def add_service(self, name, address, endpoints=None, ns="default", **spec):
        """A Service with an address (or a list of them) in its status, as the controller
        would write it."""
        self.kube.create(service(name, ns, ports=PORTS, allocateLoadBalancerNodePorts=False, **spec))
        if endpoints is not None:
            self.kube.create(endpointslice(name, endpoints, ns, ports=PORTS))
        self.set_address(name, address, ns)

    def set_address(self, name, address, ns="default"):
        addresses = [address] if isinstance(address, str) else address or []
        ingress = [{"ip": each} for each in addresses]
        self.kube.patch_status("services", name, {"status": {"loadBalancer": {"ingress": ingress}}}, ns)

    def owner(self, address, among=None):
        """The node that holds the address, once exactly one does and all agree."""
        def settled():
            views = {n.name: self.address(n, address) for n in among or self.lab.nodes if n.name in self.running}
            if any(v is None for v in views.values()):
                return None
            holders = [name for name, v in views.items() if v["state"] == "held"]
            others = [v["state"] for name, v in views.items() if name not in holders]
            owners = {v["owner"] for v in views.values()}
            if len(holders) == 1 and owners == set(holders) and set(others) <= {"none"}:
                return holders[0]
            return None
        name = wait_for(f"one owner of {address}", settled, timeout=15)
        return next(n for n in self.lab.nodes if n.name == name)

    def other(self, node):
        return next(n for n in self.lab.nodes if n is not node)

    def events(self, name, reason, ns="default"):
        return [e for e in self.kube.items("events", ns)
                if e["involvedObject"]["name"] == name and e["reason"] == reason]

    def stop(self):
        for process in self.running.values():
            process.stop()


ASK_ARP = """
import select, socket, struct, sys, time
interface, address, count, timeout = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as wire:
    wire.bind((interface, 0x0806))
    mac, ip = bytes.fromhex(sys.argv[5]), socket.inet_aton(address)
    own = socket.inet_aton("192.0.2.8")
    for _ in range(count):
        wire.send(b"\\xff" * 6 + mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
                  + mac + own + bytes(6) + ip)
    end = time.monotonic() + timeout
    while select.select([wire], [], [], max(0, end - time.monotonic()))[0]:
        frame = wire.recv(2048)
        if frame[:6] == mac and frame[20:22] == b"\\0\\2" and frame[28:32] == ip:
            print(frame[6:12].hex(":"))
"""

ASK_NDP = """
import select, socket, struct, sys, time
interface, address, count, timeout = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86dd)) as wire:
    wire.bind((interface, 0x86dd))
    mac, ip = bytes.fromhex(sys.argv[5]), socket.inet_pton(socket.AF_INET6, address)
    own = socket.inet_pton(socket.AF_INET6, "fd00:192:0:2::8")
    group = socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:0")[:13] + ip[13:]
    body = bytes([135, 0, 0, 0, 0, 0, 0, 0]) + ip + bytes([1, 1]) + mac
    total = sum(struct.unpack("!40H", own + group + struct.pack("!II", len(body), 58) + body + bytes(8)))
    total = (total & 0xffff) + (total >> 16)
    body = body[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + body[4:]
    for _ in range(count):
        wire.send(b"\\x33\\x33" + group[12:] + mac + struct.pack("!HIHBB", 0x86dd, 6 << 28, len(body), 58, 255)
                  + own + group + body)
    end = time.monotonic() + timeout
    while select.select([wire], [], [], max(0, end - time.monotonic()))[0]:
        frame = wire.recv(2048)
        if frame[:6] == mac and frame[20] == 58 and frame[54] == 136 and frame[62:78] == ip:
            print(frame[6:12].hex(":"))
"""


def arping(host, address, count=1, timeout=2):
    """The MACs that answer ARP requests or neighbour solicitations for the address, one per answer.
    Who asks is another station each time, behind the host's cable: nobody has told it anything."""
    script = ASK_NDP if ":" in address else ASK_ARP
    station = (b"\2" + os.urandom(5)).hex()
    return run(["/usr/bin/python3", "-c", script, host.lan_if, address, str(count), str(timeout), station],
               host.ns, timeout + 20, True).stdout.split()


def answers(host, address, wait=0.3):
    """The set of stations that answer for the address, heard for `wait` seconds."""
    return set(arping(host, address, timeout=wait))


SOLICITED = "ff0200000000000000000001ff000200"  # of ...::200, as /proc/net/igmp6 has it
GROUP_MAC = "33:33:ff:00:02:00"


def in_group(node, interface="eth0"):
    """Whether the kernel is a member of the solicited-node group of ...::200."""
    words = [line.split() for line in node.run("cat", "/proc/net/igmp6").stdout.splitlines()]
    return any(w[1] == interface and w[2] == SOLICITED for w in words)


def in_filter(node, interface="eth0"):
    """Whether the interface's own filter lets its frames through."""
    return GROUP_MAC in node.run("ip", "maddress", "show", "dev", interface).stdout


class Capture:
    """tcpdump on a host's lan interface; frames() gives scapy packets seen so far."""

    def __init__(self, host, folder, expression="arp"):
        self.path = Path(folder) / f"{host.name}.pcap"
        self.process = Process(f"tcpdump-{host.name}", [
            "tcpdump", "-i", host.lan_if, "-U", "--immediate-mode", "-w", self.path, expression], folder, host.ns)
        wait_for("tcpdump to listen", lambda: "listening on" in self.process.text())

    def frames(self):
        from scapy.all import rdpcap  # slow to import: only where it is needed
        return list(rdpcap(str(self.path))) if self.path.stat().st_size > 24 else []

    def gratuitous(self, address):
        """(operation, source MAC) of each gratuitous ARP frame for the address."""
        return [(f["ARP"].op, f["ARP"].hwsrc) for f in self.frames()
                if f.haslayer("ARP") and f["ARP"].psrc == address and f["ARP"].pdst == address]

    def advertised(self, address):
        """(source MAC, scapy's packet) of each unsolicited neighbour advertisement for the address."""
        return [(f.src, f) for f in self.frames() if f.haslayer("ICMPv6ND_NA")
                and f["ICMPv6ND_NA"].tgt == address and f["IPv6"].dst == "ff02::1"]

    def announced(self, address):
        """The MACs that announced it to all, in either family."""
        return [mac for _, mac in self.gratuitous(address)] + [mac for mac, _ in self.advertised(address)]

    def stop(self):
        self.process.stop()


def ask_forever(host, address, folder, interval=0.02, timeout=1.5):
    """A client that fetches http://ADDRESS/ again and again; each line of its log is
    'ok' or what failed, with the time."""
    return ask_by(f'urllib.request.urlopen("http://{address}/", timeout={timeout}).read()',
                  host, folder, interval)


def ask_datagrams_forever(host, address, folder, interval=0.001, timeout=1.5):
    """The same by UDP, each time from another port. No answer depends on what a node
    remembers of a connection, so that a move which loses nothing fails none of them."""
    return ask_by(f"""s = socket.socket(socket.AF_INET6 if ":" in {address!r} else socket.AF_INET, socket.SOCK_DGRAM)
        with s:
            s.settimeout({timeout})
            s.sendto(b"?", ({address!r}, 80))
            s.recv(100)""", host, folder, interval)


def ask_by(statements, host, folder, interval):
    script = f"""
import socket, time, urllib.request
while True:
    begin = time.monotonic()
    try:
        {statements}
        outcome = "ok"
    except Exception as error:
        outcome = "failed " + repr(error)
    print(f"{{begin:.4f}} {{time.monotonic():.4f}} {{outcome}}", flush=True)
    time.sleep({interval})
"""
    return Process(f"client-{host.name}", ["/usr/bin/python3", "-c", script], folder, host.ns)
