// SPDX-License-Identifier: Apache-2.0
/* The allocator: which address is next, and why not this one (A03, A04, A09, A13, A14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_scene.h"

#define HOLDERS 16

static const struct string_map no_labels = {0};

/* Takes the next address for `holder` and returns its text, or the trace's. */
static const char *take_next(struct scene *scene, struct alloc_holder *holder, const char *pool)
{
	static char text[1024];
	struct alloc_request request = {.namespace = "x", .labels = &no_labels, .pool = pool};
	struct alloc_trace trace;
	struct ip ip;

	if (!alloc_find(scene->alloc, holder, &request, IP_V4, &ip, &trace)) {
		alloc_trace_text(&trace, &request, text, sizeof(text));
		return text;
	}
	alloc_take(scene->alloc, holder, &ip);
	snprintf(text, sizeof(text), "%s", ip_text(&ip).s);
	return text;
}

static void release_all(struct scene *scene, struct alloc_holder *holders, size_t count)
{
	for (size_t i = 0; i < count; i++)
		alloc_release(scene->alloc, &holders[i]);
	scene_free(scene);
}

/* A14, A03: what is given out, one after the other, until nothing is left. */
static void addresses_come_in_the_documented_order(void **state)
{
	static const struct {
		const char *what, *pools, *pool, *order;
	} cases[] = {
		{"first free", "pools: [{name: a, addresses: [10.0.0.4/30]}]", NULL,
			"10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 pool `a`: full"},
		{"spread", "pools: [{name: a, addresses: [10.0.0.0/29], allocationOrder: spread}]",
			NULL,
			"10.0.0.0 10.0.0.4 10.0.0.2 10.0.0.6 10.0.0.1 10.0.0.5 10.0.0.3 10.0.0.7 "
			"pool `a`: full"},
		{"spread over ranges",
			"pools: [{name: a, addresses: [10.0.0.0/31, 10.0.1.0/31], "
			"allocationOrder: spread}]",
			NULL, "10.0.0.0 10.0.1.0 10.0.0.1 10.0.1.1 pool `a`: full"},
		{"ranges by value, not as written",
			"pools: [{name: a, addresses: [10.0.9.1-10.0.9.1, 10.0.1.1-10.0.1.2]}]",
			NULL, "10.0.1.1 10.0.1.2 10.0.9.1 pool `a`: full"},
		{"reserved", "pools: [{name: a, addresses: [10.0.0.0/30], reserved: [10.0.0.1]}]",
			NULL, "10.0.0.0 10.0.0.2 10.0.0.3 pool `a`: full"},
		{".0 and .255",
			"pools: [{name: a, addresses: [10.0.0.254-10.0.1.1], avoidBuggyIPs: true}]",
			NULL, "10.0.0.254 10.0.1.1 pool `a`: full"},
		{"ties by name",
			"pools: [{name: b, addresses: [10.0.0.1]}, {name: a, addresses: "
			"[10.0.0.2]}]",
			NULL, "10.0.0.2 10.0.0.1 pool `a`: full; pool `b`: full"},
		{"lower priority first",
			"pools: [{name: a, addresses: [10.0.0.1], priority: 5}, {name: b, "
			"addresses: [10.0.0.2], priority: -1}]",
			NULL, "10.0.0.2 10.0.0.1 pool `b`: full; pool `a`: full"},
		{"disabled", "pools: [{name: a, addresses: [10.0.0.1], disabled: true}]", NULL,
			"pool `a`: disabled"},
		{"disabled, though asked for",
			"pools: [{name: a, addresses: [10.0.0.1], disabled: true}]", "a",
			"pool `a`: disabled"},
		{"only on request", "pools: [{name: a, addresses: [10.0.0.1], autoAssign: false}]",
			NULL, "pool `a`: only on request (autoAssign: false)"},
		{"on request", "pools: [{name: a, addresses: [10.0.0.1], autoAssign: false}]", "a",
			"10.0.0.1 pool `a`: full"},
		{"pool asked for",
			"pools: [{name: a, addresses: [10.0.0.1]}, {name: b, addresses: "
			"[10.0.0.2]}]",
			"b", "10.0.0.2 pool `b`: full"},
		{"A04: not even on request",
			"pools: [{name: a, addresses: [10.0.0.1], namespaces: [y]}]", "a",
			"pool `a`: does not select namespace `x`"},
		{"A04: class", "pools: [{name: a, addresses: [10.0.0.1], classes: [c.io/d]}]", "a",
			"pool `a`: does not serve loadBalancerClass ``"},
		{"A04: labels",
			"pools: [{name: a, addresses: [10.0.0.1], serviceSelectors: [{matchLabels: "
			"{k: v}}]}]",
			NULL, "pool `a`: does not select the Service's labels"},
		{"A05", "pools: [{name: a, addresses: [10.0.0.1]}]", "z",
			"pool `z`: does not exist"},
		{"other family", "pools: [{name: a, addresses: [fd00::/64]}]", NULL,
			"pool `a`: has no address of this family"},
		{"A09: every pool with its reason",
			"pools: [{name: a, addresses: [10.0.0.1], disabled: true}, {name: b, "
			"addresses: [10.0.0.2], namespaces: [y]}, {name: c, addresses: "
			"[10.0.0.3], autoAssign: false}, {name: d, addresses: [10.0.0.4]}]",
			NULL,
			"10.0.0.4 pool `a`: disabled; pool `b`: does not select namespace `x`; "
			"pool `c`: only on request (autoAssign: false); pool `d`: full"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new(cases[i].pools);
		struct alloc_holder holders[HOLDERS] = {0};
		char order[1024] = "";
		size_t used = 0, count = 0;
		const char *next;

		do {
			next = take_next(scene, &holders[count++], cases[i].pool);
			used += (size_t)snprintf(
				order + used, sizeof(order) - used, "%s%s", used ? " " : "", next);
		} while (*next != 'p' && count < HOLDERS);
		if (strcmp(order, cases[i].order) != 0)
			fail_msg("%s: %s", cases[i].what, order);
		release_all(scene, holders, HOLDERS);
	}
}

/* A14: the freed address is not the next one, and the longest free is taken first. */
static void freed_addresses_cool(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.1-10.0.0.4]}]");
	struct alloc_holder holders[HOLDERS] = {0};

	(void)state;
	assert_string_equal(take_next(scene, &holders[0], NULL), "10.0.0.1");
	assert_string_equal(take_next(scene, &holders[1], NULL), "10.0.0.2");
	assert_string_equal(take_next(scene, &holders[2], NULL), "10.0.0.3");
	alloc_release(scene->alloc, &holders[1]);
	alloc_release(scene->alloc, &holders[0]);
	assert_string_equal(take_next(scene, &holders[3], NULL), "10.0.0.4");
	assert_string_equal(take_next(scene, &holders[4], NULL), "10.0.0.2");
	/* A change of config does not make it forget. */
	scene_configure(scene, "pools: [{name: b, addresses: [10.0.0.1-10.0.0.5]}]");
	assert_string_equal(take_next(scene, &holders[5], NULL), "10.0.0.5");
	assert_string_equal(take_next(scene, &holders[6], NULL), "10.0.0.1");
	/* Unless it is the only one. */
	alloc_release(scene->alloc, &holders[6]);
	assert_string_equal(take_next(scene, &holders[7], NULL), "10.0.0.1");
	release_all(scene, holders, HOLDERS);
}

/* A13: nothing depends on how wide a pool is; memory stays that of the addresses used. */
static void wide_pools_are_like_narrow_ones(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [fd00::/16]}]");
	struct alloc_request request = {.namespace = "x", .labels = &no_labels};
	struct alloc_holder holder = {0};
	struct alloc_trace trace;
	struct ip ip, last = {0};

	(void)state;
	for (unsigned i = 0; i < 3 * ALLOC_COOLING_MAX; i++) {
		assert_true(alloc_find(scene->alloc, &holder, &request, IP_V6, &ip, &trace));
		assert_false(ip_equal(&ip, &last));
		alloc_take(scene->alloc, &holder, &ip);
		alloc_settle(scene->alloc, &holder);
		last = ip;
	}
	/* It came round: nothing above the first 65,538 was touched. */
	assert_true(ip.bytes[13] <= 1 && ip.bytes[12] == 0);
	assert_true(alloc_pool_usage(scene->alloc, 0).total[1] >= 0x1p63);
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[1], 1);
	release_all(scene, &holder, 1);
}

/* A03, A04, A07: is exactly this one to be had? */
static void checks_say_why_not(void **state)
{
	static const char pools[] =
		"pools: [{name: a, addresses: [10.0.0.0/28], reserved: [10.0.0.8], "
		"avoidBuggyIPs: true}, {name: b, addresses: [10.0.1.0/28], autoAssign: false}, "
		"{name: c, addresses: [10.0.2.0/28], disabled: true}, "
		"{name: d, addresses: [10.0.3.0/28], namespaces: [y]}]";
	static const struct {
		const char *what, *ip, *pool;
		enum alloc_reason expected;
	} cases[] = {
		{"free", "10.0.0.1", NULL, ALLOC_OK},
		{"outside all", "10.9.0.1", NULL, ALLOC_NO_POOL},
		{"of another family", "fd00::1", NULL, ALLOC_NO_POOL},
		{"reserved", "10.0.0.8", NULL, ALLOC_RESERVED},
		{"avoided", "10.0.0.0", NULL, ALLOC_AVOIDED},
		{"by request only", "10.0.1.1", NULL, ALLOC_OK},
		{"disabled", "10.0.2.1", NULL, ALLOC_DISABLED},
		{"does not select", "10.0.3.1", NULL, ALLOC_NAMESPACE},
		{"does not select, by name", "10.0.3.1", "d", ALLOC_NAMESPACE},
		{"in another pool than asked for", "10.0.0.1", "b", ALLOC_OTHER_POOL},
		{"K35: a node's", "10.0.0.3", NULL, ALLOC_NODE_ADDRESS},
		{"C23: beside a node's", "10.0.0.4", NULL, ALLOC_OK},
		{"in use", "10.0.0.5", NULL, ALLOC_IN_USE},
		{"being left", "10.0.0.6", NULL, ALLOC_IN_USE},
	};
	struct scene *scene = scene_new(pools);
	struct alloc_holder holders[3] = {{.name = "x/web"}, {.name = "x/old"}, {0}};
	struct ip node = scene_ip("10.0.0.3"), used = scene_ip("10.0.0.5"),
		  left = scene_ip("10.0.0.6");

	(void)state;
	alloc_block(scene->alloc, &node);
	alloc_take(scene->alloc, &holders[0], &used);
	alloc_take(scene->alloc, &holders[1], &left);
	alloc_leave(scene->alloc, &holders[1], IP_V4);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct alloc_request request = {
			.namespace = "x", .labels = &no_labels, .pool = cases[i].pool};
		struct ip ip = scene_ip(cases[i].ip);
		struct alloc_refusal refusal = {.reason = ALLOC_OK};

		if (alloc_check(scene->alloc, &holders[2], &request, &ip, &refusal) !=
				(cases[i].expected == ALLOC_OK) ||
			refusal.reason != cases[i].expected)
			fail_msg("%s: %s", cases[i].what, alloc_reason_name(refusal.reason));
		assert_true(refusal.reason != ALLOC_IN_USE || refusal.holder);
	}
	release_all(scene, holders, 3);
}

/* K35, C23: only the blocked address itself is passed over, and it comes back. */
static void blocked_addresses_are_passed_over(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.1-10.0.0.2]}]");
	struct alloc_holder holders[3] = {0};
	struct ip node = scene_ip("10.0.0.1");
	uint64_t before;

	(void)state;
	assert_false(alloc_block(scene->alloc, &node));
	alloc_block(scene->alloc, &node);
	assert_string_equal(take_next(scene, &holders[0], NULL), "10.0.0.2");
	assert_string_equal(take_next(scene, &holders[1], NULL), "pool `a`: full");
	alloc_unblock(scene->alloc, &node);
	assert_string_equal(take_next(scene, &holders[1], NULL), "pool `a`: full");
	before = alloc_generation(scene->alloc);
	alloc_unblock(scene->alloc, &node);
	assert_true(alloc_generation(scene->alloc) > before);
	assert_string_equal(take_next(scene, &holders[1], NULL), "10.0.0.1");
	assert_true(alloc_block(scene->alloc, &node));
	alloc_release(scene->alloc, &holders[1]);
	assert_string_equal(take_next(scene, &holders[1], NULL), "pool `a`: full");
	release_all(scene, holders, 3);
}

/* A09: those who wait need to be tried when this number has risen, and only then. */
static void the_generation_rises_when_something_is_free(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.1-10.0.0.2]}]");
	struct alloc_holder holders[2] = {0};
	uint64_t before = alloc_generation(scene->alloc);

	(void)state;
	take_next(scene, &holders[0], NULL);
	assert_int_equal(alloc_generation(scene->alloc), before);
	alloc_leave(scene->alloc, &holders[0], IP_V4);
	assert_int_equal(alloc_generation(scene->alloc), before);
	alloc_settle(scene->alloc, &holders[0]);
	assert_true(alloc_generation(scene->alloc) > before);
	before = alloc_generation(scene->alloc);
	scene_configure(scene, "pools: []");
	assert_true(alloc_generation(scene->alloc) > before);
	release_all(scene, holders, 2);
}

/* A09: many pools: whole reasons as far as there is room, and the number of the others. */
static void long_traces_end_between_reasons(void **state)
{
	char text[128];
	struct alloc_trace trace = {.count = ALLOC_TRACE_MAX, .omitted = 3};
	struct alloc_request request = {.namespace = "x"};

	(void)state;
	for (size_t i = 0; i < ALLOC_TRACE_MAX; i++)
		trace.refusals[i] = (struct alloc_refusal){ALLOC_FULL, "some-pool", NULL};
	alloc_trace_text(&trace, &request, text, sizeof(text));
	assert_string_equal(text, "pool `some-pool`: full; pool `some-pool`: full; "
				  "pool `some-pool`: full; pool `some-pool`: full; and 63 more");
	alloc_trace_text(&(struct alloc_trace){0}, &request, text, sizeof(text));
	assert_string_equal(text, "there are no pools");
}

/* The counts that metrics show, also of addresses that two hold or one is leaving. */
static void usage_counts_each_address_once(void **state)
{
	struct scene *scene =
		scene_new("pools: [{name: a, addresses: [10.0.0.0/24, fd00::/64], reserved: "
			  "[10.0.0.0-10.0.0.9]}]");
	struct alloc_holder holders[2] = {0};
	struct ip first = scene_ip("10.0.0.10"), second = scene_ip("10.0.0.11");

	(void)state;
	assert_true(alloc_pool_usage(scene->alloc, 0).total[0] == 246);
	alloc_take(scene->alloc, &holders[0], &first);
	alloc_take(scene->alloc, &holders[1], &first);
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 1);
	alloc_take(scene->alloc, &holders[0], &second);
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 2);
	alloc_settle(scene->alloc, &holders[0]);
	scene_configure(scene, "pools: [{name: b, addresses: [10.0.0.0/28]}]");
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 2);
	alloc_release(scene->alloc, &holders[1]);
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 1);
	alloc_release(scene->alloc, &holders[0]);
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 0);
	release_all(scene, holders, 2);
}

static void every_reason_has_a_name_and_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALLOC_REASON_COUNT; i++) {
		struct alloc_refusal refusal = {.reason = (enum alloc_reason)i, .pool = "p"};
		struct alloc_request request = {.namespace = "x"};
		char text[512];

		assert_non_null(alloc_reason_name((enum alloc_reason)i));
		alloc_refusal_text(&refusal, &request, text, sizeof(text));
		assert_true(strlen(text) > strlen("pool `p`: "));
		assert_null(strstr(text, "(null)"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_come_in_the_documented_order),
		cmocka_unit_test(freed_addresses_cool),
		cmocka_unit_test(wide_pools_are_like_narrow_ones),
		cmocka_unit_test(checks_say_why_not),
		cmocka_unit_test(blocked_addresses_are_passed_over),
		cmocka_unit_test(the_generation_rises_when_something_is_free),
		cmocka_unit_test(long_traces_end_between_reasons),
		cmocka_unit_test(usage_counts_each_address_once),
		cmocka_unit_test(every_reason_has_a_name_and_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
