// SPDX-License-Identifier: Apache-2.0
/* The sections layer2, announce, membership, nodes, compatibility and addresses. */
#include <string.h>

#include "config_expect.h"

#define POOL CONFIG_HEAD "pools: [{name: p, addresses: [192.0.2.0/24]}]\n"

static void L05_L14_layer2_rules(void **state)
{
	static const struct config_case cases[] = {
		{"none, which switches it off", "layer2: []\n", ""},
		{"one that matches all", "layer2: [{}]\n", ""},
		{"every field",
			"layer2:\n"
			"- name: a\n"
			"  pools: [p]\n"
			"  interfaces: [eth0, 'bond*', '[ab]?', 'vlan.100', 'a:b']\n"
			"  nodeSelectors: [{matchLabels: {a: b}}]\n"
			"  nodePreferences: [{weight: 100, preference: {matchLabels: {c: d}}}]\n"
			"  serviceSelectors: [{matchLabels: {a: b}}]\n",
			""},
		{"two without names", "layer2: [{}, {}]\n", ""},
		{"equal names", "layer2: [{name: a}, {name: a}]\n",
			"3:28 layer2[1].name: the layer2 rule \"a\" is defined twice, first on "
			"line 3: rename one\n"},
		{"an unknown pool", "layer2: [{pools: [p, q1]}]\n",
			"3:22 layer2[0].pools[1]: there is no pool \"q1\": define it, or remove it "
			"here\n"},
		{"a pool with a slip", "layer2: [{pools: [pp]}]\n",
			"3:19 layer2[0].pools[0]: there is no pool \"pp\": did you mean \"p\"?\n"},
		{"no pools", "layer2: [{pools: []}]\n",
			"3:18 layer2[0].pools: is an empty list: remove it to announce every "
			"pool\n"},
		{"a pool twice", "layer2: [{pools: [p, p]}]\n",
			"3:22 layer2[0].pools[1]: \"p\" stands twice in the list: remove one\n"},
		{"no interfaces", "layer2: [{interfaces: []}]\n",
			"3:23 layer2[0].interfaces: is an empty list: remove it to use every "
			"suitable interface\n"},
		{"no selectors", "layer2: [{nodeSelectors: [], serviceSelectors: []}]\n",
			"3:26 layer2[0].nodeSelectors: is an empty list: remove it to select "
			"everything\n"
			"3:48 layer2[0].serviceSelectors: is an empty list: remove it to select "
			"everything\n"},
		{"interfaces that can't be",
			"layer2: [{interfaces: [0123456789abcdef, a/b, 'a b', '', .., 'x*/y', "
			"\"a\\tb\"]}]\n",
			"3:24 layer2[0].interfaces[0]: is \"0123456789abcdef\", which is not an "
			"interface's name (at most 15 characters, without '/' and blanks) or a "
			"pattern such as \"bond*\"\n"
			"3:42 layer2[0].interfaces[1]: is \"a/b\", which is not an interface's "
			"name (at most 15 characters, without '/' and blanks) or a pattern such as "
			"\"bond*\"\n"
			"3:47 layer2[0].interfaces[2]: is \"a b\", which is not an interface's "
			"name (at most 15 characters, without '/' and blanks) or a pattern such as "
			"\"bond*\"\n"
			"3:54 layer2[0].interfaces[3]: is \"\", which is not an interface's name "
			"(at most 15 characters, without '/' and blanks) or a pattern such as "
			"\"bond*\"\n"
			"3:58 layer2[0].interfaces[4]: is \"..\", which is not an interface's name "
			"(at most 15 characters, without '/' and blanks) or a pattern such as "
			"\"bond*\"\n"
			"3:62 layer2[0].interfaces[5]: is \"x*/y\", which is not an interface's "
			"name (at most 15 characters, without '/' and blanks) or a pattern such as "
			"\"bond*\"\n"
			"3:70 layer2[0].interfaces[6]: is \"a?b\", which is not an interface's "
			"name (at most 15 characters, without '/' and blanks) or a pattern such as "
			"\"bond*\"\n"},
		{"the longest name", "layer2: [{interfaces: [0123456789abcde]}]\n", ""},
		{"text for a rule", "layer2: [eth0]\n",
			"3:10 layer2[0]: is \"eth0\" where fields are wanted: write \"name: "
			"...\"\n"},
		{"MetalLB's allNodes", "layer2: [{ipAddressPools: [p]}]\n",
			"3:11 layer2[0].ipAddressPools: there is no such field: remove it, or use "
			"one of name, pools, interfaces, nodeSelectors, nodePreferences, "
			"serviceSelectors\n"},
		{"no preferences", "layer2: [{nodePreferences: []}]\n", ""},
		{"preferences that can't be",
			"layer2: [{nodePreferences: [{weight: 0, preference: {}}, {weight: 101, "
			"preference: {a: b}}, {}]}]\n",
			"3:38 layer2[0].nodePreferences[0].weight: is \"0\", out of bounds: write "
			"a number from 1 to 100\n"
			"3:67 layer2[0].nodePreferences[1].weight: is \"101\", out of bounds: "
			"write a number from 1 to 100\n"
			"3:85 layer2[0].nodePreferences[1].preference.a: there is no such field: "
			"remove it, or use one of matchLabels, matchExpressions\n"
			"3:93 layer2[0].nodePreferences[2]: the field \"preference\" is missing: "
			"add it\n"
			"3:93 layer2[0].nodePreferences[2]: the field \"weight\" is missing: add "
			"it\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void L04_C17_announce(void **state)
{
	static const struct config_case cases[] = {
		{"nothing", "announce: {}\n", ""},
		{"the least", "announce: {repeat: 1, spacing: 10ms, refresh: 5s}\n", ""},
		{"the most", "announce: {repeat: 60, spacing: 10s, refresh: 24h}\n", ""},
		{"L09 probes", "announce: {probe: {count: 0, spacing: 2s}}\n", ""},
		{"L09 probes out of bounds", "announce: {probe: {count: 11, spacing: 9ms}}\n",
			"3:27 announce.probe.count: is \"11\", out of bounds, since each delays "
			"every new Service by one more pause: write a number from 0 to 10\n"
			"3:40 announce.probe.spacing: is \"9ms\", out of bounds, since closer a "
			"station can't answer in time, and wider delays every new Service: write "
			"10ms to 2s\n"},
		{"off", "announce: {refresh: 0s}\n", ""},
		{"other units", "announce: {spacing: 1s, refresh: 10m}\n", ""},
		{"below", "announce: {repeat: 0, spacing: 9ms, refresh: 4s}\n",
			"3:20 announce.repeat: is \"0\", out of bounds, since one announcement is "
			"the least, and each costs every host of the segment work: write a number "
			"from 1 to 60\n"
			"3:32 announce.spacing: is \"9ms\", out of bounds, since closer is a burst "
			"that switches drop, and wider outlasts the takeover: write 10ms to 10s\n"
			"3:46 announce.refresh: is \"4s\", out of bounds, since more often floods "
			"the segment when there are many addresses: write 0s, or 5s to 24h\n"},
		{"above", "announce: {repeat: 61, spacing: 10001ms, refresh: 25h}\n",
			"3:20 announce.repeat: is \"61\", out of bounds, since one announcement is "
			"the least, and each costs every host of the segment work: write a number "
			"from 1 to 60\n"
			"3:33 announce.spacing: is \"10001ms\", out of bounds, since closer is a "
			"burst that switches drop, and wider outlasts the takeover: write 10ms to "
			"10s\n"
			"3:51 announce.refresh: is \"25h\", out of bounds, since more often floods "
			"the segment when there are many addresses: write 0s, or 5s to 24h\n"},
		{"a duration without unit", "announce: {spacing: 200}\n",
			"3:21 announce.spacing: is \"200\", which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
		{"without number", "announce: {spacing: ms}\n",
			"3:21 announce.spacing: is \"ms\", which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
		{"a fraction", "announce: {spacing: 0.2s}\n",
			"3:21 announce.spacing: is \"0.2s\", which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
		{"an unknown unit", "announce: {spacing: 1d}\n",
			"3:21 announce.spacing: is \"1d\", which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
		{"two units", "announce: {refresh: 1m30s}\n",
			"3:21 announce.refresh: is \"1m30s\", which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"5s\"\n"},
		{"a blank before the unit", "announce: {spacing: 200 ms}\n",
			"3:21 announce.spacing: is \"200 ms\", which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
		{"below zero", "announce: {spacing: -1s}\n",
			"3:21 announce.spacing: is \"-1s\", which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
		{"off where it can't be", "announce: {spacing: 0s}\n",
			"3:21 announce.spacing: is \"0s\", out of bounds, since closer is a burst "
			"that switches drop, and wider outlasts the takeover: write 10ms to 10s\n"},
		{"parts of a second", "announce: {refresh: 5500ms}\n",
			"3:21 announce.refresh: is \"5500ms\", but only whole seconds are possible "
			"here: write \"6s\"\n"},
		{"a huge one", "announce: {refresh: 99999999999999999999h}\n",
			"3:21 announce.refresh: is \"99999999999999999999h\", out of bounds, since "
			"more often floods the segment when there are many addresses: write 0s, or "
			"5s to 24h\n"},
		{"in quotes, which is the same", "announce: {spacing: \"200ms\"}\n", ""},
		{"in capitals", "announce: {spacing: 200MS}\n",
			"3:21 announce.spacing: is \"200MS\", which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
		{"a list", "announce: {spacing: [200ms]}\n",
			"3:21 announce.spacing: is a list, which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
		{"a NUL at its end", "announce: {spacing: \"200ms\\0\"}\n",
			"3:21 announce.spacing: is \"200ms?\", which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
		{"nothing for it", "announce: {spacing: }\n",
			"3:21 announce.spacing: is nothing, which is no duration: write a whole "
			"number with its unit (ms, s, m or h), for instance \"10ms\"\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void membership(void **state)
{
	static const struct config_case cases[] = {
		{"the least", "membership: {leaseDuration: 1s, renewInterval: 100ms}\n", ""},
		{"the most", "membership: {leaseDuration: 5m, renewInterval: 60s}\n", ""},
		{"just below a half", "membership: {leaseDuration: 3s, renewInterval: 1499ms}\n",
			""},
		{"a half", "membership: {leaseDuration: 3s, renewInterval: 1500ms}\n",
			"3:48 membership.renewInterval: renewInterval (1500ms) must be less than "
			"half of leaseDuration (3000ms), so that one lost renewal loses nothing: "
			"lower it to 1000ms or less, or raise leaseDuration\n"},
		{"a duration that the interval's default does not fit",
			"membership: {leaseDuration: 2s}\n",
			"3:29 membership.leaseDuration: renewInterval (1000ms) must be less than "
			"half of leaseDuration (2000ms), so that one lost renewal loses nothing: "
			"lower it to 666ms or less, or raise leaseDuration\n"},
		{"an interval that the duration's default does not fit",
			"membership: {renewInterval: 2s}\n",
			"3:29 membership.renewInterval: renewInterval (2000ms) must be less than "
			"half of leaseDuration (3000ms), so that one lost renewal loses nothing: "
			"lower it to 1000ms or less, or raise leaseDuration\n"},
		{"parts of a second", "membership: {leaseDuration: 2500ms}\n",
			"3:29 membership.leaseDuration: is \"2500ms\", but a Lease counts whole "
			"seconds: write \"3s\"\n"},
		{"below", "membership: {leaseDuration: 999ms, renewInterval: 99ms}\n",
			"3:29 membership.leaseDuration: is \"999ms\", out of bounds, since below a "
			"renewal can't be in time, and above a dead node is noticed too late: "
			"write 1s to 5m\n"
			"3:51 membership.renewInterval: is \"99ms\", out of bounds, since each "
			"renewal is a write to the API server: write 100ms to 1m\n"},
		{"above", "membership: {leaseDuration: 301s, renewInterval: 61s}\n",
			"3:29 membership.leaseDuration: is \"301s\", out of bounds, since below a "
			"renewal can't be in time, and above a dead node is noticed too late: "
			"write 1s to 5m\n"
			"3:50 membership.renewInterval: is \"61s\", out of bounds, since each "
			"renewal is a write to the API server: write 100ms to 1m\n"},
		{"one that is wrong says nothing of the other",
			"membership: {leaseDuration: 10, renewInterval: 5s}\n",
			"3:29 membership.leaseDuration: is \"10\", which is no duration: write a "
			"whole number with its unit (ms, s, m or h), for instance \"1s\"\n"},
		{"nor the other of it", "membership: {leaseDuration: 1s, renewInterval: 5}\n",
			"3:48 membership.renewInterval: is \"5\", which is no duration: write a "
			"whole number with its unit (ms, s, m or h), for instance \"100ms\"\n"},
		{"bfd", "membership: {bfd: {}}\n", ""},
		{"bfd's bounds", "membership: {bfd: {interval: 9ms, multiplier: 1, watchers: 9}}\n",
			"3:30 membership.bfd.interval: is \"9ms\", out of bounds, since more often "
			"takes a busy node for a dead one, and less often the Lease is as good: "
			"write 10ms to 1s\n"
			"3:47 membership.bfd.multiplier: is \"1\", out of bounds, since one lost "
			"packet is no death: write a number from 2 to 50\n"
			"3:60 membership.bfd.watchers: is \"9\", out of bounds, since each is a "
			"session more that every node has: write a number from 1 to 8\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A08_A10_C22_small_sections(void **state)
{
	static const struct config_case cases[] = {
		{"nodes", "nodes: {ignoreExcludeLabel: true}\n", ""},
		{"a slip in nodes", "nodes: {ignoreExcludedLabel: true}\n",
			"3:9 nodes.ignoreExcludedLabel: there is no such field: did you mean "
			"\"ignoreExcludeLabel\"?\n"},
		{"A10: MetalLB's annotations", "compatibility: {metallbAnnotations: true}\n", ""},
		{"A10: a slip", "compatibility: {metalLBAnnotation: true}\n",
			"3:17 compatibility.metalLBAnnotation: there is no such field: did you "
			"mean \"metallbAnnotations\"?\n"},
		{"A08: what is done with removed addresses", "addresses: {whenRemoved: move}\n",
			""},
		{"A08: an unknown word for it", "addresses: {whenRemoved: drop}\n",
			"3:26 addresses.whenRemoved: is \"drop\": write keep or move\n"},
		{"external addresses",
			"addresses: {announceExternalIPs: [203.0.113.0/24, 2001:db8::1]}\n", ""},
		{"an external address that is none",
			"addresses: {announceExternalIPs: [203.0.113.300]}\n",
			"3:35 addresses.announceExternalIPs[0]: is \"203.0.113.300\": "
			"\"203.0.113.300\" is no address; numbers are written without leading "
			"zeros, up to 255\n"},
		{"sections of nothing",
			"addresses: {}\n"
			"announce: {}\n"
			"membership: {}\n"
			"nodes: {}\n"
			"compatibility: {}\n",
			""},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void defaults(void **state)
{
	struct config *config = config_of(POOL, "");

	(void)state;
	assert_int_equal(config->layer2_count, 1);
	assert_string_equal(config->layer2[0].name, "");
	assert_int_equal(config->layer2[0].pools.count + config->layer2[0].interfaces.count, 0);
	assert_int_equal(config->layer2[0].node_selectors.count, 0);
	assert_int_equal(config->layer2[0].service_selectors.count, 0);
	assert_int_equal(config->announce.repeat, 5);
	assert_int_equal(config->announce.spacing_ms, 200);
	assert_int_equal(config->announce.refresh_s, 60);
	assert_true(config->announce.reply_form);
	assert_int_equal(config->announce.probe.count, 3);
	assert_int_equal(config->announce.probe.spacing_ms, 100);
	assert_int_equal(config->membership.lease_duration_ms, 3000);
	assert_int_equal(config->membership.renew_interval_ms, 1000);
	assert_false(config->membership.bfd.on);
	assert_false(config->move_when_removed);
	assert_false(config->ignore_exclude_label);
	assert_false(config->move_on_cordon);
	assert_false(config->metallb_annotations);
	assert_null(config->bgp);
	config_free(config);
}

static void every_field_is_read(void **state)
{
	struct config *config = config_of(POOL,
		"announce: {repeat: 3, spacing: 1s, refresh: 2m, replyForm: false}\n"
		"membership: {leaseDuration: 10s, renewInterval: 2500ms, bfd: {interval: 1s}}\n"
		"nodes: {ignoreExcludeLabel: true, moveOnCordon: true}\n"
		"compatibility: {metallbAnnotations: true}\n"
		"layer2: [{name: a, pools: [p], interfaces: [eth0, 'b*']}, {}]\n");

	(void)state;
	assert_int_equal(config->announce.repeat, 3);
	assert_int_equal(config->announce.spacing_ms, 1000);
	assert_int_equal(config->announce.refresh_s, 120);
	assert_false(config->announce.reply_form);
	assert_int_equal(config->membership.lease_duration_ms, 10000);
	assert_int_equal(config->membership.renew_interval_ms, 2500);
	assert_true(config->membership.bfd.on);
	assert_int_equal(config->membership.bfd.interval_ms, 1000);
	assert_int_equal(config->membership.bfd.multiplier, 3);
	assert_int_equal(config->membership.bfd.watchers, 3);
	assert_true(config->ignore_exclude_label && config->move_on_cordon);
	assert_true(config->metallb_annotations);
	assert_int_equal(config->layer2_count, 2);
	assert_string_equal(config->layer2[0].name, "a");
	assert_int_equal(config->layer2[0].line, 7);
	assert_string_equal(config->layer2[0].pools.items[0], "p");
	assert_int_equal(config->layer2[0].interfaces.count, 2);
	assert_string_equal(config->layer2[0].interfaces.items[1], "b*");
	assert_string_equal(config->layer2[1].name, "");
	config_free(config);
}

/* No section is the rule for all; an empty list is no rule. */
static void layer2_can_be_switched_off(void **state)
{
	struct config *config = config_of(POOL, "layer2: []\n");

	(void)state;
	assert_int_equal(config->layer2_count, 0);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(L05_L14_layer2_rules),
		cmocka_unit_test(L04_C17_announce),
		cmocka_unit_test(membership),
		cmocka_unit_test(A08_A10_C22_small_sections),
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_field_is_read),
		cmocka_unit_test(layer2_can_be_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
