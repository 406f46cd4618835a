# SPDX-License-Identifier: Apache-2.0
"""C03: clients in another subnet come through a router, whose neighbour entry has to follow
the address as well. This router heeds nothing that is said to all: no gratuitous ARP of either
form, no advertisement to all nodes, as some do by default and others are told to."""
import json
import sys

import pytest

from harness.lab import BACKEND, Host
from harness.netns import delete_netns, ip, set_sysctls
from harness.process import Process
from harness.wait import wait_for

VIP4, VIP6 = "192.0.2.200", "fd00:192:0:2::200"
BOTH = pytest.mark.parametrize("vip", [VIP4, VIP6], ids=["ipv4", "ipv6"])
DEAF = f"""
table arp router {{
  chain input {{
    type filter hook input priority 0;
    arp saddr ip {VIP4} arp daddr ip {VIP4} counter drop
  }}
}}
table ip6 router {{
  chain input {{
    type filter hook input priority 0;
    ip6 daddr ff02::1 icmpv6 type nd-neighbor-advert counter drop
  }}
}}
"""
SERVED = f"""
table inet proxy {{
  chain prerouting {{
    type nat hook prerouting priority -100;
    ip daddr {VIP4} tcp dport 80 redirect to :8080
    ip6 daddr {VIP6} tcp dport 80 redirect to :8080
  }}
}}
"""


@pytest.fixture
def router(lab, workdir):
    """The router; .remote is a client behind it, and the nodes serve by their own backends."""
    made = lab.add_host("router", "192.0.2.254")
    made.remote = Host("remote", "203.0.113.2")
    ip(f"link add eth1 netns {made.ns} type veth peer name eth0 netns {made.remote.ns}")
    for host, end in ((made, "1"), (made.remote, "2")):
        link = "eth1" if host is made else "eth0"
        ip(f"address add 203.0.113.{end}/24 dev {link}", host.ns)
        ip(f"address add fd00:203:0:113::{end}/64 dev {link}", host.ns)
        ip(f"link set {link} up", host.ns)
    ip("route add default via 203.0.113.1", made.remote.ns)
    ip("route add default via fd00:203:0:113::1", made.remote.ns)
    set_sysctls(made.ns, net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
    made.run("nft", DEAF)
    backends = []
    for node in lab.nodes:
        node.add_lan_route(f"203.0.113.0/24 via {made.ip}")
        node.add_lan_route(f"fd00:203:0:113::/64 via {made.ip6}")
        node.run("nft", SERVED)
        backends.append(Process(f"backend-{node.name}", [sys.executable, BACKEND, node.name, 8080], workdir, node.ns))
    yield made
    for backend in backends:
        backend.stop()
    delete_netns(made.remote.ns)


def served_by(router, vip):
    try:
        return router.remote.curl(f"http://[{vip}]/" if ":" in vip else f"http://{vip}/", timeout=1).split()[0]
    except RuntimeError:
        return None


def dropped(router):
    """What was said to all, and not heeded."""
    rules = json.loads(router.run("nft", "-j", "list", "ruleset").stdout)["nftables"]
    return sum(e["counter"]["packets"] for r in rules if "rule" in r for e in r["rule"]["expr"] if "counter" in e)


@BOTH
def test_C03_router_that_heeds_no_announcement_follows_the_failover(speakers, lab, router, vip):
    speakers.start()
    speakers.add_service("web", vip)
    owner = speakers.owner(vip)
    other = speakers.other(owner)
    wait_for("the remote client's answer", lambda: served_by(router, vip) == owner.name)
    assert router.neighbour(vip) == owner.mac
    before = dropped(router)
    owner.cut_switch_side()
    # It has nothing to forward meanwhile, and so asks nobody itself.
    wait_for("the router to be told", lambda: router.neighbour(vip) == other.mac, timeout=20)
    assert dropped(router) > before
    assert served_by(router, vip) == other.name
    assert speakers.metric(other, "herald_speaker_clients_told_total") >= 1
