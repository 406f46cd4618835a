# SPDX-License-Identifier: Apache-2.0
"""Controllers against an API server, and what their Services should become."""
import json
import os
import urllib.request

from harness.kube import FINALIZER, configmap, namespace, service
from harness.process import Process
from harness.speaker import BIN, NAMESPACE
from harness.wait import wait_for

CONDITION = "herald.io/Assigned"
ASSIGNED = "herald.io/assigned"

CONFIG = """apiVersion: herald.io/v1
pools:
- name: main
  addresses: [198.51.100.1-198.51.100.10]
"""


def addresses(obj):
    """The addresses in a Service's status."""
    return [i["ip"] for i in obj["status"].get("loadBalancer", {}).get("ingress", [])]


def condition(obj):
    """Herald's condition of a Service, or {}."""
    return next((c for c in obj["status"].get("conditions", []) if c["type"] == CONDITION), {})


class Controllers:
    """`server` is a MiniApiServer or a RealApiServer; .running by identity. `bin`: where
    the program is."""

    bin = BIN

    def __init__(self, server, folder, config=CONFIG):
        self.server, self.folder, self.kube = server, folder, server.admin
        self.running, self.ports = {}, {}
        self.kube.ensure(namespace(NAMESPACE))
        if config is not None:
            self.set_config(config)

    def set_config(self, config):
        self.kube.ensure(configmap("herald-config", {"config.yaml": config}, NAMESPACE))

    def start(self, name="c1", *args, kubeconfig=None, wait=True, env=None):
        self.running[name] = Process(f"controller-{name}", [
            self.bin / "herald-controller", "--identity", name, "--kubeconfig", kubeconfig or self.server.kubeconfig,
            "--namespace", NAMESPACE, "--listen", "127.0.0.1:0", *args], self.folder, env=env)
        if wait:
            wait_for(f"controller {name} to be at work", lambda: self.status(name).get("started"), timeout=20)
        return self.running[name]

    def port(self, name):
        """Where it listens: the kernel chose the port."""
        process = self.running[name]
        process.require_running()
        if self.ports.get(name, (0, 0))[0] != process.pid:
            self.ports[name] = (process.pid, listening_port(process.pid))
        return self.ports[name][1]

    def page(self, name, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port(name)}{path}", timeout=5) as answer:
            return answer.read().decode()

    def status(self, name="c1"):
        return json.loads(self.page(name, "/status"))

    def metric(self, metric, name="c1", **labels):
        total = 0.0
        for line in self.page(name, "/metrics").splitlines():
            if line.split("{")[0].split(" ")[0] == metric and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def leader(self):
        return next((name for name, process in self.running.items()
                     if process.running and self.status(name)["leading"]), None)

    def add(self, name, ns="default", **spec):
        return self.kube.create(service(name, ns, **{"allocateLoadBalancerNodePorts": False, **spec}))

    def get(self, name, ns="default"):
        return self.kube.get("services", name, ns)

    def change(self, name, ns="default", annotations=None, labels=None, **spec):
        """Merges into the Service; None removes an annotation, a label or a field."""
        return self.kube.patch("services", name, {
            "metadata": {"annotations": annotations or {}, "labels": labels or {}}, "spec": spec}, ns)

    def remove(self, name, ns="default"):
        """Deletes the Service and waits for it to be gone."""
        self.kube.delete("services", name, ns)
        wait_for(f"{ns}/{name} to be gone", lambda: not self.kube.exists("services", name, ns))

    def assigned(self, name, expect=None, ns="default", timeout=15):
        """The Service once it has addresses (`expect`, where given)."""
        def there():
            obj = self.get(name, ns)
            found = addresses(obj)
            return obj if found and (expect is None or found == expect) else None
        return wait_for(f"{ns}/{name} to have {expect or 'an address'}", there, timeout)

    def refused(self, name, reason, ns="default", timeout=15):
        """The Service once its condition has this reason."""
        def there():
            obj = self.get(name, ns)
            return obj if condition(obj).get("reason") == reason else None
        return wait_for(f"{ns}/{name} to say {reason}", there, timeout)

    def quiet(self, name="c1"):
        """Waits until nothing is queued or under way."""
        wait_for("the controller to be idle", lambda: self.status(name)["queued"] == 0)

    def touched(self, ns="default"):
        """Changes what is of no importance in every Service; their versions then, by name."""
        versions = {}
        for obj in self.kube.items("services", ns):
            name = obj["metadata"]["name"]
            if name != "kubernetes":
                label = {"touched": obj["metadata"]["resourceVersion"]}
                versions[name] = self.change(name, ns, labels=label)["metadata"]["resourceVersion"]
        return versions

    def versions(self, ns="default"):
        """The versions of all Services, once what happened before this call was judged: news
        comes in order, lists are by name, and what comes first is judged first."""
        self.add("zz-barrier", ns, loadBalancerIP="203.0.113.254")
        self.refused("zz-barrier", "AddressOutsidePools", ns)
        self.remove("zz-barrier", ns)
        return {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in self.kube.items("services", ns)
                if o["metadata"]["name"] != "kubernetes"}

    def reconfigured(self, config, name="c1"):
        """Sets the config and waits until it is in force."""
        def in_force():
            return self.running[name].text().count("configuration in force")
        before = in_force()
        self.set_config(config)
        wait_for("the configuration to be in force", lambda: in_force() > before)

    def events(self, name, reason, ns="default"):
        return [e for e in self.kube.items("events", ns)
                if e["involvedObject"]["name"] == name and e["reason"] == reason]

    def event(self, name, reason, ns="default"):
        return wait_for(f"Event {reason} on {ns}/{name}", lambda: self.events(name, reason, ns))[0]

    def stop(self):
        return {name: process.stop() for name, process in self.running.items()}


PAGE_PORT = 7474  # of the status page, where it is asked for


def listening_port(pid):
    """The one TCP port of 127.0.0.1 on which the process listens, besides the status page."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    with open(f"/proc/{pid}/net/tcp") as table:
        for line in list(table)[1:]:
            fields = line.split()
            port = int(fields[1].split(":")[1], 16)
            if fields[3] == "0A" and fields[9] in inodes and port != PAGE_PORT:
                return port
    raise AssertionError(f"process {pid} listens on no TCP port yet")


def has_finalizer(obj):
    return FINALIZER in obj["metadata"].get("finalizers", [])
