// SPDX-License-Identifier: Apache-2.0
/* Who serves an address together, from plan to plan: as seen by one node, and agreed on by
   all that see the same plans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/sharing.h"
#include "herald/core/warmup.h"

#define NODES 4u
#define STATIONS 40u

/* One address and four nodes, of which all or some serve. */
struct scene {
	const char *nodes[NODES];
	uint8_t verdicts[NODES];
	size_t serving[NODES];
	struct plan_vip vip;
	struct plan plan;
	struct sharing *views[NODES]; /* each node's */
	struct monotime now;
};

static int set_up(void **state)
{
	static const char *const names[NODES] = {"node1", "node2", "node3", "node4"};
	struct scene *s = calloc(1, sizeof(*s));

	s->vip.address = ip_from_v4((const uint8_t[4]){192, 0, 2, 200});
	s->vip.verdicts = s->verdicts;
	s->vip.serving = s->serving;
	s->vip.per_client = true;
	s->plan = (struct plan){
		.vips = &s->vip, .vip_count = 1, .nodes = s->nodes, .node_count = NODES};
	for (size_t n = 0; n < NODES; n++) {
		s->nodes[n] = names[n];
		s->verdicts[n] = PLAN_ELIGIBLE;
		s->views[n] = sharing_new(names[n]);
	}
	s->now.ns = 1;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	for (size_t n = 0; n < NODES; n++)
		sharing_free(s->views[n]);
	free(s);
	return 0;
}

/* As plan.c does it: all with the best verdict serve. */
static void make_plan(struct scene *s)
{
	uint8_t best = UINT8_MAX;

	for (size_t n = 0; n < NODES; n++) {
		if (s->verdicts[n] >= PLAN_ELIGIBLE && s->verdicts[n] < best)
			best = s->verdicts[n];
	}
	s->vip.serving_count = 0;
	for (size_t n = 0; n < NODES; n++) {
		if (s->verdicts[n] == best)
			s->serving[s->vip.serving_count++] = n;
	}
	s->vip.owner = s->vip.serving_count ? s->nodes[s->serving[0]] : NULL;
}

/* What node `n` makes of the plan; how many changes it sees. */
static size_t follow(struct scene *s, size_t n)
{
	struct sharing_changes changes;
	size_t count;

	sharing_follow(s->views[n], &s->plan, NULL, s->now, &changes);
	count = changes.count;
	sharing_changes_done(&changes);
	return count;
}

static size_t plan(struct scene *s)
{
	size_t changes = 0;

	make_plan(s);
	for (size_t n = 0; n < NODES; n++)
		changes = follow(s, n);
	return changes;
}

static const struct sharing_place *place(const struct scene *s, size_t n)
{
	const struct sharing_place *found = sharing_find(s->views[n], &s->vip.address);

	assert_non_null(found);
	return found;
}

static void station(unsigned n, uint8_t ret[static MAC_SIZE])
{
	memcpy(ret, ((uint8_t[MAC_SIZE]){2, 0, 0, 0, 0, (uint8_t)n}), MAC_SIZE);
}

/* Each station's node, on which all nodes agree, and which itself thinks so, too. */
static void agree(const struct scene *s, size_t ret[static STATIONS])
{
	for (unsigned i = 0; i < STATIONS; i++) {
		uint8_t mac[MAC_SIZE];
		size_t answering = 0;

		station(i, mac);
		for (size_t n = 0; n < NODES; n++) {
			if (s->verdicts[n] < PLAN_ELIGIBLE ||
				!spread_is_ours(place(s, n)->set, &s->vip.address, mac))
				continue;
			answering++;
			ret[i] = n;
		}
		assert_int_equal(answering, 1);
	}
}

static void loss_and_return_of_a_node(void **state)
{
	struct scene *s = *state;
	size_t before[STATIONS], now[STATIONS];

	plan(s);
	agree(s, before);
	for (size_t lost = 0; lost < NODES; lost++) {
		s->verdicts[lost] = PLAN_LEASE_EXPIRED;
		assert_int_equal(plan(s), 1);
		agree(s, now);
		for (unsigned i = 0; i < STATIONS; i++)
			assert_true(before[i] == lost ? now[i] != lost : now[i] == before[i]);
		s->verdicts[lost] = PLAN_ELIGIBLE;
		assert_int_equal(plan(s), 1);
		agree(s, now);
		assert_memory_equal(now, before, sizeof(now));
	}
	assert_int_equal(plan(s), 0);
}

static void who_left_is_told_of_and_answers_as_before(void **state)
{
	struct scene *s = *state;

	plan(s);
	assert_null(place(s, 0)->before);
	assert_null(place(s, 0)->left);
	s->verdicts[0] = PLAN_LEAVING;
	plan(s);
	assert_int_equal(place(s, 0)->set->self, SPREAD_NONE);
	assert_int_equal(place(s, 0)->before->count, NODES);
	assert_int_equal(place(s, 1)->left->count, 1);
	assert_string_equal(place(s, 1)->left->nodes[0].name, "node1");
	/* It stays so until something changes. */
	plan(s);
	assert_non_null(place(s, 0)->before);
	assert_non_null(place(s, 1)->left);
	s->verdicts[0] = PLAN_ELIGIBLE;
	plan(s);
	assert_null(place(s, 0)->before);
	assert_null(place(s, 1)->left);
}

static void C04_dead_node_is_told_of_by_one_that_was_not_there(void **state)
{
	struct scene *s = *state;

	s->verdicts[2] = PLAN_LEASE_EXPIRED;
	plan(s);
	assert_int_equal(place(s, 0)->left->count, 1);
	assert_string_equal(place(s, 0)->left->nodes[0].name, "node3");
}

static void pass(struct scene *s, uint32_t ms)
{
	s->now = monotime_add_ms(s->now, ms);
}

static void K45_node_with_a_new_endpoint_waits_for_kube_proxy(void **state)
{
	struct scene *s = *state;
	size_t first[STATIONS], now[STATIONS];
	struct monotime next;

	s->verdicts[3] = PLAN_NO_ENDPOINT;
	plan(s);
	agree(s, first);
	s->verdicts[3] = PLAN_ELIGIBLE;
	assert_int_equal(plan(s), 0);
	agree(s, now);
	assert_memory_equal(now, first, sizeof(now));
	assert_true(sharing_next(s->views[0], &next));
	assert_int_equal(next.ns, monotime_add_ms(s->now, WARMUP_MS).ns);
	pass(s, WARMUP_MS - 1);
	assert_false(sharing_step(s->views[0], s->now));
	pass(s, 1);
	assert_true(sharing_step(s->views[0], s->now));
	assert_false(sharing_step(s->views[0], s->now));
	assert_int_equal(plan(s), 1);
	assert_int_equal(place(s, 0)->set->count, NODES);
	assert_false(sharing_next(s->views[0], &next));
}

static void K45_nobody_waits_where_nobody_else_serves(void **state)
{
	struct scene *s = *state;

	for (size_t n = 0; n < NODES; n++)
		s->verdicts[n] = PLAN_NO_ENDPOINT;
	plan(s);
	assert_int_equal(place(s, 0)->set->count, 0);
	s->verdicts[1] = PLAN_ELIGIBLE;
	s->verdicts[2] = PLAN_ELIGIBLE;
	plan(s);
	assert_int_equal(place(s, 0)->set->count, 2);
}

static void one_of_them_defends(void **state)
{
	struct scene *s = *state;
	size_t defending = 0;

	plan(s);
	for (size_t n = 0; n < NODES; n++)
		defending += place(s, n)->defends;
	assert_int_equal(defending, 1);
}

static void switching_it_on_is_a_change(void **state)
{
	struct scene *s = *state;

	s->vip.per_client = false;
	make_plan(s);
	s->vip.serving_count = 1;
	assert_int_equal(follow(s, 0), 0);
	assert_int_equal(follow(s, 0), 0);
	s->vip.per_client = true;
	assert_int_equal(follow(s, 0), 1);
	s->vip.per_client = false;
	s->vip.serving_count = 1;
	assert_int_equal(follow(s, 0), 1);
	/* An address that leaves the plan is forgotten. */
	s->plan.vip_count = 0;
	assert_int_equal(follow(s, 0), 0);
	assert_null(sharing_find(s->views[0], &s->vip.address));
}

/* Verdicts at random: all nodes always agree, and each station has one node. */
static void all_agree_whatever_happens(void **state)
{
	static const uint8_t verdicts[] = {PLAN_ELIGIBLE, PLAN_ELIGIBLE, PLAN_ELIGIBLE,
		PLAN_NO_ENDPOINT, PLAN_ELIGIBLE | PLAN_WORSE_TERMINATING, PLAN_LEAVING};
	struct scene *s = *state;
	unsigned random = 1;

	for (unsigned step = 0; step < 5000; step++) {
		size_t owners[STATIONS];

		random = random * 1103515245u + 12345u;
		s->verdicts[random >> 16 & 3u] = verdicts[(random >> 20) % sizeof(verdicts)];
		pass(s, random >> 24 & 0x7ffu);
		plan(s);
		if (s->vip.serving_count > 0)
			agree(s, owners);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(loss_and_return_of_a_node),
		TEST(who_left_is_told_of_and_answers_as_before),
		TEST(C04_dead_node_is_told_of_by_one_that_was_not_there),
		TEST(K45_node_with_a_new_endpoint_waits_for_kube_proxy),
		TEST(K45_nobody_waits_where_nobody_else_serves),
		TEST(one_of_them_defends),
		TEST(switching_it_on_is_a_change),
		TEST(all_agree_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
