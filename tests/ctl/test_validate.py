# SPDX-License-Identifier: Apache-2.0
"""`heraldctl validate`: the answers of the programs' own parser, in terms of the file that
was given, so that an editor can jump to them (A01, A02)."""
import json
import os

import pytest

from harness.ctl import BIN, heraldctl

GOOD = """apiVersion: herald.io/v1
pools:
- name: a
  addresses: [192.0.2.0/24, "2001:db8::/120"]
- name: b
  addresses: [198.51.100.1-198.51.100.9]
"""

BAD = """apiVersion: herald.io/v1
pools:
- name: a
  adresses: [192.0.2.0/24]
- name: a
  addresses: [192.0.2.5 - 192.0.2.1]
  autoAssign: yes
"""
# Where BAD's problems are: line, column, field.
BAD_PLACES = [(3, 3, "pools[0]"), (4, 3, "pools[0].adresses"), (5, 9, "pools[1].name"),
              (6, 15, "pools[1].addresses[0]"), (7, 15, "pools[1].autoAssign")]


def indent(text, blanks):
    return "".join(" " * blanks + line for line in text.splitlines(True))


def write(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def problems(folder, *names, args=()):
    done = heraldctl("validate", "-o", "json", *args, *names, cwd=folder)
    answer = json.loads(done.out)
    assert done.code == (0 if answer["good"] else 1)
    assert answer["good"] == (not answer["problems"])
    return answer["problems"]


def places(found):
    return [(p.get("line"), p.get("column"), p["field"]) for p in found]


def test_good_files_are_one_line_each(workdir):
    write(workdir, "one.yaml", GOOD)
    write(workdir, "two.yaml", GOOD)
    done = heraldctl("validate", "one.yaml", "two.yaml", cwd=workdir)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{name}: good: 2 pools with 265 IPv4 and 256 IPv6 addresses" for name in ("one.yaml", "two.yaml")]


def test_A02_all_problems_of_all_files_at_once(workdir):
    write(workdir, "bad.yaml", BAD)
    write(workdir, "good.yaml", GOOD)
    done = heraldctl("validate", "bad.yaml", "good.yaml", "missing.yaml", cwd=workdir)
    assert done.code == 1
    assert done.out == "good.yaml: good: 2 pools with 265 IPv4 and 256 IPv6 addresses\n"
    lines = done.err.splitlines()
    assert [line.split(": ")[:2] for line in lines[:-1]] == [
        [f"bad.yaml:{line}:{column}", field] for line, column, field in BAD_PLACES]
    assert 'did you mean "addresses"?' in lines[1]
    assert lines[-1] == "missing.yaml: cannot be opened: No such file or directory"


def test_problems_as_json(workdir):
    write(workdir, "bad.yaml", BAD)
    found = problems(workdir, "bad.yaml")
    assert places(found) == BAD_PLACES
    assert {p["file"] for p in found} == {"bad.yaml"}
    assert all(p["problem"] for p in found)


def test_standard_input():
    assert heraldctl("validate", "-", stdin=GOOD).out.startswith("standard input: good: 2 pools")
    done = heraldctl("validate", "-", stdin=BAD)
    assert done.code == 1
    assert done.err.startswith("standard input:3:3: pools[0]: ")


def manifest(value, name="herald-config"):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  config.yaml: {value}"


LITERAL = manifest("|\n" + indent(BAD, 4))


@pytest.mark.parametrize("header,blanks", [
    ("|", 4), ("|-", 4), ("|+", 3), ("|  # a remark: here", 8), ("|2", 4), ("|2-", 4)])
def test_A02_places_in_a_literal_block(workdir, header, blanks):
    write(workdir, "m.yaml", "# a remark\n" + manifest(header + "\n" + indent(BAD, blanks)))
    expected = [(line + 7, column + blanks, field) for line, column, field in BAD_PLACES]
    found = problems(workdir, "m.yaml")
    assert places(found) == expected
    # What a problem says of other lines is in terms of the file too.
    assert f"first on line {3 + 7}:" in found[2]["problem"]


def test_places_after_blank_lines_and_remarks(workdir):
    text = "\n# ä remark\n\n" + BAD
    write(workdir, "m.yaml", manifest("|\n" + indent(text, 4).replace("    \n", "\n")))
    assert places(problems(workdir, "m.yaml")) == [
        (line + 9, column + 4, field) for line, column, field in BAD_PLACES]


def test_places_with_windows_line_ends(workdir):
    write(workdir, "m.yaml", LITERAL.replace("\n", "\r\n"))
    assert places(problems(workdir, "m.yaml")) == [
        (line + 6, column + 4, field) for line, column, field in BAD_PLACES]


@pytest.mark.parametrize("value,words", [
    # A line's end is a blank of the text.
    (">-\n    {apiVersion: herald.io/v1,\n    pools: [{name: ü,\n\n    addresses: [10.0.0.0/33]}]}\n",
     ["ü,", "10.0.0.0/33"]),
    # Quotes doubled, folded at a line's end.
    ("'{apiVersion: ''herald.io/v1'', pools: [{name: ''ü'',\n    addresses: [10.0.0.0/33]}]}'\n",
     ["''ü''", "10.0.0.0/33"]),
    # Every kind of escape.
    ('"{apiVersion: \\"herald.io\\/v1\\",\\n\\tpools: [{name: \\u00fc\\x20,\\\n'
     '    \\ addresses: [10.0.0.0/33]}]}"\n', ["\\u00fc", "10.0.0.0/33"]),
    ("x\n    y\n", ["x"]),
], ids=["folded", "quoted", "escaped", "plain"])
def test_A02_places_in_other_styles(workdir, value, words):
    """At the place that is told stands, in the file, what the problem is about."""
    text = manifest(value)
    write(workdir, "m.yaml", text)
    found = problems(workdir, "m.yaml")
    assert len(found) == len(words)
    for problem, word in zip(found, words):
        assert text.splitlines()[problem["line"] - 1][problem["column"] - 1:].startswith(word)


def test_A02_places_in_a_json_manifest(workdir):
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "herald-config"},
                  "data": {"config.yaml": BAD}}
    text = json.dumps(config_map)
    write(workdir, "m.json", text)
    at = text.index("apiVersion: herald.io") + 1
    inner = json.dumps(BAD)[1:-1]
    found = problems(workdir, "m.json")
    for (line, column, field), problem in zip(BAD_PLACES, found, strict=True):
        before = "".join(BAD.splitlines(True)[:line - 1]) + BAD.splitlines()[line - 1][:column - 1]
        assert places([problem]) == [(1, at + len(json.dumps(before)) - 2, field)]
    assert inner in text


def test_kubectl_lists(workdir):
    good, bad = ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
                  "data": {"config.yaml": text}} for name, text in (("good", GOOD), ("bad", BAD)))
    other = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    write(workdir, "list.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": [good, other, bad]}, indent=4))
    done = heraldctl("validate", "list.json", cwd=workdir)
    assert done.code == 1
    assert done.out == "list.json: ConfigMap/good: good: 2 pools with 265 IPv4 and 256 IPv6 addresses\n"
    assert "passed over: Service/web (line " in done.err
    assert len(problems(workdir, "list.json")) == len(BAD_PLACES)


def test_other_objects_of_a_file_are_passed_over(workdir):
    """Also when they hold what a configuration may not: anchors, tags, nesting."""
    others = "kind: Deep\nspec: " + "{a: " * 100 + "1" + "}" * 100 + "\n---\n---\n"
    others += "kind: Crd\nmetadata: {name: x}\nspec: &a {b: !t 1, c: 2, c: 3}\nagain: *a\n---\n"
    write(workdir, "m.yaml", others + LITERAL + "---\nkind: ConfigMap\nmetadata: {name: other}\ndata: {x: y}\n")
    found = problems(workdir, "m.yaml")
    offset = others.count("\n") + 6
    assert places(found) == [(line + offset, column + 4, field) for line, column, field in BAD_PLACES]
    done = heraldctl("validate", "m.yaml", cwd=workdir)
    assert "passed over: Deep/ (line 1), Crd/x (line 5), ConfigMap/other" in done.err


def test_only_the_config_map_of_a_name(workdir):
    write(workdir, "m.yaml", LITERAL + "---\n" + manifest("|\n" + indent(GOOD, 4), "mine"))
    assert heraldctl("validate", "m.yaml", cwd=workdir).code == 1
    assert heraldctl("validate", "--config-map", "mine", "m.yaml", cwd=workdir).code == 0
    done = heraldctl("validate", "--config-map", "none", "m.yaml", cwd=workdir)
    assert done.code == 1
    assert "holds no configuration of Herald" in done.err


BAD_FILES = [
    ("nothing", b"", "the document is empty"),
    ("only a remark", b"# nothing\n", "the document is empty"),
    ("2 MiB", b"#" * (2 * 1024 * 1024), "2097152 bytes long, more than the 1048576 allowed"),
    ("garbage", bytes(range(256)) * 4096, "byte 1 of the line is no text"),
    ("NULs", b"apiVersion: \0\n", "byte 13 of the line is no text"),
    ("text", b"hello", "where fields are wanted"),
    ("brackets", b"[" * 100000, "nested more than 16 deep"),
    ("an alias bomb", b"a: &a [x,x]\nb: &b [*a,*a]\n", "is a YAML alias"),
    ("a broken manifest", b"kind: ConfigMap\nmetadata: {name: x\ndata: {config.yaml: a}\n", "is not valid YAML"),
    ("two documents", GOOD.encode() + b"---\n" + GOOD.encode(), "a second document begins here"),
    ("no such key", b"kind: ConfigMap\ndata: {config.yml: a}\n", 'but "config.yml": rename it'),
    ("binary data", b"kind: ConfigMap\nbinaryData: {config.yaml: YQ==}\n", "put the text under data"),
    ("not text", b"kind: ConfigMap\ndata: {config.yaml: {pools: []}}\n", 'write "config.yaml: |" before it'),
    ("data is text", b"kind: ConfigMap\ndata: hello\n", "holds no configuration of Herald"),
    ("a Service", b"kind: Service\nmetadata: {name: web}\n", "holds no configuration of Herald"),
    ("a stray document", LITERAL.encode() + b"---\npools: []\n", "is no Kubernetes object"),
    ("an empty key", b"kind: ConfigMap\ndata:\n  config.yaml:\n", "the document is empty"),
    ("a list of nothing", b"kind: List\nitems: [1, [], {}]\n", "holds no configuration of Herald"),
]


@pytest.mark.parametrize("text,says", [case[1:] for case in BAD_FILES], ids=[case[0] for case in BAD_FILES])
def test_A02_bad_files(workdir, text, says):
    write(workdir, "f.yaml", text)
    done = heraldctl("validate", "f.yaml", cwd=workdir)
    assert done.code == 1
    assert says in done.err
    assert done.out == ""
    assert any(says in p["problem"] for p in problems(workdir, "f.yaml"))


def test_a_folder(workdir):
    done = heraldctl("validate", workdir)
    assert done.code == 1
    assert done.err == f"{workdir}: is a directory: name the files in it\n"


def test_results_that_cannot_be_written(workdir):
    write(workdir, "good.yaml", GOOD)
    command = f"'{BIN}/heraldctl' validate good.yaml >/dev/full"
    assert os.waitstatus_to_exitcode(os.system(f"cd '{workdir}' && {command} 2>err")) == 2
    assert "cannot write the results" in (workdir / "err").read_text()


@pytest.mark.parametrize("args,says", [
    ((), "a verb is missing"),
    (("vaildate",), 'there is no verb "vaildate": did you mean "validate"?'),
    (("frobnicate",), 'there is no verb "frobnicate"'),
    (("validate",), "a FILE is missing"),
    (("validate", "-o", "xml", "f"), "write -o table, -o wide, -o json or -o yaml"),
    (("validate", "--frob", "f"), "--frob"),
    (("--frob",), "--frob"),
])
def test_O01_wrong_command_lines(args, says):
    done = heraldctl(*args)
    assert (done.code, done.out) == (64, "")
    assert says in done.err


def test_O01_help_and_version():
    version = heraldctl("--version")
    assert (version.code, version.err) == (0, "")
    assert version.out.startswith("heraldctl ")
    top = heraldctl("--help")
    assert top.code == 0
    verbs = [line.split()[0] for line in top.out.splitlines() if line.startswith("  ") and line[2].isalpha()]
    assert "validate" in verbs
    for verb in verbs:
        done = heraldctl(verb, "--help")
        assert done.code == 0
        assert "Exit codes:" in done.out
