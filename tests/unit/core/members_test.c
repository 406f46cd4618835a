// SPDX-License-Identifier: Apache-2.0
/* Who is alive (K58, C04, C15, O06). Lease 3 s, renewed each second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/members.h"

static struct monotime at_ms(uint64_t ms)
{
	return (struct monotime){.ns = ms * 1000000};
}

static unsigned version;
static uint32_t duration_s = 3; /* of the Leases shown */

/* The Lease of a node as the watch would show it, renewed at `renew`. */
static bool show(
	struct members *m, const char *node, const char *holder, unsigned renew, uint64_t ms)
{
	char name[64], text[32], resource_version[32];
	struct lease lease = {.holder = holder, .renew_time = text, .duration_s = duration_s};

	snprintf(name, sizeof(name), MEMBER_LEASE_PREFIX "%s", node);
	snprintf(text, sizeof(text), "%u", renew);
	snprintf(resource_version, sizeof(resource_version), "%u", ++version);
	lease.meta = (struct object_meta){.namespace = "herald-system",
		.name = name,
		.uid = "",
		.resource_version = resource_version};
	return members_put(m, &lease, at_ms(ms));
}

static enum member_state state_of(const struct members *m, const char *node)
{
	const struct member *member = members_find(m, node);

	return member ? member->state : MEMBER_UNKNOWN;
}

static void K58_silence_of_one_is_death(void **state)
{
	struct members *m = members_new();
	struct monotime next;

	(void)state;
	assert_true(show(m, "a", "a", 1, 0));
	assert_true(show(m, "b", "b", 1, 0));
	for (unsigned second = 1; second <= 3; second++) {
		assert_false(show(m, "a", "a", 1 + second, second * 1000 - 100));
		assert_true(members_next(m, at_ms(second * 1000 - 100), &next));
		assert_int_equal(next.ns, at_ms(3000).ns);
	}
	assert_false(members_judge(m, at_ms(2999)));
	assert_true(members_judge(m, at_ms(3000)));
	assert_int_equal(state_of(m, "a"), MEMBER_ALIVE);
	assert_int_equal(state_of(m, "b"), MEMBER_DEAD);
	assert_true(show(m, "b", "b", 2, 3500));
	assert_int_equal(state_of(m, "b"), MEMBER_ALIVE);
	members_free(m);
}

static bool exists(const void *context, const char *node)
{
	return strcmp(node, context) == 0;
}

/* Leases of nodes that were removed; the two watches tell it in any order. */
static void forgotten_with_its_node_and_lease(void **state)
{
	struct members *m = members_new();

	(void)state;
	show(m, "a", "a", 1, 0);
	show(m, "b", "b", 1, 0);
	assert_false(members_forget(m, exists, "a")); /* its Lease is there */
	members_gone(m, MEMBER_LEASE_PREFIX "b");
	members_gone(m, MEMBER_LEASE_PREFIX "nobody");
	assert_false(members_forget(m, exists, "b")); /* its node is there: it will expire */
	assert_int_equal(state_of(m, "b"), MEMBER_ALIVE);
	assert_true(members_forget(m, exists, "a"));
	assert_int_equal(members_count(m), 1);
	assert_int_equal(state_of(m, "b"), MEMBER_UNKNOWN);
	assert_int_equal(members_alive(m), 1);
	/* A list that lacks one says the same. */
	show(m, "b", "b", 2, 100);
	members_list_begin(m);
	show(m, "b", "b", 2, 100);
	members_list_end(m);
	assert_true(members_forget(m, exists, "b"));
	assert_int_equal(members_count(m), 1);
	assert_string_equal(members_at(m, 0)->node, "b");
	/* Who knows no nodes forgets the dead. */
	members_gone(m, MEMBER_LEASE_PREFIX "b");
	assert_false(members_forget(m, NULL, NULL));
	/* Deleted by hand, it is written again by its living speaker. */
	members_gone(m, MEMBER_LEASE_PREFIX "b");
	show(m, "b", "b", 3, 200);
	assert_false(members_forget(m, exists, "a"));
	members_gone(m, MEMBER_LEASE_PREFIX "b");
	members_bury(m, "b");
	assert_true(members_forget(m, NULL, NULL));
	members_free(m);
}

static void starting_are_those_that_wrote_since_the_first_list(void **state)
{
	struct members *m = members_new();

	(void)state;
	show(m, "a", "a", 1, 0);
	members_list_end(m);
	assert_int_equal(members_starting(m), 0);
	show(m, "b", "b", 1, 10);
	assert_int_equal(members_starting(m), 1);
	show(m, "a", "a", 2, 20);
	assert_int_equal(members_starting(m), 2);
	members_free(m);
}

static struct lease lease_of(const char *name, const char *node, const char *told)
{
	static struct string_pair pair;

	pair = (struct string_pair){MEMBER_NODE_ANNOTATION, told};
	return (struct lease){.meta = {.name = name, .resource_version = "1"},
		.holder = node,
		.renew_time = "1",
		.duration_s = 3,
		.annotations = {&pair, told ? 1 : 0}};
}

/* Names of nodes are up to 253 characters long, and so are those of Leases (K58). */
static void long_names_are_cut_and_told_apart(void **state)
{
	struct members *m = members_new();
	char nodes[2][254];
	char *names[2];

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		memset(nodes[n], 'a', 252);
		nodes[n][220] = '-';
		nodes[n][252] = (char)('x' + n);
		nodes[n][253] = '\0';
		names[n] = member_lease_name(nodes[n]);
		assert_true(strlen(names[n]) <= 253);
		assert_null(strstr(names[n], "--"));
	}
	assert_string_not_equal(names[0], names[1]);
	for (unsigned n = 0; n < 2; n++) {
		struct lease lease = lease_of(names[n], nodes[n], nodes[n]);

		assert_true(members_put(m, &lease, at_ms(0)));
		assert_int_equal(state_of(m, nodes[n]), MEMBER_ALIVE);
	}
	/* Who says that it is another's is not believed. */
	struct lease lie = lease_of(MEMBER_LEASE_PREFIX "c", "c", nodes[0]);

	assert_true(members_put(m, &lie, at_ms(0)));
	assert_int_equal(state_of(m, "c"), MEMBER_ALIVE);
	assert_int_equal(members_count(m), 3);
	members_gone(m, names[0]);
	assert_true(members_forget(m, exists, "c"));
	assert_int_equal(state_of(m, nodes[0]), MEMBER_UNKNOWN);
	for (unsigned n = 0; n < 2; n++)
		free(names[n]);
	members_free(m);
}

static void K58_a_reader_that_waited_for_one_may_bury_it(void **state)
{
	struct members *m = members_new();

	(void)state;
	show(m, "a", "a", 1, 0);
	show(m, "b", "b", 1, 0);
	members_bury(m, "b");
	members_bury(m, "nobody");
	assert_int_equal(state_of(m, "a"), MEMBER_ALIVE);
	assert_int_equal(state_of(m, "b"), MEMBER_DEAD);
	assert_true(show(m, "b", "b", 2, 100));
	assert_int_equal(state_of(m, "b"), MEMBER_ALIVE);
	members_free(m);
}

static void C04_out_of_contact_nobody_dies(void **state)
{
	struct members *m = members_new();
	struct monotime next;

	(void)state;
	show(m, "a", "a", 1, 0);
	show(m, "b", "b", 1, 100);
	for (uint64_t ms = 1800; ms < 600000; ms += 100) {
		assert_false(members_in_contact(m, at_ms(ms)) && ms > 1850);
		assert_false(members_judge(m, at_ms(ms)));
	}
	assert_false(members_next(m, at_ms(600000), &next));
	/* Contact again: a's renewal is seen; b has one more duration. */
	show(m, "a", "a", 2, 600000);
	assert_false(members_judge(m, at_ms(600000)));
	for (unsigned n = 1; n <= 2; n++)
		show(m, "a", "a", 2 + n, 600000 + n * 1000);
	assert_false(members_judge(m, at_ms(602900)));
	show(m, "a", "a", 9, 602950);
	assert_true(members_judge(m, at_ms(603000)));
	assert_int_equal(state_of(m, "b"), MEMBER_DEAD);
	members_free(m);
}

static void C15_relist_of_the_same_is_no_sign_of_life(void **state)
{
	struct members *m = members_new();

	(void)state;
	show(m, "a", "a", 1, 0);
	show(m, "b", "b", 1, 0);
	show(m, "a", "a", 2, 1000);
	version--; /* the next shows the version that was seen last: b's, unchanged */
	show(m, "a", "a", 2, 1700);
	assert_false(members_in_contact(m, at_ms(2800)));
	members_free(m);
}

static void foreign_write_revives_nobody(void **state)
{
	struct members *m = members_new();

	(void)state;
	show(m, "a", "a", 1, 0);
	show(m, "b", "b", 1, 0);
	for (unsigned n = 1; n <= 3; n++) {
		show(m, "a", "a", 1 + n, n * 990);
		show(m, "b", "b", 1, n * 990); /* new version, the same renewTime */
	}
	assert_true(members_judge(m, at_ms(3000)));
	assert_int_equal(state_of(m, "b"), MEMBER_DEAD);
	members_free(m);
}

static void released_lease_is_leaving_at_once(void **state)
{
	struct members *m = members_new();

	(void)state;
	show(m, "a", "a", 1, 0);
	assert_true(show(m, "a", "", 2, 500));
	assert_int_equal(state_of(m, "a"), MEMBER_LEAVING);
	assert_true(show(m, "a", "a", 3, 900));
	assert_int_equal(state_of(m, "a"), MEMBER_ALIVE);
	members_free(m);
}

/* A process that was stopped sees its timers first and its mail later. */
static void frozen_reader_judges_nobody_when_it_wakes(void **state)
{
	struct members *m = members_new();

	(void)state;
	show(m, "a", "a", 1, 0);
	show(m, "b", "b", 1, 0);
	assert_false(members_judge(m, at_ms(60000)));
	show(m, "a", "a", 60, 60001);
	assert_false(members_judge(m, at_ms(60001)));
	assert_int_equal(state_of(m, "b"), MEMBER_ALIVE);
	members_free(m);
}

/* Together they write no more than 40 times a second, however many they are, and a Lease
   survives as many lost renewals as it does in a small cluster, at least two. */
static void renewals_are_bounded_for_the_whole_cluster(void **state)
{
	static const struct member_timing configured[] = {
		{3000, 1000}, {1000, 100}, {300000, 100}, {300000, 60000}, {3000, 1499}};

	(void)state;
	for (size_t i = 0; i < sizeof(configured) / sizeof(configured[0]); i++) {
		struct member_timing before = configured[i];

		for (size_t alive = 0; alive <= 12000; alive++) {
			struct member_timing t = member_timing_for(&configured[i], alive);
			double lasts = (double)configured[i].duration_ms / configured[i].renew_ms;

			assert_true((double)alive * 1000 / t.renew_ms <= MEMBER_WRITES_PER_SECOND ||
				    t.renew_ms == configured[i].renew_ms);
			assert_true((double)alive * 1000 / configured[i].renew_ms >
					    MEMBER_WRITES_PER_SECOND ||
				    t.renew_ms == configured[i].renew_ms);
			assert_true(t.duration_ms >= (lasts > 3 ? 3 : lasts) * t.renew_ms - 0.5);
			assert_true(t.duration_ms % 1000 == 0 &&
				    t.duration_ms <= MEMBER_DURATION_MAX_MS);
			assert_true(t.renew_ms >= before.renew_ms &&
				    t.duration_ms >= before.duration_ms);
			before = t;
		}
	}
	assert_int_equal(member_timing_for(&configured[0], 40).renew_ms, 1000);
	assert_int_equal(member_timing_for(&configured[0], 100).renew_ms, 2500);
	assert_int_equal(member_timing_for(&configured[0], 100).duration_ms, 8000);
	assert_int_equal(member_timing_for(&configured[0], 1000).renew_ms, 25000);
	assert_int_equal(member_timing_for(&configured[0], 1000).duration_ms, 75000);
}

static void each_lease_lasts_for_what_it_says(void **state)
{
	struct members *m = members_new();

	(void)state;
	show(m, "a", "a", 1, 0);
	duration_s = 8;
	show(m, "b", "b", 1, 0);
	for (unsigned n = 1; n <= 10; n++) {
		duration_s = 3;
		show(m, "a", "a", 1 + n, n * 990);
		members_judge(m, at_ms(n * 990));
		assert_int_equal(state_of(m, "b"), n * 990 < 8000 ? MEMBER_ALIVE : MEMBER_DEAD);
	}
	/* A writer that stretches says so with its renewal, and is judged by that. */
	duration_s = 8;
	show(m, "a", "a", 20, 10000);
	assert_false(members_judge(m, at_ms(14000)));
	assert_int_equal(members_find(m, "a")->duration_ms, 8000);
	duration_s = UINT32_MAX;
	show(m, "a", "a", 21, 14000);
	assert_int_equal(members_find(m, "a")->duration_ms, MEMBER_DURATION_MAX_MS);
	duration_s = 3;
	members_free(m);
}

/* The API server goes away while some Leases are short and some long: nobody dies. */
static void C04_outage_among_leases_of_all_lengths(void **state)
{
	struct members *m = members_new();
	struct member_timing stretched = {8000, 2500};
	unsigned renewals = 1;

	(void)state;
	members_set_timing(m, &stretched);
	for (uint64_t ms = 0; ms <= 20000; ms += 500) {
		duration_s = 3;
		if (ms % 1000 == 0)
			show(m, "short", "short", ++renewals, ms);
		duration_s = 8;
		if (ms % 2500 == 0)
			show(m, "long", "long", ++renewals, ms + 1);
		assert_false(members_judge(m, at_ms(ms + 2)));
	}
	for (uint64_t ms = 20000; ms < 60000; ms += 50)
		assert_false(members_judge(m, at_ms(ms + 2)));
	duration_s = 3;
	members_free(m);
}

static void C20_only_a_renewal_proves_life(void **state)
{
	struct members *m = members_new();

	(void)state;
	show(m, "a", "a", 1, 0);
	assert_false(members_find(m, "a")->proven);
	show(m, "a", "a", 1, 10); /* written by another: nothing was renewed */
	assert_false(members_find(m, "a")->proven);
	show(m, "a", "a", 2, 1000);
	assert_true(members_find(m, "a")->proven);
	for (unsigned n = 1; n <= 3; n++)
		show(m, "b", "b", n, 1000 + n * 980);
	members_judge(m, at_ms(4000));
	assert_int_equal(state_of(m, "a"), MEMBER_DEAD);
	assert_false(members_find(m, "a")->proven);
	members_free(m);
}

static void other_leases_are_ignored(void **state)
{
	struct members *m = members_new();
	struct lease lease = {.meta = {.name = "herald-controller", .resource_version = "1"},
		.holder = "x",
		.renew_time = ""};

	(void)state;
	assert_false(members_put(m, &lease, at_ms(0)));
	lease.meta.name = MEMBER_LEASE_PREFIX;
	assert_false(members_put(m, &lease, at_ms(0)));
	assert_int_equal(members_count(m), 0);
	members_free(m);
}

/* What others say of a node by BFD shows while its Lease is alive and says that it has it. */
static bool say(struct members *m, const char *node, unsigned renew, const char *suspects)
{
	struct string_pair pairs[] = {
		{MEMBER_BFD_ANNOTATION, "192.0.2.1"}, {SUSPECTS_ANNOTATION, suspects}};
	char name[64], text[32], resource_version[32];
	struct lease lease = {.holder = node, .renew_time = text, .duration_s = 3};

	snprintf(name, sizeof(name), MEMBER_LEASE_PREFIX "%s", node);
	snprintf(text, sizeof(text), "%u", renew);
	snprintf(resource_version, sizeof(resource_version), "%u", ++version);
	lease.meta = (struct object_meta){.name = name, .resource_version = resource_version};
	lease.annotations = (struct string_map){pairs, suspects ? 2 : 1};
	return members_put(m, &lease, at_ms(renew * 100));
}

static void C20_suspicion_by_the_others(void **state)
{
	struct members *m = members_new();

	(void)state;
	assert_true(say(m, "a", 1, NULL));
	assert_true(say(m, "b", 1, NULL));
	assert_true(say(m, "c", 1, NULL));
	assert_true(say(m, "a", 2, "c"));
	assert_true(say(m, "b", 2, "c"));
	assert_false(members_find(m, "c")->suspicion.dead); /* BFD is off */
	assert_true(members_set_watchers(m, 3));
	assert_true(members_find(m, "c")->suspicion.dead);
	assert_int_equal(members_find(m, "c")->suspicion.against, 2);
	assert_int_equal(members_find(m, "c")->suspicion.watchers, 2);
	assert_int_equal(state_of(m, "c"), MEMBER_ALIVE);
	assert_false(members_find(m, "a")->suspicion.dead);
	/* It renews, which others need not believe. */
	assert_false(say(m, "c", 3, NULL));
	assert_true(members_find(m, "c")->suspicion.dead);
	/* It says that it has no BFD any more. */
	assert_true(show(m, "c", "c", 4, 400));
	assert_false(member_has_bfd(members_find(m, "c")));
	assert_false(members_find(m, "c")->suspicion.dead);
	assert_true(say(m, "c", 5, NULL));
	assert_true(members_find(m, "c")->suspicion.dead);
	/* One of them withdraws. */
	assert_true(say(m, "a", 6, ""));
	assert_false(members_find(m, "c")->suspicion.dead);
	assert_true(say(m, "a", 7, "c"));
	assert_true(members_find(m, "c")->suspicion.dead);
	assert_true(members_set_watchers(m, 0));
	assert_false(members_find(m, "c")->suspicion.dead);
	members_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C20_suspicion_by_the_others),
		cmocka_unit_test(K58_silence_of_one_is_death),
		cmocka_unit_test(forgotten_with_its_node_and_lease),
		cmocka_unit_test(starting_are_those_that_wrote_since_the_first_list),
		cmocka_unit_test(long_names_are_cut_and_told_apart),
		cmocka_unit_test(K58_a_reader_that_waited_for_one_may_bury_it),
		cmocka_unit_test(C04_out_of_contact_nobody_dies),
		cmocka_unit_test(C15_relist_of_the_same_is_no_sign_of_life),
		cmocka_unit_test(foreign_write_revives_nobody),
		cmocka_unit_test(released_lease_is_leaving_at_once),
		cmocka_unit_test(frozen_reader_judges_nobody_when_it_wakes),
		cmocka_unit_test(renewals_are_bounded_for_the_whole_cluster),
		cmocka_unit_test(each_lease_lasts_for_what_it_says),
		cmocka_unit_test(C04_outage_among_leases_of_all_lengths),
		cmocka_unit_test(C20_only_a_renewal_proves_life),
		cmocka_unit_test(other_leases_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
