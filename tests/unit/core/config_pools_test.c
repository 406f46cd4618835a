// SPDX-License-Identifier: Apache-2.0
/*
 * The `pools` section: fields and defaults (A03), equal names, empty and
 * overlapping pools (A02).
 */
#include <string.h>

#include "config_expect.h"

#define POOLS CONFIG_HEAD "pools:\n"
#define POOL POOLS "- name: p\n  addresses: [192.0.2.0/24]\n"

static void A03_fields(void **state)
{
	static const struct config_case cases[] = {
		{"every field",
			"  reserved: [192.0.2.1]\n"
			"  autoAssign: false\n"
			"  avoidBuggyIPs: true\n"
			"  disabled: true\n"
			"  allocationOrder: spread\n"
			"  priority: -7\n"
			"  shareAcrossNamespaces: true\n"
			"  whenRemoved: move\n"
			"  namespaces: [a]\n"
			"  namespaceSelectors: [{}]\n"
			"  serviceSelectors: [{}]\n"
			"  classes: [a/b]\n",
			""},
		{"reserved outside the pool",
			"  reserved: [192.0.2.1, 198.51.100.1, 192.0.3.0/24]\n",
			"5:25 pools[0].reserved[1]: is \"198.51.100.1\", which is outside this "
			"pool's addresses: remove it or correct it\n"
			"5:39 pools[0].reserved[2]: is \"192.0.3.0/24\", which is outside this "
			"pool's addresses: remove it or correct it\n"},
		{"reserved across the pool's border", "  reserved: [192.0.0.0/22]\n", ""},
		{"nothing reserved", "  reserved: []\n", ""},
		{"reserved that is no address", "  reserved: [x, 192.0.2.1/24]\n",
			"5:14 pools[0].reserved[0]: is \"x\": \"x\" is no IPv4 or IPv6 address; "
			"write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one address\n"
			"5:17 pools[0].reserved[1]: is \"192.0.2.1/24\", which has host bits set: "
			"write \"192.0.2.0/24\" for the whole network or \"192.0.2.1\" for the one "
			"address\n"},
		{"reserved twice", "  reserved: [192.0.2.1, 192.0.2.1]\n", ""},
		{"the lowest priority", "  priority: -1000000\n", ""},
		{"the highest priority", "  priority: 1000000\n", ""},
		{"a priority too high", "  priority: 1000001\n",
			"5:13 pools[0].priority: is \"1000001\", out of bounds, since priorities "
			"only order the pools: write a number from -1000000 to 1000000\n"},
		{"a priority too low", "  priority: -1000001\n",
			"5:13 pools[0].priority: is \"-1000001\", out of bounds, since priorities "
			"only order the pools: write a number from -1000000 to 1000000\n"},
		{"a named priority", "  priority: high\n",
			"5:13 pools[0].priority: is \"high\" where a whole number is wanted: write "
			"one from -1000000 to 1000000, without quotes\n"},
		{"an order of another kind", "  allocationOrder: random\n",
			"5:20 pools[0].allocationOrder: is \"random\": write first-free or "
			"spread\n"},
		{"an order with a slip", "  allocationOrder: spraed\n",
			"5:20 pools[0].allocationOrder: is \"spraed\": did you mean \"spread\"? It "
			"can be first-free or spread\n"},
		{"an unknown removal", "  whenRemoved: delete\n",
			"5:16 pools[0].whenRemoved: is \"delete\": write keep or move\n"},
		{"a removal with a slip", "  whenRemoved: kept\n",
			"5:16 pools[0].whenRemoved: is \"kept\": did you mean \"keep\"? It can be "
			"keep or move\n"},
		{"a boolean as removal", "  whenRemoved: true\n",
			"5:16 pools[0].whenRemoved: is \"true\": write keep or move\n"},
		{"no namespaces", "  namespaces: []\n",
			"5:15 pools[0].namespaces: is an empty list: remove it to serve every "
			"namespace\n"},
		{"a namespace twice", "  namespaces: [a, b, a]\n",
			"5:22 pools[0].namespaces[2]: \"a\" stands twice in the list: remove "
			"one\n"},
		{"namespaces that can't be", "  namespaces: [A, b_c, 7, -d, e.f]\n",
			"5:16 pools[0].namespaces[0]: is \"A\", which is not a name of at most 63 "
			"of a-z, 0-9 and '-', beginning and ending with a letter or digit\n"
			"5:19 pools[0].namespaces[1]: is \"b_c\", which is not a name of at most "
			"63 of a-z, 0-9 and '-', beginning and ending with a letter or digit\n"
			"5:24 pools[0].namespaces[2]: is \"7\", which YAML takes for a number: put "
			"it in quotes\n"
			"5:27 pools[0].namespaces[3]: is \"-d\", which is not a name of at most 63 "
			"of a-z, 0-9 and '-', beginning and ending with a letter or digit\n"
			"5:31 pools[0].namespaces[4]: is \"e.f\", which is not a name of at most "
			"63 of a-z, 0-9 and '-', beginning and ending with a letter or digit\n"},
		{"namespaces as text", "  namespaces: a\n",
			"5:15 pools[0].namespaces: is \"a\" where a list is wanted: write "
			"\"[...]\", or each item on its own line after \"- \"\n"},
		{"classes", "  classes: [example.com/internal, plain]\n", ""},
		{"classes that can't be", "  classes: ['a/b/c', '/a', 'a/', 'A.com/x', '']\n",
			"5:13 pools[0].classes[0]: is \"a/b/c\", which is not a load balancer "
			"class such as \"example.com/internal\"\n"
			"5:22 pools[0].classes[1]: is \"/a\", which is not a load balancer class "
			"such as \"example.com/internal\"\n"
			"5:28 pools[0].classes[2]: is \"a/\", which is not a load balancer class "
			"such as \"example.com/internal\"\n"
			"5:34 pools[0].classes[3]: is \"A.com/x\", which is not a load balancer "
			"class such as \"example.com/internal\"\n"
			"5:45 pools[0].classes[4]: is \"\", which is not a load balancer class "
			"such as \"example.com/internal\"\n"},
		{"no classes", "  classes: []\n",
			"5:12 pools[0].classes: is an empty list: remove it to serve every "
			"class\n"},
		{"MetalLB's field names",
			"  auto-assign: true\n"
			"  avoid-buggy-ips: true\n"
			"  protocol: layer2\n",
			"5:3 pools[0].auto-assign: there is no such field: did you mean "
			"\"autoAssign\"?\n"
			"6:3 pools[0].avoid-buggy-ips: there is no such field: did you mean "
			"\"avoidBuggyIPs\"?\n"
			"7:3 pools[0].protocol: there is no such field: remove it, or use one of "
			"name, addresses, reserved, autoAssign, avoidBuggyIPs, disabled, "
			"allocationOrder, spread, priority, shareAcrossNamespaces, "
			"whenRemoved, namespaces, namespaceSelectors, serviceSelectors, classes\n"},
		{"MetalLB's nested selection", "  serviceAllocation: {priority: 1}\n",
			"5:3 pools[0].serviceAllocation: there is no such field: remove it, or use "
			"one of name, addresses, reserved, autoAssign, avoidBuggyIPs, disabled, "
			"allocationOrder, spread, priority, shareAcrossNamespaces, "
			"whenRemoved, namespaces, namespaceSelectors, serviceSelectors, classes\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A02_names_and_empty_pools(void **state)
{
	static const struct config_case cases[] = {
		{"equal names",
			"- {name: a, addresses: [10.0.0.1]}\n"
			"- {name: b, addresses: [10.0.0.2]}\n"
			"- {name: a, addresses: [10.0.0.3]}\n"
			"- {name: a, addresses: [10.0.0.4]}\n",
			"5:10 pools[2].name: the pool \"a\" is defined twice, first on line 3: "
			"rename one\n"
			"6:10 pools[3].name: the pool \"a\" is defined twice, first on line 3: "
			"rename one\n"},
		{"no name, no addresses", "- {}\n",
			"3:3 pools[0]: the field \"addresses\" is missing: add it\n"
			"3:3 pools[0]: the field \"name\" is missing: add it\n"},
		{"an empty pool", "- {name: a, addresses: []}\n",
			"3:24 pools[0].addresses: is an empty list: give the pool at least one "
			"address\n"},
		{"addresses as text", "- {name: a, addresses: 10.0.0.1}\n",
			"3:24 pools[0].addresses: is \"10.0.0.1\" where a list is wanted: write "
			"\"[...]\", or each item on its own line after \"- \"\n"},
		{"text for a pool", "- a\n",
			"3:3 pools[0]: is \"a\" where fields are wanted: write \"name: ...\"\n"},
		{"a pool of nothing", "-\n",
			"3:2 pools[0]: is nothing where fields are wanted: write \"name: ...\"\n"},
		{"names that can't be",
			"- {name: A, addresses: [10.0.0.1]}\n"
			"- {name: -a, addresses: [10.0.0.2]}\n"
			"- {name: a., addresses: [10.0.0.3]}\n"
			"- {name: '', addresses: [10.0.0.4]}\n"
			"- {name: "
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, "
			"addresses: [10.0.0.5]}\n",
			"3:10 pools[0].name: is \"A\", which is not a name of at most 63 of a-z, "
			"0-9 and '-', beginning and ending with a letter or digit\n"
			"4:10 pools[1].name: is \"-a\", which is not a name of at most 63 of a-z, "
			"0-9 and '-', beginning and ending with a letter or digit\n"
			"5:10 pools[2].name: is \"a.\", which is not a name of at most 63 of a-z, "
			"0-9 and '-', beginning and ending with a letter or digit\n"
			"6:10 pools[3].name: is \"\", which is not a name of at most 63 of a-z, "
			"0-9 and '-', beginning and ending with a letter or digit\n"
			"7:10 pools[4].name: is "
			"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", "
			"which is not a name of at most 63 of a-z, 0-9 and '-', beginning and "
			"ending with a letter or digit\n"},
		{"a name of 63",
			"- {name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, "
			"addresses: [10.0.0.5]}\n",
			""},
	};

	(void)state;
	CONFIG_EXPECT(POOLS, cases);
}

static void A02_overlaps(void **state)
{
	static const struct config_case cases[] = {
		{"neighbours",
			"- {name: a, addresses: [10.0.0.0/25, 10.0.0.128/25]}\n"
			"- {name: b, addresses: [10.0.1.0/24, '::2']}\n",
			""},
		{"two pools",
			"- {name: a, addresses: [10.0.0.0/24]}\n"
			"- {name: b, addresses: [10.0.0.255]}\n",
			"4:25 pools[1].addresses[0]: is \"10.0.0.255\" of pool \"b\", which "
			"overlaps \"10.0.0.0/24\" of pool \"a\" on line 3: an address can be in "
			"one pool only\n"},
		{"the later one is told though it begins lower",
			"- {name: a, addresses: [10.0.0.128/25]}\n"
			"- {name: b, addresses: [10.0.0.0/24]}\n",
			"4:25 pools[1].addresses[0]: is \"10.0.0.0/24\" of pool \"b\", which "
			"overlaps \"10.0.0.128/25\" of pool \"a\" on line 3: an address can be in "
			"one pool only\n"},
		{"within one pool",
			"- {name: a, addresses: [10.0.0.0/24, 10.0.0.5, 10.0.0.250-10.0.1.5]}\n",
			"3:38 pools[0].addresses[1]: is \"10.0.0.5\", which overlaps "
			"\"10.0.0.0/24\" on line 3 of the same pool: write the addresses once\n"
			"3:48 pools[0].addresses[2]: is \"10.0.0.250-10.0.1.5\", which overlaps "
			"\"10.0.0.0/24\" on line 3 of the same pool: write the addresses once\n"},
		{"the same range twice",
			"- {name: a, addresses: [10.0.0.1]}\n"
			"- {name: b, addresses: [10.0.0.1]}\n",
			"4:25 pools[1].addresses[0]: is \"10.0.0.1\" of pool \"b\", which overlaps "
			"\"10.0.0.1\" of pool \"a\" on line 3: an address can be in one pool "
			"only\n"},
		{"one that covers two",
			"- {name: a, addresses: [10.0.0.1]}\n"
			"- {name: b, addresses: [10.0.0.3]}\n"
			"- {name: c, addresses: [10.0.0.0/24]}\n",
			"5:25 pools[2].addresses[0]: is \"10.0.0.0/24\" of pool \"c\", which "
			"overlaps \"10.0.0.1\" of pool \"a\" on line 3: an address can be in one "
			"pool only\n"
			"5:25 pools[2].addresses[0]: is \"10.0.0.0/24\" of pool \"c\", which "
			"overlaps \"10.0.0.3\" of pool \"b\" on line 4: an address can be in one "
			"pool only\n"},
		{"a wide one and two after it",
			"- {name: c, addresses: [10.0.0.0/24]}\n"
			"- {name: a, addresses: [10.0.0.1]}\n"
			"- {name: b, addresses: [10.0.0.3]}\n",
			"4:25 pools[1].addresses[0]: is \"10.0.0.1\" of pool \"a\", which overlaps "
			"\"10.0.0.0/24\" of pool \"c\" on line 3: an address can be in one pool "
			"only\n"
			"5:25 pools[2].addresses[0]: is \"10.0.0.3\" of pool \"b\", which overlaps "
			"\"10.0.0.0/24\" of pool \"c\" on line 3: an address can be in one pool "
			"only\n"},
		{"IPv6",
			"- {name: a, addresses: ['2001:db8::/32']}\n"
			"- {name: b, addresses: ['2001:db8:1::/64']}\n",
			"4:25 pools[1].addresses[0]: is \"2001:db8:1::/64\" of pool \"b\", which "
			"overlaps \"2001:db8::/32\" of pool \"a\" on line 3: an address can be in "
			"one pool only\n"},
		{"a pool without a name",
			"- {addresses: [10.0.0.1]}\n"
			"- {name: \"x\\ny\", addresses: [10.0.0.1]}\n",
			"3:3 pools[0]: the field \"name\" is missing: add it\n"
			"4:10 pools[1].name: is \"x?y\", which is not a name of at most 63 of a-z, "
			"0-9 and '-', beginning and ending with a letter or digit\n"
			"4:30 pools[1].addresses[0]: is \"10.0.0.1\" of pool \"x?y\", which "
			"overlaps \"10.0.0.1\" of pool without a name on line 3: an address can be "
			"in one pool only\n"},
		{"long names and ranges",
			"- {name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, "
			"addresses: "
			"['2001:db8:1111:2222:3333:4444:5555:6666-2001:db8:1111:2222:3333:4444:"
			"5555:7777']}\n"
			"- {name: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy, "
			"addresses: ['2001:db8:1111:2222:3333:4444:5555:6666 - "
			"2001:db8:1111:2222:3333:4444:5555:7777']}\n",
			"4:87 pools[1].addresses[0]: is \"2001:db8:1111:2222:3333:4444:5555:6666 - "
			"2001:db8:1111:2222:3333:4444:5555...\" of pool "
			"\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\", "
			"which overlaps "
			"\"2001:db8:1111:2222:3333:4444:5555:6666-2001:db8:1111:2222:3333:4444:"
			"5555:7...\" of pool "
			"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" on "
			"line 3: an address can be in one pool only\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOLS, cases);
}

static void A03_defaults(void **state)
{
	struct config *config = config_of(POOL, "");
	const struct config_pool *pool = &config->pools[0];

	(void)state;
	assert_int_equal(config->pool_count, 1);
	assert_string_equal(pool->name, "p");
	assert_int_equal(pool->line, 3);
	assert_true(pool->auto_assign);
	assert_false(pool->avoid_buggy_ips || pool->disabled || pool->share_across_namespaces);
	assert_false(pool->spread || pool->move_when_removed || pool->per_client);
	assert_int_equal(pool->priority, 0);
	assert_int_equal(pool->reserved_count, 0);
	assert_int_equal(pool->namespaces.count + pool->classes.count, 0);
	assert_int_equal(pool->namespace_selectors.count + pool->service_selectors.count, 0);
	config_free(config);
}

static void A03_every_field_is_read(void **state)
{
	struct config *config = config_of(POOL, "  reserved: [192.0.2.1]\n"
						"  autoAssign: false\n"
						"  avoidBuggyIPs: true\n"
						"  disabled: true\n"
						"  allocationOrder: spread\n"
						"  spread: per-client\n"
						"  priority: -7\n"
						"  shareAcrossNamespaces: true\n"
						"  whenRemoved: move\n"
						"  namespaces: [a]\n"
						"  namespaceSelectors: [{}]\n"
						"  serviceSelectors: [{}]\n"
						"  classes: [a/b]\n");
	const struct config_pool *pool = &config->pools[0];

	(void)state;
	assert_false(pool->auto_assign);
	assert_true(pool->avoid_buggy_ips && pool->disabled && pool->share_across_namespaces);
	assert_true(pool->spread && pool->move_when_removed && pool->per_client);
	assert_int_equal(pool->priority, -7);
	assert_int_equal(pool->reserved_count, 1);
	assert_string_equal(ip_text(&pool->reserved[0].first).s, "192.0.2.1");
	assert_string_equal(pool->namespaces.items[0], "a");
	assert_string_equal(pool->classes.items[0], "a/b");
	assert_int_equal(pool->namespace_selectors.count, 1);
	assert_int_equal(pool->service_selectors.count, 1);
	config_free(config);
}

/* The pools' own word goes before the document's, wherever that stands (A08). */
static void A08_when_removed_is_inherited(void **state)
{
	struct config *config = config_of(POOLS "- {name: a, addresses: [10.0.0.1]}\n",
		"- {name: b, addresses: [10.0.0.2], whenRemoved: keep}\n"
		"addresses: {whenRemoved: move}\n");

	(void)state;
	assert_true(config->move_when_removed && config->pools[0].move_when_removed);
	assert_false(config->pools[1].move_when_removed);
	config_free(config);
}

static void pools_are_found_by_name_and_keep_their_order(void **state)
{
	struct config *config = config_of(POOLS, "- {name: z, addresses: [10.0.0.1]}\n"
						 "- {name: a, addresses: [10.0.0.2]}\n");

	(void)state;
	assert_string_equal(config->pools[0].name, "z");
	assert_ptr_equal(config_pool_find(config, "a"), &config->pools[1]);
	assert_null(config_pool_find(config, "b"));
	config_free(config);
	config_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A03_fields),
		cmocka_unit_test(A02_names_and_empty_pools),
		cmocka_unit_test(A02_overlaps),
		cmocka_unit_test(A03_defaults),
		cmocka_unit_test(A03_every_field_is_read),
		cmocka_unit_test(A08_when_removed_is_inherited),
		cmocka_unit_test(pools_are_found_by_name_and_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
