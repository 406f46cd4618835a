# SPDX-License-Identifier: Apache-2.0
"""Services that the API server takes and a strict reader might not: whoever may write one
Service must not be able to hide it, since an address that nobody is seen to have is given
to somebody else.
Shown here: A12, C25."""
import json
import sys

import pytest

from harness.controller import addresses
from harness.kube import PATCH_TYPES, path_of
from harness.wait import wait_for

NUL = {"annotations": {"note": "a\0b"}}
# The largest that etcd takes; each of these characters is six as JSON.
HUGE = {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "<" * 1_200_000, "uid": "x"}]}


def nested(depth):
    fields = '{"f:a":' * depth + "{}" + "}" * depth
    entry = {"manager": "x", "operation": "Update", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
             "fieldsType": "FieldsV1", "fieldsV1": "FIELDS"}
    return json.dumps({"managedFields": [entry]}).replace('"FIELDS"', fields)


@pytest.fixture(autouse=True)
def this_test_reads_deeply_nested_json():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("metadata", [json.dumps(NUL), json.dumps(HUGE), nested(100), nested(2500)],
                         ids=["nul", "huge", "nested", "nested-deeply"])
def test_A12_a_strange_service_keeps_its_address(api, make, metadata):
    controllers = make(api)
    controllers.start("c1")
    controllers.add("strange")
    mine = addresses(controllers.assigned("strange"))
    answer = api.admin.raw("PATCH", path_of("services", "default", "strange"), '{"metadata":%s}' % metadata,
                           {"Content-Type": PATCH_TYPES["merge"]})
    assert answer.status_code == 200, answer.text[:500]
    controllers.add("during")
    assert addresses(controllers.assigned("during")) != mine
    assert controllers.running["c1"].stop() == 0
    controllers.start("c2")
    controllers.add("after")
    assert addresses(controllers.assigned("after")) != mine
    assert addresses(controllers.get("strange")) == mine
    # It is written to, and its answers are read, like any other.
    controllers.change("strange", annotations={"herald.io/ips": "198.51.100.9"})
    controllers.assigned("strange", ["198.51.100.9"])
    controllers.remove("strange")


def test_an_answer_that_is_no_service_is_not_asked_for_again_and_again(mini, make):
    controllers = make(mini)
    controllers.start()
    mini.fault("status", verb="patch", path="/services/web/status", code=409)
    mini.fault("body", verb="get", path="/services/web$", body='{"metadata":{}}', times=-1)
    controllers.add("web")
    message = controllers.event("web", "SyncLoadBalancerFailed")["message"]
    assert "has no metadata.name" in message
    controllers.add("other")
    controllers.assigned("other")
    assert [rule["hits"] for rule in mini.faults() if rule["action"]["type"] == "body"] == [1]


def test_C25_what_is_to_be_told_of_a_service_that_cannot_be_written_is_bounded(mini, make):
    controllers = make(mini)
    process = controllers.start()
    mini.fault("status", verb="patch", path="/services/web/status", code=422, times=-1)
    controllers.add("web")
    for n in range(12):
        wait_for("the write to be refused", lambda n=n: mini.faults()[0]["hits"] > n)
        controllers.change("web", annotations={"herald.io/ips": f"203.0.113.{n}"})
    wait_for("the last one, too", lambda: mini.faults()[0]["hits"] > 12)
    mini.clear_faults()
    controllers.change("web", annotations={"herald.io/ips": "203.0.113.99"})
    controllers.refused("web", "AddressOutsidePools")
    wait_for("the last to be told", lambda: "203.0.113.99" in process.text())
    told = [line for line in process.text().splitlines() if "reason=AllocationFailed" in line]
    assert len(told) <= 8 and "203.0.113.99" in told[-1]
