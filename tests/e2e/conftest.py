# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the speaker's tests."""
import pytest

from harness.mini import MiniApiServer
from harness.speaker import Speakers


@pytest.fixture
def speakers(lab, workdir):
    """Speakers against the embedded API server, not started yet."""
    server = MiniApiServer(workdir / "api", listen="10.199.0.1:0")
    made = Speakers(server, lab, workdir)
    yield made
    made.stop()
    server.stop()
