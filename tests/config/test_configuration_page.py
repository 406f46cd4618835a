# SPDX-License-Identifier: Apache-2.0
"""docs/configuration.md says of every field what the schema says, and its YAML is taken; so
are the example ConfigMaps."""
import re
import subprocess

import pytest
import yaml

from harness.config import ROOT, SCHEMA, ask, schema_takes
from harness.ctl import heraldctl

PAGE = (ROOT / "docs/configuration.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
EXAMPLES = sorted((ROOT / "config/examples").glob("config-map*.yaml"))
MAPPINGS = {name: shape for name, shape in {**SCHEMA["properties"], **SCHEMA["$defs"]}.items() if "properties" in shape}


def test_the_tables_are_the_schemas():
    done = subprocess.run([ROOT / "tools/config-reference", "--check"], text=True, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["document", *MAPPINGS])
def test_every_field_is_there_with_its_default(name):
    shape = MAPPINGS.get(name, SCHEMA)
    section = PAGE.split(f"<!-- fields of {name} -->\n")[1].split("<!-- end -->")[0]
    rows = {row.split("|")[1].strip(" `"): row.split("|")[3].strip() for row in section.splitlines()[2:]}
    assert set(rows) == set(shape["properties"])
    for field, default in rows.items():
        assert default, field
        assert (default == "required") == (field in shape.get("required", []))
        assert default == "required" or "default" in shape["properties"][field] or \
            default == shape["properties"][field].get("x-default", "none")


def test_there_are_blocks_and_examples():
    assert len(BLOCKS) >= 4
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_are_taken(block):
    assert ask(block).problems == []
    assert schema_takes(yaml.safe_load(block))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_taken(path):
    done = heraldctl("validate", path)
    assert (done.code, done.err) == (0, "")
    manifest = yaml.safe_load(path.read_text())
    assert (manifest["kind"], manifest["metadata"]) == \
        ("ConfigMap", {"name": "herald-config", "namespace": "herald-system"})
    assert list(manifest["data"]) == ["config.yaml"]
    assert schema_takes(yaml.safe_load(manifest["data"]["config.yaml"]))
