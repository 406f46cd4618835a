from harness.kube import service
from harness.wait import wait_for
from harness.controller import addresses
import pytest

CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [198.51.100.1-198.51.100.5]
"""

def test_nul(api, make):
    c = make(api, CONFIG)
    p = c.start()
    c.add("web")
    c.assigned("web")
    c.change("web", annotations={"note": "a\0b"})
    print(repr(c.get("web")["metadata"]["annotations"]))
    c.add("next")
    c.assigned("next")
    c.stop(); c.running.clear(); c.ports.clear()
    p = c.start("c2")
    c.add("third")
    print("third", addresses(c.assigned("third")), "web", addresses(c.get("web")))
    print(p.text()[-1500:])
    assert addresses(c.get("third")) != addresses(c.get("web"))
