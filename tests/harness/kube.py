# SPDX-License-Identifier: Apache-2.0
"""A small REST client for a Kubernetes API server, and makers of the objects
that tests need. It hides nothing: errors keep the server's Status, bodies are
plain dicts, and raw() gives the bare answer."""

import http.client
import json
import queue
import socket
import ssl
import threading
import time
import urllib.parse

import requests

# Resource name to the path of its group version and whether it is namespaced.
RESOURCES = {
    "services": ("/api/v1", True),
    "configmaps": ("/api/v1", True),
    "pods": ("/api/v1", True),
    "secrets": ("/api/v1", True),
    "serviceaccounts": ("/api/v1", True),
    "endpoints": ("/api/v1", True),
    "events": ("/api/v1", True),
    "nodes": ("/api/v1", False),
    "namespaces": ("/api/v1", False),
    "events.events.k8s.io": ("/apis/events.k8s.io/v1", True),
    "endpointslices": ("/apis/discovery.k8s.io/v1", True),
    "leases": ("/apis/coordination.k8s.io/v1", True),
    "deployments": ("/apis/apps/v1", True),
    "daemonsets": ("/apis/apps/v1", True),
    "poddisruptionbudgets": ("/apis/policy/v1", True),
    "clusterroles": ("/apis/rbac.authorization.k8s.io/v1", False),
    "clusterrolebindings": ("/apis/rbac.authorization.k8s.io/v1", False),
    "roles": ("/apis/rbac.authorization.k8s.io/v1", True),
    "rolebindings": ("/apis/rbac.authorization.k8s.io/v1", True),
}

KINDS = {
    "Service": "services", "ConfigMap": "configmaps", "Pod": "pods", "Secret": "secrets",
    "ServiceAccount": "serviceaccounts", "Endpoints": "endpoints", "Node": "nodes",
    "Namespace": "namespaces", "EndpointSlice": "endpointslices", "Lease": "leases",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "Deployment": "deployments", "DaemonSet": "daemonsets", "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings", "Role": "roles", "RoleBinding": "rolebindings",
}

PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"


class ApiError(Exception):
    """The server refused: .code, and .status as the decoded Status (or text)."""

    def __init__(self, response):
        self.code = response.status_code
        self.headers = response.headers
        try:
            self.status = response.json()
        except ValueError:
            self.status = {"message": response.text}
        self.reason = self.status.get("reason", "")
        super().__init__(f"{response.request.method} {response.request.url}: "
                         f"{self.code} {self.reason}: {self.status.get('message')}")

    @property
    def causes(self):
        """{field: message} of a 422."""
        causes = self.status.get("details", {}).get("causes", [])
        return {c.get("field", ""): c["message"] for c in causes}


def resource_of(obj):
    if obj["kind"] == "Event":
        return "events.events.k8s.io" if obj["apiVersion"].startswith("events.") else "events"
    return KINDS[obj["kind"]]


def path_of(resource, ns=None, name=None, sub=None):
    prefix, namespaced = RESOURCES[resource]
    plural = resource.split(".")[0]
    path = f"{prefix}/namespaces/{ns}/{plural}" if namespaced and ns else f"{prefix}/{plural}"
    return path + (f"/{name}" if name else "") + (f"/{sub}" if sub else "")


class Kube:
    """A client of `server` (anything with .url, .ca_file, .token)."""

    def __init__(self, server, token=None, timeout=30):
        self.url = server.url
        self.ca_file = server.ca_file
        self.token = token or server.token
        self.timeout = timeout
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = server.ca_file
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def close(self):
        self.session.close()

    def raw(self, method, path, body=None, headers=None, params=None, timeout=None):
        """One request, whatever comes of it. A body that is no str or bytes becomes JSON."""
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            if not isinstance(body, (str, bytes)):
                body = json.dumps(body)
        return self.session.request(method, self.url + path, data=body, headers=headers,
                                    params=params, timeout=timeout or self.timeout)

    def call(self, method, path, body=None, headers=None, params=None):
        response = self.raw(method, path, body, headers, params)
        if response.status_code >= 300:
            raise ApiError(response)
        return response.json()

    def get(self, resource, name, ns="default", sub=None):
        return self.call("GET", path_of(resource, ns, name, sub))

    def list(self, resource, ns=None, **params):
        return self.call("GET", path_of(resource, ns), params=params)

    def items(self, resource, ns=None, **params):
        return self.list(resource, ns, **params)["items"]

    def exists(self, resource, name, ns="default"):
        return self.raw("GET", path_of(resource, ns, name)).status_code == 200

    def create(self, obj, ns=None, **params):
        ns = ns or obj["metadata"].get("namespace", "default")
        return self.call("POST", path_of(resource_of(obj), ns), obj, params=params)

    def update(self, obj, sub=None):
        m = obj["metadata"]
        return self.call("PUT", path_of(resource_of(obj), m.get("namespace"), m["name"], sub), obj)

    def patch(self, resource, name, patch, ns="default", sub=None, kind="merge", **params):
        return self.call("PATCH", path_of(resource, ns, name, sub), patch,
                         {"Content-Type": PATCH_TYPES[kind]}, params)

    def patch_status(self, resource, name, patch, ns="default", kind="merge"):
        return self.patch(resource, name, patch, ns, "status", kind)

    def delete(self, resource, name, ns="default", **options):
        """Keyword arguments become DeleteOptions, e.g. preconditions={"uid": ...}."""
        return self.call("DELETE", path_of(resource, ns, name), options or None)

    def delete_all(self, resource, ns=None, **params):
        return self.call("DELETE", path_of(resource, ns), params=params)

    def watch(self, resource, ns=None, deadline=10, **params):
        """A Watch; it ends at `deadline` seconds from now at the latest."""
        params = {"watch": "true", **params}
        path = path_of(resource, ns) + "?" + urllib.parse.urlencode(params)
        return Watch(self, path, deadline)

    def wait(self, resource, name, condition, ns="default", deadline=15):
        """The object, as soon as condition(object or None) holds."""
        end = time.monotonic() + deadline
        while True:
            response = self.raw("GET", path_of(resource, ns, name))
            if response.status_code not in (200, 404):
                raise ApiError(response)
            obj = response.json() if response.status_code == 200 else None
            if condition(obj):
                return obj
            if time.monotonic() > end:
                raise AssertionError(f"{resource} {ns}/{name}: not as awaited after {deadline} s: {obj}")
            time.sleep(0.02)

    def ensure(self, obj):
        """Creates obj, or replaces what is there; gives what is stored."""
        try:
            return self.create(obj)
        except ApiError as e:
            if e.code != 409:
                raise
        m = obj["metadata"]
        return self.patch(resource_of(obj), m["name"], obj, m.get("namespace", "default"))

    def make_node(self, name, ip, ready=True, labels=None, taints=None):
        """Creates a Node and fills its status, which a kubelet would do."""
        self.create(node(name, labels, taints))
        return self.patch_status("nodes", name, {"status": node_status(ip, ready)}, kind="strategic")


class WatchEnded(Exception):
    """The server closed the watch, or the connection went away."""


class Watch:
    """A running watch. next(timeout) gives events {"type", "object"}; iterating
    gives them until the server closes the stream or the deadline passes
    (.ended tells which). .code is the HTTP status; .body an error's text."""

    def __init__(self, kube, path, deadline):
        self.end = time.monotonic() + deadline
        self.ended = False
        self.events = queue.Queue()
        url = urllib.parse.urlsplit(kube.url)
        context = ssl.create_default_context(cafile=kube.ca_file)
        self.conn = http.client.HTTPSConnection(url.hostname, url.port, timeout=deadline + 5, context=context)
        self.conn.request("GET", path, headers={"Authorization": f"Bearer {kube.token}",
                                                "Accept": "application/json"})
        self.response = self.conn.getresponse()
        # The response takes the socket over from the connection when the server closes after it.
        self.sock = self.conn.sock or self.response.fp.raw._sock
        self.code = self.response.status
        self.body = ""
        if self.code != 200:
            self.body = self.response.read().decode()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            while self.code == 200:
                line = self.response.readline()
                if not line:
                    break
                self.events.put(json.loads(line))
        except (OSError, ValueError, http.client.HTTPException) as e:
            self.events.put(WatchEnded(str(e)))
            return
        self.events.put(WatchEnded("closed by the server"))

    def next(self, timeout=None):
        """The next event; TimeoutError if none came, WatchEnded at the stream's end."""
        left = self.end - time.monotonic()
        if timeout is not None:
            left = min(left, timeout)
        try:
            event = self.events.get(timeout=max(left, 0.001))
        except queue.Empty:
            raise TimeoutError("no watch event came") from None
        if isinstance(event, WatchEnded):
            self.ended = True
            self.events.put(event)
            raise event
        return event

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self.next()
        except (TimeoutError, WatchEnded):
            raise StopIteration from None

    def until(self, condition, timeout=None):
        """Events up to and with the first for which condition holds."""
        end = time.monotonic() + timeout if timeout else self.end
        seen = []
        while not seen or not condition(seen[-1]):
            seen.append(self.next(end - time.monotonic()))
        return seen

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.join(5)  # it still reads from what is closed next
        self.conn.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def metadata(name, ns=None, labels=None, annotations=None):
    m = {"name": name}
    for key, value in (("namespace", ns), ("labels", labels), ("annotations", annotations)):
        if value:
            m[key] = value
    return m


def service(name, ns="default", type="LoadBalancer", ports=((80, "TCP"),), labels=None, annotations=None, **spec):
    """A Service; ports as (port, protocol[, targetPort]); further fields of the
    spec as keywords: loadBalancerClass="...", selector={...}."""
    port_list = [{"name": f"p{p[0]}-{p[1].lower()}", "port": p[0], "protocol": p[1],
                  "targetPort": p[2] if len(p) > 2 else p[0]} for p in ports]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(name, ns, labels, annotations),
            "spec": {"type": type, "ports": port_list, **spec}}


def endpointslice(service_name, endpoints, ns="default", ports=((80, "TCP"),), family="IPv4", name=None):
    """A slice of a Service made by service() with the same ports. Endpoints as
    dicts or (address, node name or None)."""
    made = []
    for ep in endpoints:
        if not isinstance(ep, dict):
            address, node_name = ep
            ep = {"addresses": [address], "conditions": {"ready": True}}
            if node_name:
                ep["nodeName"] = node_name
        made.append(ep)
    port_list = [{"name": f"p{p[0]}-{p[1].lower()}", "port": p[2] if len(p) > 2 else p[0], "protocol": p[1]}
                 for p in ports]
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": metadata(name or f"{service_name}-{family.lower()}", ns,
                                 {"kubernetes.io/service-name": service_name}),
            "addressType": family, "endpoints": made, "ports": port_list}


def node(name, labels=None, taints=None):
    obj = {"apiVersion": "v1", "kind": "Node",
           "metadata": metadata(name, labels={"kubernetes.io/hostname": name, **(labels or {})})}
    if taints:
        obj["spec"] = {"taints": taints}
    return obj


def node_status(ip, ready=True):
    return {"addresses": [{"type": "InternalIP", "address": ip}],
            "conditions": [{"type": "Ready", "status": "True" if ready else "False",
                            "reason": "KubeletReady" if ready else "KubeletNotReady", "message": ""}]}


def configmap(name, data, ns="default"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name, ns), "data": data}


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(name)}


def lease(name, holder, ns="default", duration=15, renew="2026-01-02T03:04:05.000006Z"):
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata(name, ns),
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": duration,
                     "acquireTime": renew, "renewTime": renew, "leaseTransitions": 0}}
