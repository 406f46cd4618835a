# SPDX-License-Identifier: Apache-2.0
"""FRR as a router that peers with speakers: zebra, bfdd and bgpd in a namespace."""
import json
import re
import shutil

from harness.bgp_peer import Peer, Route, communities_of
from harness.netns import run
from harness.process import Process
from harness.wait import wait_for

BIN = "/usr/lib/frr"


class FrrPeer(Peer):
    kind = "frr"
    can = frozenset({"md5", "bfd", "unnumbered", "gr", "local_pref", "large", "port", "multihop", "long_lived"})

    def config(self):
        lines = ["frr defaults datacenter", f"hostname {self.host.name}", f"router bgp {self.asn}",
                 f" bgp router-id {self.host.ip}", " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast",
                 " bgp bestpath as-path multipath-relax",
                 " bgp long-lived-graceful-restart stale-time 3600", " timers bgp 30 90"]
        for n in self.neighbours:
            name = n.address or n.interface
            kind = "interface remote-as" if n.interface else "remote-as"
            lines.append(f" neighbor {name} {kind} {n.asn}")
            lines.append(f" neighbor {name} timers {max(1, n.hold // 3)} {n.hold}")
            lines.append(f" neighbor {name} timers connect 1")
            if n.port != 179:
                lines.append(f" neighbor {name} port {n.port}")
            if n.password:
                lines.append(f" neighbor {name} password {n.password}")
            if n.bfd:
                lines.append(f" neighbor {name} bfd 3 {n.bfd_interval} {n.bfd_interval}")
            if n.multihop:
                lines.append(f" neighbor {name} ebgp-multihop 255")
            if n.ttl_security:
                lines.append(f" neighbor {name} ttl-security hops 1")
            if n.own_asn:
                lines.append(f" neighbor {name} local-as {n.own_asn} no-prepend replace-as")
            if n.interface:
                lines.append(f" neighbor {name} capability extended-nexthop")
            if n.graceful_restart:
                lines.append(f" neighbor {name} graceful-restart-helper")
            else:
                lines.append(f" neighbor {name} graceful-restart-disable")
        for family in ("ipv4", "ipv6"):
            lines.append(f" address-family {family} unicast")
            for n in self.neighbours:
                if family in n.families:
                    lines.append(f"  neighbor {n.address or n.interface} activate")
                    lines.append(f"  neighbor {n.address or n.interface} soft-reconfiguration inbound")
            lines.append(" exit-address-family")
        return "\n".join([*lines, "exit", ""])

    def any_interface(self):
        return next((n.interface for n in self.neighbours if n.interface), "")

    def launch(self):
        ports = f"interface {self.any_interface()}\n ipv6 nd ra-interval 1\n no ipv6 nd suppress-ra\n"
        self.write("zebra.conf", ports if self.any_interface() else "")
        self.write("bfdd.conf", "")
        self.write("bgpd.conf", self.config())
        # Its daemons leave root for a user of their own.
        for path in (self.folder, *self.folder.glob("*.conf")):
            shutil.chown(path, "frr", "frr")
        self.run_daemon("zebra")
        # Without zebra bgpd would not know the networks that its first sessions are in.
        wait_for("zebra", (self.folder / "zserv.api").exists)
        self.run_daemon("bfdd", "--bfdctl", self.folder / "bfdd.sock")
        self.run_daemon("bgpd", "-p", str(self.port))

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def run_daemon(self, name, *args):
        self.processes.append(Process(f"peer-{self.host.name}-{name}", [
            f"{BIN}/{name}", "-A", "127.0.0.1", "-P", "0", "-f", self.folder / f"{name}.conf",
            "--vty_socket", self.folder, "-i", self.folder / f"{name}.pid", "-z", self.folder / "zserv.api",
            "--log", "stdout", *args], self.log_folder, self.host.ns))

    def ask(self, command):
        """What vtysh prints for one command."""
        return run(["vtysh", "--vty_socket", self.folder, "-c", command], self.host.ns, timeout=20, check=False).stdout

    def ask_json(self, command):
        try:
            return json.loads(self.ask(command) or "{}")
        except json.JSONDecodeError:
            return {}

    def is_there(self):
        return "vrfId" in self.ask_json("show bgp summary json").get("ipv4Unicast", {}) or \
            self.ask("show bgp summary").strip() != "" and "failed to connect" not in self.ask("show bgp summary")

    def neighbour(self, key):
        return next(iter(self.ask_json(f"show bgp neighbors {key} json").values()), {})

    def is_up(self, key):
        return self.neighbour(key).get("bgpState") == "Established"

    def updates(self, key):
        return self.neighbour(key)["messageStats"]["updatesRecv"]

    def prefixes(self):
        return {prefix for family in ("ipv4", "ipv6")
                for prefix in self.ask_json(f"show bgp {family} unicast json").get("routes", {})}

    def routes(self, prefix):
        family = "ipv6" if ":" in prefix else "ipv4"
        answer = self.ask_json(f"show bgp {family} unicast {prefix} json")
        return [self.make(prefix, path) for path in answer.get("paths", [])]

    def make(self, prefix, path):
        by_name = {n.address or n.interface: n.key for n in self.neighbours}
        peer = path.get("peer", {})
        via = by_name.get(peer.get("peerId")) or by_name.get(peer.get("hostname")) or by_name.get(peer.get("interface"))
        hops = [h["ip"] for h in path["nexthops"]]
        path_as = tuple(asn for segment in path["aspath"]["segments"] for asn in segment["list"])
        bandwidth = re.search(r"LB:\d+:(\d+)", path.get("extendedCommunity", {}).get("string", ""))
        return Route(prefix, via, hops[0], path_as, path.get("locPrf"), path.get("metric"),
                     communities_of(path.get("community", {}).get("list", [])),
                     frozenset(path.get("largeCommunity", {}).get("list", [])), bool(path.get("stale")),
                     float(bandwidth[1]) if bandwidth else None)
