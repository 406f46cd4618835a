# SPDX-License-Identifier: Apache-2.0
"""`api` for the suites that state what an API server does (test_server*.py,
test_kubectl*.py): each of their tests runs on the embedded server and on the real
one, which is right where they differ."""
import pytest

from harness.mini import MiniApiServer


@pytest.fixture(scope="session")
def mini_server(session_folder):
    with MiniApiServer(session_folder / "mini-api") as server:
        yield server


def pytest_configure(config):
    config.addinivalue_line("markers", "since(minor): what an older Kubernetes than 1.MINOR does or says otherwise")


@pytest.fixture
def mini_api(mini_server):
    """The session's embedded API server, emptied."""
    mini_server.reset()
    return mini_server


@pytest.fixture(params=["mini", "real"])
def api(request):
    server = request.getfixturevalue("mini_api" if request.param == "mini" else "real_api")
    since = request.node.get_closest_marker("since")
    if since and request.param == "real" and server.minor < since.args[0]:
        pytest.skip(f"this server is Kubernetes 1.{server.minor}")
    return server
