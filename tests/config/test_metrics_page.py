# SPDX-License-Identifier: Apache-2.0
"""docs/metrics.md names every metric that the programs print, with its type and labels,
and no other (O02)."""
import re
import subprocess

from harness.controller import Controllers
from harness.mini import MiniApiServer
from harness.manifests import CONFIG as CONFIG_FOLDER
from harness.speaker import CONFIG as SPEAKER_CONFIG
from harness.speaker import Speakers
from harness.wait import wait_for

PAGE = CONFIG_FOLDER.parent / "docs/metrics.md"
VIP = "192.0.2.200"


def documented(*headings):
    """{name: (type, labels)} of the tables under these headings."""
    found = {}
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.M)[1:]:
        title, body = section.split("\n", 1)
        if title not in headings:
            continue
        for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \|(.*?)\|", body, re.M):
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


def start(workdir, lab, *options):
    """Both programs at work; {program: what /metrics of it says}."""
    server = MiniApiServer(workdir / "api", listen="10.199.0.1:0")
    speakers = Speakers(server, lab, workdir, SPEAKER_CONFIG + """bgp:
  asn: 64512
  peers: [{name: r1, peerASN: 64513, peerAddress: 192.0.2.254}]
""")
    controllers = Controllers(server, workdir, config=None)
    controllers.start("c1", *options)
    speakers.start(lab.nodes[0], args=["--bird-socket", workdir / "no-bird", "--bird-include", workdir / "include",
                                       *options])
    controllers.add("web", loadBalancerIP=VIP)
    speakers.owner(VIP, among=lab.nodes[:1])
    # The families that come with their first use.
    wait_for("the write to be counted", lambda: controllers.metric("herald_controller_service_requests_total") > 0)
    pages = {"herald-controller": controllers.page("c1", "/metrics"),
             "herald-speaker": speakers.page(lab.nodes[0], "/metrics")}
    for process in (*controllers.running.values(), *speakers.running.values()):
        process.stop()
    server.stop()
    return pages


def test_O02_page_names_every_metric(lab, workdir):
    for program, text in start(workdir, lab).items():
        assert printed(text) == documented("Of every program", program)
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), program


def test_C32_metallb_s_names_where_they_are_asked_for(lab, workdir):
    theirs = documented("MetalLB's names")
    seen = {}
    for program, text in start(workdir, lab, "--metallb-metrics").items():
        everything = printed(text)
        aliases = {name: what for name, what in everything.items() if name.startswith("metallb_")}
        assert {n: w for n, w in everything.items() if n not in aliases} == documented("Of every program", program)
        assert "metallb_k8s_client_config_loaded_bool 1\n" in text and "metallb_k8s_client_config_stale_bool 0\n" in text
        seen |= aliases
    assert seen == theirs
