# SPDX-License-Identifier: Apache-2.0
"""Objects as Herald's programs write them, for tests of what reads them."""
import datetime

from harness.kube import lease

NS = "herald-system"


def lease_time(ago=0.0):
    """A Lease's renewTime, so many seconds ago."""
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=ago)
    return then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def speaker_lease(node, networks="192.0.2.0/24", ago=0.0, holder=None, duration=3600, **told):
    """A speaker's Lease. With its long duration it is taken as alive for the time of a test,
    though nobody renews it; with `ago` above that, as dead. `told`: what its annotations
    say: conflicts="192.0.2.7=02:...", holds=..., bgp=..."""
    made = lease(f"herald-speaker.{node}", node if holder is None else holder, NS, duration, lease_time(ago))
    made["metadata"]["labels"] = {"app.kubernetes.io/component": "speaker"}
    made["metadata"]["annotations"] = {
        "herald.io/interfaces": f"eth0=02:00:00:00:00:{sum(node.encode()) % 256:02x},{networks}",
        **{f"herald.io/{key}": value for key, value in told.items()}}
    return made
