# SPDX-License-Identifier: Apache-2.0
"""Killed at every single call to the API server, before it takes effect and after it did but
before the answer came: whoever takes over brings every Service to where an undisturbed run
brings it, over the same addresses, and never gives one address twice on the way (C26, K12, K59).
That a pool has Services moved off what it does not have any more is known to the next one, too (A08)."""
import time

import pytest

from harness.controller import Controllers, addresses, condition, has_finalizer
from harness.mini import MiniApiServer
from harness.wait import POLL_SECONDS

USER = "herald"
CONFIG = """apiVersion: herald.io/v1
pools:
- {name: main, addresses: [198.51.100.1-198.51.100.3], whenRemoved: move}
- {name: six, addresses: ["2001:db8::1-2001:db8::4"]}
- {name: shared, addresses: [203.0.113.1], autoAssign: false}
"""
SMALLER = CONFIG.replace("198.51.100.1-", "198.51.100.2-")
STEP_SECONDS = 30


class Scenario:
    """Steps of (what, do, done): each is done before the next, so that there is one right end."""

    def __init__(self, controllers):
        self.c, self.kube = controllers, controllers.kube

    def steps(self):
        c = self.c
        return [
            ("create", lambda: c.add("a"), self.has("a", "198.51.100.1")),
            ("create with a request", lambda: c.add("b", loadBalancerIP="198.51.100.3"), self.has("b", "198.51.100.3")),
            ("create dual stack", lambda: c.add("c", ipFamilyPolicy="PreferDualStack"),
             self.has("c", "198.51.100.2", "2001:db8::1")),
            ("create one too many", lambda: c.add("d"), self.says("d", "NoAddressAvailable")),
            ("delete", lambda: self.kube.delete("services", "a"),
             lambda: not self.kube.exists("services", "a") and self.has("d", "198.51.100.1")()),
            ("leave the type", lambda: c.change("b", type="ClusterIP", loadBalancerIP=None,
                                                allocateLoadBalancerNodePorts=None),
             lambda: not has_finalizer(c.get("b"))),
            ("ask for another", lambda: c.change("c", annotations={"herald.io/ips": "198.51.100.3"}),
             self.has("c", "198.51.100.3", "2001:db8::1")),
            ("shrink the pool", lambda: c.set_config(SMALLER), self.has("d", "198.51.100.2")),
            ("come back", lambda: c.change("b", type="LoadBalancer"), self.says("b", "NoAddressAvailable")),
            ("drop a family", lambda: c.change("c", ipFamilyPolicy="SingleStack"), self.has("c", "198.51.100.3")),
            ("delete the next", lambda: self.kube.delete("services", "c"),
             lambda: not self.kube.exists("services", "c") and self.has("b", "198.51.100.3")()),
            ("a stranger's word", lambda: self.kube.patch_status("services", "d", {"status": {"loadBalancer": {
                "ingress": [{"ip": "203.0.113.99"}]}}}), self.has("d", "198.51.100.2")),
            ("share", lambda: [self.add_sharer("s1", 80), self.add_sharer("s2", 81)],
             lambda: self.has("s1", "203.0.113.1")() and self.has("s2", "203.0.113.1")()),
            ("share no more", lambda: c.change("s1", annotations={"herald.io/share": None}),
             self.says("s1", "NoAddressAvailable")),
            ("ask for the impossible", lambda: c.change("b", annotations={"herald.io/ips": "10.0.0.1"}),
             self.says("b", "AddressOutsidePools")),
        ]

    def add_sharer(self, name, port):
        self.c.add(name, ports=((port, "TCP"),), annotations={"herald.io/share": "k", "herald.io/pool": "shared"})

    def has(self, name, *expect):
        def there():
            obj = self.c.get(name)
            return addresses(obj) == list(expect) and condition(obj).get("reason") == "Assigned"
        return there

    def says(self, name, reason):
        return lambda: condition(self.c.get(name)).get("reason") == reason


class Run:
    """One run of the scenario with a rule that hits at most one call; .hit tells whether it did.
    .ends is what the Services came to, .ways over which addresses."""

    def __init__(self, folder, rule=None):
        self.hit = False
        with MiniApiServer(folder) as server:
            self.server, self.controllers = server, Controllers(server, folder, CONFIG)
            self.kubeconfig = server.kubeconfig_for(USER, ["system:masters"])
            watch = server.admin.watch("services", deadline=600)
            try:
                if rule:
                    server.fault(user=f"^{USER}$", **rule)
                self.start()
                for what, do, done in Scenario(self.controllers).steps():
                    do()
                    self.wait(what, done)
                self.ends = {o["metadata"]["name"]: essence(o) for o in server.admin.items("services", "default")}
                self.ways = self.follow(watch)
            finally:
                watch.close()
                self.controllers.stop()

    def start(self):
        self.controllers.start(kubeconfig=self.kubeconfig, wait=False)

    def wait(self, what, done):
        end = time.monotonic() + STEP_SECONDS
        while True:
            self.kill_if_hit()
            try:
                if done():
                    return
            except Exception:  # not there yet, or the server is busy being hit
                pass
            assert time.monotonic() < end, f"`{what}` is not done:\n{self.controllers.running['c1'].tail()}"
            time.sleep(POLL_SECONDS)

    def kill_if_hit(self):
        if self.hit or not any(rule["hits"] for rule in self.server.faults()):
            return
        self.hit = True
        self.controllers.running["c1"].kill()
        self.server.clear_faults()
        self.start()

    def follow(self, watch):
        """The addresses that each Service had one after the other; nobody had another's."""
        self.controllers.add("zz-end", type="ClusterIP", allocateLoadBalancerNodePorts=None)
        now, ways = {}, {}
        for event in watch.until(lambda e: e["object"]["metadata"]["name"] == "zz-end"):
            name, uid = (event["object"]["metadata"][key] for key in ("name", "uid"))
            had = addresses(event["object"]) if event["type"] != "DELETED" else []
            if had and not name.startswith("s") and "203.0.113.99" not in had:
                twice = [other for other, theirs in now.items() if other != uid and set(had) & set(theirs)]
                assert not twice, f"{name} has {had}, and so does another"
            now[uid] = had
            way = ways.setdefault(name, [])
            if not way or way[-1] != had:
                way.append(had)
        return ways


def essence(obj):
    """All of a Service that the controller writes, but for times and versions."""
    mine = {key: condition(obj).get(key) for key in ("status", "reason", "message")}
    return {"status": obj["status"].get("loadBalancer"), "condition": mine, "type": obj["spec"]["type"],
            "finalizers": obj["metadata"].get("finalizers"), "annotations": obj["metadata"].get("annotations")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("action", ["hang", "hang_after"])
def test_C26_killed_at_every_call(workdir, undisturbed, action):
    """`hang`: the call took no effect; `hang_after`: it did, and the answer is lost."""
    calls = kill_at_each(workdir, undisturbed, action)
    assert calls > 18 + 10  # every write to a Service, and what it begins with


def kill_at_each(workdir, undisturbed, action):
    """The number of calls at which it was killed, one run each."""
    skip = 0
    while True:
        run = Run(workdir / f"{skip}", {"action": action, "skip": skip})
        assert run.ends == undisturbed.ends, f"killed at call {skip}"
        assert run.ways == undisturbed.ways, f"killed at call {skip}"
        if not run.hit:
            return skip
        skip += 1
