// SPDX-License-Identifier: Apache-2.0
/* B08: what BIRD exports, beside what the plan wants, against plain lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/base/err.h"
#include "herald/core/bgp_exports.h"

enum { NUMBERS = 12 };

static struct ip_prefix prefix_of(unsigned number)
{
	struct ip_prefix prefix;
	char text[32];

	snprintf(text, sizeof(text), number % 3 ? "192.0.2.%u/32" : "fd00::%u/128", number);
	if (!ip_prefix_parse(text, &prefix))
		DIE("no prefix");
	return prefix;
}

static int compare(const void *a, const void *b)
{
	const struct bgp_route *x = a, *y = b;

	return ip_compare(&x->prefix.address, &y->prefix.address);
}

/* Bits of `wanted` are routes to all; session 1 does not carry IPv6. */
static void make_plan(struct bgp_plan *plan, struct bgp_route routes[static NUMBERS],
	struct bgp_session sessions[static 2], unsigned wanted)
{
	static const struct bgp_offer all = {.to_all = true};

	sessions[0] = (struct bgp_session){.ipv4 = true, .ipv6 = true};
	sessions[1] = (struct bgp_session){.ipv4 = true};
	*plan = (struct bgp_plan){.sessions = sessions, .session_count = 2, .routes = routes};
	for (unsigned n = 0; n < NUMBERS; n++) {
		if (wanted & 1u << n)
			routes[plan->route_count++] = (struct bgp_route){
				.prefix = prefix_of(n), .offers = &all, .offer_count = 1};
	}
	qsort(routes, plan->route_count, sizeof(*routes), compare);
}

static void nothing_is_known_at_first(void **state)
{
	struct bgp_exports exports = {0};
	struct bgp_plan plan = {0};
	struct ip_prefix prefix = prefix_of(1);

	(void)state;
	assert_true(bgp_exports_doubtful(&exports, &plan, 0, NULL, 0) == SIZE_MAX);
	assert_false(bgp_exports_has(&exports, &prefix));
	bgp_exports_set_take(&exports, NULL, 0);
	assert_int_equal(bgp_exports_doubtful(&exports, &plan, 0, NULL, 0), 0);
	bgp_exports_done(&exports);
	assert_false(exports.known);
}

static void check(const struct bgp_exports *exports, unsigned exported, unsigned wanted)
{
	struct bgp_route routes[NUMBERS];
	struct bgp_session sessions[2];
	struct bgp_plan plan;

	make_plan(&plan, routes, sessions, wanted);
	for (size_t session = 0; session < 2; session++) {
		unsigned carried = 0, doubtful = 0;
		struct ip_prefix found[NUMBERS];
		size_t count;

		for (unsigned n = 0; n < NUMBERS; n++)
			carried |= session == 0 || n % 3 ? 1u << n : 0;
		doubtful = exported ^ (wanted & carried);
		count = bgp_exports_doubtful(exports, &plan, session, found, NUMBERS);
		assert_int_equal(count, __builtin_popcount(doubtful));
		for (unsigned n = 0; n < NUMBERS; n++) {
			struct ip_prefix prefix = prefix_of(n);
			bool is_among = false;

			for (size_t i = 0; i < count; i++)
				is_among |= memcmp(&found[i], &prefix, sizeof(prefix)) == 0;
			assert_int_equal(is_among, (doubtful >> n) & 1);
			assert_int_equal(bgp_exports_has(exports, &prefix), (exported >> n) & 1);
		}
	}
}

static void random_changes(void **state)
{
	struct bgp_exports exports = {0};
	unsigned exported = 0;

	(void)state;
	srand(7);
	bgp_exports_set_take(&exports, NULL, 0);
	for (unsigned step = 0; step < 3000; step++) {
		unsigned n = (unsigned)rand() % NUMBERS;
		struct ip_prefix prefix = prefix_of(n);
		bool present = rand() % 2;

		bgp_exports_put(&exports, &prefix, present);
		exported = (exported & ~(1u << n)) | (unsigned)present << n;
		check(&exports, exported, (unsigned)rand() % (1u << NUMBERS));
	}
	bgp_exports_done(&exports);
}

static void an_answer_replaces_all(void **state)
{
	struct ip_prefix *items = xcalloc(3, sizeof(*items));
	struct bgp_exports exports = {0};

	(void)state;
	items[0] = prefix_of(5);
	items[1] = prefix_of(3);
	items[2] = prefix_of(1);
	bgp_exports_set_take(&exports, items, 3);
	check(&exports, 1u << 5 | 1u << 3 | 1u << 1, 0);
	bgp_exports_done(&exports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_at_first),
		cmocka_unit_test(random_changes),
		cmocka_unit_test(an_answer_replaces_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
