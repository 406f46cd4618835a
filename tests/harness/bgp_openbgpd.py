# SPDX-License-Identifier: Apache-2.0
"""OpenBGPD as a router that peers with speakers. It takes routes into no kernel here."""
import json
import pwd
import re
from pathlib import Path

from harness.bgp_peer import Peer, Route, bandwidth_of
from harness.netns import run
from harness.process import Process


class OpenbgpdPeer(Peer):
    kind = "openbgpd"
    can = frozenset({"md5", "gr", "local_pref", "large", "port", "multihop"})

    def config(self):
        text = f"""AS {self.asn}
router-id {self.host.ip}
socket "{self.folder}/socket"
listen on 0.0.0.0 port {self.port}
listen on :: port {self.port}
fib-update no
"""
        for n in self.neighbours:
            text += f"neighbor {n.address} {{\n  remote-as {n.asn}\n  holdtime {n.hold}\n"
            text += f"  local-as {n.own_asn}\n" if n.own_asn else ""
            text += f"  port {n.port}\n" if n.port != 179 else ""
            text += f'  tcp md5sig password "{n.password}"\n' if n.password else ""
            text += "  ttl-security yes\n" if n.ttl_security else ""
            text += "  multihop 255\n" if n.multihop else ""
            text += "".join(f"  announce {'IPv4' if f == 'ipv4' else 'IPv6'} unicast\n" for f in n.families)
            if "ipv4" not in n.families:
                text += "  announce IPv4 none\n"
            text += f"  announce restart {'yes' if n.graceful_restart else 'no'}\n}}\n"
        return text + "allow from any\ndeny to any\n"

    def launch(self):
        # Where its package would have it live; the package makes it when the machine boots.
        Path(pwd.getpwnam("_openbgpd").pw_dir).mkdir(exist_ok=True)
        path = self.folder / "bgpd.conf"
        path.write_text(self.config())
        path.chmod(0o600)
        self.processes = [Process(f"peer-{self.host.name}", ["/usr/sbin/bgpd", "-d", "-f", path],
                                  self.log_folder, self.host.ns)]

    def ask(self, *words):
        done = run(["bgpctl", "-j", "-s", self.folder / "socket", *words], self.host.ns, timeout=20, check=False)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None

    def is_there(self):
        return self.ask("show", "neighbor") is not None

    def neighbour(self, key):
        return next((n for n in (self.ask("show", "neighbor") or {}).get("neighbors", [])
                     if n["remote_addr"] == key), {})

    def is_up(self, key):
        return self.neighbour(key).get("state") == "Established"

    def connect_now(self, key):
        run(["bgpctl", "-s", self.folder / "socket", "neighbor", key, "clear"], self.host.ns, timeout=20)

    def updates(self, key):
        return self.neighbour(key)["stats"]["message"]["received"]["updates"]

    def all_routes(self):
        return [self.make(r) for r in (self.ask("show", "rib", "detail") or {}).get("rib", [])]

    def make(self, r):
        names = {"GRACEFUL_SHUTDOWN": "65535:0"}
        attributes = {"communities": [], "large_communities": []}
        for a in r.get("attributes", []):
            attributes.setdefault(a.get("type"), a)
        communities = frozenset(names.get(c, c) for c in r.get("communities", []))
        bandwidth = re.search(r"\[4\] \d+:(\d+)", " ".join(r.get("extended_communities", [])))
        return Route(r["prefix"], r["neighbor"]["remote_addr"], r["exit_nexthop"],
                     tuple(int(a) for a in r["aspath"].split()), r.get("localpref"), r.get("metric"),
                     communities, frozenset(r.get("large_communities", [])), bool(r.get("stale")),
                     bandwidth_of(int(bandwidth[1])) if bandwidth else None)
