# SPDX-License-Identifier: Apache-2.0
"""Who may ask, and what can be asked before anything else: credentials, RBAC, the
server's version and its discovery documents.
Shown here: K61."""
import pytest
import requests

from harness import kube
from harness.kube import Kube, path_of
from harness.refusal import refused
from harness.wait import wait_for

RBAC = "rbac.authorization.k8s.io"
ACCOUNT = "system:serviceaccount:default:someone"


def someone(api):
    """A client with the rights of a service account that has none yet."""
    api.admin.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "someone"}})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    answer = api.admin.call("POST", path_of("serviceaccounts", "default", "someone", "token"), request)
    assert answer["spec"]["expirationSeconds"] == 600 and answer["status"]["expirationTimestamp"]
    return Kube(api, answer["status"]["token"])


def grant(api, *rules, cluster=True):
    kind = "ClusterRole" if cluster else "Role"
    api.admin.create({"apiVersion": RBAC + "/v1", "kind": kind, "metadata": {"name": "r"}, "rules": list(rules)})
    api.admin.create({"apiVersion": RBAC + "/v1", "kind": kind + "Binding", "metadata": {"name": "r"},
                      "roleRef": {"apiGroup": RBAC, "kind": kind, "name": "r"},
                      "subjects": [{"kind": "ServiceAccount", "name": "someone", "namespace": "default"}]})


def rule(verbs, resources, group="", **more):
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split(), **more}


def anonymous(api, path, **headers):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(api.url + path, headers=headers, verify=api.ca_file, timeout=30)


def allowed(client, method, path, body=None):
    """RBAC objects count as soon as the server's own watch has seen them."""
    return wait_for(f"{method} {path} to be allowed", lambda: client.raw(method, path, body).status_code < 300)


def test_k61_a_wrong_token_is_401(api):
    refusal = refused(401, Kube(api, "wrong").list, "services")
    assert refusal.status == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                              "message": "Unauthorized", "reason": "Unauthorized", "code": 401}
    refused(401, Kube(api, "wrong").call, "GET", "/version")


def test_without_credentials_one_is_anonymous(api):
    for headers in ({}, {"Authorization": "nonsense"}):
        response = anonymous(api, path_of("services", "default"), **headers)
        assert response.status_code == 403 and response.json()["message"] == (
            'services is forbidden: User "system:anonymous" cannot list resource "services" in API group "" '
            'in the namespace "default"')
    assert anonymous(api, "/api").json()["message"] == 'forbidden: User "system:anonymous" cannot get path "/api"'
    for path in ("/healthz", "/livez", "/readyz"):
        assert anonymous(api, path).text == "ok"
    assert anonymous(api, "/version").json()["major"] == "1"


def test_a_client_certificate_is_accepted(api):
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(api.url + "/api/v1/nodes", verify=api.ca_file, cert=(api.client_cert, api.client_key))
    assert answer.json()["kind"] == "NodeList"


@pytest.mark.parametrize("method, path, body, message", [
    ("GET", path_of("services"), None, 'services is forbidden: User "{}" cannot list resource "services" in API group "" '
     "at the cluster scope"),
    ("GET", path_of("services") + "?watch=true", None, 'services is forbidden: User "{}" cannot watch resource '
     '"services" in API group "" at the cluster scope'),
    ("PATCH", path_of("services", "default", "s", "status"), {}, 'services "s" is forbidden: User "{}" cannot patch '
     'resource "services/status" in API group "" in the namespace "default"'),
    ("POST", path_of("leases", "default"), kube.lease("l", "x"), 'leases.coordination.k8s.io is forbidden: User "{}" '
     'cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "default"'),
    ("DELETE", path_of("nodes", name="n"), None, 'nodes "n" is forbidden: User "{}" cannot delete resource "nodes" in '
     'API group "" at the cluster scope'),
    ("DELETE", path_of("configmaps", "default"), None, 'configmaps is forbidden: User "{}" cannot deletecollection '
     'resource "configmaps" in API group "" in the namespace "default"'),
    ("GET", path_of("namespaces", name="default"), None, 'namespaces "default" is forbidden: User "{}" cannot get '
     'resource "namespaces" in API group "" in the namespace "default"')])
def test_what_is_forbidden_is_named(api, method, path, body, message):
    refusal = refused(403, someone(api).call, method, path, body, {
        "Content-Type": "application/merge-patch+json"} if method == "PATCH" else None)
    assert refusal.reason == "Forbidden" and refusal.status["message"] == message.format(ACCOUNT)


def test_rights_are_counted_by_verb_resource_and_subresource(api):
    api.admin.create(kube.service("s"))
    client = someone(api)
    grant(api, rule("get list watch", "services"), rule("patch", "services/status"))
    allowed(client, "GET", path_of("services"))
    assert client.get("services", "s")["metadata"]["name"] == "s"
    assert client.patch_status("services", "s", {"metadata": {"annotations": {"a": "b"}}})
    refused(403, client.patch, "services", "s", {})
    refused(403, client.delete, "services", "s")
    refused(403, client.list, "configmaps")


def test_rights_may_name_objects(api):
    client = someone(api)
    grant(api, rule("get update", "leases", "coordination.k8s.io", resourceNames=["mine"]),
          rule("create", "leases", "coordination.k8s.io"))
    made = wait_for("rights", lambda: client.create(kube.lease("mine", "x")))
    assert client.update(made) == made
    client.create(kube.lease("other", "x"))
    refused(403, client.get, "leases", "other")
    refused(403, client.list, "leases", "default")


def test_rights_of_a_role_end_at_its_namespace(api):
    api.admin.create(kube.namespace("other"))
    client = someone(api)
    grant(api, rule("list", "configmaps"), cluster=False)
    allowed(client, "GET", path_of("configmaps", "default"))
    refused(403, client.list, "configmaps", "other")
    refused(403, client.list, "configmaps")


def test_rights_are_taken_away(api):
    client = someone(api)
    grant(api, rule("list", "configmaps"))
    allowed(client, "GET", path_of("configmaps"))
    api.admin.delete("clusterrolebindings", "r")
    wait_for("the right to be gone", lambda: client.raw("GET", path_of("configmaps")).status_code == 403)


def test_a_binding_keeps_its_role(api):
    grant(api, rule("list", "configmaps"))
    refusal = refused(422, api.admin.patch, "clusterrolebindings", "r", {"roleRef": {"name": "other"}})
    assert list(refusal.causes) == ["roleRef"]


def test_discovery_of_authenticated_users(api):
    client = someone(api)
    assert client.call("GET", "/api")["versions"] == ["v1"]
    assert client.call("GET", "/apis")["kind"] == "APIGroupList"


def test_groups_and_versions(api):
    version = api.admin.call("GET", "/version")
    assert version["major"] == "1" and version["minor"].isdigit()
    assert version["gitVersion"].startswith(f"v1.{version['minor']}.")
    groups = {g["name"]: g for g in api.admin.call("GET", "/apis")["groups"]}
    for name in ("apps", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", RBAC):
        assert {"groupVersion": name + "/v1", "version": "v1"} in groups[name]["versions"]
        alone = api.admin.call("GET", "/apis/" + name)
        assert alone["kind"] == "APIGroup" and alone["preferredVersion"] == groups[name]["preferredVersion"]


VERBS = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}


@pytest.mark.parametrize("path, name, kind, namespaced, short", [
    ("/api/v1", "services", "Service", True, ["svc"]), ("/api/v1", "configmaps", "ConfigMap", True, ["cm"]),
    ("/api/v1", "nodes", "Node", False, ["no"]), ("/api/v1", "namespaces", "Namespace", False, ["ns"]),
    ("/api/v1", "events", "Event", True, ["ev"]), ("/apis/coordination.k8s.io/v1", "leases", "Lease", True, None),
    ("/apis/discovery.k8s.io/v1", "endpointslices", "EndpointSlice", True, None),
    ("/apis/events.k8s.io/v1", "events", "Event", True, ["ev"]),
    ("/apis/apps/v1", "deployments", "Deployment", True, ["deploy"])])
def test_resources(api, path, name, kind, namespaced, short):
    document = api.admin.call("GET", path)
    assert document["kind"] == "APIResourceList" and document["groupVersion"] == path.split("/", 2)[2]
    found = {r["name"]: r for r in document["resources"]}
    r = found[name]
    assert (r["kind"], r["namespaced"], r.get("shortNames"), r["singularName"]) == (kind, namespaced, short, kind.lower())
    assert set(r["verbs"]) == VERBS - ({"deletecollection"} if name == "namespaces" else set())
    if name in ("services", "nodes"):
        assert set(found[name + "/status"]["verbs"]) == {"get", "patch", "update"}
