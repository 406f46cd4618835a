// SPDX-License-Identifier: Apache-2.0
/* Pools: segments by position, what is left of reserved ranges, counting, selection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../lib/core/pool.h"

static struct ip ip(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	return ip;
}

static size_t read_ranges(const char *text, struct ip_range *ranges)
{
	char copy[256], *rest = copy, *word;
	size_t count = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, " "))) {
		char *dash = strchr(word, '-');

		if (!*word)
			continue;
		*dash = '\0';
		ranges[count++] = (struct ip_range){ip(word), ip(dash + 1)};
	}
	return count;
}

/* A03, A13: usable pieces as written, and how many addresses they are. */
static void segments_are_ranges_less_the_reserved(void **state)
{
	static const struct {
		const char *what, *ranges, *reserved, *segments;
		bool avoid;
		double total4, total6;
	} cases[] = {
		{"one range", "10.0.0.0-10.0.0.255", "", "10.0.0.0-10.0.0.255", false, 256, 0},
		{"ranges are put in order", "fd00::1-fd00::2 10.0.1.0-10.0.1.1 10.0.0.0-10.0.0.0",
			"", "10.0.0.0-10.0.0.0 10.0.1.0-10.0.1.1 fd00::1-fd00::2", false, 3, 2},
		{"a hole in the middle", "10.0.0.0-10.0.0.9", "10.0.0.3-10.0.0.4",
			"10.0.0.0-10.0.0.2 10.0.0.5-10.0.0.9", false, 8, 0},
		{"first and last", "10.0.0.0-10.0.0.9", "10.0.0.9-10.0.0.9 10.0.0.0-10.0.0.0",
			"10.0.0.1-10.0.0.8", false, 8, 0},
		{"holes that touch", "10.0.0.0-10.0.0.9", "10.0.0.2-10.0.0.3 10.0.0.4-10.0.0.5",
			"10.0.0.0-10.0.0.1 10.0.0.6-10.0.0.9", false, 6, 0},
		{"all reserved", "10.0.0.4-10.0.0.9", "10.0.0.0-10.0.0.255", "", false, 0, 0},
		{"across two ranges", "10.0.0.0-10.0.0.3 10.0.0.4-10.0.0.7", "10.0.0.3-10.0.0.4",
			"10.0.0.0-10.0.0.2 10.0.0.5-10.0.0.7", false, 6, 0},
		{"of the other family", "10.0.0.0-10.0.0.3", "fd00::-fd00::ff", "10.0.0.0-10.0.0.3",
			false, 4, 0},
		{"top of IPv4", "255.255.255.254-255.255.255.255",
			"255.255.255.255-255.255.255.255", "255.255.255.254-255.255.255.254", false,
			1, 0},
		{".0 and .255 avoided", "10.0.0.0-10.0.1.255", "", "10.0.0.0-10.0.1.255", true, 508,
			0},
		{"avoided, begins and ends within", "10.0.0.1-10.0.2.254", "",
			"10.0.0.1-10.0.2.254", true, 762, 0},
		{"avoided, a single .0", "10.0.0.0-10.0.0.0", "", "10.0.0.0-10.0.0.0", true, 0, 0},
		{"IPv6 has no .0", "fd00::-fd00::ff", "", "fd00::-fd00::ff", true, 0, 256},
		{"a /48", "fd00::-fd00:0:0:ffff:ffff:ffff:ffff:ffff", "",
			"fd00::-fd00:0:0:ffff:ffff:ffff:ffff:ffff", false, 0, 0x1p64},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_range ranges[4], reserved[4], expected[4];
		struct config_pool config = {.name = "p",
			.ranges = ranges,
			.range_count = read_ranges(cases[i].ranges, ranges),
			.reserved = reserved,
			.reserved_count = read_ranges(cases[i].reserved, reserved),
			.avoid_buggy_ips = cases[i].avoid};
		size_t count = read_ranges(cases[i].segments, expected);
		struct pool pool;

		pool_init(&pool, &config);
		if (pool.segment_count != count || pool.total[0] != cases[i].total4 ||
			pool.total[1] != cases[i].total6)
			fail_msg("%s: %zu segments, %f and %f addresses", cases[i].what,
				pool.segment_count, pool.total[0], pool.total[1]);
		for (size_t j = 0; j < count; j++) {
			if (!ip_equal(&pool.segments[j].first, &expected[j].first) ||
				!ip_equal(&pool.segments[j].last, &expected[j].last))
				fail_msg("%s: segment %zu", cases[i].what, j);
		}
		pool_done(&pool);
	}
}

/* A14: both orders give each address of a segment exactly once, from the first on. */
static void positions_cover_a_segment(void **state)
{
	(void)state;
	for (unsigned size = 1; size <= 70; size++) {
		for (unsigned spread = 0; spread < 2; spread++) {
			struct ip_range range = {ip("10.0.0.250"), ip("10.0.0.250")};
			struct config_pool config = {
				.name = "p", .ranges = &range, .range_count = 1, .spread = spread};
			bool seen[70] = {false};
			unsigned count = 0;
			struct pool pool;
			struct ip at;

			for (unsigned i = 1; i < size; i++)
				assert_true(ip_increment(&range.last));
			pool_init(&pool, &config);
			for (; !segment_is_used_up(&pool.segments[0]); pool.segments[0].next++) {
				unsigned offset;

				if (!segment_at(&pool.segments[0], &at))
					continue;
				offset = at.bytes[2] * 256u + at.bytes[3] - 250;
				assert_true(offset < size);
				assert_false(seen[offset]);
				if (!spread)
					assert_int_equal(offset, count);
				seen[offset] = true;
				count++;
			}
			assert_int_equal(count, size);
			pool_done(&pool);
		}
	}
}

static void spread_halves_the_gaps(void **state)
{
	static const uint8_t expected[] = {0, 128, 64, 192, 32, 160, 96, 224};
	struct ip_range range = {ip("10.0.0.0"), ip("10.0.0.255")};
	struct config_pool config = {
		.name = "p", .ranges = &range, .range_count = 1, .spread = true};
	struct pool pool;
	struct ip at;

	(void)state;
	pool_init(&pool, &config);
	for (size_t i = 0; i < sizeof(expected); i++, pool.segments[0].next++) {
		assert_true(segment_at(&pool.segments[0], &at));
		assert_int_equal(at.bytes[3], expected[i]);
	}
	pool_done(&pool);
}

/* A13: the second address of a spread /48 is half way through its first 2^64. */
static void wide_ranges_are_walked_alike(void **state)
{
	struct ip_range range = {ip("fd00::"), ip("fd00:0:0:ffff:ffff:ffff:ffff:ffff")};
	struct config_pool config = {.name = "p", .ranges = &range, .range_count = 1};
	struct pool pool;
	struct ip at;

	(void)state;
	pool_init(&pool, &config);
	pool.segments[0].next = UINT64_C(1) << 32;
	assert_true(segment_at(&pool.segments[0], &at));
	assert_string_equal(ip_text(&at).s, "fd00::1:0:0");
	config.spread = true;
	pool.segments[0].next = 1;
	assert_true(segment_at(&pool.segments[0], &at));
	assert_string_equal(ip_text(&at).s, "fd00::8000:0:0:0");
	pool.segments[0].next = UINT64_MAX;
	assert_true(segment_is_used_up(&pool.segments[0]));
	pool_done(&pool);
}

/* A04: each kind of restriction, alone and with the others. */
static void pools_select(void **state)
{
	static const char *team[] = {"team-a"}, *gold[] = {"gold"}, *tiers[] = {"web"};
	struct selector_requirement is_gold = {"level", SELECTOR_IN, gold, 1};
	struct selector_requirement is_web = {"tier", SELECTOR_IN, tiers, 1};
	struct selector of_gold = {&is_gold, 1}, of_web = {&is_web, 1};
	const struct string_pair gold_pair = {"level", "gold"}, web_pair = {"tier", "web"};
	const struct string_map gold_labels = {&gold_pair, 1}, web_labels = {&web_pair, 1};
	const struct string_map none = {0};
	const struct {
		const char *what;
		bool by_name, by_selector, by_service, by_class;
		const char *namespace;
		const struct string_map *namespace_labels, *labels;
		const char *class;
		enum alloc_reason expected;
	} cases[] = {
		{"no restriction", false, false, false, false, "x", NULL, &none, NULL, ALLOC_OK},
		{"namespace listed", true, false, false, false, "team-a", NULL, &none, NULL,
			ALLOC_OK},
		{"namespace not listed", true, false, false, false, "team-b", NULL, &none, NULL,
			ALLOC_NAMESPACE},
		{"namespace selected", false, true, false, false, "x", &gold_labels, &none, NULL,
			ALLOC_OK},
		{"namespace not selected", false, true, false, false, "x", &none, &none, NULL,
			ALLOC_NAMESPACE},
		{"labels not known", false, true, false, false, "x", NULL, &none, NULL,
			ALLOC_NAMESPACE},
		{"listed or selected", true, true, false, false, "x", &gold_labels, &none, NULL,
			ALLOC_OK},
		{"neither", true, true, false, false, "x", &none, &none, NULL, ALLOC_NAMESPACE},
		{"Service selected", false, false, true, false, "x", NULL, &web_labels, NULL,
			ALLOC_OK},
		{"Service not selected", false, false, true, false, "x", NULL, &none, NULL,
			ALLOC_SERVICE},
		{"class served", false, false, false, true, "x", NULL, &none, "gold", ALLOC_OK},
		{"class not served", false, false, false, true, "x", NULL, &none, "tin",
			ALLOC_CLASS},
		{"class unset", false, false, false, true, "x", NULL, &none, NULL, ALLOC_CLASS},
		{"namespace but not Service", true, false, true, false, "team-a", NULL, &none, NULL,
			ALLOC_SERVICE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_pool pool = {.name = "p",
			.namespaces = {team, cases[i].by_name},
			.namespace_selectors = {&of_gold, cases[i].by_selector},
			.service_selectors = {&of_web, cases[i].by_service},
			.classes = {gold, cases[i].by_class}};
		struct alloc_request request = {.namespace = cases[i].namespace,
			.namespace_labels = cases[i].namespace_labels,
			.labels = cases[i].labels,
			.class = cases[i].class};

		if (pool_selects(&pool, &request) != cases[i].expected)
			fail_msg("%s", cases[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_are_ranges_less_the_reserved),
		cmocka_unit_test(positions_cover_a_segment),
		cmocka_unit_test(spread_halves_the_gaps),
		cmocka_unit_test(wide_ranges_are_walked_alike),
		cmocka_unit_test(pools_select),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
