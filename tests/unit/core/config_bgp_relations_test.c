// SPDX-License-Identifier: Apache-2.0
/*
 * BGP advertisements and what must hold between them, the pools and the peers: aggregates
 * (B10, B12), local preferences (B02, C29), peers given twice (B09, B12).
 */
#include <stdio.h>
#include <string.h>

#include "config_expect.h"
#include "herald/base/err.h"
#include "herald/core/config_bgp.h"

#define BGP                                                                                        \
	CONFIG_HEAD "pools: [{name: p, addresses: [192.0.2.0/24]}, {name: q, addresses: "          \
		    "['2001:db8::/120', 198.51.100.0/25]}]\nbgp:\n  asn: 64512\n"

static void B01_B12_advertisements(void **state)
{
	static const struct config_case cases[] = {
		{"none, which switches it off", "  advertisements: []\n", ""},
		{"one that matches all",
			"  advertisements:\n"
			"  - {}\n",
			""},
		{"every field",
			"  communities: [{name: c, value: '1:2'}]\n"
			"  peers: [{name: a, peerASN: 1, peerAddress: 192.0.2.1}]\n"
			"  advertisements:\n"
			"  - {name: x, localPref: 4294967295, communities: [c, no-export, "
			"'64512:7', 'large:1:2:3'], pools: [p, q], peers: [a], nodeSelectors: "
			"[{}], serviceSelectors: [{}]}\n",
			""},
		{"lengths out of bounds",
			"  advertisements:\n"
			"  - {aggregationLength: 0, aggregationLengthV6: 0}\n"
			"  - {aggregationLength: 33, aggregationLengthV6: 129}\n",
			"6:25 bgp.advertisements[0].aggregationLength: is \"0\", out of bounds, "
			"since a prefix length has at most 32: write a number from 1 to 32\n"
			"6:49 bgp.advertisements[0].aggregationLengthV6: is \"0\", out of bounds, "
			"since a prefix length has at most 128: write a number from 1 to 128\n"
			"7:25 bgp.advertisements[1].aggregationLength: is \"33\", out of bounds, "
			"since a prefix length has at most 32: write a number from 1 to 32\n"
			"7:50 bgp.advertisements[1].aggregationLengthV6: is \"129\", out of "
			"bounds, since a prefix length has at most 128: write a number from 1 to "
			"128\n"},
		{"a preference out of bounds",
			"  advertisements:\n"
			"  - {localPref: -1}\n"
			"  - {localPref: 4294967296}\n",
			"6:17 bgp.advertisements[0].localPref: is \"-1\", out of bounds: write a "
			"number from 0 to 4294967295\n"
			"7:17 bgp.advertisements[1].localPref: is \"4294967296\", out of bounds: "
			"write a number from 0 to 4294967295\n"},
		{"unknown names",
			"  advertisements:\n"
			"  - {pools: [pp, zz], peers: [a], communities: [c]}\n",
			"6:14 bgp.advertisements[0].pools[0]: there is no pool \"pp\": did you "
			"mean \"p\"?\n"
			"6:18 bgp.advertisements[0].pools[1]: there is no pool \"zz\": define it, "
			"or remove it here\n"
			"6:31 bgp.advertisements[0].peers[0]: there is no BGP peer \"a\": define "
			"it, or remove it here\n"
			"6:49 bgp.advertisements[0].communities[0]: there is no community \"c\": "
			"define it, or remove it here\n"},
		{"equal names",
			"  advertisements:\n"
			"  - {name: x}\n"
			"  - {name: x}\n",
			"7:12 bgp.advertisements[1].name: the BGP advertisement \"x\" is defined "
			"twice, first on line 6: rename one\n"},
		{"empty lists",
			"  advertisements:\n"
			"  - {pools: [], peers: [], communities: [], nodeSelectors: [], "
			"serviceSelectors: []}\n",
			"6:13 bgp.advertisements[0].pools: is an empty list: remove it to "
			"advertise every pool\n"
			"6:24 bgp.advertisements[0].peers: is an empty list: remove it to "
			"advertise to every peer\n"
			"6:60 bgp.advertisements[0].nodeSelectors: is an empty list: remove it to "
			"select everything\n"
			"6:82 bgp.advertisements[0].serviceSelectors: is an empty list: remove it "
			"to select everything\n"},
		{"communities that can't be",
			"  advertisements:\n"
			"  - {communities: ['65536:1', '1:2:3', 'large:1:2', 7]}\n",
			"6:20 bgp.advertisements[0].communities[0]: is \"65536:1\", which is no "
			"community: each part has 16 bits: at most 65535; for larger numbers write "
			"\"large:A:B:C\"\n"
			"6:31 bgp.advertisements[0].communities[1]: is \"1:2:3\", which is no "
			"community: a large community is written with \"large:\" before it\n"
			"6:40 bgp.advertisements[0].communities[2]: is \"large:1:2\", which is no "
			"community: write \"64512:100\", or \"large:64512:1:2\" for a large one\n"
			"6:53 bgp.advertisements[0].communities[3]: is \"7\", which YAML takes for "
			"a number: put it in quotes\n"},
		{"a community twice, once by its name",
			"  communities: [{name: c, value: '1:2'}]\n"
			"  advertisements:\n"
			"  - {communities: [c, '1:2', no-export, '65535:65281']}\n",
			"7:23 bgp.advertisements[0].communities[1]: is \"1:2\", which this list "
			"has already: remove it\n"
			"7:41 bgp.advertisements[0].communities[3]: is \"65535:65281\", which this "
			"list has already: remove it\n"},
		{"a name defined after its use",
			"  advertisements:\n"
			"  - {communities: [c]}\n"
			"  communities: [{name: c, value: '1:2'}]\n",
			""},
		{"MetalLB's field names",
			"  advertisements:\n"
			"  - {ipAddressPools: [p], localPreference: 1}\n",
			"6:6 bgp.advertisements[0].ipAddressPools: there is no such field: remove "
			"it, or use one of name, aggregationLength, aggregationLengthV6, "
			"localPref, med, prepend, nextHop, weight, communities, pools, peers, "
			"nodeSelectors, serviceSelectors\n"
			"6:27 bgp.advertisements[0].localPreference: there is no such field: "
			"remove it, or use one of name, aggregationLength, aggregationLengthV6, "
			"localPref, med, prepend, nextHop, weight, communities, pools, peers, "
			"nodeSelectors, serviceSelectors\n"},
	};

	(void)state;
	CONFIG_EXPECT(BGP, cases);
}

static void B10_B12_aggregation(void **state)
{
	static const struct config_case cases[] = {
		{"as long as the pool",
			"  advertisements:\n"
			"  - {aggregationLength: 24, pools: [p]}\n",
			""},
		{"longer than the pool",
			"  advertisements:\n"
			"  - {aggregationLength: 26, aggregationLengthV6: 122}\n",
			""},
		{"shorter than the pool",
			"  advertisements:\n"
			"  - {aggregationLength: 23, pools: [p]}\n",
			"6:25 bgp.advertisements[0].aggregationLength: is 23, but the pool \"p\" "
			"has 192.0.2.0-192.0.2.255, and routes of that length would cover "
			"addresses beyond: write a longer length, or leave the pool out\n"},
		{"fits one pool but not the other",
			"  advertisements:\n"
			"  - {aggregationLength: 24}\n",
			"6:25 bgp.advertisements[0].aggregationLength: is 24, but the pool \"q\" "
			"has 198.51.100.0-198.51.100.127, and routes of that length would cover "
			"addresses beyond: write a longer length, or leave the pool out\n"},
		{"IPv6 shorter than the pool",
			"  advertisements:\n"
			"  - {aggregationLengthV6: 119}\n",
			"6:27 bgp.advertisements[0].aggregationLengthV6: is 119, but the pool "
			"\"q\" has 2001:db8::-2001:db8::ff, and routes of that length would cover "
			"addresses beyond: write a longer length, or leave the pool out\n"},
		{"both",
			"  advertisements:\n"
			"  - {aggregationLength: 16, aggregationLengthV6: 64, pools: [q]}\n",
			"6:25 bgp.advertisements[0].aggregationLength: is 16, but the pool \"q\" "
			"has 198.51.100.0-198.51.100.127, and routes of that length would cover "
			"addresses beyond: write a longer length, or leave the pool out\n"
			"6:50 bgp.advertisements[0].aggregationLengthV6: is 64, but the pool \"q\" "
			"has 2001:db8::-2001:db8::ff, and routes of that length would cover "
			"addresses beyond: write a longer length, or leave the pool out\n"},
		{"a pool that is not advertised",
			"  advertisements:\n"
			"  - {aggregationLengthV6: 64, pools: [p]}\n",
			""},
		{"with Services selected",
			"  advertisements:\n"
			"  - {aggregationLength: 24, pools: [p], serviceSelectors: [{matchLabels: "
			"{a: b}}]}\n",
			"6:59 bgp.advertisements[0].serviceSelectors: stands beside an aggregation "
			"length below the address's own: such a route covers Services that are not "
			"selected, so remove one of the two\n"},
		{"with nodes selected, which breaks nothing",
			"  advertisements:\n"
			"  - {aggregationLength: 24, pools: [p], nodeSelectors: [{matchLabels: {a: "
			"b}}]}\n",
			""},
	};

	(void)state;
	CONFIG_EXPECT(BGP, cases);
}

static void B02_B10_C29_local_preferences(void **state)
{
	static const struct config_case cases[] = {
		{"equal",
			"  advertisements:\n"
			"  - {name: x, localPref: 1}\n"
			"  - {name: y, localPref: 1}\n",
			""},
		{"one without",
			"  advertisements:\n"
			"  - {name: x, localPref: 1}\n"
			"  - {name: y}\n",
			""},
		{"different for all",
			"  advertisements:\n"
			"  - {name: x, localPref: 1}\n"
			"  - {name: y, localPref: 2}\n",
			"7:5 bgp.advertisements[1]: the advertisement \"y\" sets localPref 2 where "
			"\"x\" on line 6 sets 1 for the same routes: make them equal, or keep the "
			"two apart by pools, peers or selectors\n"},
		{"different, each pool its own",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, pools: [p]}\n"
			"  - {name: y, localPref: 2, pools: [q]}\n",
			""},
		{"different, one pool in common",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, pools: [p]}\n"
			"  - {name: y, localPref: 2, pools: [q, p]}\n",
			"7:5 bgp.advertisements[1]: the advertisement \"y\" sets localPref 2 where "
			"\"x\" on line 6 sets 1 for the same routes: make them equal, or keep the "
			"two apart by pools, peers or selectors\n"},
		{"different, one for all pools",
			"  advertisements:\n"
			"  - {name: x, localPref: 1}\n"
			"  - {name: y, localPref: 2, pools: [q]}\n",
			"7:5 bgp.advertisements[1]: the advertisement \"y\" sets localPref 2 where "
			"\"x\" on line 6 sets 1 for the same routes: make them equal, or keep the "
			"two apart by pools, peers or selectors\n"},
		{"different lengths, of IPv4 only",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, pools: [p]}\n"
			"  - {name: y, localPref: 2, pools: [p], aggregationLength: 24}\n",
			""},
		{"different lengths, but the pool has IPv6 too",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, pools: [q]}\n"
			"  - {name: y, localPref: 2, pools: [q], aggregationLength: 25}\n",
			"7:5 bgp.advertisements[1]: the advertisement \"y\" sets localPref 2 where "
			"\"x\" on line 6 sets 1 for the same routes: make them equal, or keep the "
			"two apart by pools, peers or selectors\n"},
		{"both lengths different",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, pools: [q]}\n"
			"  - {name: y, localPref: 2, pools: [q], aggregationLength: 25, "
			"aggregationLengthV6: 120}\n",
			""},
		{"different nodes",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, nodeSelectors: [{matchLabels: {a: b}}]}\n"
			"  - {name: y, localPref: 2, nodeSelectors: [{matchLabels: {a: c}}]}\n",
			""},
		{"the same nodes",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, nodeSelectors: [{matchLabels: {a: b}}]}\n"
			"  - {name: y, localPref: 2, nodeSelectors: [{matchLabels: {a: b}}]}\n",
			"7:5 bgp.advertisements[1]: the advertisement \"y\" sets localPref 2 where "
			"\"x\" on line 6 sets 1 for the same routes: make them equal, or keep the "
			"two apart by pools, peers or selectors\n"},
		{"one alternative in common",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, nodeSelectors: [{matchLabels: {a: b}}, "
			"{matchLabels: {a: d}}]}\n"
			"  - {name: y, localPref: 2, nodeSelectors: [{matchLabels: {a: c}}, "
			"{matchLabels: {a: d}}]}\n",
			"7:5 bgp.advertisements[1]: the advertisement \"y\" sets localPref 2 where "
			"\"x\" on line 6 sets 1 for the same routes: make them equal, or keep the "
			"two apart by pools, peers or selectors\n"},
		{"a selector of everything",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, nodeSelectors: [{}]}\n"
			"  - {name: y, localPref: 2, nodeSelectors: [{matchLabels: {a: c}}]}\n",
			"7:5 bgp.advertisements[1]: the advertisement \"y\" sets localPref 2 where "
			"\"x\" on line 6 sets 1 for the same routes: make them equal, or keep the "
			"two apart by pools, peers or selectors\n"},
		{"different Services",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, serviceSelectors: [{matchLabels: {a: b}}]}\n"
			"  - {name: y, localPref: 2, serviceSelectors: [{matchExpressions: [{key: "
			"a, operator: NotIn, values: [b]}]}]}\n",
			""},
		{"the same Services",
			"  advertisements:\n"
			"  - {localPref: 1, serviceSelectors: [{matchLabels: {a: b}}]}\n"
			"  - {localPref: 2, serviceSelectors: [{matchLabels: {a: b}}]}\n",
			"7:5 bgp.advertisements[1]: the advertisement \"\" sets localPref 2 where "
			"\"\" on line 6 sets 1 for the same routes: make them equal, or keep the "
			"two apart by pools, peers or selectors\n"},
		{"different peers",
			"  peers: [{name: a, peerASN: 1, peerAddress: 192.0.2.1}, {name: b, "
			"peerASN: 1, peerAddress: 192.0.2.2}]\n"
			"  advertisements:\n"
			"  - {name: x, localPref: 1, peers: [a]}\n"
			"  - {name: y, localPref: 2, peers: [b]}\n",
			""},
		{"a peer in common",
			"  peers: [{name: a, peerASN: 1, peerAddress: 192.0.2.1}, {name: b, "
			"peerASN: 1, peerAddress: 192.0.2.2}]\n"
			"  advertisements:\n"
			"  - {name: x, localPref: 1, peers: [b, a]}\n"
			"  - {name: y, localPref: 2, peers: [b]}\n",
			"8:5 bgp.advertisements[1]: the advertisement \"y\" sets localPref 2 where "
			"\"x\" on line 7 sets 1 for the same routes: make them equal, or keep the "
			"two apart by pools, peers or selectors\n"},
	};

	(void)state;
	CONFIG_EXPECT(BGP, cases);
}

static void B09_B12_peers_given_twice(void **state)
{
	static const struct config_case cases[] = {
		{"the same router twice",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1}\n"
			"  - {name: b, peerASN: 1, peerAddress: 192.0.2.1}\n",
			"7:5 bgp.peers[1]: the peer \"b\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"},
		{"equal names",
			"  peers: [{name: a, peerASN: 1, peerAddress: 192.0.2.1}, {name: a, "
			"peerASN: 1, peerAddress: 192.0.2.2}]\n",
			"5:65 bgp.peers[1].name: the BGP peer \"a\" is defined twice, first on "
			"line 5: rename one\n"},
		{"three times: each is told of the first it meets",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1}\n"
			"  - {name: b, peerASN: 1, peerAddress: 192.0.2.1}\n"
			"  - {name: c, peerASN: 1, peerAddress: 192.0.2.1}\n",
			"7:5 bgp.peers[1]: the peer \"b\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"
			"8:5 bgp.peers[2]: the peer \"c\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"},
		{"another port",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1}\n"
			"  - {name: b, peerASN: 1, peerAddress: 192.0.2.1, peerPort: 1179}\n",
			""},
		{"another vrf",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1}\n"
			"  - {name: b, peerASN: 1, peerAddress: 192.0.2.1, vrf: red}\n",
			""},
		{"the default port written out",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1}\n"
			"  - {name: b, peerASN: 1, peerAddress: 192.0.2.1, peerPort: 179}\n",
			"7:5 bgp.peers[1]: the peer \"b\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"},
		{"two spellings of one address",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: '2001:db8::1'}\n"
			"  - {name: b, peerASN: 1, peerAddress: '2001:0DB8:0::1'}\n",
			"7:5 bgp.peers[1]: the peer \"b\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"},
		{"on disjoint nodes",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, nodeSelectors: "
			"[{matchLabels: {rack: a}}]}\n"
			"  - {name: b, peerASN: 1, peerAddress: 192.0.2.1, nodeSelectors: "
			"[{matchLabels: {rack: b}}]}\n",
			""},
		{"on the same nodes",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, nodeSelectors: "
			"[{matchLabels: {rack: a}}]}\n"
			"  - {name: b, peerASN: 1, peerAddress: 192.0.2.1, nodeSelectors: "
			"[{matchLabels: {rack: a}}]}\n",
			"7:5 bgp.peers[1]: the peer \"b\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"},
		{"one on all nodes",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1}\n"
			"  - {name: b, peerASN: 1, peerAddress: 192.0.2.1, nodeSelectors: "
			"[{matchLabels: {rack: b}}]}\n",
			"7:5 bgp.peers[1]: the peer \"b\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"},
		{"one on all nodes, in other words",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, nodeSelectors: [{}]}\n"
			"  - {name: b, peerASN: 1, peerAddress: 192.0.2.1, nodeSelectors: "
			"[{matchLabels: {rack: b}}]}\n",
			"7:5 bgp.peers[1]: the peer \"b\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"},
		{"the same interface twice",
			"  peers:\n"
			"  - {name: a, peerASN: 1, interface: eth0}\n"
			"  - {name: b, peerASN: 1, interface: eth0}\n",
			"7:5 bgp.peers[1]: the peer \"b\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"},
		{"two interfaces",
			"  peers:\n"
			"  - {name: a, peerASN: 1, interface: eth0}\n"
			"  - {name: b, peerASN: 1, interface: eth1}\n",
			""},
		{"two of which neither says where",
			"  peers:\n"
			"  - {name: a, peerASN: 1, peerPort: 1179}\n"
			"  - {name: b, peerASN: 1, peerPort: 1179}\n",
			"6:5 bgp.peers[0]: the field \"peerAddress\" is missing: add it, or "
			"\"interface\" or \"peerRange\"\n"
			"7:5 bgp.peers[1]: the field \"peerAddress\" is missing: add it, or "
			"\"interface\" or \"peerRange\"\n"},
	};

	(void)state;
	CONFIG_EXPECT(BGP, cases);
}

/* Names are looked up, lists are sorted for who compares them, communities keep their order. */
static void B01_advertisements_are_read(void **state)
{
	struct config *config = config_of(BGP,
		"  communities: [{name: c, value: 'large:1:2:3'}]\n"
		"  peers: [{name: b, peerASN: 1, peerAddress: 10.0.0.1},\n"
		"    {name: a, peerASN: 1, peerAddress: 10.0.0.2}]\n"
		"  advertisements:\n"
		"  - {name: x, aggregationLength: 25, aggregationLengthV6: 120, localPref: 0,\n"
		"     communities: [no-export, c, '64512:7'], pools: [q, p], peers: [b, a]}\n");
	const struct config_bgp_advertisement *x = &config->bgp->advertisements[0];
	static const struct config_community_value values[] = {{COMMUNITY_STANDARD, {65535, 65281}},
		{COMMUNITY_LARGE, {1, 2, 3}}, {COMMUNITY_STANDARD, {64512, 7}}};

	(void)state;
	assert_int_equal(x->aggregation_length, 25);
	assert_int_equal(x->aggregation_length_v6, 120);
	assert_true(x->has_local_pref && x->local_pref == 0);
	assert_int_equal(x->community_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(x->communities[i].kind, values[i].kind);
		assert_memory_equal(
			x->communities[i].parts, values[i].parts, sizeof(values[i].parts));
	}
	assert_string_equal(x->pools.items[0], "p");
	assert_string_equal(x->pools.items[1], "q");
	assert_string_equal(x->peers.items[0], "a");
	assert_string_equal(x->peers.items[1], "b");
	assert_int_equal(x->line, 9);
	config_free(config);
}

static void B12_lists_are_bounded(void **state)
{
	AUTO_FREE char *text = xcalloc(CONFIG_BGP_ITEMS_MAX + 2, 16);
	struct config_problems problems = {0};
	size_t used = (size_t)sprintf(text, BGP "  advertisements: [");
	struct config *config;

	(void)state;
	for (unsigned i = 0; i < CONFIG_BGP_ITEMS_MAX; i++)
		used += (size_t)sprintf(text + used, "{},");
	memcpy(text + used, "]", 2);
	config = config_parse(text, used + 1, &problems);
	assert_non_null(config);
	config_free(config);
	memcpy(text + used, "{}]", 4);
	assert_null(config_parse(text, used + 3, &problems));
	assert_int_equal(problems.count, 1);
	assert_string_equal(
		problems.items[0].text, "has 1001 items, more than the 1000 that are possible");
	config_problems_done(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B01_B12_advertisements),
		cmocka_unit_test(B10_B12_aggregation),
		cmocka_unit_test(B02_B10_C29_local_preferences),
		cmocka_unit_test(B09_B12_peers_given_twice),
		cmocka_unit_test(B01_advertisements_are_read),
		cmocka_unit_test(B12_lists_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
