# SPDX-License-Identifier: Apache-2.0
"""BIRD 2 as a router that peers with speakers."""
import re

from harness.bgp_peer import Peer, Route, bandwidth_of
from harness.netns import run
from harness.process import Process

HEAD = """log stderr all;
router id {router_id};
protocol device {{ scan time 10; }}
protocol bfd {{ interface "*" {{ interval 100 ms; multiplier 3; }}; }}
protocol direct {{ ipv4; ipv6; }}
protocol kernel {{ ipv4 {{ export where source = RTS_BGP; }}; merge paths on; }}
protocol kernel {{ ipv6 {{ export where source = RTS_BGP; }}; merge paths on; }}
"""


class BirdPeer(Peer):
    kind = "bird"
    can = frozenset({"md5", "bfd", "unnumbered", "gr", "local_pref", "large", "port", "multihop", "long_lived"})

    @property
    def socket(self):
        return self.folder / "socket"

    def name_of(self, key):
        return f"n{[n.key for n in self.neighbours].index(key)}"

    def write_config(self):
        text = HEAD.format(router_id=self.host.ip)
        for n in self.neighbours:
            text += f"protocol bgp {self.name_of(n.key)} {{\n"
            own = n.local or (self.host.ip if "." in n.address else "")
            text += f"  local {own} port {self.port} as {n.own_asn or self.asn};\n"
            if n.address:
                text += f"  neighbor {n.address} port {n.port} as {n.asn};\n"
            else:
                text += f"  neighbor range fe80::/10 as {n.asn};\n  interface \"{n.interface}\";\n"
            text += "  multihop;\n" if n.multihop else "  direct;\n"
            text += f"  hold time {n.hold};\n  connect retry time 1;\n  connect delay time 1;\n  error wait time 1, 2;\n"
            text += f'  password "{n.password}";\n' if n.password else ""
            text += "  ttl security on;\n" if n.ttl_security else ""
            text += f"  bfd {{ interval {n.bfd_interval} ms; multiplier 3; }};\n" if n.bfd else ""
            text += "  graceful restart on;\n" if n.graceful_restart else "  graceful restart off;\n"
            text += "  ipv4 { import all; export none; extended next hop on; };\n" if "ipv4" in n.families else ""
            text += "  ipv6 { import all; export none; };\n" if "ipv6" in n.families else ""
            text += "}\n"
        (self.folder / "bird.conf").write_text(text)

    def launch(self):
        self.write_config()
        self.processes = [Process(f"peer-{self.host.name}", [
            "bird", "-f", "-c", self.folder / "bird.conf", "-s", self.socket, "-P", self.folder / "pid"],
            self.log_folder, self.host.ns)]

    def reconfigure(self):
        self.write_config()
        self.ask("configure")

    def ask(self, command):
        return run(["birdc", "-v", "-s", self.socket, command], self.host.ns, timeout=20, check=False).stdout

    def is_there(self):
        return "ready" in self.ask("show status")

    def show(self, key):
        # A session by range is one of its own, made when the neighbour calls.
        for name in (self.name_of(key), "dynbgp1"):
            text = self.ask(f"show protocols all {name}")
            if "BGP state:          Established" in text:
                return text
        return ""

    def is_up(self, key):
        return bool(self.show(key))

    def updates(self, key):
        """BIRD counts routes, not messages: those of both families, and what was withdrawn."""
        text = self.show(key)
        return sum(int(n) for n in re.findall(r"Import (?:updates|withdraws): +(\d+)", text))

    def all_routes(self):
        names = {self.name_of(n.key): n.key for n in self.neighbours}
        routes, prefix, via, fields = [], None, None, {}

        def end():
            if via and fields:
                routes.append(self.make(prefix, via, fields))
        for line in self.ask("show route all").splitlines():
            text = line[5:]  # a code, or as many blanks
            head = re.match(r"(\S+/\d+)?\s+(?:unicast|unreachable|blackhole) \[(\S+) ", text)
            if head:
                end()
                prefix = head[1] or prefix
                via, fields = names.get(head[2], "dyn" if head[2].startswith("dynbgp") else None), {"line": text}
            elif m := re.match(r"\s+(?:via (\S+)|BGP\.(\w+):(.*))", text):
                fields[m[2] or "via"] = (m[3] if m[2] else m[1]).strip()
        end()
        return routes

    def make(self, prefix, via, fields):
        def parts(text):
            return frozenset(group.replace(",", ":").replace(" ", "") for group in re.findall(r"\(([^)]*)\)", text))
        if via == "dyn":
            via = next(n.key for n in self.neighbours if n.interface)
        bandwidth = re.search(r"\(unknown 0x4, \d+, (\d+)\)", fields.get("ext_community", ""))
        return Route(prefix, via, fields.get("next_hop", "").split(" ")[0],
                     tuple(int(a) for a in fields.get("as_path", "").split()),
                     int(fields["local_pref"]) if "local_pref" in fields else None,
                     int(fields["med"]) if "med" in fields else None,
                     parts(fields.get("community", "")), parts(fields.get("large_community", "")),
                     bool(re.search(r"\(\d+s?[^)]*s\)", fields["line"])),
                     bandwidth_of(int(bandwidth[1])) if bandwidth else None)
