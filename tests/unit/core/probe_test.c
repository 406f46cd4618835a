// SPDX-License-Identifier: Apache-2.0
/* What is asked for before it is announced, and what is not (L09): the stated rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/base/err.h"
#include "herald/core/probe.h"

#define COUNT 3u
#define SPACING 100u
#define ROUND (COUNT * SPACING)
#define NEWS (ROUND + PROBE_NEWS_MS) /* another has it for so long: it is known */

static const struct ip vip = {IP_V4, {192, 0, 2, 200}};
static const struct ip vip6 = {IP_V6, {0xfd, [15] = 1}};
static const uint8_t stranger[MAC_SIZE] = {2, 0, 0, 0, 0, 9};
static const uint8_t another[MAC_SIZE] = {2, 0, 0, 0, 0, 10};

struct scene {
	struct probe *probe;
	struct conflict told; /* by another node; .ip unset: nothing */
	struct probe_turn turn;
};

static int set_up(void **state)
{
	static struct scene scene;

	scene = (struct scene){.probe = probe_new(1)};
	probe_set_timing(scene.probe, &(struct probe_timing){COUNT, SPACING});
	*state = &scene;
	return 0;
}

static int tear_down(void **state)
{
	probe_free(((struct scene *)*state)->probe);
	return 0;
}

static struct monotime at(uint64_t ms)
{
	return (struct monotime){ms * 1000000};
}

/* What becomes of the wish. */
static enum ownership_wish_kind plan(struct scene *s, enum ownership_wish_kind kind, uint64_t ms)
{
	struct ownership_wish wish = {.ip = vip, .kind = kind};
	struct conflict_list told = {&s->told, s->told.ip.family != IP_NONE};

	probe_plan(s->probe, &wish, 1, &told, at(ms));
	return wish.kind;
}

static void plan_nothing(struct scene *s, uint64_t ms)
{
	struct conflict_list told = {0};

	probe_plan(s->probe, NULL, 0, &told, at(ms));
}

static size_t step(struct scene *s, uint64_t ms)
{
	probe_step(s->probe, at(ms), &s->turn);
	return s->turn.count;
}

/* Begins in the middle of a node's life: nothing is assigned, and a plan was there. */
static void begin(struct scene *s)
{
	plan_nothing(s, 0);
}

/* From `ms` on, the probes of a round as they are due. */
static void run_round(struct scene *s, uint64_t ms)
{
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(step(s, ms + i * SPACING), 1);
		assert_true(ip_equal(&s->turn.ips[0], &vip));
		assert_false(s->turn.passed);
		assert_int_equal(step(s, ms + (i + 1) * SPACING - 1), 0);
	}
}

static void L09_new_is_asked_for_then_announced(void **state)
{
	struct scene *s = *state;
	struct monotime next;

	begin(s);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1000), OWNERSHIP_NOBODYS);
	assert_int_equal(probe_state_of(s->probe, &vip), PROBE_ASKING);
	run_round(s, 1000);
	assert_true(probe_next(s->probe, &next));
	assert_int_equal(next.ns, at(1000 + ROUND).ns);
	assert_int_equal(step(s, 1000 + ROUND), 0);
	assert_true(s->turn.passed);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1000 + ROUND), OWNERSHIP_OURS);
	assert_false(probe_next(s->probe, &next));
	/* Known from now on, whoever had it meanwhile. */
	plan(s, OWNERSHIP_THEIRS, 2000);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 2001), OWNERSHIP_OURS);
	plan(s, OWNERSHIP_NOBODYS, 3000);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 3001), OWNERSHIP_OURS);
}

static void L09_off_asks_nothing(void **state)
{
	struct scene *s = *state;

	probe_set_timing(s->probe, &(struct probe_timing){0, SPACING});
	begin(s);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1000), OWNERSHIP_OURS);
}

static void a_start_waits_for_nothing(void **state)
{
	struct scene *s = *state;

	assert_int_equal(plan(s, OWNERSHIP_OURS, 0), OWNERSHIP_OURS);
	assert_int_equal(step(s, 5000), 0);
}

static void a_failover_waits_for_nothing(void **state)
{
	struct scene *s = *state;

	begin(s);
	plan(s, OWNERSHIP_THEIRS, 1000);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1000 + NEWS), OWNERSHIP_OURS);
}

/* Its owner died before it can have asked. */
static void a_failover_of_what_nobody_has_asked_for_does(void **state)
{
	struct scene *s = *state;

	begin(s);
	plan(s, OWNERSHIP_THEIRS, 1000);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1000 + NEWS - 1), OWNERSHIP_NOBODYS);
}

static void an_address_without_endpoints_is_not_known(void **state)
{
	struct scene *s = *state;

	begin(s);
	plan(s, OWNERSHIP_NOBODYS, 1000);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 99000), OWNERSHIP_NOBODYS);
}

static void theirs_then_nobodys_is_known(void **state)
{
	struct scene *s = *state;

	begin(s);
	plan(s, OWNERSHIP_THEIRS, 1000);
	plan(s, OWNERSHIP_NOBODYS, 1000 + NEWS);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1000 + NEWS + 1), OWNERSHIP_OURS);
}

static void released_and_assigned_again_is_new(void **state)
{
	struct scene *s = *state;

	plan(s, OWNERSHIP_OURS, 0);
	plan_nothing(s, 1000);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 2000), OWNERSHIP_NOBODYS);
}

/* New on two nodes at once, as their plans differ for a moment: the one whose it is not
   stops, and the other is not hindered. */
static void taken_away_while_asking_stops(void **state)
{
	struct scene *s = *state;
	struct monotime next;

	begin(s);
	plan(s, OWNERSHIP_OURS, 1000);
	step(s, 1000);
	assert_int_equal(plan(s, OWNERSHIP_THEIRS, 1050), OWNERSHIP_THEIRS);
	assert_false(probe_next(s->probe, &next));
	assert_false(probe_heard(s->probe, &vip, stranger, at(1060)));
}

/* In conflict since 1000; the next round is returned. */
static uint64_t fall_out(struct scene *s)
{
	struct monotime next;

	begin(s);
	plan(s, OWNERSHIP_OURS, 1000);
	step(s, 1000);
	assert_true(probe_heard(s->probe, &vip, stranger, at(1000)));
	assert_int_equal(probe_state_of(s->probe, &vip), PROBE_CONFLICT);
	assert_true(probe_next(s->probe, &next));
	assert_in_range(next.ns, at(1000 + PROBE_RETRY_MIN_MS * 3 / 4).ns,
		at(1000 + PROBE_RETRY_MIN_MS * 5 / 4).ns);
	return next.ns / 1000000 + 1;
}

static void expect_conflict_with(const struct scene *s, const uint8_t mac[static MAC_SIZE])
{
	struct conflict_list list;

	probe_conflicts(s->probe, &list);
	assert_int_equal(list.count, 1);
	assert_true(ip_equal(&list.items[0].ip, &vip));
	assert_memory_equal(list.items[0].mac, mac, MAC_SIZE);
	conflict_list_done(&list);
}

static void expect_no_conflict(const struct scene *s)
{
	struct conflict_list list;

	probe_conflicts(s->probe, &list);
	assert_int_equal(list.count, 0);
	conflict_list_done(&list);
}

static void L09_a_strangers_is_withheld_until_it_is_gone(void **state)
{
	struct scene *s = *state;
	uint64_t ms = fall_out(s);

	expect_conflict_with(s, stranger);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1001), OWNERSHIP_NOBODYS);
	assert_int_equal(step(s, ms - 2), 0);
	run_round(s, ms);
	expect_conflict_with(s, stranger); /* until the round has passed */
	step(s, ms + ROUND);
	assert_true(s->turn.passed);
	expect_no_conflict(s);
	assert_int_equal(plan(s, OWNERSHIP_OURS, ms + ROUND), OWNERSHIP_OURS);
}

static void L09_retries_are_bounded(void **state)
{
	struct scene *s = *state;
	uint64_t ms = fall_out(s), begin_ms = ms;
	struct monotime next;
	unsigned rounds = 0;

	while (ms < begin_ms + 3600000) {
		assert_int_equal(step(s, ms), 1);
		/* The same station again is no news; another one is. */
		assert_int_equal(
			probe_heard(s->probe, &vip, rounds % 2 ? stranger : another, at(ms)), true);
		assert_false(probe_heard(s->probe, &vip, stranger, at(ms + 1)));
		assert_true(probe_next(s->probe, &next));
		ms = next.ns / 1000000 + 1;
		rounds++;
	}
	/* Within an hour: at least one in 75 s, and no more than one in 45 s but at first. */
	assert_in_range(rounds, 48, 85);
}

static void the_same_station_again_is_no_news(void **state)
{
	struct scene *s = *state;
	uint64_t ms = fall_out(s);

	step(s, ms);
	assert_false(probe_heard(s->probe, &vip, stranger, at(ms + 10)));
	expect_conflict_with(s, stranger);
	assert_int_equal(step(s, ms + ROUND), 0);
	assert_false(s->turn.passed);
}

/* Rule 4: it is told until nobody answers any more, so that nobody is given it. */
static void L09_goes_on_when_it_leaves_the_plan(void **state)
{
	struct scene *s = *state;
	uint64_t ms = fall_out(s);
	struct monotime next;

	plan_nothing(s, 2000);
	expect_conflict_with(s, stranger);
	run_round(s, ms);
	step(s, ms + ROUND);
	assert_true(s->turn.passed);
	expect_no_conflict(s);
	assert_false(probe_next(s->probe, &next));
	assert_int_equal(probe_state_of(s->probe, &vip), PROBE_KNOWN);
}

static void of_what_left_the_plan_a_bounded_number_is_kept(void **state)
{
	struct scene *s = *state;
	struct ownership_wish wishes[2 * CONFLICTS_MAX];
	struct conflict_list told = {0}, list;

	begin(s);
	for (size_t i = 0; i < 2 * CONFLICTS_MAX; i++)
		wishes[i] =
			(struct ownership_wish){{IP_V4, {192, 0, 2, (uint8_t)i}}, OWNERSHIP_OURS};
	probe_plan(s->probe, wishes, 2 * CONFLICTS_MAX, &told, at(1000));
	for (size_t i = 0; i < 2 * CONFLICTS_MAX; i++)
		assert_true(probe_heard(s->probe, &wishes[i].ip, stranger, at(1000)));
	plan_nothing(s, 2000);
	probe_conflicts(s->probe, &list);
	assert_int_equal(list.count, CONFLICTS_MAX);
	conflict_list_done(&list);
}

/* The node that found it is gone, and may have said so only a moment ago. */
static void L09_what_another_tells_of_is_asked_for(void **state)
{
	struct scene *s = *state;

	begin(s);
	plan(s, OWNERSHIP_THEIRS, 1000);
	s->told = (struct conflict){.ip = vip};
	plan(s, OWNERSHIP_THEIRS, 9000);
	s->told.ip.family = IP_NONE;
	assert_int_equal(plan(s, OWNERSHIP_OURS, 9100), OWNERSHIP_NOBODYS);
}

static void what_another_tells_of_is_asked_for_at_the_start_too(void **state)
{
	struct scene *s = *state;

	s->told = (struct conflict){.ip = vip};
	assert_int_equal(plan(s, OWNERSHIP_OURS, 0), OWNERSHIP_NOBODYS);
}

/* What another tells of one that we announce is old. */
static void what_is_told_takes_nothing_away(void **state)
{
	struct scene *s = *state;

	plan(s, OWNERSHIP_OURS, 0);
	s->told = (struct conflict){.ip = vip};
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1000), OWNERSHIP_OURS);
}

static void a_conflict_outlives_a_restart(void **state)
{
	struct scene *s = *state;
	struct conflict before = {.ip = vip};
	struct monotime next;

	memcpy(before.mac, stranger, MAC_SIZE);
	probe_recall(s->probe, &before, at(0));
	expect_conflict_with(s, stranger);
	assert_false(probe_next(s->probe, &next)); /* not before there is a plan */
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1000), OWNERSHIP_NOBODYS);
	run_round(s, 1000);
	step(s, 1000 + ROUND);
	assert_int_equal(plan(s, OWNERSHIP_OURS, 1000 + ROUND), OWNERSHIP_OURS);
}

/* A thousand Services at once: bounded bursts, and each address gets its probes. */
static void many_are_asked_for_in_batches(void **state)
{
	enum { MANY = 1000 };
	struct scene *s = *state;
	struct ownership_wish *wishes = xcalloc(MANY, sizeof(*wishes));
	struct conflict_list told = {0};
	size_t sent = 0;

	begin(s);
	for (unsigned i = 0; i < MANY; i++)
		wishes[i] = (struct ownership_wish){
			{IP_V4, {10, 0, (uint8_t)(i >> 8), (uint8_t)i}}, OWNERSHIP_OURS};
	probe_plan(s->probe, wishes, MANY, &told, at(1000));
	for (uint64_t ms = 1000; ms < 2000; ms++) {
		sent += step(s, ms);
		assert_true(s->turn.count <= PROBE_BATCH);
	}
	assert_int_equal(sent, MANY * COUNT);
	free(wishes);
}

static void families_are_apart(void **state)
{
	struct scene *s = *state;

	begin(s);
	plan(s, OWNERSHIP_OURS, 1000);
	assert_false(probe_heard(s->probe, &vip6, stranger, at(1000)));
	assert_int_equal(probe_state_of(s->probe, &vip6), PROBE_KNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(L09_new_is_asked_for_then_announced),
		TEST(L09_off_asks_nothing),
		TEST(a_start_waits_for_nothing),
		TEST(a_failover_waits_for_nothing),
		TEST(a_failover_of_what_nobody_has_asked_for_does),
		TEST(an_address_without_endpoints_is_not_known),
		TEST(theirs_then_nobodys_is_known),
		TEST(released_and_assigned_again_is_new),
		TEST(taken_away_while_asking_stops),
		TEST(L09_a_strangers_is_withheld_until_it_is_gone),
		TEST(L09_retries_are_bounded),
		TEST(the_same_station_again_is_no_news),
		TEST(L09_goes_on_when_it_leaves_the_plan),
		TEST(of_what_left_the_plan_a_bounded_number_is_kept),
		TEST(L09_what_another_tells_of_is_asked_for),
		TEST(what_another_tells_of_is_asked_for_at_the_start_too),
		TEST(what_is_told_takes_nothing_away),
		TEST(a_conflict_outlives_a_restart),
		TEST(many_are_asked_for_in_batches),
		TEST(families_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
