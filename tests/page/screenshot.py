# SPDX-License-Identifier: Apache-2.0
"""Makes docs/status-page.png: tests/run tests/page/screenshot.py"""
from pathlib import Path

from harness.page import add_service, ask

PICTURE = Path(__file__).resolve().parents[2] / "docs/status-page.png"
APPS = ("billing/api", "billing/worker", "dns/resolver", "ingress/nginx", "ingress/nginx-internal", "mail/imap",
        "mail/smtp", "media/rtmp", "monitoring/grafana", "shop/cart", "shop/checkout", "shop/search")
CONFIG = """apiVersion: herald.io/v1
pools:
- name: internal
  addresses: [10.20.0.10-10.20.0.99]
  autoAssign: false
- name: public
  addresses: [198.51.100.10-198.51.100.29]
  priority: 1
"""


def test_picture(scene, browser):
    controllers, speakers = scene.controllers, scene.speakers
    for obj in controllers.kube.items("services", "default"):
        if obj["metadata"]["name"] != "kubernetes":
            controllers.remove(obj["metadata"]["name"])
    controllers.kube.delete("nodes", "control1", None)
    controllers.running["c1"].stop()
    controllers.set_config(CONFIG)
    controllers.start("c1", "--status-page")
    for app in APPS:
        ns, name = app.split("/")
        controllers.kube.ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})
        add_service(controllers.kube, name, ns, endpoints=0 if name == "rtmp" else 3, **(
            {"annotations": {"herald.io/pool": "internal"}} if "internal" in name or ns == "billing" else {}),
            **({"loadBalancerIP": "203.0.113.80"} if name == "search" else {}))
    browser.wait_for("addresses", lambda: ask("summary")["services"]["ok"] == len(APPS) - 2)
    speakers.renew("node1", bgp={"peers": {"rack1-a": {"state": "up", "exported": 11}, "rack1-b": {"state": "up", "exported": 11}}})
    speakers.renew("node3", bgp={"peers": {"rack2-a": {"state": "down", "exported": 0, "error": "connection refused"}}})
    scene.kube.patch_status("nodes", "node2", {"status": {"conditions": [
        {"type": "NetworkUnavailable", "status": "True"}, {"type": "Ready", "status": "True"}]}})
    browser.driver.set_window_size(1200, 800)
    browser.prefer(color_scheme="light", reduced_motion="reduce")
    browser.open()
    browser.wait_for("the failover", lambda: "Failover" in browser.text("#timeline"))
    browser.screenshot(PICTURE)
    browser.complaints()  # of the controller that was away
