// SPDX-License-Identifier: Apache-2.0
/*
 * The configuration as a document (A02): hostile YAML, unknown and double keys, wrong
 * types, the bounds; all problems are told at once, each with its place and its mending.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_expect.h"
#include "herald/base/err.h"

#define POOL CONFIG_HEAD "pools: [{name: p, addresses: [192.0.2.0/24]}]\n"

static void A02_documents(void **state)
{
	static const struct config_case cases[] = {
		{"nothing at all", "", "0:0 : the document is empty\n"},
		{"only a comment", "# nothing\n", "0:0 : the document is empty\n"},
		{"text", "hello\n",
			"1:1 : is \"hello\" where fields are wanted: write \"apiVersion: ...\"\n"},
		{"a list", "- a\n",
			"1:1 : is a list where fields are wanted: write \"apiVersion: ...\"\n"},
		{"nothing in it", "---\n",
			"2:1 : is nothing where fields are wanted: write \"apiVersion: ...\"\n"},
		{"an empty mapping", "{}\n",
			"1:1 : the field \"apiVersion\" is missing: add it\n"
			"1:1 : the field \"pools\" is missing: add it\n"},
		{"the least",
			"apiVersion: herald.io/v1\n"
			"pools: []\n",
			""},
		{"a byte order mark",
			"\357\273\277apiVersion: herald.io/v1\n"
			"pools: []\n",
			""},
		{"Windows line ends",
			"apiVersion: herald.io/v1\015\n"
			"pools: []\015\n",
			""},
		{"JSON", "{\"apiVersion\": \"herald.io/v1\", \"pools\": []}", ""},
		{"another version",
			"apiVersion: herald.io/v9\n"
			"pools: []\n",
			"1:13 apiVersion: is \"herald.io/v9\", which this version does not know: "
			"write \"herald.io/v1\"\n"},
		{"a version that is a number",
			"apiVersion: 1\n"
			"pools: []\n",
			"1:13 apiVersion: is \"1\", which YAML takes for a number: put it in "
			"quotes\n"},
		{"no version", "pools: []\n",
			"1:1 : the field \"apiVersion\" is missing: add it\n"},
		{"no pools", "apiVersion: herald.io/v1\n",
			"1:1 : the field \"pools\" is missing: add it\n"},
		{"pools without a value",
			"apiVersion: herald.io/v1\n"
			"pools:\n",
			"2:7 pools: is nothing where a list is wanted: write \"[...]\", or each "
			"item on its own line after \"- \"\n"},
		{"two documents",
			"apiVersion: herald.io/v1\n"
			"pools: []\n"
			"---\n"
			"a: b\n",
			"3:1 : a second document begins here: only one is allowed, remove \"---\" "
			"and what follows\n"},
		{"a tab for indentation",
			"apiVersion: herald.io/v1\n"
			"pools:\n"
			"\t- name: p\n",
			"3:1 : is not valid YAML: while scanning for the next token, found "
			"character that cannot start any token; check indentation, quotes and "
			"brackets before this place\n"},
		{"a bracket that stays open",
			"apiVersion: herald.io/v1\n"
			"pools: [\n",
			"3:1 : is not valid YAML: while parsing a flow node, did not find expected "
			"node content; check indentation, quotes and brackets before this place\n"},
		{"a quote that stays open",
			"apiVersion: herald.io/v1\n"
			"pools: \"x\n",
			"3:1 : is not valid YAML: while scanning a quoted scalar, found unexpected "
			"end of stream; check indentation, quotes and brackets before this "
			"place\n"},
		{"a control character",
			"apiVersion: herald.io/v1\n"
			"pools: [] # \001\n",
			"2:13 : byte 13 of the line is no text (control characters are not "
			"allowed): remove it, and save the document as UTF-8\n"},
	};

	(void)state;
	CONFIG_EXPECT("", cases);
}

static void A02_keys(void **state)
{
	static const struct config_case cases[] = {
		{"a slip of the pen", "layer3: []\n",
			"3:1 layer3: there is no such field: did you mean \"layer2\"?\n"},
		{"letters swapped", "bpg: {}\n",
			"3:1 bpg: there is no such field: did you mean \"bgp\"?\n"},
		{"another case", "Layer2: []\n",
			"3:1 Layer2: there is no such field: did you mean \"layer2\"?\n"},
		{"nothing like it", "frobnicate: 1\n",
			"3:1 frobnicate: there is no such field: remove it, or use one of "
			"apiVersion, addresses, pools, layer2, announce, membership, nodes, "
			"compatibility, bgp\n"},
		{"two at once, told apart from a good one",
			"nodez: {}\n"
			"nodes: {}\n"
			"anounce: {}\n",
			"3:1 nodez: there is no such field: did you mean \"nodes\"?\n"
			"5:1 anounce: there is no such field: did you mean \"announce\"?\n"},
		{"in a pool",
			"pools2: []\n"
			"layer2: [{interface: [eth0]}]\n",
			"3:1 pools2: there is no such field: did you mean \"pools\"?\n"
			"4:11 layer2[0].interface: there is no such field: did you mean "
			"\"interfaces\"?\n"},
		{"deep down", "layer2: [{nodeSelectors: [{matchLabel: {a: b}}]}]\n",
			"3:28 layer2[0].nodeSelectors[0].matchLabel: there is no such field: did "
			"you mean \"matchLabels\"?\n"},
		{"a merge key", "<<: {a: b}\n",
			"3:1 <<: there is no such field: remove it, or use one of apiVersion, "
			"addresses, pools, layer2, announce, membership, nodes, compatibility, "
			"bgp\n"},
		{"an empty key", "\"\": 1\n",
			"3:1 : there is no such field: remove it, or use one of apiVersion, "
			"addresses, pools, layer2, announce, membership, nodes, compatibility, "
			"bgp\n"},
		{"a key with a NUL", "\"nodes\\0\": {}\n",
			"3:1 nodes: the key holds a NUL character: remove it\n"},
		{"a key of two bytes a letter", "n\303\266des: {}\n",
			"3:1 n\303\266des: there is no such field: did you mean \"nodes\"?\n"},
		{"a very long key",
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxx: 1\n",
			"3:1 "
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: there is no such "
			"field: remove it, or use one of apiVersion, addresses, pools, layer2, "
			"announce, membership, nodes, compatibility, bgp\n"},
		{"a key given twice",
			"nodes: {}\n"
			"nodes: {}\n",
			"4:1 nodes: the key is given twice, first on line 3: keep one of the "
			"two\n"},
		{"a key given three times, once unknown",
			"nodes: {}\n"
			"nodez: 1\n"
			"nodez: 1\n"
			"nodes: {}\n"
			"nodes: {}\n",
			"4:1 nodez: there is no such field: did you mean \"nodes\"?\n"
			"5:1 nodez: the key is given twice, first on line 4: keep one of the two\n"
			"5:1 nodez: there is no such field: did you mean \"nodes\"?\n"
			"6:1 nodes: the key is given twice, first on line 3: keep one of the two\n"
			"7:1 nodes: the key is given twice, first on line 3: keep one of the "
			"two\n"},
		{"the first counts",
			"announce: {repeat: 0}\n"
			"announce: {repeat: 99}\n",
			"3:20 announce.repeat: is \"0\", out of bounds, since one announcement is "
			"the least, and each costs every host of the segment work: write a number "
			"from 1 to 60\n"
			"4:1 announce: the key is given twice, first on line 3: keep one of the "
			"two\n"},
		{"a list for a key",
			"? [a]\n"
			": b\n",
			"3:3 : has a key that is no plain text: write \"key: value\"\n"},
		{"a second key in quotes",
			"nodes: {}\n"
			"\"nodes\": {}\n",
			"4:1 nodes: the key is given twice, first on line 3: keep one of the "
			"two\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A02_types(void **state)
{
	static const struct config_case cases[] = {
		{"a list for a section", "nodes: []\n",
			"3:8 nodes: is a list where fields are wanted: write \"ignoreExcludeLabel: "
			"...\"\n"},
		{"text for a section", "nodes: all\n",
			"3:8 nodes: is \"all\" where fields are wanted: write "
			"\"ignoreExcludeLabel: ...\"\n"},
		{"nothing for a section", "nodes:\n",
			"3:7 nodes: is nothing where fields are wanted: write "
			"\"ignoreExcludeLabel: ...\"\n"},
		{"a mapping for a list", "layer2: {}\n",
			"3:9 layer2: is a mapping where a list is wanted: write \"[...]\", or each "
			"item on its own line after \"- \"\n"},
		{"text for a list", "layer2: eth0\n",
			"3:9 layer2: is \"eth0\" where a list is wanted: write \"[...]\", or each "
			"item on its own line after \"- \"\n"},
		{"a yes for a boolean", "nodes: {ignoreExcludeLabel: yes}\n",
			"3:29 nodes.ignoreExcludeLabel: is \"yes\": write true or false, without "
			"quotes\n"},
		{"a boolean in quotes", "nodes: {ignoreExcludeLabel: \"true\"}\n",
			"3:29 nodes.ignoreExcludeLabel: is \"true\" in quotes: write true or "
			"false, without quotes\n"},
		{"a capital boolean", "nodes: {ignoreExcludeLabel: True}\n",
			"3:29 nodes.ignoreExcludeLabel: is \"True\": write true or false, without "
			"quotes\n"},
		{"a number for a boolean", "nodes: {ignoreExcludeLabel: 1}\n",
			"3:29 nodes.ignoreExcludeLabel: is \"1\": write true or false, without "
			"quotes\n"},
		{"a list for a boolean", "nodes: {ignoreExcludeLabel: []}\n",
			"3:29 nodes.ignoreExcludeLabel: is a list: write true or false, without "
			"quotes\n"},
		{"nothing for a boolean", "nodes: {ignoreExcludeLabel: }\n",
			"3:29 nodes.ignoreExcludeLabel: is nothing: write true or false, without "
			"quotes\n"},
		{"text for a number", "announce: {repeat: five}\n",
			"3:20 announce.repeat: is \"five\" where a whole number is wanted: write "
			"one from 1 to 60, without quotes\n"},
		{"a fraction for a number", "announce: {repeat: 5.0}\n",
			"3:20 announce.repeat: is \"5.0\" where a whole number is wanted: write "
			"one from 1 to 60, without quotes\n"},
		{"a number in quotes", "announce: {repeat: \"5\"}\n",
			"3:20 announce.repeat: is \"5\" where a whole number is wanted: write one "
			"from 1 to 60, without quotes\n"},
		{"a number with a zero before", "announce: {repeat: 05}\n",
			"3:20 announce.repeat: is \"05\" where a whole number is wanted: write one "
			"from 1 to 60, without quotes\n"},
		{"a hexadecimal number", "announce: {repeat: 0x5}\n",
			"3:20 announce.repeat: is \"0x5\" where a whole number is wanted: write "
			"one from 1 to 60, without quotes\n"},
		{"a number with a plus", "announce: {repeat: +5}\n",
			"3:20 announce.repeat: is \"+5\" where a whole number is wanted: write one "
			"from 1 to 60, without quotes\n"},
		{"a number below zero", "announce: {repeat: -5}\n",
			"3:20 announce.repeat: is \"-5\", out of bounds, since one announcement is "
			"the least, and each costs every host of the segment work: write a number "
			"from 1 to 60\n"},
		{"a huge number", "announce: {repeat: 99999999999999999999999}\n",
			"3:20 announce.repeat: is \"99999999999999999999999\", out of bounds, "
			"since one announcement is the least, and each costs every host of the "
			"segment work: write a number from 1 to 60\n"},
		{"a mapping for a number", "announce: {repeat: {}}\n",
			"3:20 announce.repeat: is a mapping where a whole number is wanted: write "
			"one from 1 to 60, without quotes\n"},
		{"only a minus", "announce: {repeat: -}\n",
			"3:20 announce.repeat: is \"-\" where a whole number is wanted: write one "
			"from 1 to 60, without quotes\n"},
		{"a number for a name", "layer2: [{name: 12}]\n",
			"3:17 layer2[0].name: is \"12\", which YAML takes for a number: put it in "
			"quotes\n"},
		{"a boolean for a name", "layer2: [{name: true}]\n",
			"3:17 layer2[0].name: is \"true\", which YAML takes for a boolean: put it "
			"in quotes\n"},
		{"null for a name", "layer2: [{name: null}]\n",
			"3:17 layer2[0].name: is \"null\", which YAML takes for nothing: put it in "
			"quotes\n"},
		{"a float for a name", "layer2: [{name: 1e5}]\n",
			"3:17 layer2[0].name: is \"1e5\", which YAML takes for a number: put it in "
			"quotes\n"},
		{"a number in quotes for a name", "layer2: [{name: \"12\"}]\n", ""},
		{"a mapping for a name", "layer2: [{name: {a: b}}]\n",
			"3:17 layer2[0].name: is a mapping where text is wanted: write one "
			"value\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A02_aliases_anchors_and_tags(void **state)
{
	static const struct config_case cases[] = {
		{"an alias", "layer2: *x\n",
			"3:9 layer2: is a YAML alias (*name), which is not allowed: write the "
			"value out\n"},
		{"an anchor", "layer2: &x []\n",
			"3:9 layer2: has a YAML anchor (&name), which is not allowed: remove it\n"},
		{"an anchor at a scalar", "nodes: {ignoreExcludeLabel: &x true}\n",
			"3:29 nodes.ignoreExcludeLabel: has a YAML anchor (&name), which is not "
			"allowed: remove it\n"},
		{"a tag", "layer2: !!seq []\n",
			"3:9 layer2: has a YAML tag (!name), which is not allowed: remove it\n"},
		{"a tag at a scalar", "nodes: {ignoreExcludeLabel: !!bool true}\n",
			"3:29 nodes.ignoreExcludeLabel: has a YAML tag (!name), which is not "
			"allowed: remove it\n"},
		{"a local tag", "nodes: !secret {}\n",
			"3:8 nodes: has a YAML tag (!name), which is not allowed: remove it\n"},
		{"a binary", "layer2: [{name: !!binary aGk=}]\n",
			"3:17 layer2[0].name: has a YAML tag (!name), which is not allowed: remove "
			"it\n"
			"3:17 layer2[0].name: is \"aGk=\", which is not a name of at most 63 of "
			"a-z, 0-9 and '-', beginning and ending with a letter or digit\n"},
		{"an anchor at a key", "&k nodes: {}\n",
			"3:1 : has a YAML anchor (&name), which is not allowed: remove it\n"},
		{"an alias for a key", "*k : {}\n",
			"3:1 : is a YAML alias (*name), which is not allowed: write the value "
			"out\n"},
		{"aliases where they would be many",
			"layer2: [*a, *b]\n"
			"bgp: {asn: *c, peers: *d, advertisements: [{communities: *e, pools: "
			"[*f]}]}\n",
			"3:10 layer2[0]: is a YAML alias (*name), which is not allowed: write the "
			"value out\n"
			"3:14 layer2[1]: is a YAML alias (*name), which is not allowed: write the "
			"value out\n"
			"4:12 bgp.asn: is a YAML alias (*name), which is not allowed: write the "
			"value out\n"
			"4:23 bgp.peers: is a YAML alias (*name), which is not allowed: write the "
			"value out\n"
			"4:58 bgp.advertisements[0].communities: is a YAML alias (*name), which is "
			"not allowed: write the value out\n"
			"4:70 bgp.advertisements[0].pools[0]: is a YAML alias (*name), which is "
			"not allowed: write the value out\n"},
		{"an alias in labels",
			"layer2: [{nodeSelectors: [{matchLabels: {*a : b, c: *d}}]}]\n",
			"3:42 layer2[0].nodeSelectors[0].matchLabels: is a YAML alias (*name), "
			"which is not allowed: write the value out\n"
			"3:53 layer2[0].nodeSelectors[0].matchLabels.c: is a YAML alias (*name), "
			"which is not allowed: write the value out\n"},
		{"a bomb",
			"a: &a [x, x, x]\n"
			"b: &b [*a, *a, *a]\n"
			"c: [*b, *b, *b]\n",
			"3:1 a: there is no such field: remove it, or use one of apiVersion, "
			"addresses, pools, layer2, announce, membership, nodes, compatibility, "
			"bgp\n"
			"3:4 a: has a YAML anchor (&name), which is not allowed: remove it\n"
			"4:1 b: there is no such field: remove it, or use one of apiVersion, "
			"addresses, pools, layer2, announce, membership, nodes, compatibility, "
			"bgp\n"
			"4:4 b: has a YAML anchor (&name), which is not allowed: remove it\n"
			"4:8 b[0]: is a YAML alias (*name), which is not allowed: write the value "
			"out\n"
			"4:12 b[1]: is a YAML alias (*name), which is not allowed: write the value "
			"out\n"
			"4:16 b[2]: is a YAML alias (*name), which is not allowed: write the value "
			"out\n"
			"5:1 c: there is no such field: remove it, or use one of apiVersion, "
			"addresses, pools, layer2, announce, membership, nodes, compatibility, "
			"bgp\n"
			"5:5 c[0]: is a YAML alias (*name), which is not allowed: write the value "
			"out\n"
			"5:9 c[1]: is a YAML alias (*name), which is not allowed: write the value "
			"out\n"
			"5:13 c[2]: is a YAML alias (*name), which is not allowed: write the value "
			"out\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A02_all_problems_at_once(void **state)
{
	static const struct config_case cases[] = {
		{"one in each section",
			"apiVersion: v1\nnodes: 1\npools:\n- {addresses: [x]}\n- name: P\nlayer2: "
			"1\n"
			"bgp: []\nannounce: x\n",
			"1:13 apiVersion: is \"v1\", which this version does not know: write "
			"\"herald.io/v1\"\n"
			"2:8 nodes: is \"1\" where fields are wanted: write \"ignoreExcludeLabel: "
			"...\"\n"
			"4:3 pools[0]: the field \"name\" is missing: add it\n"
			"4:16 pools[0].addresses[0]: is \"x\": \"x\" is no IPv4 or IPv6 address; "
			"write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one address\n"
			"5:3 pools[1]: the field \"addresses\" is missing: add it\n"
			"5:9 pools[1].name: is \"P\", which is not a name of at most 63 of a-z, "
			"0-9 and '-', beginning and ending with a letter or digit\n"
			"6:9 layer2: is \"1\" where a list is wanted: write \"[...]\", or each "
			"item on its own line after \"- \"\n"
			"7:6 bgp: is a list where fields are wanted: write \"asn: ...\"\n"
			"8:11 announce: is \"x\" where fields are wanted: write \"repeat: ...\"\n"},
	};

	(void)state;
	CONFIG_EXPECT("", cases);
}

/* What is found beyond the bound is counted; all that is kept is in order. */
static void A02_problems_are_bounded(void **state)
{
	AUTO_FREE char *text = xcalloc(200, 32);
	struct config_problems problems = {0};
	size_t used = (size_t)sprintf(text, CONFIG_HEAD "pools: []\n");

	(void)state;
	for (unsigned i = 0; i < 150; i++)
		used += (size_t)sprintf(text + used, "unknown%u: 1\n", i);
	assert_null(config_parse(text, used, &problems));
	assert_int_equal(problems.count, CONFIG_PROBLEMS_MAX);
	assert_int_equal(problems.omitted, 150 - CONFIG_PROBLEMS_MAX);
	for (unsigned i = 0; i < CONFIG_PROBLEMS_MAX; i++)
		assert_int_equal(problems.items[i].line, 3 + i);
	config_problems_done(&problems);
	assert_null(problems.items);
	assert_int_equal(problems.count + problems.omitted, 0);
}

/* A document of `size` bytes: a good one, then `filler` again and again. */
static char *sized(size_t size, const char *filler)
{
	char *text = xcalloc(size + 1, 1);
	size_t used = (size_t)sprintf(text, CONFIG_HEAD "pools: []\n");

	while (used < size) {
		size_t n = strlen(filler) < size - used ? strlen(filler) : size - used;

		memcpy(text + used, filler, n);
		used += n;
	}
	return text;
}

static void A02_a_mebibyte_is_the_bound(void **state)
{
	AUTO_FREE char *text = sized(CONFIG_TEXT_MAX + 1, "#\n");
	struct config_problems problems = {0};
	struct config *config = config_parse(text, CONFIG_TEXT_MAX, &problems);

	(void)state;
	assert_non_null(config);
	config_free(config);
	assert_null(config_parse(text, CONFIG_TEXT_MAX + 1, &problems));
	assert_int_equal(problems.count, 1);
	assert_int_equal(problems.items[0].line, 0);
	assert_string_equal(problems.items[0].text,
		"the document is 1048577 bytes long, more than the 1048576 allowed");
	config_problems_done(&problems);
}

/* A mebibyte of anything is refused, whatever it is made of. */
static void A02_a_mebibyte_of_anything(void **state)
{
	static const char *const fillers[] = {"[", "{", "- ", "? ", "a: ", "&a ", "*a ", "!", "\"",
		"'", "|", "%", "\t", "[a, ", "{a: ", "- - ", "a: b\n", "\xff", "x"};

	(void)state;
	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		AUTO_FREE char *text = sized(CONFIG_TEXT_MAX, fillers[i]);
		struct config_problems problems = {0};

		if (config_parse(text, CONFIG_TEXT_MAX, &problems) || problems.count == 0)
			fail_msg("a mebibyte of \"%s\" was taken", fillers[i]);
		config_problems_done(&problems);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A02_documents),
		cmocka_unit_test(A02_keys),
		cmocka_unit_test(A02_types),
		cmocka_unit_test(A02_aliases_anchors_and_tags),
		cmocka_unit_test(A02_all_problems_at_once),
		cmocka_unit_test(A02_problems_are_bounded),
		cmocka_unit_test(A02_a_mebibyte_is_the_bound),
		cmocka_unit_test(A02_a_mebibyte_of_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
