// SPDX-License-Identifier: Apache-2.0
/* K45: an address with a new endpoint here waits for kube-proxy, where it can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "herald/core/warmup.h"

enum { SELF, OTHER, NODES };

/* Two nodes and one address, seen from the first of them. */
struct scene {
	const char *nodes[NODES];
	uint8_t verdicts[NODES];
	struct plan_vip vip;
	struct plan plan;
	struct warmup *warmup;
	struct monotime now;
};

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->nodes[SELF] = "node1";
	s->nodes[OTHER] = "node2";
	s->vip.address = ip_from_v4((const uint8_t[4]){192, 0, 2, 200});
	s->vip.verdicts = s->verdicts;
	s->plan = (struct plan){
		.vips = &s->vip, .vip_count = 1, .nodes = s->nodes, .node_count = NODES};
	s->warmup = warmup_new("node1");
	s->now.ns = 1;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	warmup_free(s->warmup);
	free(s);
	return 0;
}

/* A plan with these verdicts; what comes of the wish. */
static enum ownership_wish_kind plan(struct scene *s, uint8_t self, uint8_t other, bool ours)
{
	struct ownership_wish wish = {
		.ip = s->vip.address, .kind = ours ? OWNERSHIP_OURS : OWNERSHIP_THEIRS};

	s->verdicts[SELF] = self;
	s->verdicts[OTHER] = other;
	s->vip.ours = ours;
	s->vip.owner = s->nodes[ours ? SELF : OTHER];
	warmup_follow(s->warmup, &s->plan, s->now);
	warmup_hold_back(s->warmup, &wish, 1);
	return wish.kind;
}

static void pass(struct scene *s, uint32_t ms)
{
	s->now = monotime_add_ms(s->now, ms);
}

static void K45_new_endpoint_waits_while_another_serves(void **state)
{
	struct scene *s = *state;
	struct monotime next;

	plan(s, PLAN_NO_ENDPOINT, PLAN_ELIGIBLE, false);
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_ELIGIBLE | PLAN_WORSE_TERMINATING, true),
		OWNERSHIP_THEIRS);
	assert_true(warmup_next(s->warmup, &next));
	assert_true(next.ns == monotime_add_ms(s->now, WARMUP_MS).ns);
	pass(s, WARMUP_MS - 1);
	assert_false(warmup_step(s->warmup, s->now));
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_ELIGIBLE | PLAN_WORSE_TERMINATING, true),
		OWNERSHIP_THEIRS);
	pass(s, 1);
	assert_true(warmup_step(s->warmup, s->now));
	assert_false(warmup_next(s->warmup, &next));
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_ELIGIBLE, true), OWNERSHIP_OURS);
}

static void K45_wait_counts_from_the_endpoint(void **state)
{
	struct scene *s = *state;

	plan(s, PLAN_NO_ENDPOINT, PLAN_ELIGIBLE, false);
	plan(s, PLAN_ELIGIBLE, PLAN_ELIGIBLE, false);
	pass(s, WARMUP_MS);
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_ELIGIBLE | PLAN_WORSE_TERMINATING, true),
		OWNERSHIP_OURS);
}

static void C01_nobody_waits_for_a_node_that_is_gone(void **state)
{
	struct scene *s = *state;

	plan(s, PLAN_NO_ENDPOINT, PLAN_ELIGIBLE, false);
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_LEASE_EXPIRED, true), OWNERSHIP_OURS);
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_ELIGIBLE, true), OWNERSHIP_OURS);
	plan(s, PLAN_NO_ENDPOINT, PLAN_ELIGIBLE, false);
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_ELIGIBLE, true), OWNERSHIP_THEIRS);
	/* ... nor for one that goes while we wait. */
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_NO_ENDPOINT, true), OWNERSHIP_OURS);
}

static void first_endpoint_anywhere_does_not_wait(void **state)
{
	struct scene *s = *state;

	plan(s, PLAN_NO_ENDPOINT, PLAN_NO_ENDPOINT, false);
	s->vip.owner = NULL;
	warmup_follow(s->warmup, &s->plan, s->now);
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_ELIGIBLE, true), OWNERSHIP_OURS);
}

static void other_moves_do_not_wait(void **state)
{
	struct scene *s = *state;

	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_ELIGIBLE, true), OWNERSHIP_OURS);
	plan(s, PLAN_DRAINED, PLAN_ELIGIBLE, false);
	assert_int_equal(plan(s, PLAN_ELIGIBLE, PLAN_DRAINED, true), OWNERSHIP_OURS);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(K45_new_endpoint_waits_while_another_serves),
		TEST(K45_wait_counts_from_the_endpoint),
		TEST(C01_nobody_waits_for_a_node_that_is_gone),
		TEST(first_endpoint_anywhere_does_not_wait),
		TEST(other_moves_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
