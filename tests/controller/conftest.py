# SPDX-License-Identifier: Apache-2.0
"""The controller's tests run against both API servers; `mini` is for those that need
its faults or its counts of requests."""
import pytest

from harness.controller import CONFIG, Controllers
from harness.mini import MiniApiServer


@pytest.fixture
def mini(workdir):
    with MiniApiServer(workdir / "mini") as server:
        yield server


@pytest.fixture(params=["mini", "real"])
def api(request):
    return request.getfixturevalue("mini" if request.param == "mini" else "real_api")


@pytest.fixture
def make(workdir):
    """make(server, config): Controllers, stopped at the end, each with exit code 0."""
    made = []

    def build(server, *args, **kwargs):
        made.append(Controllers(server, workdir, *args, **kwargs))
        return made[-1]
    yield build
    for controllers in made:
        alive = {name for name, process in controllers.running.items() if process.running}
        codes = controllers.stop()
        assert all(codes[name] == 0 for name in alive), codes


@pytest.fixture
def controllers(request, api, make):
    """Controllers of which one is at work, under the test file's CONFIG where it has one."""
    made = make(api, getattr(request.module, "CONFIG", CONFIG))
    made.start()
    return made
