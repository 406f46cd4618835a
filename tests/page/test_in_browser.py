# SPDX-License-Identifier: Apache-2.0
"""The status page in a real Chromium: what it shows, how it is filtered and linked to, that
keyboard and screen reader suffice, light and dark, and that the cluster's texts are never
taken for markup."""
import re

import pytest
from selenium.webdriver.common.keys import Keys

from harness.page import URL, fetch, row
from harness.wait import wait_for

WEBS = [f"default/web-{n}" for n in range(1, 9)]


def test_shows_services_pools_and_nodes(browser):
    browser.wait_for("all Services", lambda: browser.services() == ["default/elsewhere", "default/no-pods", *WEBS])
    rows = dict(zip(browser.services(), browser.texts("#rows tr")))
    address = row("web-2")["addresses"][0]
    for text in ("OK", address["address"], "public", address["owner"], "2 of 2"):
        assert text in rows["default/web-2"]
    assert "Pending" in rows["default/elsewhere"] and "No endpoints" in rows["default/no-pods"]
    assert any(text.split() == ["public", "IPv4", "9", "of", "40"] for text in browser.texts("#pools tr"))
    assert any("control1" in text and "no speaker runs there" in text for text in browser.texts("#nodes tr"))
    assert "c1, leads" in browser.text("#replica") and browser.text("#range") == "1–10 of 10"


def test_asks_nobody_but_its_own_server(browser):
    asked = browser.requests()
    assert asked and [url for url in asked if not url.startswith((URL, "about:"))] == []


def test_filters_and_their_links(browser):
    """What is filtered stands in the fragment, and the fragment filters; Back goes back."""
    def shows(*names):
        browser.wait_for(f"{names} alone", lambda: browser.services() == list(names))
    browser.one("#q").send_keys("web-4")
    shows("default/web-4")
    assert browser.fragment() == "q=web-4"
    browser.one("#clear").click()
    shows("default/elsewhere", "default/no-pods", *WEBS)
    assert browser.fragment() == ""
    next(a for a in browser.all("#health a") if a.text.startswith("Pending")).click()
    shows("default/elsewhere")
    assert browser.fragment() == "health=pending"
    assert browser.text("#health a[aria-current]").startswith("Pending")
    browser.driver.back()
    shows("default/elsewhere", "default/no-pods", *WEBS)
    owner = row("web-1")["addresses"][0]["owner"]
    next(a for a in browser.all("#nodes a") if a.text == owner).click()
    browser.wait_for("one node's alone", lambda: set(browser.texts("#rows td:nth-child(5)")) == {owner})
    assert browser.run("return document.querySelector('#node').value") == owner
    browser.open("namespace=default&health=ok&sort=name&order=desc")
    shows(*reversed(WEBS))
    browser.open("q=nothing-like-this")
    browser.wait_for("no Service", lambda: browser.text("#range") == "No Service matches")


def test_link_to_one_service(browser):
    browser.open("service=default/elsewhere")
    browser.wait_for("the detail", lambda: "AddressOutsidePools" in browser.text("#detail"))
    assert "in no pool; ask for another address, or add it to a pool" in browser.text("#detail")
    assert "kubectl -n default describe service elsewhere" in browser.text("#detail")
    browser.press(Keys.ESCAPE)
    browser.wait_for("it to be closed", lambda: not browser.one("#detail").is_displayed() and browser.fragment() == "")
    next(a for a in browser.all("#rows a") if a.text == "default/web-1").click()
    browser.wait_for("the verdicts", lambda: "no speaker runs there" in browser.text("#detail"))
    assert browser.fragment() == "service=default%2Fweb-1"
    browser.open("service=default/none")
    browser.wait_for("to be told", lambda: "no such Service" in browser.text("#detail"))


def test_keyboard_alone(browser):
    browser.press(Keys.TAB)
    assert browser.focus() == "skip"
    browser.press(Keys.ENTER)
    assert browser.focus() == "services-title"
    browser.press("/")
    assert browser.focus() == "q"
    browser.press("no-pods")
    browser.wait_for("it alone", lambda: browser.services() == ["default/no-pods"])
    assert browser.focus() == "q"
    browser.press(*[Keys.BACKSPACE] * len("no-pods"))
    browser.wait_for("all again", lambda: len(browser.services()) == 10)
    while browser.focus() != "Service":
        browser.press(Keys.TAB)
    browser.press(Keys.ENTER)
    browser.wait_for("the order", lambda: browser.fragment() == "sort=name")
    browser.press(Keys.ENTER)
    browser.wait_for("it turned", lambda: browser.services()[0] == WEBS[-1])
    assert browser.run("return document.querySelector('[aria-sort]').innerText + document.querySelector('[aria-sort]').ariaSort") \
        == "Servicedescending"
    while browser.focus() != WEBS[-1]:
        browser.press(Keys.TAB)
    browser.press(Keys.ENTER)
    browser.wait_for("the detail", lambda: browser.focus() == "detail-title")
    # The rows are drawn anew while it is open.
    browser.run("document.querySelector('#rows').replaceChildren(...[...document.querySelectorAll('#rows tr')].map("
                "(row) => row.cloneNode(true)))")
    browser.press(Keys.ESCAPE)
    browser.wait_for("the way back", lambda: browser.focus() == WEBS[-1])


def test_screen_reader_finds_its_way(browser):
    tree = browser.tree()
    for expected in (("RootWebArea", "Herald"), ("banner", ""), ("main", ""), ("heading", "Services"),
                     ("heading", "Pools"), ("heading", "Nodes"), ("heading", "Timeline"), ("region", "Services"),
                     ("search", "Filter the Services"), ("searchbox", "Find"), ("combobox", "Node"),
                     ("navigation", "Pages of Services"), ("list", "Timeline"), ("link", "default/web-1"),
                     ("rowheader", "default/web-1"), ("columnheader", "Address"),
                     ("table", "Services of type LoadBalancer that are Herald's"),
                     ("progressbar", "public, IPv4: 9 of 40 in use"), ("link", "Skip to the Services")):
        assert expected in tree, expected
    nameless = [node for node in tree if node[0] in ("button", "link", "searchbox", "combobox", "progressbar", "table", "img")
                and not node[1]]
    assert nameless == []


def contrasts(browser):
    """{text: ratio} of what is shown, by WCAG 2's formula."""
    return browser.run("""
        const parse = (text) => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = (e) => { for (; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
        const found = {};
        for (const e of document.querySelectorAll('h1, h2, th, td, label, .state, .why, td a, #health a, header p')) {
            if (!e.innerText.trim() || !e.checkVisibility()) continue;
            const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
            found[e.innerText.trim().slice(0, 40)] = (a + 0.05) / (b + 0.05);
        }
        return found;""")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_legible_in_light_and_dark(browser, scheme):
    browser.prefer(color_scheme=scheme, reduced_motion="reduce")
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 200) == (scheme == "dark")
    found = contrasts(browser)
    assert len(found) > 30 and {text: ratio for text, ratio in found.items() if ratio < 4.5} == {}


def test_timeline_is_live(browser, scene):
    """Without loading anything anew: an address, a failover, and the way back."""
    loads = browser.run("return performance.getEntriesByType('navigation').length && performance.timeOrigin")

    def told(*words):
        return browser.wait_for(f"{words} in the timeline", lambda: any(
            all(word in text for word in words) for text in browser.texts("#timeline li")))
    scene.controllers.add("fresh")
    told("Assigned", "default/fresh")
    browser.wait_for("the new row", lambda: "default/fresh" in browser.services())
    browser.wait_for("a word to the screen reader", lambda: "default/fresh" in browser.text("#said"))
    owner = row("fresh")["addresses"][0]["owner"]
    scene.kube.patch_status("nodes", owner, {"status": {"conditions": [
        {"type": "NetworkUnavailable", "status": "True"}, {"type": "Ready", "status": "True"}]}})
    told("Failover", "default/fresh", f"{owner} →")
    browser.one("#events").send_keys("trouble")
    browser.wait_for("trouble alone", lambda: not any("Assigned" in text for text in browser.texts("#timeline li")))
    told("Failover")
    assert browser.fragment() == "events=trouble"
    scene.kube.patch_status("nodes", owner, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    scene.controllers.remove("fresh")
    browser.wait_for("the row to go", lambda: "default/fresh" not in browser.services())
    assert browser.run("return performance.timeOrigin") == loads


def test_says_that_it_lost_contact_and_finds_it_again(browser, scene):
    process = scene.controllers.running["c1"]
    assert process.stop() == 0
    browser.wait_for("it to be said", lambda: "No answer from Herald" in browser.text("#live"))
    assert browser.services() != []
    scene.controllers.start("c1", "--status-page")
    browser.wait_for("it to be live", lambda: browser.text("#live") == "Live")
    browser.complaints()  # of the connections that were refused


def test_with_a_token(browser, scene, folder):
    """As a browser gives it, for the page and for all that the page asks for."""
    secret = folder / "page-token"
    secret.write_text("a-token")
    scene.controllers.start("c4", "--status-page=127.0.0.1:7475", f"--status-page-token-file={secret}",
                            "--listen", "127.0.0.1:7476", wait=False)
    wait_for("the page", lambda: fetch("/", port=7475)[0] == 401)
    browser.open("q=web-1", url="http://anybody:a-token@127.0.0.1:7475/")
    browser.wait_for("the Service", lambda: browser.services() == ["default/web-1"])
    assert "c4, stands by" in browser.text("#replica")
    browser.driver.get("about:blank")
    browser.complaints()  # of the first answer, which was 401
    assert scene.controllers.running.pop("c4").stop() == 0


MARKUP = "<img src=x onerror=window.attacked=1><script>window.attacked=1</script>\"'&amp;{{7*7}}"


def test_hostile_texts_are_text(browser, scene):
    """Wherever users of the cluster can put a text that the page shows: what a Service asks
    for, and what a speaker's Lease tells."""
    scene.controllers.add("hostile", annotations={"herald.io/pool": MARKUP})
    scene.controllers.refused("hostile", "UnknownPool")
    scene.speakers.renew("node1", bgp={"peers": {MARKUP: {"state": MARKUP, "exported": 1, "error": MARKUP}}},
                         conflicts=f"198.51.100.39=02:00:00:aa:bb:cc {MARKUP}")
    browser.open("service=default/hostile")
    browser.wait_for("the condition", lambda: "<img src=x onerror=window.attacked=1>" in browser.text("#detail"))
    browser.press(Keys.ESCAPE)
    browser.wait_for("the peer", lambda: MARKUP in browser.text("#peers"))
    browser.wait_for("the timeline", lambda: MARKUP in browser.text("#timeline"))
    browser.run(f"location.hash = new URLSearchParams({{service: {MARKUP!r}, q: {MARKUP!r}, pool: {MARKUP!r}}})")
    browser.wait_for("a Service of that name", lambda: "no such Service" in browser.text("#detail"))
    browser.press(Keys.ESCAPE)
    assert browser.run("return window.attacked === undefined && document.images.length") == 1
    assert browser.run("return document.querySelectorAll('script').length") == 1
    scene.speakers.renew("node1", bgp=None, conflicts=None)
    scene.controllers.remove("hostile")
    wait_for("the peer to be gone", lambda: browser.text("#peers") == "")


def test_narrow_window(browser):
    browser.driver.set_window_size(520, 900)
    try:
        browser.open()
        assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    finally:
        browser.driver.set_window_size(1380, 900)
