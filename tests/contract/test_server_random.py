# SPDX-License-Identifier: Apache-2.0
"""The same random writes to Services on both API servers: each has to be answered alike,
and to leave alike objects. The seeds are fixed, so a failure repeats; what it prints is
the write that parted them."""
import random

import pytest

from harness.kube import PATCH_TYPES, path_of

SEEDS, STEPS = range(1, 9), 25
# Of those that a server gives only to who asks.
ASKED_PORTS = (30001, 30002, 30003)
CLEANUP = "service.kubernetes.io/load-balancer-cleanup"
LATER = "2026-01-02T03:04:05Z"

# What may stand in a spec: the probability that it does, and its values (None unsets).
SPEC = {
    "type": (.6, ["ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer", "ExternalName", None]),
    "loadBalancerClass": (.2, ["a.io/x", "a.io/y", None]),
    "externalTrafficPolicy": (.2, ["Local", "Cluster", None]),
    "internalTrafficPolicy": (.2, ["Local", "Cluster", None]),
    "allocateLoadBalancerNodePorts": (.2, [True, False, None]),
    "ipFamilyPolicy": (.3, ["SingleStack", "PreferDualStack", "RequireDualStack", None]),
    "ipFamilies": (.2, [["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"], None]),
    "clusterIP": (.1, ["10.96.0.77", None, ""]),
    "clusterIPs": (.1, [["10.96.0.77"], None]),
    "externalIPs": (.1, [["192.0.2.1"], None]),
    "loadBalancerSourceRanges": (.1, [["10.0.0.0/8"], None]),
    "externalName": (.15, ["a.example", None]),
    "sessionAffinity": (.1, ["ClientIP", "None", None]),
    "selector": (.2, [{"a": "b"}, None, {}]),
    "healthCheckNodePort": (.1, [30003, 0, None]),
}
METADATA = {
    "labels": (.3, [{"a": "1"}, {"b": "2"}, None]),
    "annotations": (.3, [{"a.io/a": "1"}, {"b": "2"}, None]),
    "finalizers": (.3, [["x.io/f"], ["x.io/f", "x.io/g"], [], None, [CLEANUP]]),
}
STATUS = {
    "loadBalancer": (.7, [
        {"ingress": [{"ip": "192.0.2.1"}]}, {"ingress": []}, {"ingress": None}, None,
        {"ingress": [{"ip": "192.0.2.2", "ipMode": "VIP"}, {"hostname": "a.example"}]},
        {"ingress": [{"ip": "192.0.2.1", "ports": [{"port": 80, "protocol": "TCP"}]}]}]),
    "conditions": (.4, [
        [{"type": "A", "status": "True", "reason": "R", "message": "", "lastTransitionTime": LATER}],
        [{"type": "a.io/B", "status": "False", "reason": "R", "message": "m", "lastTransitionTime": LATER}], None, []]),
}


def pick(rnd, table):
    return {key: rnd.choice(values) for key, (chance, values) in table.items() if rnd.random() < chance}


def spec(rnd):
    made = pick(rnd, SPEC)
    if rnd.random() < .35:
        chosen = rnd.sample([("a", 80), ("b", 80), ("c", 81), ("d", 82), (None, 83)], rnd.randint(0, 3))
        ports = [{"name": name, "port": port, "protocol": rnd.choice(["TCP", "UDP", None]),
                  "nodePort": rnd.choice([None, None, None, 0, 30001, 30002]),
                  "targetPort": rnd.choice([None, 8080, "http"])} for name, port in chosen]
        made["ports"] = [{k: v for k, v in port.items() if v is not None} for port in ports]
    return made


def write(rnd):
    """(method, path, body, kind of patch or None) of one write to one of two Services."""
    name, which = rnd.choice(["s", "t"]), rnd.random()
    path = path_of("services", "default", name)
    body = {"metadata": {"name": name, **pick(rnd, METADATA)}, "spec": {"ports": [{"port": 80}], **spec(rnd)}}
    if which < .2:
        return "POST", path_of("services", "default"), {**body, "status": pick(rnd, STATUS)}, None
    if which < .3:
        return "PUT", path, body, None
    if which < .4:
        return "DELETE", path, None, None
    kind = rnd.choice(["merge", "strategic"])
    if which < .75:
        return "PATCH", path, {"metadata": pick(rnd, METADATA), "spec": spec(rnd)}, kind
    return "PATCH", path + "/status", {"metadata": pick(rnd, METADATA), "status": pick(rnd, STATUS)}, kind


def normal(v):
    """Without what differs from server to server: versions, times, what was allocated."""
    if isinstance(v, list):
        return [normal(e) for e in v]
    if not isinstance(v, dict):
        return v
    out = {}
    for key, e in v.items():
        if key in ("managedFields", "uid", "resourceVersion", "creationTimestamp") or e is None:
            continue
        if key == "deletionTimestamp":
            e = "set"
        elif key == "clusterIP":
            e = "address"
        elif key == "clusterIPs":
            e = ["IPv6" if ":" in ip else "IPv4" for ip in e]
        elif key in ("nodePort", "healthCheckNodePort") and e not in ASKED_PORTS:
            e = "allocated"
        elif key == "finalizers":
            e = sorted(e)
        out[key] = normal(e)
    return out


def answer(server, method, path, body, kind):
    """What counts of the answer: the object, or how it was refused."""
    headers = {"Content-Type": PATCH_TYPES[kind]} if kind else None
    response = server.admin.raw(method, path, body, headers)
    told = response.json()
    if told["kind"] != "Status":
        return response.status_code, normal(told)
    fields = {cause.get("field") for cause in told.get("details", {}).get("causes", [])}
    return response.status_code, told["reason"], fields


def versions(server):
    return {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in server.admin.items("services", "default")}


@pytest.mark.parametrize("seed", SEEDS)
def test_both_answer_alike(mini_api, real_api, seed):
    rnd = random.Random(seed)
    for step in range(STEPS):
        operation = write(rnd)
        before = versions(mini_api), versions(real_api)
        mini, real = answer(mini_api, *operation), answer(real_api, *operation)
        assert mini == real, f"seed {seed}, step {step}: {operation}"
        # The real one counts managedFields as a change, which the embedded one has not.
        if before[1] == versions(real_api):
            assert before[0] == versions(mini_api), f"a write without change, seed {seed}, step {step}: {operation}"
