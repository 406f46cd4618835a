# SPDX-License-Identifier: Apache-2.0
"""docs/troubleshooting.md explains every reason that the condition can have and every
Event, and none that does not exist; and every verdict on a node that it quotes is one."""
import re

from harness.manifests import CONFIG

ROOT = CONFIG.parent
PAGE = (ROOT / "docs/troubleshooting.md").read_text()


def reasons():
    """The names in the sources: the allocator's, and those of the decision itself."""
    named = re.findall(r'\[ALLOC_\w+\] = "([A-Z]\w+)"', (ROOT / "lib/core/alloc_text.c").read_text())
    decided = "".join(path.read_text() for path in (ROOT / "lib/core").glob("assign*.c"))
    named += re.findall(r'problem_set\([^"]*?, ALLOC_\w+, "(\w+)"', decided)
    named += re.findall(r'\bname = "(\w+)"', decided)
    return set(named)


def test_every_reason_is_explained():
    assert {"PoolFull", "NoConfiguration", "NoAddressAvailable", "Kept", "Assigned"} <= reasons()
    section = PAGE.split("## The Service stays pending")[1].split("\n## ")[0]
    in_table = set(re.findall(r"^\| `(\w+)` \|", section, re.M))
    assert in_table | {"Kept", "Assigned"} == reasons()


def event_reasons():
    """What the programs name their Events: a word of its own in a call that tells one."""
    calls = r"(?:add_event|report_problem)\([^;]*;|KUBE_EVENT_\w+,\s*\"\w+\","
    files = [path for folder in ("lib", "controller", "speaker") for path in (ROOT / folder).rglob("*.c")]
    told = "".join(" ".join(re.findall(calls, path.read_text())) for path in files)
    return set(re.findall(r'"([A-Za-z]+)"\s*[,:]', told))


def test_K50_every_event_is_explained():
    assert {"IPAllocated", "AddressKept", "AllocationFailed", "StatusContested", "nodeAssigned",
            "ConfigRejected"} <= event_reasons()
    section = PAGE.split("## What the Events say")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.M)) == event_reasons()


def test_quoted_verdicts_exist():
    section = PAGE.split("names every node and why")[1].split("\n3. ")[0]
    source = (ROOT / "lib/core/plan_value.c").read_text()
    quoted = [row.strip() for row in re.findall(r"^   \| ([^|]+) \|", section, re.M)]
    verdicts = [text for text in quoted if text not in ("it says", "---") and not text.startswith("the node is")]
    assert len(verdicts) == 10
    assert [text for text in verdicts if f'"{text}"' not in source] == []
