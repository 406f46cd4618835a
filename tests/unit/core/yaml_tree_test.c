// SPDX-License-Identifier: Apache-2.0
/*
 * YAML as a tree (A02): what the tree of a text is, where its nodes stand, and each fault
 * with its place. A tree is shown as JSON-like text with "line:column" before each node.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/base/err.h"
#include "herald/core/yaml_tree.h"

struct shown {
	char text[2048];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct shown *shown, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(shown->text + shown->used, sizeof(shown->text) - shown->used, fmt, args);
	va_end(args);
	assert_true(n >= 0 && shown->used + (size_t)n < sizeof(shown->text));
	shown->used += (size_t)n;
}

/* Bounded by YAML_TREE_DEPTH_MAX. */
static void show(struct shown *shown, const struct yaml_node *node)
{
	static const char styles[] = "p\"|>";

	add(shown, "%u:%u", node->line, node->column);
	if (node->kind == YAML_TREE_FAULTY)
		add(shown, "!");
	if (node->kind == YAML_TREE_SCALAR)
		add(shown, "%c%s", styles[node->style], node->text);
	if (node->kind == YAML_TREE_SCALAR || node->kind == YAML_TREE_FAULTY)
		return;
	add(shown, node->kind == YAML_TREE_MAPPING ? "{" : "[");
	for (const struct yaml_node *child = node->first; child; child = child->next) {
		add(shown, child == node->first ? "" : " ");
		if (child->key)
			add(shown, "%s=", child->key->text);
		show(shown, child);
	}
	add(shown, node->kind == YAML_TREE_MAPPING ? "}" : "]");
}

static void on_fault(void *context, const struct yaml_node *node, unsigned line, unsigned column,
	const char *text)
{
	char path[64] = "";

	yaml_tree_path(node, path, sizeof(path));
	add(context, "%u:%u %s: %s\n", line, column, path, text);
}

/* The tree, or nothing, then the faults. */
static void parse(const char *text, size_t length, struct shown *shown)
{
	struct arena arena = {0};
	struct shown faults = {0};
	const struct yaml_tree_sink sink = {on_fault, &faults};
	const struct yaml_node *root = yaml_tree_parse(&arena, text, length, &sink);

	*shown = (struct shown){0};
	if (root) {
		show(shown, root);
		add(shown, "\n");
	}
	add(shown, "%s", faults.text);
	arena_done(&arena);
}

struct tree_case {
	const char *what, *text, *shown;
};

static void expect(const struct tree_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct shown shown;

		parse(cases[i].text, strlen(cases[i].text), &shown);
		if (strcmp(shown.text, cases[i].shown) != 0)
			fail_msg("%s:\n%s\nshould be\n%s\nbut is\n%s", cases[i].what, cases[i].text,
				cases[i].shown, shown.text);
	}
}
#define EXPECT(cases) expect((cases), sizeof(cases) / sizeof((cases)[0]))

static void trees_and_places(void **state)
{
	static const struct tree_case cases[] = {
		{"a scalar", "x", "1:1px\n"},
		{"a mapping",
			"a: b\n"
			"c: d\n",
			"1:1{a=1:4pb c=2:4pd}\n"},
		{"a list",
			"- a\n"
			"-  b\n",
			"1:1[1:3pa 2:4pb]\n"},
		{"nested",
			"a:\n"
			"  b: [x, {y: z}]\n"
			"  c:\n"
			"  - 1\n",
			"1:1{a=2:3{b=2:6[2:7px 2:10{y=2:14pz}] c=4:3[4:5p1]}}\n"},
		{"the styles",
			"- x\n"
			"- 'x'\n"
			"- \"x\"\n"
			"- |\n"
			"  x\n"
			"- >-\n"
			"  x\n",
			"1:1[1:3px 2:3\"x 3:3\"x 4:3|x\n"
			" 6:3>x]\n"},
		{"flow over lines",
			"{a: b,\n"
			" c: [d,\n"
			"  e]}\n",
			"1:1{a=1:5pb c=2:5[2:6pd 3:3pe]}\n"},
		{"values of nothing",
			"a:\n"
			"b: ''\n"
			"-c: ~\n",
			"1:1{a=1:3p b=2:4\" -c=3:5p~}\n"},
		{"letters beyond ASCII count as one", "\303\274: [\303\237, x]\n",
			"1:1{\303\274=1:4[1:5p\303\237 1:8px]}\n"},
		{"comments and blank lines",
			"# c\n"
			"\n"
			"a: b # d\n",
			"3:1{a=3:4pb}\n"},
		{"JSON", "{\"a\": [1, \"b\", null]}", "1:1{a=1:7[1:8p1 1:11\"b 1:16pnull]}\n"},
		{"a document's marks",
			"---\n"
			"a: b\n"
			"...\n",
			"2:1{a=2:4pb}\n"},
		{"a byte order mark", "\357\273\277a: b\n", "1:1{a=1:4pb}\n"},
		{"a pair in a list", "[a: b]\n", "1:1[1:2{a=1:5pb}]\n"},
		{"a key of several words", "a b c: d\n", "1:1{a b c=1:8pd}\n"},
		{"an empty key",
			"? \n"
			": b\n",
			"1:1{=2:3pb}\n"},
		{"a directive",
			"%YAML 1.1\n"
			"---\n"
			"a\n",
			"3:1pa\n"},
	};

	(void)state;
	EXPECT(cases);
}

static void A02_faults(void **state)
{
	static const struct tree_case cases[] = {
		{"nothing", "", "0:0 : the document is empty\n"},
		{"only comments", "# a\n", "0:0 : the document is empty\n"},
		{"an anchor", "a: &x b\n",
			"1:1{a=1:4pb}\n"
			"1:4 a: has a YAML anchor (&name), which is not allowed: remove it\n"},
		{"a tag", "a: !!str b\n",
			"1:1{a=1:4pb}\n"
			"1:4 a: has a YAML tag (!name), which is not allowed: remove it\n"},
		{"both", "a: &x !y b\n",
			"1:1{a=1:4pb}\n"
			"1:4 a: has a YAML anchor (&name), which is not allowed: remove it\n"
			"1:4 a: has a YAML tag (!name), which is not allowed: remove it\n"},
		{"an alias", "a: *x\n",
			"1:1{a=1:4!}\n"
			"1:4 a: is a YAML alias (*name), which is not allowed: write the value "
			"out\n"},
		{"of collections",
			"a: &x [b]\n"
			"c: !t {d: e}\n",
			"1:1{a=1:4[1:8pb] c=2:4{d=2:11pe}}\n"
			"1:4 a: has a YAML anchor (&name), which is not allowed: remove it\n"
			"2:4 c: has a YAML tag (!name), which is not allowed: remove it\n"},
		{"at a key", "&x a: b\n",
			"1:1{a=1:7pb}\n"
			"1:1 : has a YAML anchor (&name), which is not allowed: remove it\n"},
		{"an alias as key", "*x : b\n",
			"1:1{=1:6pb}\n"
			"1:1 : is a YAML alias (*name), which is not allowed: write the value "
			"out\n"},
		{"an alias as the whole", "*x\n",
			"1:1!\n"
			"1:1 : is a YAML alias (*name), which is not allowed: write the value "
			"out\n"},
		{"an anchor in a list",
			"- &x a\n"
			"- *x\n",
			"1:1[1:3pa 2:3!]\n"
			"1:3 [0]: has a YAML anchor (&name), which is not allowed: remove it\n"
			"2:3 [1]: is a YAML alias (*name), which is not allowed: write the value "
			"out\n"},
		{"a key twice",
			"a: 1\n"
			"b: 2\n"
			"a: 3\n",
			"1:1{a=1:4p1 b=2:4p2 a=3:4!}\n"
			"3:1 a: the key is given twice, first on line 1: keep one of the two\n"},
		{"a key three times", "{a: 1, a: 2, a: 3}\n",
			"1:1{a=1:5p1 a=1:11! a=1:17!}\n"
			"1:8 a: the key is given twice, first on line 1: keep one of the two\n"
			"1:14 a: the key is given twice, first on line 1: keep one of the two\n"},
		{"a key twice in two places",
			"x: {a: 1, a: 2}\n"
			"y: {a: 1}\n",
			"1:1{x=1:4{a=1:8p1 a=1:14!} y=2:4{a=2:8p1}}\n"
			"1:11 x.a: the key is given twice, first on line 1: keep one of the two\n"},
		{"keys of two spellings",
			"a: 1\n"
			"\"a\": 2\n"
			"'a': 3\n",
			"1:1{a=1:4p1 a=2:6! a=3:6!}\n"
			"2:1 a: the key is given twice, first on line 1: keep one of the two\n"
			"3:1 a: the key is given twice, first on line 1: keep one of the two\n"},
		{"a list as key",
			"? [a]\n"
			": b\n",
			"1:3 : has a key that is no plain text: write \"key: value\"\n"},
		{"a mapping as key", "{{a: b}: c}\n",
			"1:2 : has a key that is no plain text: write \"key: value\"\n"},
		{"a second document",
			"a: b\n"
			"---\n"
			"c: d\n",
			"2:1 : a second document begins here: only one is allowed, remove \"---\" "
			"and what follows\n"},
		{"an empty second document",
			"a: b\n"
			"---\n",
			"2:1 : a second document begins here: only one is allowed, remove \"---\" "
			"and what follows\n"},
		{"a tab",
			"a:\n"
			"\tb: c\n",
			"2:1 : is not valid YAML: while scanning for the next token, found "
			"character that cannot start any token; check indentation, quotes and "
			"brackets before this place\n"},
		{"an open bracket", "a: [b\n",
			"2:1 : is not valid YAML: while parsing a flow sequence, did not find "
			"expected ',' or ']'; check indentation, quotes and brackets before this "
			"place\n"},
		{"an open quote", "a: 'b\n",
			"2:1 : is not valid YAML: while scanning a quoted scalar, found unexpected "
			"end of stream; check indentation, quotes and brackets before this "
			"place\n"},
		{"a bad indentation",
			"a:\n"
			"  b: c\n"
			" d: e\n",
			"3:2 : is not valid YAML: while parsing a block mapping, did not find "
			"expected key; check indentation, quotes and brackets before this place\n"},
		{"a bad escape", "a: \"\\q\"\n",
			"1:5 : is not valid YAML: while parsing a quoted scalar, found unknown "
			"escape character; check indentation, quotes and brackets before this "
			"place\n"},
		{"a surrogate", "a: \"\\ud800\"\n",
			"1:7 : is not valid YAML: while parsing a quoted scalar, found invalid "
			"Unicode character escape code; check indentation, quotes and brackets "
			"before this place\n"},
		{"a control character",
			"a: b\n"
			"c: \001\n",
			"2:4 : byte 4 of the line is no text (control characters are not allowed): "
			"remove it, and save the document as UTF-8\n"},
	};

	(void)state;
	EXPECT(cases);
}

/* `depth` lists in each other. */
static void A02_depth_is_bounded(void **state)
{
	(void)state;
	for (size_t depth = YAML_TREE_DEPTH_MAX; depth <= YAML_TREE_DEPTH_MAX + 1; depth++) {
		char text[2 * YAML_TREE_DEPTH_MAX + 3] = "";
		struct shown shown;

		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		parse(text, 2 * depth, &shown);
		if (depth == YAML_TREE_DEPTH_MAX)
			assert_non_null(strstr(shown.text, "1:16[]]"));
		else
			assert_string_equal(shown.text,
				"1:17 : is nested more than 16 deep, which nothing here needs\n");
	}
}

static void A02_values_are_bounded(void **state)
{
	/* The list is a value too. */
	size_t values = YAML_TREE_NODES_MAX - 1;
	AUTO_FREE char *text = xcalloc(values + 2, 2);
	struct arena arena = {0};
	struct shown faults = {0};
	const struct yaml_tree_sink sink = {on_fault, &faults};
	const struct yaml_node *root;

	(void)state;
	text[0] = '[';
	for (size_t i = 0; i <= values; i++)
		memcpy(text + 1 + 2 * i, "a,", 2);
	text[2 * values] = ']';
	root = yaml_tree_parse(&arena, text, 2 * values + 1, &sink);
	assert_non_null(root);
	assert_int_equal(root->count, values);
	assert_string_equal(faults.text, "");
	arena_done(&arena);
	text[2 * values] = ',';
	text[2 * values + 2] = ']';
	assert_null(yaml_tree_parse(&arena, text, 2 * values + 3, &sink));
	assert_non_null(
		strstr(faults.text, "the document holds more than 200000 values: split it"));
	arena_done(&arena);
}

static void texts_may_hold_NUL(void **state)
{
	static const char text[] = "a: \"x\\0y\"\n";
	struct arena arena = {0};
	struct shown faults = {0};
	const struct yaml_tree_sink sink = {on_fault, &faults};
	const struct yaml_node *root = yaml_tree_parse(&arena, text, strlen(text), &sink);

	(void)state;
	assert_non_null(root);
	assert_int_equal(root->first->length, 3);
	assert_memory_equal(root->first->text, "x\0y", 4);
	arena_done(&arena);
}

static void values_are_found_by_their_key(void **state)
{
	static const char text[] = "a: 1\n\"a\\0\": 2\nab: 3\na: 4\n";
	struct arena arena = {0};
	struct shown faults = {0};
	const struct yaml_tree_sink sink = {on_fault, &faults};
	const struct yaml_node *root = yaml_tree_parse(&arena, text, strlen(text), &sink);

	(void)state;
	assert_non_null(root);
	assert_string_equal(yaml_tree_get(root, "a")->text, "1");
	assert_string_equal(yaml_tree_get(root, "ab")->text, "3");
	assert_null(yaml_tree_get(root, "b"));
	assert_null(yaml_tree_get(root->first, "a"));
	arena_done(&arena);
}

static void paths(void **state)
{
	static const char text[] = "pools:\n- name: x\n- addresses: [a, b]\n";
	struct arena arena = {0};
	struct shown faults = {0};
	const struct yaml_tree_sink sink = {on_fault, &faults};
	const struct yaml_node *root = yaml_tree_parse(&arena, text, strlen(text), &sink);
	const struct yaml_node *b = root->first->first->next->first->first->next;
	char path[64];

	(void)state;
	yaml_tree_path(root, path, sizeof(path));
	assert_string_equal(path, "");
	yaml_tree_path(b, path, sizeof(path));
	assert_string_equal(path, "pools[1].addresses[1]");
	yaml_tree_path(b, path, 10);
	assert_string_equal(path, "pools[1].");
	yaml_tree_path(b, path, 1);
	assert_string_equal(path, "");
	arena_done(&arena);
}

static void streams_hold_several_documents(void **state)
{
	static const char text[] = "a: 1\n---\n- b\n---\n...\n---\nc: [\n";
	struct arena arena = {0};
	struct shown faults = {0}, shown = {0};
	const struct yaml_tree_sink sink = {on_fault, &faults};
	struct yaml_documents documents;

	(void)state;
	assert_false(yaml_tree_parse_stream(&arena, text, strlen(text), &sink, &documents));
	assert_int_equal(documents.count, 3);
	for (size_t i = 0; i < documents.count; i++)
		show(&shown, documents.roots[i]);
	assert_string_equal(shown.text, "1:1{a=1:4p1}3:1[3:3pb]5:1p");
	assert_non_null(strstr(faults.text, "is not valid YAML"));
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_and_places),
		cmocka_unit_test(A02_faults),
		cmocka_unit_test(A02_depth_is_bounded),
		cmocka_unit_test(A02_values_are_bounded),
		cmocka_unit_test(texts_may_hold_NUL),
		cmocka_unit_test(values_are_found_by_their_key),
		cmocka_unit_test(paths),
		cmocka_unit_test(streams_hold_several_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
