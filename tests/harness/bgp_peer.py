# SPDX-License-Identifier: Apache-2.0
"""What a test asks of a BGP router, whichever it is: harness/bgp_bird.py, bgp_frr.py,
bgp_gobgp.py and bgp_openbgpd.py answer it, each with a Debian package's own program in a
host's namespace.

    peer = FrrPeer(lab.add_host("frr", "192.0.2.61"), 64601, workdir, [Neighbour("192.0.2.11", 64512)])
    peer.is_up("192.0.2.11"), peer.routes("192.0.2.200/32"), peer.updates("192.0.2.11")
"""
import dataclasses
import shutil
import struct
import tempfile
from pathlib import Path

from harness.wait import wait_for


@dataclasses.dataclass
class Neighbour:
    """The other end of a session, as this router is to be told of it. An interface in the
    place of an address is a session between link-local addresses."""

    address: str = ""
    asn: int = 64512
    interface: str = ""
    password: str = ""
    bfd: bool = False
    bfd_interval: int = 100  # ms, three times
    multihop: bool = False
    families: tuple = ("ipv4", "ipv6")
    port: int = 179
    hold: int = 90
    own_asn: int = 0  # 0: the router's
    local: str = ""  # our end's address; "": the host's
    graceful_restart: bool = True
    ttl_security: bool = False

    @property
    def key(self):
        return self.address or self.interface


@dataclasses.dataclass(frozen=True)
class Route:
    """As received; .via is the key of its neighbour. Communities are "64512:7", large ones
    "64512:1:2"; .stale: kept though its neighbour is gone, until that is back."""

    prefix: str
    via: str
    next_hop: str
    as_path: tuple
    local_pref: int | None = None
    med: int | None = None
    communities: frozenset = frozenset()
    large: frozenset = frozenset()
    stale: bool = False
    bandwidth: float | None = None  # of the link bandwidth community, in bytes a second


WELL_KNOWN = {"graceful-shutdown": "65535:0", "gracefulShutdown": "65535:0", "GRACEFUL_SHUTDOWN": "65535:0",
              "no-export": "65535:65281", "noExport": "65535:65281", "NO_EXPORT": "65535:65281",
              "no-advertise": "65535:65282", "noAdvertise": "65535:65282", "NO_ADVERTISE": "65535:65282",
              "llgr-stale": "65535:6", "llgrStale": "65535:6", "LLGR_STALE": "65535:6"}


def communities_of(words):
    """As numbers, whatever a router calls the well-known ones."""
    return frozenset(WELL_KNOWN.get(word, word) for word in words)


def bandwidth_of(bits):
    """The link bandwidth community's value, where a router shows the float's bits."""
    return struct.unpack("f", struct.pack("I", bits))[0]


class Peer:
    """A router in `host`'s namespace that takes whatever its neighbours send."""

    kind = ""
    can = frozenset()  # of FEATURES

    def __init__(self, host, asn, log_folder, neighbours, port=179):
        self.host, self.asn, self.neighbours, self.port = host, asn, list(neighbours), port
        self.log_folder = log_folder
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.kind}-"))
        self.folder.chmod(0o755)
        self.processes = []
        self.start()

    def start(self):
        self.launch()
        wait_for(f"{self.kind} on {self.host.name}", self.answers, timeout=20)

    def answers(self):
        for process in self.processes:
            process.require_running()
        return self.is_there()

    def launch(self):
        raise NotImplementedError

    def is_there(self):
        """It answers questions."""
        raise NotImplementedError

    def is_up(self, key):
        """The session with that neighbour is established."""
        raise NotImplementedError

    def connect_now(self, key):
        """Begins anew soon, where a router by itself pauses for minutes after sessions that failed."""

    def updates(self, key):
        """UPDATE messages received from that neighbour in this session."""
        raise NotImplementedError

    def all_routes(self):
        raise NotImplementedError

    def routes(self, prefix):
        """One from each neighbour that has sent it."""
        return [route for route in self.all_routes() if route.prefix == prefix]

    def prefixes(self):
        return {route.prefix for route in self.all_routes()}

    def route(self, prefix):
        """The one route to it, or None."""
        found = self.routes(prefix)
        assert len(found) <= 1, found
        return found[0] if found else None

    def stop(self):
        for process in self.processes[::-1]:
            process.stop()
        self.processes = []

    def kill(self):
        for process in self.processes[::-1]:
            process.kill()
        self.processes = []

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
