# SPDX-License-Identifier: Apache-2.0
"""The controller's status page: a cluster for it to show, made of objects alone, and the API
behind it. harness/browser.py looks at the page itself."""
import itertools
import json
import urllib.error
import urllib.parse
import urllib.request

from harness.controller import PAGE_PORT
from harness.kube import ApiError, endpointslice, lease, service
from harness.speaker import NAMESPACE

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
