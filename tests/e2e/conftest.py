# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the speaker's tests."""
import tempfile
from pathlib import Path

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


@pytest.fixture(scope="module")
def module_folder(request, session_folder):
    """A folder for what all tests of a file share."""
    return Path(tempfile.mkdtemp(prefix=f"{Path(request.node.name).stem}-", dir=session_folder))
