# SPDX-License-Identifier: Apache-2.0
"""A Service's status: who may write it, what goes through /status and what does not,
and what the server refuses there.
Shown here: K07, K11, K13, K14, K15, K17, K18, K20, K22, K23, K24."""
import pytest

from harness import kube
from harness.kube import FINALIZER
from harness.refusal import refused

VIP = "192.0.2.7"
AT = "status.loadBalancer.ingress[0]"
CONDITION = {"type": "herald.io/Assigned", "status": "True", "reason": "Assigned", "message": "m",
             "observedGeneration": 3, "lastTransitionTime": "2026-01-02T03:04:05Z"}


@pytest.fixture
def service(api):
    return api.admin.create(kube.service("s"))


def ingress(*entries):
    return {"status": {"loadBalancer": {"ingress": list(entries)}}}


def publish(api, *entries, **more):
    return api.admin.patch_status("services", "s", ingress(*entries), **more)


def published(obj):
    return obj["status"]["loadBalancer"].get("ingress", [])


def test_k18_create_and_put_cannot_set_status(api):
    obj = kube.service("s")
    obj["status"] = {**ingress({"ip": VIP})["status"], "conditions": [CONDITION]}
    made = api.admin.create(obj)
    assert made["status"] == {"loadBalancer": {}}
    kept = api.admin.update({**made, "status": obj["status"]})
    assert kept["status"] == {"loadBalancer": {}} and kept["metadata"]["resourceVersion"] == (
        made["metadata"]["resourceVersion"])
    patched = api.admin.patch("services", "s", {"status": obj["status"], "metadata": {"labels": {"a": "b"}}})
    assert patched["status"] == {"loadBalancer": {}} and patched["metadata"]["labels"] == {"a": "b"}


def test_put_without_status_keeps_it(api, service):
    publish(api, {"ip": VIP})
    current = api.admin.get("services", "s")
    kept = api.admin.update({k: v for k, v in current.items() if k != "status"})
    assert published(kept) == [{"ip": VIP, "ipMode": "VIP"}]


def test_k13_spec_is_ignored_on_status(api, service):
    after = api.admin.patch_status("services", "s", {"spec": {"type": "ClusterIP", "selector": {"a": "b"}},
                                                     **ingress({"ip": VIP, "ipMode": "VIP"})})
    assert after["spec"] == service["spec"] and published(after)
    put = api.admin.update({**after, "spec": {**after["spec"], "selector": {"a": "b"}}}, sub="status")
    assert put["spec"] == service["spec"]


def test_k14_metadata_is_taken_on_status(api, service):
    after = api.admin.patch_status("services", "s", {
        "metadata": {"finalizers": [FINALIZER], "annotations": {"herald.io/x": "y"}, "labels": {"l": "m"}},
        **ingress({"ip": VIP})}, kind="strategic")
    m = after["metadata"]
    assert m["finalizers"] == [FINALIZER] and m["annotations"] == {"herald.io/x": "y"} and m["labels"] == {"l": "m"}
    assert published(after) == [{"ip": VIP, "ipMode": "VIP"}]
    assert int(m["resourceVersion"]) > int(service["metadata"]["resourceVersion"])


def test_k07_the_last_finalizer_may_go_through_status(api, service):
    api.admin.patch_status("services", "s", {"metadata": {"finalizers": [FINALIZER]}, **ingress({"ip": VIP})})
    marked = api.admin.delete("services", "s")
    assert published(marked) and "deletionTimestamp" in marked["metadata"]
    api.admin.patch_status("services", "s", {"metadata": {"finalizers": None}, "status": {"loadBalancer": None}})
    assert not api.admin.exists("services", "s")


def test_get_on_status_is_the_whole_object(api, service):
    assert api.admin.get("services", "s", sub="status") == service


@pytest.mark.parametrize("kind", ["merge", "strategic"])
def test_ingress_is_emptied(api, service, kind):
    for nothing in ({"loadBalancer": None}, {"loadBalancer": {"ingress": None}}, {"loadBalancer": {"ingress": []}}):
        assert published(publish(api, {"ip": VIP}))
        after = api.admin.patch_status("services", "s", {"status": nothing}, kind=kind)
        assert after["status"]["loadBalancer"] == {}


def test_k15_the_same_status_makes_no_version(api, service):
    first = publish(api, {"ip": VIP})
    assert publish(api, {"ip": VIP}) == first


@pytest.mark.parametrize("type_", ["ClusterIP", "NodePort"])
def test_k17_ingress_goes_with_the_type(api, service, type_):
    api.admin.patch_status("services", "s", {"metadata": {"finalizers": [FINALIZER]}, "status": {
        "conditions": [CONDITION], **ingress({"ip": VIP})["status"]}})
    after = api.admin.patch("services", "s", {"spec": {"type": type_}})
    assert after["status"] == {"loadBalancer": {}, "conditions": [CONDITION]}
    assert after["metadata"]["finalizers"] == [FINALIZER]
    back = api.admin.patch("services", "s", {"spec": {"type": "LoadBalancer"}})
    assert published(back) == []


def test_k17_ingress_goes_with_the_type_to_external_name(api, service):
    publish(api, {"ip": VIP})
    after = api.admin.patch("services", "s", {"spec": {"type": "ExternalName", "externalName": "example.com"}})
    assert after["status"] == {"loadBalancer": {}}


def test_k24_no_address_for_another_type(api):
    api.admin.create(kube.service("s", type="ClusterIP"))
    refusal = refused(422, publish, api, {"ip": VIP})
    assert refusal.causes == {"status.loadBalancer.ingress":
                              "Forbidden: may only be used when `spec.type` is 'LoadBalancer'"}
    assert api.admin.patch_status("services", "s", {"status": {"conditions": [CONDITION]}})["status"]["conditions"]


def test_k20_ip_mode(api, service):
    assert published(publish(api, {"ip": VIP})) == [{"ip": VIP, "ipMode": "VIP"}]
    assert published(publish(api, {"ip": VIP, "ipMode": "Proxy"})) == [{"ip": VIP, "ipMode": "Proxy"}]
    assert published(publish(api, {"hostname": "a.example.com"})) == [{"hostname": "a.example.com"}]
    assert refused(422, publish, api, {"ip": VIP, "ipMode": "Sideways"}).causes == {
        AT + ".ipMode": 'Unsupported value: "Sideways": supported values: "Proxy", "VIP"'}
    assert refused(422, publish, api, {"hostname": "a.example.com", "ipMode": "VIP"}).causes == {
        AT + ".ipMode": "Forbidden: may not be specified when `ip` is not set"}


def test_several_addresses_and_ports_are_kept_in_order(api, service):
    entries = [{"ip": "2001:db8::7", "ipMode": "VIP", "ports": [{"port": 80, "protocol": "TCP"}]},
               {"ip": VIP, "ipMode": "VIP", "ports": [{"port": 80, "protocol": "TCP", "error": "NoSuchPool"}]}]
    assert published(publish(api, *entries)) == entries


@pytest.mark.parametrize("address", ["192.0.2.256", "192.0.2", "text", "192.0.2.1/32", "fe80::1%eth0", "::ffff:1.2.3"])
def test_what_is_no_address(api, service, address):
    refusal = refused(422, publish, api, {"ip": address})
    assert list(refusal.causes) == [AT + ".ip"]
    assert refusal.causes[AT + ".ip"].startswith(f'Invalid value: "{address}": must be a valid IP address')
    assert published(api.admin.get("services", "s")) == []


@pytest.mark.parametrize("address", ["2001:DB8::7", "2001:db8:0:0::7", "192.000.002.007", "::ffff:192.0.2.7"])
def test_k23_other_spellings_are_kept_as_they_are_sent(api, service, address):
    # The server does not make them canonical; clients that compare text must. Newer ones
    # refuse those that programs read differently.
    if api.has_feature("StrictIPCIDRValidation") and address in ("192.000.002.007", "::ffff:192.0.2.7"):
        assert list(refused(422, publish, api, {"ip": address}).causes) == [AT + ".ip"]
        return
    assert published(publish(api, {"ip": address})) == [{"ip": address, "ipMode": "VIP"}]


@pytest.mark.parametrize("host", ["Capital.example.com", "under_score", "192.0.2.1"])
def test_what_is_no_host_name(api, service, host):
    assert AT + ".hostname" in refused(422, publish, api, {"hostname": host}).causes


def test_k22_conditions_are_kept_as_they_are_sent(api, service):
    after = api.admin.patch_status("services", "s", {"status": {"conditions": [CONDITION]}})
    assert after["status"]["conditions"] == [CONDITION]
    # The server does not ask for a prefix.
    plain = {**CONDITION, "type": "Assigned"}
    after = api.admin.patch_status("services", "s", {"status": {"conditions": [plain]}})
    assert after["status"]["conditions"] == [plain]


@pytest.mark.parametrize("status", [
    {"loadBalancer": {"ingress": {"ip": VIP}}}, {"loadBalancer": [1]}, {"loadBalancer": {"ingress": [{"ip": 5}]}},
    {"loadBalancer": {"ingress": ["x"]}}, {"conditions": {"a": "b"}}, "x"], ids=str)
def test_bad_status_types(api, service, status):
    assert list(refused(422, api.admin.patch_status, "services", "s", {"status": status}).causes) == ["patch"]
    assert api.admin.get("services", "s") == service


def test_k11_status_conflicts(api, service):
    stale = service["metadata"]["resourceVersion"]
    publish(api, {"ip": VIP})
    body = {"metadata": {"resourceVersion": stale}, **ingress({"ip": "192.0.2.8"})}
    assert refused(409, api.admin.patch_status, "services", "s", body).reason == "Conflict"
    assert refused(409, api.admin.update, {**service, **ingress({"ip": VIP})}, "status").reason == "Conflict"
    assert refused(404, api.admin.patch_status, "services", "t", ingress({"ip": VIP})).reason == "NotFound"
