# SPDX-License-Identifier: Apache-2.0
"""IP families of Services on a cluster whose first family is IPv4 (K26, K27)."""
import json

import pytest

from harness import kube
from harness.refusal import refused

V4, V6 = ["IPv4"], ["IPv6"]


def create(api, name="s", **spec):
    return api.admin.create(kube.service(name, **spec))


def change(api, **spec):
    return api.admin.patch("services", "s", {"spec": spec})


def families(obj):
    """What the server decided, checked against the addresses it gave."""
    spec = obj["spec"]
    assert spec["clusterIPs"][0] == spec["clusterIP"]
    assert ["IPv6" if ":" in ip else "IPv4" for ip in spec["clusterIPs"]] == spec["ipFamilies"]
    return spec["ipFamilyPolicy"], spec["ipFamilies"]


@pytest.mark.parametrize("asked, given", [
    ({}, ("SingleStack", V4)), ({"ipFamilies": V6}, ("SingleStack", V6)),
    ({"ipFamilyPolicy": "SingleStack"}, ("SingleStack", V4)),
    ({"ipFamilyPolicy": "PreferDualStack"}, ("PreferDualStack", V4 + V6)),
    ({"ipFamilyPolicy": "RequireDualStack"}, ("RequireDualStack", V4 + V6)),
    ({"ipFamilyPolicy": "PreferDualStack", "ipFamilies": V6}, ("PreferDualStack", V6 + V4)),
    ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": V6 + V4}, ("RequireDualStack", V6 + V4)),
    ({"clusterIP": "10.96.0.77"}, ("SingleStack", V4)),
    ({"clusterIP": "10.96.0.77", "ipFamilyPolicy": "PreferDualStack"}, ("PreferDualStack", V4 + V6))])
def test_k26_asked_and_given(api, asked, given):
    assert families(create(api, **asked)) == given


@pytest.mark.parametrize("asked, field", [
    ({"ipFamilies": V4 + V6}, "spec.ipFamilyPolicy"), ({"ipFamilyPolicy": "Sideways"}, "spec.ipFamilyPolicy"),
    ({"ipFamilyPolicy": "SingleStack", "ipFamilies": V6 + V4}, "spec.ipFamilyPolicy"),
    ({"ipFamilies": V4 + V4}, "spec.ipFamilies[1]"), ({"ipFamilies": ["IPvX"]}, "spec.ipFamilies[0]"),
    ({"clusterIP": "10.96.0.77", "ipFamilies": V6}, "spec.clusterIPs[0]")])
def test_k26_refused(api, asked, field):
    assert list(refused(422, create, api, **asked).causes) == [field]


def test_headless_without_selector_is_dual_stack(api):
    made = create(api, type="ClusterIP", clusterIP="None")["spec"]
    assert (made["ipFamilyPolicy"], made["ipFamilies"], made["clusterIPs"]) == ("RequireDualStack", V4 + V6, ["None"])
    made = create(api, "t", type="ClusterIP", clusterIP="None", selector={"a": "b"})["spec"]
    assert (made["ipFamilyPolicy"], made["ipFamilies"], made["clusterIPs"]) == ("SingleStack", V4, ["None"])


@pytest.mark.parametrize("policy", ["PreferDualStack", "RequireDualStack"])
def test_k26_the_second_family_comes_and_goes(api, policy):
    first = create(api)["spec"]["clusterIP"]
    both = change(api, ipFamilyPolicy=policy)
    assert families(both) == (policy, V4 + V6) and both["spec"]["clusterIP"] == first
    single = change(api, ipFamilyPolicy="SingleStack")
    assert families(single) == ("SingleStack", V4) and single["spec"]["clusterIP"] == first


def test_k26_the_second_family_goes_only_with_the_policy(api):
    create(api, ipFamilyPolicy="RequireDualStack")
    refusal = refused(422, change, api, ipFamilies=V4)
    assert "must be 'SingleStack' to release the secondary IP family" in refusal.causes["spec.ipFamilyPolicy"]
    assert families(change(api, ipFamilyPolicy="SingleStack", ipFamilies=V4)) == ("SingleStack", V4)


def test_k26_the_first_family_stays(api):
    create(api)
    assert list(refused(422, change, api, ipFamilies=V6).causes) == ["spec.clusterIPs[0]"]
    change(api, ipFamilyPolicy="RequireDualStack")
    assert list(refused(422, change, api, ipFamilies=V6 + V4).causes) == ["spec.clusterIPs[0]", "spec.clusterIPs[1]"]


def test_k26_what_is_left_out_is_kept(api):
    before = create(api, ipFamilyPolicy="PreferDualStack", ipFamilies=V6)
    after = api.admin.update(kube.service("s"))
    assert families(after) == ("PreferDualStack", V6 + V4)
    assert after["spec"]["clusterIPs"] == before["spec"]["clusterIPs"]
    assert families(change(api, ipFamilyPolicy=None, ipFamilies=None)) == ("PreferDualStack", V6 + V4)


def test_k26_families_survive_a_change_of_type(api):
    before = create(api, ipFamilyPolicy="RequireDualStack")["spec"]
    change(api, type="ClusterIP")
    after = change(api, type="LoadBalancer")["spec"]
    assert after["clusterIPs"] == before["clusterIPs"]


@pytest.mark.parametrize("ips, policy, given", [
    (["10.96.0.88"], "SingleStack", V4), (["fd00:96::88"], "SingleStack", V6),
    (["10.96.0.88", "fd00:96::88"], "RequireDualStack", V4 + V6)])
def test_k27_an_old_object_is_completed_when_it_is_read_but_not_always(real_api, ips, policy, given):
    """Only the real server can have stored one before there were families. It takes them
    from the addresses for a get and a list; a watch and the answer to a write through
    /status show the object as it is stored, so a client has to do the same."""
    stored = {"type": "LoadBalancer", "clusterIP": ips[0], "sessionAffinity": "None", "externalTrafficPolicy": "Cluster",
              "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]}
    if len(ips) > 1:
        stored["clusterIPs"] = ips
    old = {"kind": "Service", "apiVersion": "v1", "spec": stored, "metadata": {
        "name": "old", "namespace": "default", "uid": "00000000-0000-4000-8000-00000000000a",
        "creationTimestamp": "2019-01-01T00:00:00Z"}}
    since = real_api.admin.list("services")["metadata"]["resourceVersion"]
    with real_api.admin.watch("services", "default", resourceVersion=since) as watch:
        real_api.etcd_put("/registry/services/specs/default/old", json.dumps(old).encode())
        bare = [watch.next()["object"]]
    complete = [real_api.admin.get("services", "old"),
                *real_api.admin.items("services", "default", fieldSelector="metadata.name=old")]
    bare.append(real_api.admin.patch_status("services", "old", {"metadata": {"labels": {"a": "b"}}}))
    assert len(complete) == 2 and all(families(obj) == (policy, given) for obj in complete)
    assert all(set(obj["spec"]) & {"clusterIPs", "ipFamilies"} == set(stored) & {"clusterIPs"} for obj in bare)
    # Any other write stores it completed.
    written = real_api.admin.patch("services", "old", {"metadata": {"labels": {"a": "c"}}})
    assert families(written) == (policy, given)
