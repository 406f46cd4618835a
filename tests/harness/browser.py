# SPDX-License-Identifier: Apache-2.0
"""A real headless Chromium that looks at the controller's status page."""
import json

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By

from harness.page import URL
from harness.wait import wait_for


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
