# SPDX-License-Identifier: Apache-2.0
"""docs/metrics.md names every metric that the programs print, with its type and labels,
and no other (O02)."""
import re

from harness.controller import Controllers
from harness.mini import MiniApiServer
from harness.manifests import CONFIG as CONFIG_FOLDER
from harness.speaker import CONFIG as SPEAKER_CONFIG
from harness.speaker import Speakers
from harness.wait import wait_for

PAGE = CONFIG_FOLDER.parent / "docs/metrics.md"
VIP = "192.0.2.200"


def documented(heading):
    """{name: (type, labels)} of the tables under "Of every program" and the heading."""
    found = {}
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.M)[1:]:
        title, body = section.split("\n", 1)
        if title not in ("Of every program", heading):
            continue
        for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", body, re.M):
            found[name] = kind, frozenset(re.findall(r"`(\w+)`", labels))
    return found


def printed(text):
    """The same of an exposition. A histogram's parts count as the histogram."""
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    labels = {name: set() for name in kinds}
    for name, block in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.M):
        family = name if name in kinds else re.sub(r"_(bucket|sum|count)$", "", name)
        labels[family] |= set(re.findall(r'(\w+)="', block)) - {"le"}
    return {name: (kind, frozenset(labels[name])) for name, kind in kinds.items()}


def test_O02_page_names_every_metric(lab, workdir):
    server = MiniApiServer(workdir / "api", listen="10.199.0.1:0")
    speakers = Speakers(server, lab, workdir, SPEAKER_CONFIG + """bgp:
  asn: 64512
  peers: [{name: r1, peerASN: 64513, peerAddress: 192.0.2.254}]
""")
    controllers = Controllers(server, workdir, config=None)
    controllers.start("c1")
    speakers.start(lab.nodes[0], args=["--bird-socket", workdir / "no-bird", "--bird-include", workdir / "include"])
    controllers.add("web", loadBalancerIP=VIP)
    speakers.owner(VIP, among=lab.nodes[:1])
    # The families that come with their first use.
    wait_for("the write to be counted", lambda: controllers.metric("herald_controller_service_requests_total") > 0)
    pages = {"herald-controller": controllers.page("c1", "/metrics"),
             "herald-speaker": speakers.page(lab.nodes[0], "/metrics")}
    for process in (*controllers.running.values(), *speakers.running.values()):
        process.stop()
    server.stop()
    for program, text in pages.items():
        assert printed(text) == documented(program)
