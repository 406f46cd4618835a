# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, bound by a deadline; the error says what was seen last."""
import time

POLL_SECONDS = 0.02


def wait_for(what, fn, timeout=10):
    """Calls fn until it returns something true, and returns that.

    A falsy result or an exception means "not yet". After `timeout` seconds it
    raises AssertionError naming `what` and the last result or exception."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            seen = fn()
            if seen:
                return seen
        except Exception as error:  # whatever a poll raises is what was seen
            seen = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {timeout} s for {what}; last seen: {seen!r}")
        time.sleep(POLL_SECONDS)
