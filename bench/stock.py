# SPDX-License-Identifier: Apache-2.0
"""Services by the thousand, in a namespace of their own: svc-00000, svc-00001, ...

Creating 50,000 through the API server takes minutes on two cores. Where they only have to
be there, one Service is made and given its address by Herald, and what the API server then
has in etcd is copied there under other names, uids and addresses of the same length, the
IPAddress objects included that reserve the cluster IPs. The API server learns of them by
its own watch of etcd, and cannot tell the difference."""
import base64
import calendar
import json
import time
import urllib.request

from harness.controller import Controllers
from harness.kube import endpointslice, namespace, path_of, service
from harness.wait import wait_for
from procs import Floor, wait_idle

NAMESPACE = "bench"
FIRST_ADDRESS, FIRST_CLUSTER_IP = "10.200.100.100", "10.100.100.100"
CONFIG = f"""apiVersion: herald.io/v1
pools:
- name: main
  addresses: [{FIRST_ADDRESS}-10.209.255.255]
"""
PORTS = ((80, "TCP", 8080),)
OPERATIONS_MAX = 100  # of an etcd transaction
PACE_SECONDS = 0.03  # between transactions: watches that do not keep up are ended by the API server


def name_of(i):
    return f"svc-{i:05}"


def address_of(first, i):
    """The i-th address in a range of those whose text is as long as the first one's."""
    network, start = first.split(".")[:2]
    return f"{network}.{int(start) + i // 10000}.{100 + i // 100 % 100}.{100 + i % 100}"


class Stock:
    """`server` gets the namespace and the configuration; controllers() runs Herald there."""

    def __init__(self, server, folder):
        self.server, self.folder, self.kube = server, folder, server.admin
        self.kube.ensure(namespace(NAMESPACE))
        self.controllers = Controllers(server, folder, config=None)
        self.configure()
        self.learn()

    def configure(self):
        self.controllers.set_config(CONFIG)

    def new_service(self, i, **spec):
        return service(name_of(i), NAMESPACE, ports=PORTS, allocateLoadBalancerNodePorts=False, **spec)

    def create(self, count):
        """Through the API server, as many at once as one connection takes; when the first
        was begun."""
        body = self.folder / "service.json"
        body.write_text(json.dumps(self.new_service(0)).replace(name_of(0), "svc-@NUMBER@"))
        maker = Floor(self.server, self.folder, "create", count, body)
        maker.result()
        return maker.begin

    def start_herald(self, args=()):
        """The controller, from its start until it has assigned what there is to assign."""
        return self.controllers.start("bench", *args, wait=False)

    def is_settled(self, count):
        status = self.controllers.status("bench")
        return status.get("started") and status["queued"] == 0 and status["services"]["assigned"] == count

    def wait_settled(self, count, timeout=600):
        wait_for(f"{count} Services to be settled", lambda: self.is_settled(count), timeout)

    def learn(self):
        """Has Herald give one Service its address, for what others are made from."""
        self.make_first()
        herald = self.start_herald()
        self.controllers.assigned(name_of(0), ns=NAMESPACE)
        herald.stop()
        self.patch_body = self._patch_body()
        self.keep_first()
        self.clear()

    def _patch_body(self):
        """The body of Herald's PATCH of one Service, with marks for what differs: as it is
        found in a Service that Herald has written."""
        obj = self.kube.get("services", name_of(0), NAMESPACE)
        meta, status = obj["metadata"], obj["status"]
        text = json.dumps({
            "metadata": {"uid": "@UID@", "resourceVersion": "@VERSION@", "finalizers": meta["finalizers"],
                         "annotations": meta["annotations"]},
            "status": {"loadBalancer": {"ingress": [{"ip": i["ip"]} for i in status["loadBalancer"]["ingress"]]},
                       "conditions": status["conditions"]}}, separators=(",", ":"))
        return text.replace(status["loadBalancer"]["ingress"][0]["ip"], "@ADDRESS@")

    def wait_empty(self):
        wait_for("no Services to be left", lambda: not self.kube.items("services", NAMESPACE, limit=1), timeout=120)


class MiniStock(Stock):
    """On the embedded server, one request each: for small numbers."""

    def make_first(self):
        self.create(1)

    def keep_first(self):
        pass

    def put_pending(self, count):
        self.create(count)

    def put_assigned(self, count, slices=False):
        self.create(count)
        herald = self.start_herald()
        for i in range(count):
            self.controllers.assigned(name_of(i), ns=NAMESPACE)
        herald.stop()
        for i in range(count if slices else 0):
            self.kube.create(endpointslice(name_of(i), [("192.0.2.100", None)], NAMESPACE, PORTS))

    def clear(self):
        self.kube.delete_all("endpointslices", NAMESPACE)
        for item in self.kube.items("services", NAMESPACE):
            path = path_of("services", NAMESPACE, item["metadata"]["name"])
            self.kube.patch("services", item["metadata"]["name"], {"metadata": {"finalizers": None}}, NAMESPACE)
            self.kube.call("DELETE", path)
        self.wait_empty()


class EtcdStock(Stock):
    """On the real server, through etcd's own HTTP interface."""

    SERVICES = f"/registry/services/specs/{NAMESPACE}/"
    SLICES = f"/registry/endpointslices/{NAMESPACE}/"
    EVENTS = f"/registry/events/{NAMESPACE}/"
    CLUSTER_IPS = "/registry/ipaddresses/"
    OWN_CLUSTER_IP = "/registry/ipaddresses/10.96.0.1"  # the API server's own

    def make_first(self):
        name = name_of(0)
        made = self.kube.create(self.new_service(0, clusterIP=FIRST_CLUSTER_IP))
        self.kube.create(endpointslice(name, [("192.0.2.100", None)], NAMESPACE, PORTS, name=name))
        self.uid = made["metadata"]["uid"]
        self.pending = self._get(self.SERVICES + name)
        self.cluster_ip = later(self._get(self.CLUSTER_IPS + FIRST_CLUSTER_IP),
                                made["metadata"]["creationTimestamp"])
        self.slice = self._get(self.SLICES + name)

    def keep_first(self):
        self.assigned = self._get(self.SERVICES + name_of(0))
        if FIRST_ADDRESS.encode() not in self.assigned:
            raise RuntimeError(f"the first Service was not given {FIRST_ADDRESS}")

    def _call(self, method, body):
        request = urllib.request.Request(f"{self.server.etcd_url}/v3/kv/{method}", body,
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def _get(self, key):
        answer = self._call("range", json.dumps({"key": text64(key)}).encode())
        return base64.b64decode(answer["kvs"][0]["value"])

    def _delete(self, first, end):
        self._call("deleterange", json.dumps({"key": text64(first), "range_end": text64(end)}).encode())

    def _delete_all(self, prefix):
        self._delete(prefix, end_of(prefix))

    def _copies(self, template, key, count):
        """The bodies of transactions that store the template once for each number."""
        puts = []
        for i in range(count):
            value = template.replace(name_of(0).encode(), name_of(i).encode())
            value = value.replace(self.uid.encode(), f"{i:08x}{self.uid[8:]}".encode())
            for first in (FIRST_ADDRESS, FIRST_CLUSTER_IP):
                value = value.replace(first.encode(), address_of(first, i).encode())
            puts.append({"request_put": {"key": text64(key(i)), "value": base64.b64encode(value).decode()}})
        return [json.dumps({"success": puts[i:i + OPERATIONS_MAX]}).encode()
                for i in range(0, count, OPERATIONS_MAX)]

    def _put(self, template, prefix, count, name=name_of):
        for body in self._copies(template, lambda i: prefix + name(i), count):
            self._call("txn", body)
            time.sleep(PACE_SECONDS)

    def _put_services(self, template, count):
        # The API server makes cluster IPs anew that it does not know of when it sees the Service.
        self._put(self.cluster_ip, self.CLUSTER_IPS, count, lambda i: address_of(FIRST_CLUSTER_IP, i))
        wait_idle(self.server)
        self._put(template, self.SERVICES, count)

    def put_pending(self, count):
        self._put_services(self.pending, count)
        wait_idle(self.server)

    def put_assigned(self, count, slices=False):
        self._put_services(self.assigned, count)
        if slices:
            self._put(self.slice, self.SLICES, count)
        wait_idle(self.server)

    def clear(self):
        """Services before cluster IPs, else the API server makes these anew. Many at once:
        what it thinks of it must be over before anything is measured."""
        for prefix in (self.SLICES, self.SERVICES, self.EVENTS):
            self._delete_all(prefix)
        self.wait_empty()
        wait_idle(self.server)
        self._delete(self.CLUSTER_IPS, self.OWN_CLUSTER_IP)
        self._delete(self.OWN_CLUSTER_IP + "\0", end_of(self.CLUSTER_IPS))
        wait_idle(self.server)


def later(stored, created):
    """An object in protobuf as if it were made a day later. The API server deletes IPAddress
    objects that are older than a minute and of no Service that it has seen."""
    seconds = calendar.timegm(time.strptime(created, "%Y-%m-%dT%H:%M:%SZ"))
    if varint(seconds) not in stored:
        raise RuntimeError(f"the IPAddress does not hold the time {created}")
    return stored.replace(varint(seconds), varint(seconds + 86400))


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def end_of(prefix):
    """The first key behind all that begin so."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def text64(text):
    return base64.b64encode(text.encode()).decode()
