# SPDX-License-Identifier: Apache-2.0
"""Emptying an API server between tests, in milliseconds: nodes, RBAC objects, every
namespace that is not the system's, and all that is in `default`. The others of the
system's namespaces are left alone: a test that writes there cleans up itself."""
from harness.kube import PATCH_TYPES, ApiError, path_of
from harness.wait import wait_for

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
# Dependents first.
NAMESPACED = ("deployments", "daemonsets", "poddisruptionbudgets", "pods", "endpointslices", "services", "endpoints",
              "configmaps", "secrets", "leases", "events", "serviceaccounts", "roles", "rolebindings")
CLUSTER_WIDE = ("nodes", "clusterroles", "clusterrolebindings")


def reset(admin):
    """Empties the server that `admin`, a Kube with all rights, talks to."""
    for resource in (*NAMESPACED, *CLUSTER_WIDE):
        for item in admin.items(resource):
            if not is_systems_own(resource, item["metadata"]):
                delete(admin, resource, item["metadata"])
    for item in admin.items("namespaces"):
        if item["metadata"]["name"] not in SYSTEM_NAMESPACES:
            delete_namespace(admin, item["metadata"]["name"])


def delete(admin, resource, meta):
    path = path_of(resource, meta.get("namespace"), meta["name"])
    if meta.get("finalizers"):
        admin.raw("PATCH", path, {"metadata": {"finalizers": None}}, {"Content-Type": PATCH_TYPES["merge"]})
    response = admin.raw("DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
    if response.status_code not in (200, 202, 404):
        raise ApiError(response)


def delete_namespace(admin, name):
    """The namespace controller, where it runs, does the same; here nobody else does."""
    admin.raw("DELETE", path_of("namespaces", name=name))
    response = admin.raw("PUT", path_of("namespaces", name=name, sub="finalize"),
                         {"metadata": {"name": name}, "spec": {"finalizers": []}})
    if response.status_code not in (200, 404):
        raise ApiError(response)
    # What admits objects learns of it later, and would refuse those of the next namespace
    # of that name.
    wait_for(f"namespace {name} to be forgotten", lambda: is_forgotten(admin, name))


def is_forgotten(admin, namespace):
    probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe", "namespace": namespace}}
    path = path_of("configmaps", namespace)
    return admin.raw("POST", path, probe, params={"dryRun": "All"}).status_code == 404


def is_systems_own(resource, meta):
    namespace, name = meta.get("namespace"), meta["name"]
    if "kubernetes.io/bootstrapping" in meta.get("labels", {}):
        return True
    if namespace in SYSTEM_NAMESPACES and namespace != "default":
        return True
    return namespace == "default" and resource in ("services", "endpoints", "endpointslices") and name == "kubernetes"
