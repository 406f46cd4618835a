# SPDX-License-Identifier: Apache-2.0
"""Cluster IPs by BGP: those that bgp.announceClusterIPs allows, from when it does, and never
in layer 2."""
import pytest

from harness.bgp import BgpCluster
from harness.kube import endpointslice, service
from harness.wait import wait_for

ALLOWED = {"announceClusterIPs": ["10.96.7.0/24"]}


@pytest.fixture
def cluster(workdir):
    made = BgpCluster(workdir)
    try:
        made.add_router("bird")
        made.configure([made.peer(r) for r in made.routers.values()])
        made.start()
        yield made
    finally:
        made.close()


def test_cluster_ips_that_are_allowed(cluster):
    router = cluster.routers["bird60"]
    peers = [cluster.peer(router)]
    for name, address in (("inside", "10.96.7.1"), ("beyond", "10.96.8.1"), ("local", "10.96.7.2")):
        cluster.kube.create(service(name, type="ClusterIP", clusterIP=address, clusterIPs=[address],
                                    internalTrafficPolicy="Local" if name == "local" else "Cluster"))
    cluster.up()
    cluster.speakers.add_service("web", "203.0.113.1")
    wait_for("the route of what has an address", lambda: router.prefixes() == {"203.0.113.1/32"})
    cluster.configure(peers, **ALLOWED)
    wait_for("the route of the one inside", lambda: router.prefixes() == {"203.0.113.1/32", "10.96.7.1/32"})
    cluster.kube.create(endpointslice("local", [("10.244.0.9", "node1")]))
    wait_for("the route of the one with an endpoint here", lambda: "10.96.7.2/32" in router.prefixes())
    assert "10.96.8.1/32" not in router.prefixes()
    assert cluster.speakers.address(cluster.nodes[0], "10.96.7.1") is None  # layer 2 does not have it
    cluster.configure(peers)
    wait_for("the routes to be withdrawn", lambda: router.prefixes() == {"203.0.113.1/32"})
