// SPDX-License-Identifier: Apache-2.0
/* Networks that have all of some addresses: a table, and random addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/cover.h"

#define ROOM 4u
#define ADDRESSES 200u

static const struct {
	const char *what, *addresses[6], *networks[ROOM];
} cases[] = {
	{"none", {NULL}, {NULL}},
	{"one", {"192.0.2.1"}, {"192.0.2.1/32"}},
	{"few, each for itself", {"192.0.2.1", "192.0.2.9", "198.51.100.1"},
		{"192.0.2.1/32", "192.0.2.9/32", "198.51.100.1/32"}},
	{"more than there is room for",
		{"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.9.0.0", "192.0.2.1"},
		{"10.0.0.0/31", "10.0.0.2/31", "10.9.0.0/32", "192.0.2.1/32"}},
	{"IPv6", {"fd00::", "fd00::1", "fd00::2", "fd00::3", "fd00::200", "fd00:1::"},
		{"fd00::/127", "fd00::2/127", "fd00::200/128", "fd00:1::/128"}},
};

static void few_networks_for_many_addresses(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct ip ips[6];
		struct ip_prefix made[ROOM], wanted;
		size_t count = 0, networks;

		while (count < 6 && cases[c].addresses[count]) {
			assert_true(ip_parse(cases[c].addresses[count], &ips[count]));
			count++;
		}
		networks = cover_make(ips, count, made, ROOM);
		for (size_t n = 0; n < ROOM; n++) {
			if ((n < networks) != (cases[c].networks[n] != NULL))
				fail_msg("%s: %zu networks", cases[c].what, networks);
			if (n >= networks)
				break;
			assert_true(ip_prefix_parse(cases[c].networks[n], &wanted));
			if (wanted.length != made[n].length ||
				!ip_equal(&wanted.address, &made[n].address))
				fail_msg("%s: %s/%u for %s", cases[c].what,
					ip_text(&made[n].address).s, made[n].length,
					cases[c].networks[n]);
		}
	}
}

static int compare(const void *a, const void *b)
{
	return ip_compare(a, b);
}

static void all_addresses_are_in_a_network(void **state)
{
	unsigned random = 1;

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		struct ip ips[ADDRESSES];
		struct ip_prefix made[ROOM];
		size_t count = 1 + round % ADDRESSES, networks;

		for (size_t i = 0; i < count; i++) {
			ips[i] = (struct ip){.family = round % 2 ? IP_V4 : IP_V6};
			for (unsigned at = 0; at < 4; at++) {
				random = random * 1103515245u + 12345u;
				ips[i].bytes[at] = (uint8_t)(random >> 16 & (at < 2 ? 3 : 255));
			}
		}
		qsort(ips, count, sizeof(*ips), compare);
		networks = cover_make(ips, count, made, ROOM);
		assert_in_range(networks, 1, ROOM);
		for (size_t i = 0; i < count; i++) {
			bool found = false;

			for (size_t n = 0; n < networks; n++) {
				struct ip_range range = ip_prefix_range(&made[n]);

				found = found || ip_range_contains(&range, &ips[i]);
			}
			assert_true(found);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_networks_for_many_addresses),
		cmocka_unit_test(all_addresses_are_in_a_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
