# SPDX-License-Identifier: Apache-2.0
"""What several workers at once need: each is in network and mount namespaces of its own,
inside the sandbox that tests/run made, so that their labs have the same names and
addresses and do not meet."""
import ctypes
import os

from harness.lab import API_ADDRESS
from harness.netns import run

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000


def enter_own_namespaces():
    """Of the calling thread and of what it starts; it is the one that runs the tests."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"cannot enter namespaces of this worker's own: {os.strerror(error)}")
    run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"])
    run(["ip", "link", "set", "lo", "up"])
    run(["ip", "address", "add", f"{API_ADDRESS}/32", "dev", "lo"])
