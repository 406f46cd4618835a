// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses, prefixes and ranges: what is accepted, how it is written, and arithmetic at
 * the edges of both families.
 */
#include "herald/base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};

	if (!ip_parse(text, &ip))
		fail_msg("\"%s\" should be an address", text);
	return ip;
}

static struct ip_range range_of(const char *first, const char *last)
{
	return (struct ip_range){ip_of(first), ip_of(last)};
}

static const char *const refused[] = {"", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
	"1.2.3.04", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "0x1.2.3.4", "1.2.3.4/32", "1..3.4",
	"+1.2.3.4", "-1.2.3.4", "1.2.3.4%eth0", ":", ":::", "1::2::3",
	"12345::", "g::", "fe80::1%eth0", "[::1]", "::1/128", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
	"::ffff:1.2.3.4", "::ffff:102:304", "::1.2.3.256", "localhost"};

static void refuses_what_is_no_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct ip ip = {.family = 77};

		if (ip_parse(refused[i], &ip))
			fail_msg("\"%s\" was taken for an address", refused[i]);
		assert_int_equal(ip.family, 77);
	}
}

/* RFC 5952 section 4 with its own examples; the last ones as Go's net/netip writes them. */
static const struct {
	const char *text, *canonical;
} canonical[] = {
	{"0.0.0.0", "0.0.0.0"},
	{"255.255.255.255", "255.255.255.255"},
	{"2001:0db8::0001", "2001:db8::1"},
	{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
	{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
	{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
	{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
	{"2001:DB8::AAAA", "2001:db8::aaaa"},
	{"0:0:0:0:0:0:0:0", "::"},
	{"::1", "::1"},
	{"1::", "1::"},
	{"::1:2", "::1:2"},
	{"::1.2.3.4", "::102:304"},
	{"::0.1.0.0", "::1:0"},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

static void writes_the_canonical_text(void **state)
{
	struct ip none = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(canonical) / sizeof(canonical[0]); i++) {
		struct ip ip = ip_of(canonical[i].text);
		struct ip again = ip_of(ip_text(&ip).s);

		assert_string_equal(ip_text(&ip).s, canonical[i].canonical);
		assert_true(ip_equal(&ip, &again));
	}
	assert_string_equal(ip_text(&none).s, "none");
}

static void leaves_unused_bytes_zero(void **state)
{
	static const uint8_t zero[12];
	struct ip ip;

	(void)state;
	memset(&ip, 0xa5, sizeof(ip));
	assert_true(ip_parse("192.0.2.1", &ip));
	assert_memory_equal(ip.bytes + 4, zero, sizeof(zero));
}

static void orders_by_family_then_value(void **state)
{
	static const char *const ascending[] = {"0.0.0.0", "1.2.3.4", "1.2.4.0", "128.0.0.0",
		"255.255.255.255", "::", "::1", "2001:db8::", "fe80::", "ffff::"};

	(void)state;
	for (size_t i = 0; i < sizeof(ascending) / sizeof(ascending[0]); i++) {
		for (size_t j = 0; j < sizeof(ascending) / sizeof(ascending[0]); j++) {
			struct ip a = ip_of(ascending[i]), b = ip_of(ascending[j]);
			int order = ip_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
}

static void counts_up_and_down_through_the_bytes(void **state)
{
	static const char *const neighbours[][2] = {
		{"0.0.0.0", "0.0.0.1"},
		{"10.0.0.255", "10.0.1.0"},
		{"10.255.255.255", "11.0.0.0"},
		{"255.255.255.254", "255.255.255.255"},
		{"::", "::1"},
		{"2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
		struct ip low = ip_of(neighbours[i][0]), high = ip_of(neighbours[i][1]);
		struct ip ip = low;

		assert_true(ip_increment(&ip));
		assert_true(ip_equal(&ip, &high));
		assert_true(ip_decrement(&ip));
		assert_true(ip_equal(&ip, &low));
	}
}

static void stops_at_the_ends_of_a_family(void **state)
{
	static const char *const tops[] = {
		"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	static const char *const bottoms[] = {"0.0.0.0", "::"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ip top = ip_of(tops[i]), bottom = ip_of(bottoms[i]);

		assert_false(ip_increment(&top));
		assert_string_equal(ip_text(&top).s, tops[i]);
		assert_false(ip_decrement(&bottom));
		assert_string_equal(ip_text(&bottom).s, bottoms[i]);
	}
}

enum { LOOPBACK = 1, MULTICAST = 2, LINK_LOCAL = 4, UNSPECIFIED = 8 };

static void knows_the_special_ones(void **state)
{
	static const struct {
		const char *text;
		unsigned kinds;
	} cases[] = {
		{"127.0.0.1", LOOPBACK},
		{"127.255.255.255", LOOPBACK},
		{"126.255.255.255", 0},
		{"128.0.0.0", 0},
		{"::1", LOOPBACK},
		{"::2", 0},
		{"223.255.255.255", 0},
		{"224.0.0.0", MULTICAST},
		{"239.255.255.255", MULTICAST},
		{"240.0.0.0", 0},
		{"ff02::1", MULTICAST},
		{"169.253.255.255", 0},
		{"169.254.0.0", LINK_LOCAL},
		{"169.255.0.0", 0},
		{"fe7f::", 0},
		{"fe80::1", LINK_LOCAL},
		{"febf:ffff::", LINK_LOCAL},
		{"fec0::", 0},
		{"0.0.0.0", UNSPECIFIED},
		{"::", UNSPECIFIED},
		{"0.0.0.1", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip = ip_of(cases[i].text);
		unsigned kinds = (ip_is_loopback(&ip) ? LOOPBACK : 0u) |
				 (ip_is_multicast(&ip) ? MULTICAST : 0u) |
				 (ip_is_link_local(&ip) ? LINK_LOCAL : 0u) |
				 (ip_is_unspecified(&ip) ? UNSPECIFIED : 0u);

		if (kinds != cases[i].kinds)
			fail_msg("%s: %#x", cases[i].text, kinds);
	}
}

static void refuses_what_is_no_prefix(void **state)
{
	static const char *const no[] = {"", "/", "/24", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33",
		"10.0.0.0/08", "10.0.0.0/00", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/ 8",
		"10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/0x8", "10.0.0.1/24", "0.0.0.1/0",
		"2001:db8::1/64", "2001:db8::/129", "2001:db8::/4294967296",
		"2001:db8::/18446744073709551616", "::ffff:10.0.0.0/104"};

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		struct ip_prefix prefix;

		if (ip_prefix_parse(no[i], &prefix))
			fail_msg("\"%s\" was taken for a prefix", no[i]);
	}
}

static void spans_prefixes(void **state)
{
	static const struct {
		const char *prefix, *first, *last;
		uint64_t count;
	} cases[] = {
		{"10.1.2.0/24", "10.1.2.0", "10.1.2.255", 256},
		{"10.1.2.4/30", "10.1.2.4", "10.1.2.7", 4},
		{"10.1.2.3/32", "10.1.2.3", "10.1.2.3", 1},
		{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", UINT64_C(1) << 32},
		{"128.0.0.0/1", "128.0.0.0", "255.255.255.255", UINT64_C(1) << 31},
		{"2001:db8::/65", "2001:db8::", "2001:db8::7fff:ffff:ffff:ffff", UINT64_C(1) << 63},
		{"2001:db8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", UINT64_MAX},
		{"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UINT64_MAX},
		{"::1/128", "::1", "::1", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_prefix prefix;
		struct ip_range range;

		if (!ip_prefix_parse(cases[i].prefix, &prefix))
			fail_msg("\"%s\" should be a prefix", cases[i].prefix);
		range = ip_prefix_range(&prefix);
		assert_string_equal(ip_text(&range.first).s, cases[i].first);
		assert_string_equal(ip_text(&range.last).s, cases[i].last);
		assert_true(ip_range_count(&range) == cases[i].count);
	}
}

static void finds_the_network_of_an_address(void **state)
{
	struct ip v4 = ip_of("10.1.2.131"), v6 = ip_of("2001:db8::1234:5678");
	struct ip_prefix a = ip_prefix_of(&v4, 25), b = ip_prefix_of(&v6, 112);
	struct ip_prefix all = ip_prefix_of(&v4, 0);

	(void)state;
	assert_string_equal(ip_text(&a.address).s, "10.1.2.128");
	assert_string_equal(ip_text(&b.address).s, "2001:db8::1234:0");
	assert_string_equal(ip_text(&all.address).s, "0.0.0.0");
}

static void ranges_know_what_they_hold_and_meet(void **state)
{
	struct ip_range range = range_of("10.0.0.10", "10.0.0.20");
	static const struct {
		const char *first, *last;
		bool overlaps;
	} cases[] = {
		{"10.0.0.0", "10.0.0.9", false},
		{"10.0.0.0", "10.0.0.10", true},
		{"10.0.0.12", "10.0.0.13", true},
		{"10.0.0.0", "10.0.0.255", true},
		{"10.0.0.20", "10.0.0.30", true},
		{"10.0.0.21", "10.0.0.30", false},
		{"::", "ffff::", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_range other = range_of(cases[i].first, cases[i].last);

		assert_int_equal(ip_range_overlaps(&range, &other), cases[i].overlaps);
		assert_int_equal(ip_range_overlaps(&other, &range), cases[i].overlaps);
	}
	struct ip before = ip_of("10.0.0.9"), first = ip_of("10.0.0.10"), last = ip_of("10.0.0.20"),
		  after = ip_of("10.0.0.21"), v6 = ip_of("a00::");

	assert_false(ip_range_contains(&range, &before));
	assert_true(ip_range_contains(&range, &first));
	assert_true(ip_range_contains(&range, &last));
	assert_false(ip_range_contains(&range, &after));
	assert_false(ip_range_contains(&range, &v6));
}

static void counts_just_below_and_at_the_top(void **state)
{
	struct ip_range below = range_of("::", "::ffff:ffff:ffff:fffd");
	struct ip_range at = range_of("::", "::ffff:ffff:ffff:fffe");

	(void)state;
	assert_true(ip_range_count(&below) == UINT64_MAX - 1);
	assert_true(ip_range_count(&at) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(writes_the_canonical_text),
		cmocka_unit_test(leaves_unused_bytes_zero),
		cmocka_unit_test(orders_by_family_then_value),
		cmocka_unit_test(counts_up_and_down_through_the_bytes),
		cmocka_unit_test(stops_at_the_ends_of_a_family),
		cmocka_unit_test(knows_the_special_ones),
		cmocka_unit_test(refuses_what_is_no_prefix),
		cmocka_unit_test(spans_prefixes),
		cmocka_unit_test(finds_the_network_of_an_address),
		cmocka_unit_test(ranges_know_what_they_hold_and_meet),
		cmocka_unit_test(counts_just_below_and_at_the_top),
	};

	return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
