// SPDX-License-Identifier: Apache-2.0
/* Holding, handing over, yielding and defending (L08, C04, O01): the stated rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/ownership.h"

#define BOUND_MS 1000u

static const struct ip vip = {IP_V4, {192, 0, 2, 200}};
static const uint8_t stranger[MAC_SIZE] = {2, 0, 0, 0, 0, 9};

struct scene {
	struct ownership *ownership;
	struct ownership_effects effects;
};

static int set_up(void **state)
{
	static struct scene scene;

	scene = (struct scene){.ownership = ownership_new()};
	*state = &scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	ownership_effects_done(&s->effects);
	ownership_free(s->ownership);
	return 0;
}

static struct ownership_now now_ms(uint64_t ms, bool lapsed)
{
	return (struct ownership_now){.time = {ms * 1000000}, .lapsed = lapsed};
}

static void wish(struct scene *s, enum ownership_wish_kind kind, uint64_t ms, bool lapsed)
{
	struct ownership_wish wish = {.ip = vip, .kind = kind};
	struct ownership_now now = now_ms(ms, lapsed);

	s->effects.count = 0;
	ownership_plan(s->ownership, &wish, 1, &now, BOUND_MS, &s->effects);
}

static void claim(struct scene *s, uint64_t ms, bool lapsed)
{
	struct ownership_now now = now_ms(ms, lapsed);

	s->effects.count = 0;
	ownership_claim(s->ownership, &vip, stranger, &now, &s->effects);
}

static void step(struct scene *s, uint64_t ms, bool lapsed)
{
	struct ownership_now now = now_ms(ms, lapsed);

	s->effects.count = 0;
	ownership_step(s->ownership, &now, &s->effects);
}

static void expect_one(const struct scene *s, enum ownership_action action)
{
	assert_int_equal(s->effects.count, 1);
	assert_int_equal(s->effects.items[0].action, action);
	assert_true(ip_equal(&s->effects.items[0].ip, &vip));
}

static void taken_once(void **state)
{
	struct scene *s = *state;

	wish(s, OWNERSHIP_OURS, 0, false);
	expect_one(s, OWNERSHIP_TAKE);
	wish(s, OWNERSHIP_OURS, 10, false);
	assert_int_equal(s->effects.count, 0);
	assert_int_equal(ownership_count(s->ownership, OWNERSHIP_HELD), 1);
}

static void O01_hand_over_until_the_claim(void **state)
{
	struct scene *s = *state;

	wish(s, OWNERSHIP_OURS, 0, false);
	wish(s, OWNERSHIP_THEIRS, 5000, false);
	expect_one(s, OWNERSHIP_HAND_OVER);
	wish(s, OWNERSHIP_THEIRS, 5010, false);
	assert_int_equal(s->effects.count, 0);
	claim(s, 5020, false);
	expect_one(s, OWNERSHIP_RELEASE);
	assert_int_equal(ownership_state_of(s->ownership, &vip), OWNERSHIP_NONE);
}

static void O01_hand_over_is_bounded(void **state)
{
	struct scene *s = *state;
	struct monotime next;

	wish(s, OWNERSHIP_OURS, 0, false);
	wish(s, OWNERSHIP_THEIRS, 5000, false);
	assert_true(ownership_next(s->ownership, &next));
	assert_int_equal(next.ns, now_ms(5000 + BOUND_MS, false).time.ns);
	step(s, 5000 + BOUND_MS, false);
	expect_one(s, OWNERSHIP_RELEASE);
	assert_false(ownership_next(s->ownership, &next));
}

/* The next owner was quicker than the news of it. */
static void claim_before_the_plan_is_a_hand_over(void **state)
{
	struct scene *s = *state;

	wish(s, OWNERSHIP_OURS, 0, false);
	claim(s, 5000, false);
	assert_int_equal(s->effects.count, 0);
	wish(s, OWNERSHIP_THEIRS, 5100, false);
	expect_one(s, OWNERSHIP_RELEASE);
	step(s, 9000, false);
	assert_int_equal(s->effects.count, 0);
}

static void ends_at_once_without_successor_or_wish(void **state)
{
	struct scene *s = *state;
	struct ownership_now now = now_ms(2000, false);

	wish(s, OWNERSHIP_OURS, 0, false);
	wish(s, OWNERSHIP_NOBODYS, 1000, false);
	expect_one(s, OWNERSHIP_RELEASE);
	wish(s, OWNERSHIP_OURS, 1500, false);
	s->effects.count = 0;
	ownership_plan(s->ownership, NULL, 0, &now, BOUND_MS, &s->effects);
	expect_one(s, OWNERSHIP_RELEASE);
}

static void L08_defended_after_settling_and_rarely(void **state)
{
	struct scene *s = *state;
	unsigned defences = 0;

	wish(s, OWNERSHIP_OURS, 0, false);
	claim(s, 1000, false);
	step(s, 1000 + OWNERSHIP_SETTLE_MS - 1, false);
	assert_int_equal(s->effects.count, 0);
	step(s, 1000 + OWNERSHIP_SETTLE_MS, false);
	expect_one(s, OWNERSHIP_DEFEND);
	assert_memory_equal(s->effects.items[0].mac, stranger, MAC_SIZE);
	/* A flood of claims for a minute: one defence in DEFEND_INTERVAL. */
	for (uint64_t ms = 2000; ms < 62000; ms += 10) {
		claim(s, ms, false);
		step(s, ms, false);
		defences += s->effects.count > 0;
	}
	assert_in_range(defences, 5, 6);
	assert_int_equal(ownership_state_of(s->ownership, &vip), OWNERSHIP_HELD);
}

static void C04_lapsed_yields_and_waits_for_its_lease(void **state)
{
	struct scene *s = *state;

	wish(s, OWNERSHIP_OURS, 0, false);
	wish(s, OWNERSHIP_OURS, 5000, true); /* fail static: lapsed, goes on */
	assert_int_equal(s->effects.count, 0);
	claim(s, 6000, true);
	expect_one(s, OWNERSHIP_YIELD);
	wish(s, OWNERSHIP_OURS, 7000, true);
	assert_int_equal(s->effects.count, 0);
	wish(s, OWNERSHIP_OURS, 8000, false);
	expect_one(s, OWNERSHIP_TAKE);
}

static void C04_lapse_while_settling_yields(void **state)
{
	struct scene *s = *state;

	wish(s, OWNERSHIP_OURS, 0, false);
	claim(s, 1000, false);
	step(s, 1500, true);
	expect_one(s, OWNERSHIP_YIELD);
}

static void claim_for_what_is_not_ours_is_nothing(void **state)
{
	struct scene *s = *state;

	claim(s, 0, false);
	assert_int_equal(s->effects.count, 0);
	wish(s, OWNERSHIP_THEIRS, 0, false);
	assert_int_equal(s->effects.count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* Two families are two addresses, in one order: a claim for one leaves the other alone. */
static void L08_families_are_apart(void **state)
{
	struct scene *s = *state;
	const struct ip six = {IP_V6, {192, 0, 2, 200}}; /* the same bytes */
	const struct ownership_wish wishes[] = {{vip, OWNERSHIP_OURS}, {six, OWNERSHIP_OURS}};
	const struct ownership_now now = now_ms(0, true);

	ownership_plan(s->ownership, wishes, 2, &now, BOUND_MS, &s->effects);
	assert_int_equal(ownership_count(s->ownership, OWNERSHIP_HELD), 2);
	s->effects.count = 0;
	ownership_claim(s->ownership, &six, stranger, &now, &s->effects);
	assert_int_equal(s->effects.count, 1);
	assert_true(ip_equal(&s->effects.items[0].ip, &six));
	assert_int_equal(ownership_state_of(s->ownership, &six), OWNERSHIP_YIELDED);
	assert_int_equal(ownership_state_of(s->ownership, &vip), OWNERSHIP_HELD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(taken_once),
		TEST(O01_hand_over_until_the_claim),
		TEST(O01_hand_over_is_bounded),
		TEST(claim_before_the_plan_is_a_hand_over),
		TEST(ends_at_once_without_successor_or_wish),
		TEST(L08_defended_after_settling_and_rarely),
		TEST(C04_lapsed_yields_and_waits_for_its_lease),
		TEST(C04_lapse_while_settling_yields),
		TEST(claim_for_what_is_not_ours_is_nothing),
		TEST(L08_families_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
