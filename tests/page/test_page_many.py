# SPDX-License-Identifier: Apache-2.0
"""The status page with 5,000 Services: all of them are found, and the browser never holds
more than a page of them."""
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.controller import Controllers
from harness.kube import Kube, service
from harness.mini import MiniApiServer
from harness.page import Speakers, ask

COUNT = 5000
CONFIG = """apiVersion: herald.io/v1
pools:
- name: large
  addresses: [10.64.0.0/16]
"""


def create(server, names):
    kube = Kube(server)
    for name in names:
        kube.create(service(name, allocateLoadBalancerNodePorts=False))
    kube.close()


@pytest.fixture(scope="module")
def scene(folder):
    with MiniApiServer(folder / "api") as server:
        names = [f"svc-{n:04}" for n in range(COUNT)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda part: create(server, names[part::4]), range(4)))
        controllers = Controllers(server, folder, CONFIG)
        speakers = Speakers(controllers.kube, "10.64.0.0/16")
        speakers.add("node1", "node2", "node3")
        controllers.start("c1", "--status-page")
        controllers.speakers = speakers
        yield controllers
        assert controllers.stop() == {"c1": 0}


def test_thousands_of_services(browser, scene):
    browser.wait_for("all addresses to be announced", lambda: ask("summary")["services"]["no-endpoints"] == COUNT, timeout=120)
    browser.wait_for("the page to say so", lambda: browser.text("#range") == "1–100 of 5,000")
    assert len(browser.services()) == 100
    browser.open("sort=name&page=50")
    browser.wait_for("the last page", lambda: browser.services()[-1] == f"default/svc-{COUNT - 1}")
    assert browser.text("#range") == "4,901–5,000 of 5,000" and browser.one("#next").get_attribute("href") is None
    browser.one("#previous").click()
    browser.wait_for("the page before", lambda: browser.services()[0] == "default/svc-4800")
    browser.open("q=svc-4321")
    browser.wait_for("the one", lambda: browser.services() == ["default/svc-4321"])
    # A node goes, and takes a third of them along: the timeline keeps the last thousand.
    scene.speakers.renew("node2", holder="")
    browser.wait_for("the move", lambda: "Moved" in browser.text("#timeline"), timeout=60)
    assert len(browser.all("#timeline li")) == 100 and browser.one("#more").is_displayed()
    entries = ask("timeline")
    assert entries["last"] > 1000 and len(entries["entries"]) == 1000
    assert browser.run("return document.querySelectorAll('*').length") < 3000
