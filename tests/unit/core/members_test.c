// SPDX-License-Identifier: Apache-2.0
/* Who is alive (K58, C04, C15, O06). Lease 3 s, renewed each second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/members.h"

static struct monotime at_ms(uint64_t ms)
{
	return (struct monotime){.ns = ms * 1000000};
}

static unsigned version;

/* The Lease of a node as the watch would show it, renewed at `renew`. */
static bool show(
	struct members *m, const char *node, const char *holder, unsigned renew, uint64_t ms)
{
	char name[64], text[32], resource_version[32];
	struct lease lease = {.holder = holder, .renew_time = text, .duration_s = 3};

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K58_silence_of_one_is_death),
		cmocka_unit_test(C04_out_of_contact_nobody_dies),
		cmocka_unit_test(C15_relist_of_the_same_is_no_sign_of_life),
		cmocka_unit_test(foreign_write_revives_nobody),
		cmocka_unit_test(released_lease_is_leaving_at_once),
		cmocka_unit_test(frozen_reader_judges_nobody_when_it_wakes),
		cmocka_unit_test(other_leases_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
