# SPDX-License-Identifier: Apache-2.0
"""GoBGP as a router that peers with speakers. It takes routes into no kernel."""
import json

from harness.bgp_peer import Peer, Route
from harness.netns import run
from harness.process import Process

ORIGIN, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, COMMUNITIES, MP_REACH, EXTENDED, LARGE = 1, 2, 3, 4, 5, 8, 14, 16, 32
LINK_BANDWIDTH = 4


class GobgpPeer(Peer):
    kind = "gobgp"
    can = frozenset({"md5", "gr", "local_pref", "large", "port", "multihop", "long_lived"})

    def config(self):
        text = (f'[global.config]\n  as = {self.asn}\n  router-id = "{self.host.ip}"\n  port = {self.port}\n')
        for n in self.neighbours:
            text += f"""[[neighbors]]
  [neighbors.config]
    peer-as = {n.asn}
    neighbor-address = "{n.address}"
"""
            if n.password:
                text += f'    auth-password = "{n.password}"\n'
            if n.own_asn:
                text += f"    local-as = {n.own_asn}\n"
            text += f"""  [neighbors.timers.config]
    connect-retry = 1
    hold-time = {n.hold}
    keepalive-interval = {max(1, n.hold // 3)}
    idle-hold-time-after-reset = 1
  [neighbors.transport.config]
    remote-port = {n.port}
"""
            if n.multihop:
                text += "  [neighbors.ebgp-multihop.config]\n    enabled = true\n    multihop-ttl = 255\n"
            if n.ttl_security:
                text += "  [neighbors.ttl-security.config]\n    enabled = true\n    ttl-min = 255\n"
            if n.graceful_restart:
                text += "  [neighbors.graceful-restart.config]\n    enabled = true\n    helper-only = true\n    restart-time = 60\n"
                text += "    long-lived-enabled = true\n"
            for family in n.families:
                text += f'  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = "{family}-unicast"\n'
                if n.graceful_restart:
                    text += "    [neighbors.afi-safis.mp-graceful-restart.config]\n      enabled = true\n"
                    text += "    [neighbors.afi-safis.long-lived-graceful-restart.config]\n      enabled = true\n      restart-time = 3600\n"
        return text

    def launch(self):
        (self.folder / "gobgpd.toml").write_text(self.config())
        self.processes = [Process(f"peer-{self.host.name}", [
            "gobgpd", "-f", self.folder / "gobgpd.toml", "--api-hosts", "127.0.0.1:50051", "--pprof-disable"],
            self.log_folder, self.host.ns)]

    def ask(self, *words):
        done = run(["gobgp", "-j", *words], self.host.ns, timeout=20, check=False)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None

    def is_there(self):
        return self.ask("global") is not None

    def neighbour(self, key):
        return next((n for n in self.ask("neighbor") or [] if n["conf"]["neighbor_address"] == key), {})

    def is_up(self, key):
        return self.neighbour(key).get("state", {}).get("session_state") == 6

    def updates(self, key):
        return self.neighbour(key)["state"]["messages"]["received"].get("update", 0)

    def all_routes(self):
        return [self.make(prefix, path) for family in ("ipv4", "ipv6")
                for prefix, paths in (self.ask("global", "rib", "-a", family) or {}).items() for path in paths]

    def make(self, prefix, path):
        attributes = {a["type"]: a for a in path["attrs"]}
        as_path = tuple(asn for p in attributes.get(AS_PATH, {}).get("as_paths", []) for asn in p["asns"])
        communities = frozenset(f"{c >> 16}:{c & 0xffff}" for c in attributes.get(COMMUNITIES, {}).get("communities", []))
        large = frozenset(f"{c['ASN']}:{c['LocalData1']}:{c['LocalData2']}"
                          for c in attributes.get(LARGE, {}).get("value", []))
        bandwidth = [c["bandwidth"] for c in attributes.get(EXTENDED, {}).get("value", []) if c["subtype"] == LINK_BANDWIDTH]
        hop = attributes.get(NEXT_HOP, attributes.get(MP_REACH, {})).get("nexthop")
        return Route(prefix, path.get("source-id") and path.get("neighbor-ip"), hop, as_path,
                     attributes.get(LOCAL_PREF, {}).get("value"), attributes.get(MED, {}).get("metric"),
                     communities, large, bool(path.get("stale")), bandwidth[0] if bandwidth else None)
