# SPDX-License-Identifier: Apache-2.0
"""What an API server makes of a Service's spec: defaults, what is allocated, what goes
with the type, and what is refused. Families are test_server_families.py's.
Shown here: K03, K05, K08, K28, K30, K31, K36, K37."""
import ipaddress

import pytest

from harness import kube
from harness.refusal import refused

NODE_PORTS = range(30000, 32768)
CLASS = "example.com/internal-vip"


def create(api, name="s", **spec):
    return api.admin.create(kube.service(name, **spec))


def change(api, name="s", **spec):
    return api.admin.patch("services", name, {"spec": spec})


def causes(api, code=422, name="s", **spec):
    return refused(code, create, api, name, **spec).causes


def node_ports(obj):
    return [p.get("nodePort") for p in obj["spec"]["ports"]]


def test_defaults_of_a_load_balancer(api):
    spec = create(api)["spec"]
    assert ipaddress.ip_address(spec["clusterIP"]) in ipaddress.ip_network("10.96.0.0/12")
    port = spec["ports"][0]
    assert port.pop("nodePort") in NODE_PORTS
    assert {k: v for k, v in spec.items() if k != "ports"} == {
        "type": "LoadBalancer", "clusterIP": spec["clusterIP"], "clusterIPs": [spec["clusterIP"]],
        "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "sessionAffinity": "None",
        "externalTrafficPolicy": "Cluster", "internalTrafficPolicy": "Cluster", "allocateLoadBalancerNodePorts": True}
    assert port == {"name": "p80-tcp", "port": 80, "protocol": "TCP", "targetPort": 80}


def test_defaults_of_the_other_types(api):
    cluster_ip = create(api, "a", type="ClusterIP")["spec"]
    assert not {"externalTrafficPolicy", "allocateLoadBalancerNodePorts"} & set(cluster_ip)
    assert "nodePort" not in cluster_ip["ports"][0] and cluster_ip["internalTrafficPolicy"] == "Cluster"
    node_port = create(api, "b", type="NodePort")["spec"]
    assert node_port["externalTrafficPolicy"] == "Cluster" and "allocateLoadBalancerNodePorts" not in node_port
    assert node_port["ports"][0]["nodePort"] in NODE_PORTS
    name = create(api, "c", type="ExternalName", externalName="a.example.com")["spec"]
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"} & set(name)
    with_external = create(api, "d", type="ClusterIP", externalIPs=["192.0.2.9"])["spec"]
    assert with_external["externalTrafficPolicy"] == "Cluster"


def test_ports_get_protocol_and_target(api):
    obj = kube.service("s")
    obj["spec"]["ports"] = [{"port": 80}]
    port = api.admin.create(obj)["spec"]["ports"][0]
    assert (port["protocol"], port["targetPort"]) == ("TCP", 80)
    obj = kube.service("t")
    obj["spec"]["ports"] = [{"port": 80, "targetPort": "http"}]
    assert api.admin.create(obj)["spec"]["ports"][0]["targetPort"] == "http"


def test_k36_one_number_with_several_protocols_has_one_node_port(api):
    ports = node_ports(create(api, ports=((80, "TCP"), (80, "UDP"), (81, "TCP"))))
    assert ports[0] == ports[1] != ports[2] and set(ports) <= set(NODE_PORTS)
    # A protocol that comes later gets one of its own.
    create(api, "t")
    obj = kube.service("t", ports=((80, "TCP"), (80, "UDP")))
    ports = node_ports(api.admin.update(obj))
    assert ports[0] != ports[1] and set(ports) <= set(NODE_PORTS)


def test_session_affinity(api):
    made = create(api, sessionAffinity="ClientIP")["spec"]  # K34
    assert made["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    assert list(causes(api, name="t", sessionAffinity="Sideways")) == ["spec.sessionAffinity"]


def test_k03_the_class_is_fixed_while_the_type_is(api):
    create(api, loadBalancerClass=CLASS)
    for class_ in ("example.com/other", None):
        refusal = refused(422, change, api, loadBalancerClass=class_)
        assert "may not change once set" in refusal.causes["spec.loadBalancerClass"]
    create(api, "t")
    assert "spec.loadBalancerClass" in refused(422, change, api, "t", loadBalancerClass=CLASS).causes


def test_k03_the_class_goes_with_the_type_and_may_change_with_it(api):
    create(api, loadBalancerClass=CLASS)
    assert "loadBalancerClass" not in change(api, type="ClusterIP")["spec"]
    assert change(api, type="LoadBalancer", loadBalancerClass="example.com/other")["spec"]["loadBalancerClass"] == (
        "example.com/other")


def test_k03_no_class_on_other_types(api):
    assert causes(api, type="ClusterIP", loadBalancerClass=CLASS) == {
        "spec.loadBalancerClass": "Forbidden: may only be used when `type` is 'LoadBalancer'"}
    assert "spec.loadBalancerClass" in causes(api, loadBalancerClass="not a name!")
    assert create(api, loadBalancerClass="unprefixed")["spec"]["loadBalancerClass"] == "unprefixed"  # K04


def test_k28_without_node_ports(api):
    made = create(api, allocateLoadBalancerNodePorts=False)
    assert node_ports(made) == [None] and made["spec"]["allocateLoadBalancerNodePorts"] is False
    on = change(api, allocateLoadBalancerNodePorts=True)
    assert node_ports(on)[0] in NODE_PORTS
    # Switched off again it keeps the port, until that is taken away by hand.
    assert node_ports(change(api, allocateLoadBalancerNodePorts=False)) == node_ports(on)
    assert node_ports(change(api, ports=[{"name": "p80-tcp", "port": 80, "nodePort": 0}])) == [None]
    assert causes(api, name="t", type="ClusterIP", allocateLoadBalancerNodePorts=True) == {
        "spec.allocateLoadBalancerNodePorts": "Forbidden: may only be used when `type` is 'LoadBalancer'"}


def test_k30_k31_health_check_node_port(api):
    local = create(api, externalTrafficPolicy="Local")["spec"]
    assert local["healthCheckNodePort"] in NODE_PORTS
    assert refused(422, change, api, healthCheckNodePort=30004).causes == {
        "spec.healthCheckNodePort": "Forbidden: field is immutable"}
    assert "healthCheckNodePort" not in change(api, externalTrafficPolicy="Cluster")["spec"]
    assert change(api, externalTrafficPolicy="Local")["spec"]["healthCheckNodePort"] in NODE_PORTS
    assert "healthCheckNodePort" not in change(api, type="NodePort")["spec"]
    assert list(causes(api, name="t", healthCheckNodePort=30004)) == ["spec.healthCheckNodePort"]
    assert create(api, "t", externalTrafficPolicy="Local", healthCheckNodePort=30005)["spec"][
        "healthCheckNodePort"] == 30005
    refused(500, create, api, "u", externalTrafficPolicy="Local", healthCheckNodePort=30005)


def test_traffic_policies(api):
    assert create(api, internalTrafficPolicy="Local")["spec"]["internalTrafficPolicy"] == "Local"  # K32
    assert list(causes(api, name="t", internalTrafficPolicy="Sideways")) == ["spec.internalTrafficPolicy"]
    assert list(causes(api, name="t", externalTrafficPolicy="Sideways")) == ["spec.externalTrafficPolicy"]
    assert causes(api, name="t", type="ClusterIP", externalTrafficPolicy="Local") == {
        "spec.externalTrafficPolicy": 'Invalid value: "Local": may only be set for externally-accessible services'}


def test_k08_what_goes_and_stays_with_the_type(api):
    before = create(api, externalTrafficPolicy="Local")["spec"]
    after = change(api, type="ClusterIP")["spec"]
    assert after["clusterIP"] == before["clusterIP"] and "nodePort" not in after["ports"][0]
    assert not {"externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort"} & set(after)
    back = change(api, type="LoadBalancer")["spec"]
    assert back["clusterIP"] == before["clusterIP"] and back["ports"][0]["nodePort"] in NODE_PORTS
    name = change(api, type="ExternalName", externalName="a.example.com")["spec"]
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"} & set(name)
    assert change(api, type="ClusterIP", externalName=None)["spec"]["clusterIP"]


def test_k37_ports_keep_their_node_port_by_name(api):
    before = create(api, ports=((80, "TCP"), (53, "UDP")))
    obj = kube.service("s", ports=((80, "TCP"), (53, "UDP")))
    assert node_ports(api.admin.update(obj)) == node_ports(before)
    obj["spec"]["ports"][0].update(port=8080)
    after = api.admin.update(obj)
    assert node_ports(after) == node_ports(before) and after["spec"]["clusterIP"] == before["spec"]["clusterIP"]
    obj["spec"]["ports"][0].update(name="other")
    renamed = node_ports(api.admin.update(obj))
    assert renamed[0] != node_ports(before)[0] and renamed[1] == node_ports(before)[1]


@pytest.mark.since(34)
def test_a_cluster_ip_may_be_asked_for(api):
    assert create(api, clusterIP="10.96.0.77")["spec"]["clusterIPs"] == ["10.96.0.77"]
    assert causes(api, name="t", clusterIP="10.96.0.77") == {
        "spec.clusterIPs": 'Invalid value: ["10.96.0.77"]: failed to allocate IP 10.96.0.77: '
                           "provided IP is already allocated"}
    assert list(causes(api, name="t", clusterIP="192.0.2.1")) == ["spec.clusterIPs"]
    assert list(causes(api, name="t", clusterIP="text")) == ["spec.clusterIPs[0]"]
    assert "must be empty when `clusterIP` is not specified" in causes(
        api, name="t", clusterIPs=["10.96.0.78"])["spec.clusterIPs"]
    api.admin.delete("services", "s")
    assert create(api, "t", clusterIP="10.96.0.77")["spec"]["clusterIP"] == "10.96.0.77"


def test_the_cluster_ip_stays(api):
    before = create(api)["spec"]["clusterIP"]
    refusal = refused(422, change, api, clusterIP="10.96.0.99")
    assert "may not change once set" in refusal.causes["spec.clusterIPs[0]"]
    assert change(api, clusterIP=None)["spec"]["clusterIP"] == before
    assert api.admin.update(kube.service("s"))["spec"]["clusterIP"] == before


def test_k05_headless_is_only_for_cluster_ip(api):
    for type_ in ("LoadBalancer", "NodePort"):
        assert causes(api, type=type_, clusterIP="None") == {
            "spec.clusterIPs[0]": f"Invalid value: \"None\": may not be set to 'None' for {type_} services"}
    create(api, type="ClusterIP", clusterIP="None")
    assert "spec.clusterIPs[0]" in refused(422, change, api, type="LoadBalancer").causes
    # Without clusterIP from that change on, it becomes one with an address.
    assert create(api, "t", selector={"a": "b"})["spec"]["clusterIP"] != "None"


def test_k05_a_foreign_proxy_name_changes_nothing(api):
    obj = kube.service("s", labels={"service.kubernetes.io/service-proxy-name": "other"})
    made = api.admin.create(obj)
    assert made["spec"]["clusterIP"] and node_ports(made)[0] in NODE_PORTS
    body = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}
    assert api.admin.patch_status("services", "s", body)["status"]["loadBalancer"]["ingress"]


@pytest.mark.parametrize("ports, field", [
    ([], "spec.ports"), ([{"port": 0}], "spec.ports[0].port"), ([{"port": 70000}], "spec.ports[0].port"),
    ([{"port": 80, "protocol": "XYZ"}], "spec.ports[0].protocol"), ([{"port": 80}, {"port": 81}], "spec.ports[0].name"),
    ([{"port": 80, "name": "a"}, {"port": 81, "name": "a"}], "spec.ports[1].name"),
    ([{"port": 80, "name": "a"}, {"port": 80, "name": "b"}], "spec.ports[1]"),
    ([{"port": 80, "name": "Capital"}], "spec.ports[0].name"), ([{"port": 80, "nodePort": 80}], "spec.ports[0].nodePort"),
    ([{"port": 80, "targetPort": 70000}], "spec.ports[0].targetPort"),
    ([{"port": 80, "targetPort": "no_name"}], "spec.ports[0].targetPort"),
    ([{"port": 80, "name": "a", "nodePort": 30011}, {"port": 81, "name": "b", "nodePort": 30011}],
     "spec.ports[1].nodePort")])
def test_bad_ports(api, ports, field):
    obj = kube.service("s")
    obj["spec"]["ports"] = ports
    assert field in refused(422, api.admin.create, obj).causes


def test_a_node_port_belongs_to_one_service(api):
    obj = kube.service("s")
    obj["spec"]["ports"][0]["nodePort"] = 30010
    api.admin.create(obj)
    obj["metadata"]["name"] = "t"
    assert refused(422, api.admin.create, obj).causes == {
        "spec.ports[0].nodePort": "Invalid value: 30010: provided port is already allocated"}
    api.admin.delete("services", "s")
    assert node_ports(api.admin.create(obj)) == [30010]
    obj = kube.service("u", type="ClusterIP")
    obj["spec"]["ports"][0]["nodePort"] = 30012
    assert refused(422, api.admin.create, obj).causes == {
        "spec.ports[0].nodePort": "Forbidden: may not be used when `type` is 'ClusterIP'"}


@pytest.mark.parametrize("spec, field", [
    ({"type": "Sideways"}, "spec.type"), ({"type": "ExternalName"}, "spec.externalName"),
    ({"externalIPs": ["text"]}, "spec.externalIPs[0]"), ({"externalIPs": ["127.0.0.1"]}, "spec.externalIPs[0]"),
    ({"externalIPs": ["0.0.0.0"]}, "spec.externalIPs[0]"), ({"externalIPs": ["169.254.1.1"]}, "spec.externalIPs[0]"),
    ({"externalIPs": ["224.0.0.1"]}, "spec.externalIPs[0]"),
    ({"loadBalancerSourceRanges": ["192.0.2.1"]}, "spec.LoadBalancerSourceRanges[0]"),
    ({"type": "ClusterIP", "loadBalancerSourceRanges": ["192.0.2.0/24"]}, "spec.LoadBalancerSourceRanges"),
    ({"selector": {"no key!": "v"}}, "spec.selector")])
def test_bad_specs(api, spec, field):
    assert list(causes(api, **spec)) == [field]


STRICT_ADDRESSES = "StrictIPCIDRValidation"  # on from 1.36


def test_what_is_not_checked(api):
    # The controller has to: a deprecated field's text, host bits, blanks, zeros (K25, K29).
    odd = {"loadBalancerSourceRanges": ["192.0.2.5/24", " 10.0.0.0/8 "], "externalIPs": ["192.0.2.01"]}
    if api.has_feature(STRICT_ADDRESSES):
        assert set(causes(api, **odd)) == {"spec.LoadBalancerSourceRanges[0]", "spec.externalIPs[0]"}
        odd = {}
    made = create(api, loadBalancerIP="text", **odd)["spec"]
    assert made["loadBalancerIP"] == "text"
    assert {field: made[field] for field in odd} == odd
    assert create(api, "t", type="ClusterIP", loadBalancerIP="192.0.2.9")["spec"]["loadBalancerIP"] == "192.0.2.9"


@pytest.mark.parametrize("name", ["Capital", "9th", "a.b", "a" * 64])
def test_names(api, name):
    if name == "9th" and api.has_feature("RelaxedServiceNameValidation"):
        assert create(api, name)["metadata"]["name"] == name
        return
    assert list(causes(api, name=name)) == ["metadata.name"]
