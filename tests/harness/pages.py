# SPDX-License-Identifier: Apache-2.0
"""The commands that the documentation tells people to type: every fenced block of
language sh, with what the comments right above it say about running it:

    <!-- with: NAME=web NODE=node1 -->   these words are replaced before it is run
    <!-- fresh -->                       in a cluster that has nothing of Herald's yet
    <!-- fresh: metallb -->              in one that has what tests/docs/metallb.yaml says
    <!-- not run: wants pods -->         why tests can't run it; EXCUSES has the words, and
                                         what must be true of a block that claims it"""
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"sh", "yaml", "json", ""}
COMMENT = re.compile(r"^<!-- (with|fresh|not run)(?:: (.*))? -->$")


@dataclass
class Block:
    page: Path
    line: int
    language: str
    text: str
    replaced: dict
    fresh: str | None
    excuse: str

    @property
    def name(self):
        return f"{self.page.name}:{self.line}"

    def commands(self):
        """Its lines without comments, continued ones joined."""
        joined = self.text.replace("\\\n", " ")
        return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    def script(self):
        script = self.text
        for word, value in self.replaced.items():
            script = re.sub(rf"\b{word}\b", value, script)
        return script


def blocks(page):
    """Every fenced block of a page."""
    found, notes, lines = [], {}, enumerate(page.read_text().splitlines(), 1)
    for number, line in lines:
        if note := COMMENT.match(line):
            notes[note[1]] = note[2] or ""
        elif (fence := re.match(r"^(\s*)```(\w*)$", line)):
            body = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                body.append(inner.removeprefix(fence[1]))
            pairs = dict(pair.split("=", 1) for pair in notes.get("with", "").split())
            found.append(Block(page, number, fence[2], "\n".join(body) + "\n", pairs, notes.get("fresh"),
                               notes.get("not run", "")))
            notes = {}
        elif line.strip():
            notes = {}
    return found


def words(command):
    return shlex.split(command, comments=True)


def begins_with(*programs):
    return lambda command: words(command)[0] in programs


def takes_minutes(command):
    program, *arguments = words(command)
    if program == "make":
        return subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True).returncode == 0
    paths = [a for a in arguments if "/" in a and not a.startswith("build/")]
    return program in ("bench/run", "tests/run", "ctest") and all((ROOT / path).exists() for path in paths)


def wants_pods(command):
    """What it asks is answered by a pod, through the API server or a forwarded port."""
    if re.search(r"^curl .*http://127\.0\.0\.1:", command):
        return True
    return command.startswith("kubectl ") and re.search(r" logs | exec | port-forward |/proxy/| rollout status ", command)


def is_run_elsewhere(command):
    """tests/ctl/test_page.py runs every command of this page, beside speakers' Leases."""
    page = ROOT / "docs/heraldctl.md"
    return any(command in block.commands() for block in blocks(page) if block.language == "sh")


# What a block that is not run gives as its reason, and what has to hold for each of its commands.
EXCUSES = {
    "takes minutes, or is these tests": takes_minutes,
    "wants pods, and there is no kubelet": wants_pods,
    "wants a container engine": begins_with("podman", "docker", "kind", "ctr", "skopeo"),
    "wants the Internet": begins_with("git", "tools/image", "apt-get", "curl"),
    "wants speakers: tests/ctl/test_page.py runs it": is_run_elsewhere,
    "changes the machine": begins_with("sysctl", "modprobe", "cmake", "sudo"),
}
