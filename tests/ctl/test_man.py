# SPDX-License-Identifier: Apache-2.0
"""The manual pages: clean, and complete against what the programs' --help says (O01)."""
import re
import subprocess
from pathlib import Path

import pytest

from harness.ctl import BIN

ROOT = Path(__file__).resolve().parents[2]
MAN = ROOT / "ctl/man"
PAGES = {"herald-controller": ROOT / "controller/herald-controller.8",
         "herald-speaker": ROOT / "speaker/herald-speaker.8", "heraldctl": MAN / "heraldctl.1",
         **{f"heraldctl {path.stem.removeprefix('heraldctl-')}": path for path in MAN.glob("heraldctl-*.1")}}
VERBS = [name for name in PAGES if name.startswith("heraldctl ")]


def options_of(command):
    name, *verb = command.split()
    text = subprocess.run([BIN / name, *verb, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--([a-z][a-z-]+)", text))


def page(name):
    return PAGES[name].read_text()


def described_in(name):
    return set(re.findall(r"Fl Fl ([a-z][a-z-]+)", page(name)))


def test_every_verb_has_its_page():
    text = subprocess.run([BIN / "heraldctl", "--help"], capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r"^  ([a-z-]+) ", text, re.MULTILINE)
    assert sorted(VERBS) == sorted(f"heraldctl {verb}" for verb in verbs)
    assert re.findall(r"^\.It Cm ([a-z-]+)$", page("heraldctl"), re.MULTILINE) == verbs


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_clean(name):
    done = subprocess.run(["mandoc", "-T", "lint", PAGES[name]], capture_output=True, text=True)
    # The other pages are not installed where tests run.
    told = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
    assert told == [] and done.stderr == ""


@pytest.mark.parametrize("name", PAGES)
def test_every_option_is_described(name):
    """The options that verbs have in common stand in heraldctl's own page."""
    common = described_in("heraldctl") if name in VERBS else set()
    assert options_of(name) - described_in(name) - common == set()


@pytest.mark.parametrize("name", PAGES)
def test_no_option_is_described_that_is_not_there(name):
    known = set().union(*map(options_of, [name, *VERBS] if name == "heraldctl" else [name]))
    assert described_in(name) - known == set()


@pytest.mark.parametrize("name", PAGES)
def test_O01_exit_codes_are_described(name):
    """Those that --help names, of verbs; all that there are, of programs."""
    codes = {"heraldctl": ["0", "1", "2", "3", "64"]}.get(name, ["0", "1", "64"])
    if name in VERBS:
        text = subprocess.run([BIN / "heraldctl", *name.split()[1:], "--help"], capture_output=True, text=True,
                              check=True).stdout
        codes = re.findall(r"\b(\d+)\s", text.split("Exit codes:")[1])
    section = page(name).split(".Sh EXIT STATUS")[1].split(".Sh")[0]
    assert re.findall(r"^\.It (\d+)$", section, re.MULTILINE) == codes
