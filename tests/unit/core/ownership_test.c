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
static const uint8_t claimant[MAC_SIZE] = {2, 0, 0, 0, 0, 9};

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

static void claim_by(struct scene *s, enum ownership_claimant by, const struct ownership_now *now)
{
	struct ownership_claim claim = {.ip = vip, .by = by};

	memcpy(claim.mac, claimant, MAC_SIZE);
	s->effects.count = 0;
	ownership_claim(s->ownership, &claim, now, &s->effects);
}

static void claim(struct scene *s, enum ownership_claimant by, uint64_t ms, bool lapsed)
{
	const struct ownership_now now = now_ms(ms, lapsed);

	claim_by(s, by, &now);
}

static void step(struct scene *s, uint64_t ms, bool lapsed)
{
	const struct ownership_now now = now_ms(ms, lapsed);

	s->effects.count = 0;
	ownership_step(s->ownership, &now, &s->effects);
}

/* Steps whenever it is due, until `end` and no further than to the first effect, and with proof
   of what was written until `proven`. Returns when that was. */
static uint64_t step_until_effect(struct scene *s, uint64_t end, uint64_t proven)
{
	struct monotime next;

	s->effects.count = 0;
	while (s->effects.count == 0 && ownership_next(s->ownership, &next) &&
		next.ns <= end * 1000000) {
		const struct ownership_now now = {.time = next, .proven = {proven * 1000000}};

		ownership_step(s->ownership, &now, &s->effects);
		if (s->effects.count > 0)
			return next.ns / 1000000;
	}
	return 0;
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
	claim(s, OWNERSHIP_LATER_NODE, 5020, false);
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
	claim(s, OWNERSHIP_LATER_NODE, 5000, false);
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
	claim(s, OWNERSHIP_STRANGER, 1000, false);
	step(s, 1000 + OWNERSHIP_SETTLE_MS - 1, false);
	assert_int_equal(s->effects.count, 0);
	step(s, 1000 + OWNERSHIP_SETTLE_MS, false);
	expect_one(s, OWNERSHIP_DEFEND);
	assert_memory_equal(s->effects.items[0].mac, claimant, MAC_SIZE);
	/* A flood of claims for a minute: one defence in DEFEND_INTERVAL. */
	for (uint64_t ms = 2000; ms < 62000; ms += 10) {
		claim(s, OWNERSHIP_STRANGER, ms, false);
		step(s, ms, false);
		defences += s->effects.count > 0;
	}
	assert_in_range(defences, 5, 6);
	assert_int_equal(ownership_state_of(s->ownership, &vip), OWNERSHIP_HELD);
}

/* Neither while its Lease is valid nor in an outage of the API server. */
static void L08_stranger_never_gets_it(void **state)
{
	struct scene *s = *state;
	unsigned defences = 0;

	wish(s, OWNERSHIP_OURS, 0, false);
	for (uint64_t ms = 1000; ms < 61000; ms += 10) {
		claim(s, OWNERSHIP_STRANGER, ms, true);
		step(s, ms, true);
		defences += s->effects.count > 0;
	}
	assert_in_range(defences, 5, 6);
	assert_int_equal(ownership_state_of(s->ownership, &vip), OWNERSHIP_HELD);
}

static void L08_stranger_ends_no_hand_over(void **state)
{
	struct scene *s = *state;

	wish(s, OWNERSHIP_OURS, 0, false);
	claim(s, OWNERSHIP_STRANGER, 4900, false);
	wish(s, OWNERSHIP_THEIRS, 5000, false);
	expect_one(s, OWNERSHIP_HAND_OVER);
	claim(s, OWNERSHIP_STRANGER, 5010, false);
	assert_int_equal(s->effects.count, 0);
	claim(s, OWNERSHIP_EARLIER_NODE, 5020, false);
	expect_one(s, OWNERSHIP_RELEASE);
}

static void C04_lapsed_yields_and_waits_for_proof(void **state)
{
	struct scene *s = *state;
	struct ownership_wish ours = {.ip = vip, .kind = OWNERSHIP_OURS};
	struct ownership_now later = {.time = {8000 * 1000000ull}, .proven = {6001 * 1000000ull}};

	wish(s, OWNERSHIP_OURS, 0, false);
	wish(s, OWNERSHIP_OURS, 5000, true); /* fail static: lapsed, goes on */
	assert_int_equal(s->effects.count, 0);
	claim(s, OWNERSHIP_LATER_NODE, 6000, true);
	expect_one(s, OWNERSHIP_YIELD);
	wish(s, OWNERSHIP_OURS, 7000, true);
	assert_int_equal(s->effects.count, 0);
	wish(s, OWNERSHIP_OURS, 7500, false); /* a renewal of before is seen late */
	assert_int_equal(s->effects.count, 0);
	ownership_plan(s->ownership, &ours, 1, &later, BOUND_MS, &s->effects);
	expect_one(s, OWNERSHIP_TAKE);
}

static void begin_contest(struct scene *s, enum ownership_claimant by)
{
	wish(s, OWNERSHIP_OURS, 0, false);
	claim(s, by, 1000, false);
	assert_int_equal(s->effects.count, 0);
	assert_int_equal(step_until_effect(s, 9000, 0), 1000 + OWNERSHIP_ASK_MS);
	expect_one(s, OWNERSHIP_ASK);
}

/* However valid its Lease still is: another speaker's news are newer. */
static void C04_without_proof_it_yields_to_an_earlier_node(void **state)
{
	struct scene *s = *state;

	begin_contest(s, OWNERSHIP_EARLIER_NODE);
	assert_int_equal(step_until_effect(s, 9000, 1000), 1000 + OWNERSHIP_CONTEST_MS);
	expect_one(s, OWNERSHIP_YIELD);
	assert_memory_equal(s->effects.items[0].mac, claimant, MAC_SIZE);
}

static void C04_without_proof_it_yields_to_a_later_node_that_answers(void **state)
{
	struct scene *s = *state;
	uint64_t first = 1000 + OWNERSHIP_CONTEST_MS, second = first + OWNERSHIP_CONTEST_MS;

	begin_contest(s, OWNERSHIP_LATER_NODE);
	assert_int_equal(step_until_effect(s, 9000, 0), first);
	expect_one(s, OWNERSHIP_DEFEND);
	claim(s, OWNERSHIP_LATER_NODE, first + 10, false); /* a repeat of its first burst */
	assert_int_equal(s->effects.count, 0);
	assert_int_equal(step_until_effect(s, 9000, 0), second);
	expect_one(s, OWNERSHIP_DEFEND);
	claim(s, OWNERSHIP_LATER_NODE, second + 300, false);
	expect_one(s, OWNERSHIP_YIELD);
}

/* The API server went away just then: one of the two has to go on. */
static void C04_unanswered_it_goes_on(void **state)
{
	struct scene *s = *state;
	uint64_t at = 0, last = 0;
	unsigned challenges = 0;

	begin_contest(s, OWNERSHIP_LATER_NODE);
	while ((at = step_until_effect(s, 600000, 0)) > 0) {
		expect_one(s, OWNERSHIP_DEFEND);
		challenges++;
		if (challenges > OWNERSHIP_CHALLENGES + 1)
			assert_int_equal(at - last, DEFEND_INTERVAL_MS);
		last = at;
	}
	assert_true(challenges > 60);
	assert_int_equal(ownership_state_of(s->ownership, &vip), OWNERSHIP_HELD);
	/* Proof ends it, whatever is heard then. */
	assert_true(step_until_effect(s, 700000, 600000) > 0);
	expect_one(s, OWNERSHIP_INSIST);
	assert_int_equal(step_until_effect(s, 800000, 600000), 0);
}

static void C04_with_proof_it_defends_at_once(void **state)
{
	struct scene *s = *state;
	struct monotime next;

	begin_contest(s, OWNERSHIP_EARLIER_NODE);
	assert_in_range(step_until_effect(s, 9000, 1200), 1200, 1000 + OWNERSHIP_CONTEST_MS);
	expect_one(s, OWNERSHIP_INSIST);
	assert_false(ownership_next(s->ownership, &next));
	/* Again and again: each contest is decided anew, and not with all repeats. */
	claim(s, OWNERSHIP_EARLIER_NODE, 2000, false);
	assert_in_range(step_until_effect(s, 9000, 2001), 2300, 2000 + OWNERSHIP_CONTEST_MS);
	expect_one(s, OWNERSHIP_DEFEND);
}

/* The Lease lapses while the claim settles, and the defence of before was a moment ago: what
   once kept two nodes answering for DEFEND_INTERVAL. */
static void C04_lapse_just_after_the_claim_is_no_matter(void **state)
{
	struct scene *s = *state;

	begin_contest(s, OWNERSHIP_EARLIER_NODE);
	assert_true(step_until_effect(s, 9000, 1001) > 0);
	expect_one(s, OWNERSHIP_INSIST);
	claim(s, OWNERSHIP_EARLIER_NODE, 2000, false);
	assert_int_equal(step_until_effect(s, 9000, 1001), 2000 + OWNERSHIP_ASK_MS);
	assert_int_equal(step_until_effect(s, 9000, 1001), 2000 + OWNERSHIP_CONTEST_MS);
	expect_one(s, OWNERSHIP_YIELD);
}

static void claim_for_what_is_not_ours_is_nothing(void **state)
{
	struct scene *s = *state;

	claim(s, OWNERSHIP_LATER_NODE, 0, false);
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
	const struct ownership_claim claim = {.ip = six, .by = OWNERSHIP_LATER_NODE};

	ownership_plan(s->ownership, wishes, 2, &now, BOUND_MS, &s->effects);
	assert_int_equal(ownership_count(s->ownership, OWNERSHIP_HELD), 2);
	s->effects.count = 0;
	ownership_claim(s->ownership, &claim, &now, &s->effects);
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
		TEST(L08_stranger_never_gets_it),
		TEST(L08_stranger_ends_no_hand_over),
		TEST(C04_lapsed_yields_and_waits_for_proof),
		TEST(C04_without_proof_it_yields_to_an_earlier_node),
		TEST(C04_without_proof_it_yields_to_a_later_node_that_answers),
		TEST(C04_unanswered_it_goes_on),
		TEST(C04_with_proof_it_defends_at_once),
		TEST(C04_lapse_just_after_the_claim_is_no_matter),
		TEST(claim_for_what_is_not_ours_is_nothing),
		TEST(L08_families_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
