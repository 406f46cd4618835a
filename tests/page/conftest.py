# SPDX-License-Identifier: Apache-2.0
"""One API server, one controller with its status page and one browser for a whole file;
each test has the page to itself, and names of its own."""
import pytest

from harness.browser import Browser
from harness.controller import Controllers
from harness.mini import MiniApiServer
from harness.page import Speakers, add_service

CONFIG = """apiVersion: herald.io/v1
pools:
- name: public
  addresses: [198.51.100.1-198.51.100.40]
- name: internal
  addresses: [10.20.0.0/24, "2001:db8:20::/120"]
  autoAssign: false
"""


class Scene:
    """A small cluster with a bit of everything."""

    def __init__(self, server, folder, *args):
        self.config = CONFIG
        self.controllers = Controllers(server, folder, CONFIG)
        self.kube = self.controllers.kube
        self.speakers = Speakers(self.kube)
        self.controllers.start("c1", "--status-page", *args)

    def fill(self):
        self.speakers.add("node1", "node2", "node3")
        self.kube.make_node("control1", "192.0.2.100")
        for n in range(1, 9):
            add_service(self.kube, f"web-{n}", endpoints=2)
        add_service(self.kube, "no-pods", endpoints=0)
        add_service(self.kube, "elsewhere", loadBalancerIP="203.0.113.9")
        for n in range(1, 9):
            self.controllers.assigned(f"web-{n}")
        self.controllers.assigned("no-pods")
        self.controllers.refused("elsewhere", "AddressOutsidePools")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def scene(folder):
    with MiniApiServer(folder / "api") as server:
        made = Scene(server, folder)
        made.fill()
        yield made
        assert made.controllers.stop() == {"c1": 0}


@pytest.fixture(scope="module")
def window(folder):
    made = Browser(folder)
    yield made
    made.close()


@pytest.fixture
def browser(window, scene):
    """The page, as it is at first."""
    window.prefer(color_scheme="light")
    window.requests()
    window.complaints()
    yield window.open()
    assert window.complaints() == []
