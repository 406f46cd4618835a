# SPDX-License-Identifier: Apache-2.0
"""The controller's status page: a cluster for it to show, made of objects alone, its API,
and a real headless Chromium that looks at it."""
import itertools
import json
import urllib.error
import urllib.parse
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By

from harness.controller import PAGE_PORT
from harness.kube import ApiError, endpointslice, lease, service
from harness.speaker import NAMESPACE
from harness.wait import wait_for

URL = f"http://127.0.0.1:{PAGE_PORT}/"
TIMES = (f"2026-01-02T03:{n // 60 % 60:02d}:{n % 60:02d}.{n:06d}Z" for n in itertools.count())


def fetch(path, headers=None, port=PAGE_PORT):
    """(status, headers, body) of a request to the page."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def ask(path, headers=None, **parameters):
    """A document of the API."""
    status, _, body = fetch(f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}", headers)
    assert status == 200, (status, body)
    return json.loads(body)


def row(name, ns="default"):
    """A Service as the API tells it; None: it is not there."""
    return next((s for s in ask("services", q=f"{ns}/{name}")["services"] if s["name"] == name), None)


class Speakers:
    """Nodes and their speakers, as far as they can be seen in the API server."""

    def __init__(self, kube, network="198.51.100.0/24"):
        self.kube, self.network, self.names = kube, network, []

    def add(self, *names, **annotations):
        for name in names:
            self.names.append(name)
            self.kube.make_node(name, f"192.0.2.{len(self.names)}")
            self.renew(name, **annotations)

    def renew(self, name, holder=None, **annotations):
        """`holder`: "" where it gives its Lease up. herald.io/NAME=value for each annotation."""
        obj = lease(f"herald-speaker.{name}", name if holder is None else holder, NAMESPACE, 300, next(TIMES))
        mac = f"02:00:00:00:00:{self.names.index(name) + 1:02x}"
        obj["metadata"]["labels"] = {"app.kubernetes.io/component": "speaker"}
        obj["metadata"]["annotations"] = {
            "herald.io/interfaces": f"eth0={mac},{self.network}",
            **{f"herald.io/{key}": value if value is None or isinstance(value, str) else json.dumps(value)
               for key, value in annotations.items()}}
        self.kube.ensure(obj)


def add_service(kube, name, ns="default", endpoints=1, **spec):
    kube.create(service(name, ns, **{"allocateLoadBalancerNodePorts": False, "selector": {"app": name}, **spec}))
    if endpoints:
        slice_of = endpointslice(name, [(f"10.1.0.{n + 1}", None) for n in range(endpoints)], ns)
        try:
            kube.create(slice_of)
        except ApiError as error:
            assert error.code == 409, error


class Browser:
    """A window of the page. What it does is recorded: .requests(), .complaints()."""

    def __init__(self, folder):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--window-size=1380,900", f"--user-data-dir={folder}/profile",
                         "--disable-background-networking", "--disable-lcd-text", "--disable-component-update", "--no-first-run"):
            options.add_argument(argument)
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Driver("/usr/bin/chromedriver"), options=options)

    def open(self, fragment="", url=URL):
        """Loads the page anew, and waits until it has drawn itself."""
        self.driver.get("about:blank")
        self.driver.get(f"{url}#{fragment}")
        self.wait_for("the page to be live", lambda: self.text("#live") == "Live" and self.text("#range"))
        return self

    def wait_for(self, what, condition, timeout=30):
        return wait_for(what, condition, timeout)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector).strip()

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText.trim())", selector)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def services(self):
        return self.texts("#rows th")

    def focus(self):
        """What has the keyboard: its id, else its text."""
        return self.run("const e = document.activeElement; return e.id || e.innerText")

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def fragment(self):
        return self.run("return location.hash.slice(1)")

    def prefer(self, **media):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in media.items()]})

    def tree(self):
        """The accessibility tree as {(role, name)}, of what is not ignored."""
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return {(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]}

    def requests(self):
        """The URLs asked for since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def complaints(self):
        """What stands in the console: errors, and refusals of the content security policy; but
        that something was not found is an answer."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "404 (Not Found)" not in entry["message"]]

    def screenshot(self, path):
        self.driver.save_screenshot(str(path))

    def close(self):
        self.driver.quit()
