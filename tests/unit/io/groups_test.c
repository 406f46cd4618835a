// SPDX-License-Identifier: Apache-2.0
/* Multicast memberships as the kernel has them (L03), on the loopback interface of a
   network namespace of the test's own. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "herald/io/groups.h"

#define LOOPBACK 1

/* The groups ff02::1:ff00:BEGIN to ...:END-1. */
static struct group *make(unsigned begin, unsigned end)
{
	struct group *list = xcalloc(end - begin, sizeof(*list));

	for (unsigned i = begin; i < end; i++) {
		struct group *group = &list[i - begin];

		group->index = LOOPBACK;
		assert_true(ip_parse("ff02::1:ff00:0", &group->ip));
		group->ip.bytes[14] = (uint8_t)(i >> 8);
		group->ip.bytes[15] = (uint8_t)i;
	}
	return list;
}

/* How many solicited-node groups the kernel has. */
static size_t in_kernel(void)
{
	FILE *file = fopen("/proc/self/net/igmp6", "r");
	char line[256];
	size_t count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, "ff0200000000000000000001ff00") != NULL;
	fclose(file);
	return count;
}

/* Steps until all is done; returns how many it took. */
static unsigned settle(struct groups *groups, unsigned begin, unsigned end)
{
	AUTO_FREE struct group *wanted = make(begin, end);
	struct groups_outcome outcome;
	struct err e = {0};
	unsigned steps = 0;

	do {
		outcome = groups_set(groups, wanted, end - begin, &e);
		if (outcome.failed)
			fail_msg("%s", e.text);
		steps++;
	} while (outcome.unfinished);
	return steps;
}

static void L03_memberships_follow_in_steps(void **state)
{
	struct groups *groups = groups_new();

	(void)state;
	/* More than one socket may hold. */
	assert_int_equal(settle(groups, 0, 3 * GROUPS_STEP), 3);
	assert_int_equal(in_kernel(), 3 * GROUPS_STEP);
	assert_int_equal(groups_count(groups), 3 * GROUPS_STEP);
	assert_int_equal(settle(groups, 0, 3 * GROUPS_STEP), 1);
	settle(groups, GROUPS_STEP, 2 * GROUPS_STEP + 10);
	assert_int_equal(in_kernel(), GROUPS_STEP + 10);
	settle(groups, 0, 1);
	assert_int_equal(in_kernel(), 1);
	settle(groups, 0, 500);
	assert_int_equal(in_kernel(), 500);
	groups_free(groups);
	assert_int_equal(in_kernel(), 0);
}

static void L03_what_fails_is_told_and_tried_again(void **state)
{
	struct groups *groups = groups_new();
	AUTO_FREE struct group *wanted = make(0, 3);
	struct groups_outcome outcome;
	struct err e = {0};

	(void)state;
	wanted[2].index = 4711; /* no such interface; behind the others in order */
	outcome = groups_set(groups, wanted, 3, &e);
	assert_int_equal(outcome.failed, 1);
	assert_non_null(strstr(e.text, "interface 4711: No such device"));
	assert_int_equal(groups_count(groups), 2);
	outcome = groups_set(groups, wanted, 3, &e);
	assert_int_equal(outcome.failed, 1);
	assert_int_equal(in_kernel(), 2);
	groups_free(groups);
}

static void L03_number_is_bounded(void **state)
{
	struct groups *groups = groups_new();
	AUTO_FREE struct group *wanted = make(0, GROUPS_MAX + 5);
	struct groups_outcome outcome;
	struct err e = {0};

	(void)state;
	do {
		outcome = groups_set(groups, wanted, GROUPS_MAX + 5, &e);
	} while (outcome.unfinished && outcome.failed == 0);
	assert_int_equal(outcome.failed, 5);
	assert_non_null(strstr(e.text, "16384 groups are joined already"));
	assert_int_equal(groups_count(groups), GROUPS_MAX);
	groups_free(groups);
}

/* One that could not be opened is opened later: after a moment without file descriptors. */
static void socket_that_failed_is_tried_again(void **state)
{
	struct groups *groups = groups_new();
	AUTO_FREE struct group *wanted = make(0, 3);
	struct rlimit limit, none;
	struct groups_outcome outcome;
	struct err e = {0};

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	outcome = groups_set(groups, wanted, 3, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(outcome.failed, 3);
	assert_non_null(strstr(e.text, "cannot open a socket"));
	assert_int_equal(in_kernel(), 0);
	settle(groups, 0, 3);
	assert_int_equal(in_kernel(), 3);
	groups_free(groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(L03_memberships_follow_in_steps),
		cmocka_unit_test(L03_what_fails_is_told_and_tried_again),
		cmocka_unit_test(L03_number_is_bounded),
		cmocka_unit_test(socket_that_failed_is_tried_again),
	};

	/* Root, or a user who may be root of a namespace. */
	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
		perror("groups_test: no network namespace can be had, nothing is tested");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
