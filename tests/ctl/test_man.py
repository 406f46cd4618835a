# SPDX-License-Identifier: Apache-2.0
"""The manual pages: clean, and complete against what the programs' --help says (O01)."""
import re
import subprocess
from pathlib import Path

import pytest

from harness.ctl import BIN

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"heraldctl": "ctl/heraldctl.1", "herald-controller": "controller/herald-controller.8",
         "herald-speaker": "speaker/herald-speaker.8"}


def options_of(*command):
    text = subprocess.run([BIN / command[0], *command[1:], "--help"], capture_output=True, text=True,
                          check=True).stdout
    return set(re.findall(r"--([a-z][a-z-]+)", text))


def page(name):
    return (ROOT / PAGES[name]).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_clean(name):
    done = subprocess.run(["mandoc", "-T", "lint", ROOT / PAGES[name]], capture_output=True, text=True)
    # The other pages are not installed where tests run.
    told = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
    assert told == [] and done.stderr == ""


@pytest.mark.parametrize("name,command", [
    ("heraldctl", ("heraldctl",)), ("heraldctl", ("heraldctl", "validate")), ("heraldctl", ("heraldctl", "diff")),
    ("heraldctl", ("heraldctl", "import")), ("herald-controller", ("herald-controller",)),
    ("herald-speaker", ("herald-speaker",))], ids=lambda v: " ".join(v) if isinstance(v, tuple) else v)
def test_every_option_is_described(name, command):
    described = set(re.findall(r"Fl Fl ([a-z][a-z-]+)", page(name)))
    assert options_of(*command) - described == set()


@pytest.mark.parametrize("name", PAGES)
def test_no_option_is_described_that_is_not_there(name):
    commands = [(name,)] if name != "heraldctl" else [
        ("heraldctl",), *(("heraldctl", verb) for verb in ("validate", "diff", "import"))]
    known = set().union(*(options_of(*command) for command in commands))
    assert set(re.findall(r"Fl Fl ([a-z][a-z-]+)", page(name))) - known == set()


@pytest.mark.parametrize("name,codes", [("heraldctl", ["0", "1", "2", "3", "64"]),
                                        ("herald-controller", ["0", "1", "64"]),
                                        ("herald-speaker", ["0", "1", "64"])])
def test_exit_codes_are_described(name, codes):
    section = page(name).split(".Sh EXIT STATUS")[1].split(".Sh")[0]
    assert re.findall(r"^\.It (\d+)$", section, re.MULTILINE) == codes
