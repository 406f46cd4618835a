// SPDX-License-Identifier: Apache-2.0
/* Label selectors in the configuration: the full grammar, and each way to get it wrong (A04). */
#include "config_expect.h"

#define POOL CONFIG_HEAD "pools:\n- name: p\n  addresses: [192.0.2.0/24]\n"

static void A04_selectors(void **state)
{
	static const struct config_case cases[] = {
		{"the whole grammar",
			"  serviceSelectors:\n"
			"  - matchLabels: {app: web, example.com/tier: front, empty: ''}\n"
			"  - matchExpressions: [{key: a, operator: In, values: [b, c]}, {key: d, "
			"operator: NotIn, values: [e]}, {key: f, operator: Exists}, {key: g, "
			"operator: DoesNotExist, values: []}]\n",
			""},
		{"one that selects everything",
			"  serviceSelectors:\n"
			"  - {}\n",
			""},
		{"no alternative",
			"  serviceSelectors:\n"
			"    []\n",
			"6:5 pools[0].serviceSelectors: is an empty list: remove it to select "
			"everything\n"},
		{"a mapping instead of a list",
			"  serviceSelectors:\n"
			"    matchLabels: {a: b}\n",
			"6:5 pools[0].serviceSelectors: is a mapping where a list is wanted: write "
			"\"[...]\", or each item on its own line after \"- \"\n"},
		{"an unknown operator",
			"  serviceSelectors:\n"
			"  - matchExpressions: [{key: a, operator: Equals, values: [b]}]\n",
			"6:43 pools[0].serviceSelectors[0].matchExpressions[0].operator: is "
			"\"Equals\": write In or NotIn or Exists or DoesNotExist\n"},
		{"an operator in lower case",
			"  serviceSelectors:\n"
			"  - matchExpressions: [{key: a, operator: notin, values: [b]}]\n",
			"6:43 pools[0].serviceSelectors[0].matchExpressions[0].operator: is "
			"\"notin\": did you mean \"NotIn\"? It can be In or NotIn or Exists or "
			"DoesNotExist\n"},
		{"In without values",
			"  serviceSelectors:\n"
			"  - matchExpressions: [{key: a, operator: In}, {key: a, operator: NotIn, "
			"values: []}]\n",
			"6:24 pools[0].serviceSelectors[0].matchExpressions[0]: the field "
			"\"values\" is missing: the operator In needs at least one\n"
			"6:82 pools[0].serviceSelectors[0].matchExpressions[1].values: is empty: "
			"the operator NotIn needs at least one value\n"},
		{"Exists with values",
			"  serviceSelectors:\n"
			"  - matchExpressions: [{key: a, operator: Exists, values: [b]}]\n",
			"6:59 pools[0].serviceSelectors[0].matchExpressions[0].values: stands "
			"beside the operator Exists, which takes none: remove it\n"},
		{"parts missing",
			"  serviceSelectors:\n"
			"  - matchExpressions: [{operator: Exists}, {key: a}, {}]\n",
			"6:24 pools[0].serviceSelectors[0].matchExpressions[0]: the field \"key\" "
			"is missing: add it\n"
			"6:44 pools[0].serviceSelectors[0].matchExpressions[1]: the field "
			"\"operator\" is missing: add it\n"
			"6:54 pools[0].serviceSelectors[0].matchExpressions[2]: the field \"key\" "
			"is missing: add it\n"
			"6:54 pools[0].serviceSelectors[0].matchExpressions[2]: the field "
			"\"operator\" is missing: add it\n"},
		{"the values of two kinds",
			"  serviceSelectors:\n"
			"  - matchExpressions: [{key: a, operator: In, values: [b, 1, true]}]\n",
			"6:59 pools[0].serviceSelectors[0].matchExpressions[0].values[1]: is "
			"\"1\", which YAML takes for a number: put it in quotes\n"
			"6:62 pools[0].serviceSelectors[0].matchExpressions[0].values[2]: is "
			"\"true\", which YAML takes for a boolean: put it in quotes\n"},
		{"a value twice",
			"  serviceSelectors:\n"
			"  - matchExpressions: [{key: a, operator: In, values: [b, b]}]\n",
			"6:59 pools[0].serviceSelectors[0].matchExpressions[0].values[1]: \"b\" "
			"stands twice in the list: remove one\n"},
		{"an alias for values",
			"  serviceSelectors:\n"
			"  - matchExpressions: [{key: a, operator: In, values: *b}, {key: a, "
			"operator: Exists, values: 1}]\n",
			"6:55 pools[0].serviceSelectors[0].matchExpressions[0].values: is a YAML "
			"alias (*name), which is not allowed: write the value out\n"
			"6:95 pools[0].serviceSelectors[0].matchExpressions[1].values: is \"1\" "
			"where a list is wanted: write \"[...]\", or each item on its own line "
			"after \"- \"\n"},
		{"text for values",
			"  serviceSelectors:\n"
			"  - matchExpressions: [{key: a, operator: In, values: b}]\n",
			"6:55 pools[0].serviceSelectors[0].matchExpressions[0].values: is \"b\" "
			"where a list is wanted: write \"[...]\", or each item on its own line "
			"after \"- \"\n"},
		{"numbers and booleans for labels",
			"  serviceSelectors:\n"
			"  - matchLabels: {a: 1, b: true, c: }\n",
			"6:22 pools[0].serviceSelectors[0].matchLabels.a: is \"1\", which YAML "
			"takes for a number: put it in quotes\n"
			"6:28 pools[0].serviceSelectors[0].matchLabels.b: is \"true\", which YAML "
			"takes for a boolean: put it in quotes\n"
			"6:37 pools[0].serviceSelectors[0].matchLabels.c: has no value: give it "
			"one, or remove it\n"},
		{"labels that can't be",
			"  serviceSelectors:\n"
			"  - matchLabels: {-a: b, a/b/c: d, e: -f, 'g h': i, A.b/c: d, '': j}\n",
			"6:23 pools[0].serviceSelectors[0].matchLabels.-a: \"-a\" is not a label's "
			"key: \"name\" or \"prefix/name\", the name at most 63 of letters, digits, "
			"'-', '_' and '.'\n"
			"6:33 pools[0].serviceSelectors[0].matchLabels.a/b/c: \"a/b/c\" is not a "
			"label's key: \"name\" or \"prefix/name\", the name at most 63 of letters, "
			"digits, '-', '_' and '.'\n"
			"6:39 pools[0].serviceSelectors[0].matchLabels.e: is \"-f\", which is not "
			"a label's value: at most 63 of letters, digits, '-', '_' and '.', "
			"beginning and ending with a letter or digit\n"
			"6:50 pools[0].serviceSelectors[0].matchLabels.g h: \"g h\" is not a "
			"label's key: \"name\" or \"prefix/name\", the name at most 63 of letters, "
			"digits, '-', '_' and '.'\n"
			"6:60 pools[0].serviceSelectors[0].matchLabels.A.b/c: \"A.b/c\" is not a "
			"label's key: \"name\" or \"prefix/name\", the name at most 63 of letters, "
			"digits, '-', '_' and '.'\n"
			"6:67 pools[0].serviceSelectors[0].matchLabels.: \"\" is not a label's "
			"key: \"name\" or \"prefix/name\", the name at most 63 of letters, digits, "
			"'-', '_' and '.'\n"},
		{"labels as a list",
			"  serviceSelectors:\n"
			"  - matchLabels: [a, b]\n",
			"6:18 pools[0].serviceSelectors[0].matchLabels: is a list where labels are "
			"wanted: write \"key: value\"\n"},
		{"expressions as a mapping",
			"  serviceSelectors:\n"
			"  - matchExpressions: {a: b}\n",
			"6:23 pools[0].serviceSelectors[0].matchExpressions: is a mapping where a "
			"list is wanted: write \"[...]\", or each item on its own line after \"- "
			"\"\n"},
		{"an expression as text",
			"  serviceSelectors:\n"
			"  - matchExpressions: [a in b]\n",
			"6:24 pools[0].serviceSelectors[0].matchExpressions[0]: is \"a in b\" "
			"where fields are wanted: write \"key: ...\"\n"},
		{"a label of 63 and one of 64",
			"  serviceSelectors:\n"
			"  - matchLabels: {a: "
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, b: "
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}\n",
			"6:90 pools[0].serviceSelectors[0].matchLabels.b: is "
			"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", "
			"which is not a label's value: at most 63 of letters, digits, '-', '_' and "
			"'.', beginning and ending with a letter or digit\n"},
		{"a label twice",
			"  serviceSelectors:\n"
			"  - matchLabels: {a: b, a: c}\n",
			"6:25 pools[0].serviceSelectors[0].matchLabels.a: the key is given twice, "
			"first on line 6: keep one of the two\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A04_selectors_are_read(void **state)
{
	struct config *config = config_of(POOL,
		"  serviceSelectors:\n"
		"  - matchExpressions: [{key: a, operator: NotIn, values: [b, c]},\n"
		"      {key: d, operator: DoesNotExist}]\n    matchLabels: {e: f}\n  - {}\n");
	const struct selector_list *list = &config->pools[0].service_selectors;
	const struct selector_requirement *requirements = list->items[0].requirements;

	(void)state;
	assert_int_equal(list->count, 2);
	assert_int_equal(list->items[0].requirement_count, 3);
	assert_int_equal(list->items[1].requirement_count, 0);
	assert_string_equal(requirements[0].key, "e");
	assert_int_equal(requirements[0].operator, SELECTOR_IN);
	assert_string_equal(requirements[0].values[0], "f");
	assert_int_equal(requirements[1].operator, SELECTOR_NOT_IN);
	assert_int_equal(requirements[1].value_count, 2);
	assert_string_equal(requirements[1].values[1], "c");
	assert_int_equal(requirements[2].operator, SELECTOR_DOES_NOT_EXIST);
	assert_int_equal(requirements[2].value_count, 0);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A04_selectors),
		cmocka_unit_test(A04_selectors_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
