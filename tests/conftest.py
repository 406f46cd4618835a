# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all suites. A test's folder (`workdir`) is kept when it fails,
and the ends of the logs in it are shown with the failure."""
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from harness.binaries import NoToolchain, cluster_binaries
from harness.lab import API_ADDRESS, Lab
from harness.real import RealApiServer
from harness.worker import enter_own_namespaces

SHOWN_LINES = 40
FAILED = pytest.StashKey[bool]()
SESSION_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        enter_own_namespaces()
    config.stash[SESSION_FOLDER] = Path(tempfile.mkdtemp(prefix="herald-tests-"))


def pytest_unconfigure(config):
    folder = config.stash[SESSION_FOLDER]
    if not config.stash.get(FAILED, False):
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists():
        print(f"logs of the failed tests are kept in {folder}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if not report.failed:
        return
    item.stash[FAILED] = item.config.stash[FAILED] = True
    folders = {value for value in item.funcargs.values() if isinstance(value, Path)}
    folders |= {value.dir for value in item.funcargs.values() if isinstance(value, RealApiServer)}
    for log in sorted({log for folder in folders for log in folder.glob("*.log")}):
        lines = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        report.sections.append((f"end of {log}", "\n".join(lines)))


@pytest.fixture(scope="session")
def session_folder(request):
    return request.config.stash[SESSION_FOLDER]


@pytest.fixture
def workdir(request, session_folder):
    """An empty folder for this test, removed when it passes."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in request.node.name)
    folder = Path(tempfile.mkdtemp(prefix=f"{name[:60]}-", dir=session_folder))
    yield folder
    if not request.node.stash.get(FAILED, False):
        shutil.rmtree(folder, ignore_errors=True)


def need_sandbox():
    if f"|-- {API_ADDRESS}\n" not in Path("/proc/net/fib_trie").read_text():
        pytest.fail("this test changes the network: run it under tests/run", pytrace=False)


@pytest.fixture(scope="session")
def cluster_bins():
    """The folder of the real control plane's programs, built where missing. Without a Go
    toolchain its tests are skipped, except in CI (CI=true), where they fail."""
    try:
        return cluster_binaries()
    except NoToolchain as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"in CI the real-cluster tests must run, but: {reason}", pytrace=False)
        pytest.skip(f"REAL-CLUSTER TESTS SKIPPED: {reason}")


@pytest.fixture(scope="session")
def real_server(cluster_bins, session_folder):
    """One real API server for the session, reachable here and from a lab's nodes."""
    need_sandbox()
    server = RealApiServer(session_folder / "real-api", API_ADDRESS)
    yield server
    server.stop()


@pytest.fixture
def real_api(real_server):
    """The session's real API server, emptied. Tests that kill it bring it back themselves."""
    real_server.reset()
    return real_server


@pytest.fixture
def lab():
    """Two nodes and a client (harness/lab.py)."""
    need_sandbox()
    made = Lab(nodes=2)
    yield made
    made.close()
