// SPDX-License-Identifier: Apache-2.0
/* Many that start at once take turns; one alone has its turn soon (O06). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "herald/core/turn.h"

#define SECOND_MS 1000u
#define STARTERS_MAX 1000u

static void O06_few_nodes_wait_for_nothing(void **state)
{
	struct turn turn;

	(void)state;
	turn_begin(&turn, 7, TURN_AT_ONCE, (struct monotime){0});
	assert_true(turn.ours);
	assert_int_equal(turn.waiting, 0);
}

struct race {
	struct turn turns[STARTERS_MAX];
	size_t written[STARTERS_MAX + 200]; /* in all, 50 ms ago and before: what a watch shows */
	uint64_t last_ms;		    /* the last of them wrote */
	size_t most;			    /* in one second */
};

/* So many start among so many nodes, all within the first slot. */
static void run_race(struct race *r, size_t starters, size_t nodes, uint64_t seed)
{
	size_t per_second[240] = {0}, in_all = 0, seen = 0;

	*r = (struct race){0};
	for (size_t i = 0; i < starters; i++)
		turn_begin(&r->turns[i], seed * 1000 + i * 7919, nodes, (struct monotime){0});
	for (uint64_t ms = 0; ms < 240 * SECOND_MS && in_all < starters; ms += 10) {
		for (size_t i = 0; i < starters; i++) {
			struct turn *turn = &r->turns[i];
			struct monotime now = {ms * 1000000};

			if (turn->ours || !monotime_reached(now, turn->next))
				continue;
			turn_step(turn, seen, now);
			in_all += turn->ours;
			per_second[ms / SECOND_MS] += turn->ours;
			r->last_ms = turn->ours ? ms : r->last_ms;
		}
		if (ms % 50 == 0)
			seen = in_all;
	}
	assert_int_equal(in_all, starters);
	for (size_t s = 0; s < 240; s++)
		r->most = per_second[s] > r->most ? per_second[s] : r->most;
}

static void O06_a_thousand_at_once_take_turns(void **state)
{
	struct race *race = malloc(sizeof(*race));

	(void)state;
	assert_non_null(race);
	for (uint64_t seed = 1; seed <= 20; seed++) {
		run_race(race, STARTERS_MAX, STARTERS_MAX, seed);
		print_message("1,000 of 1,000: %zu in one second at most, the last after %.1f s\n",
			race->most, (double)race->last_ms / 1e3);
		assert_true(race->most <= 60);
		assert_true(race->last_ms < 30 * SECOND_MS);
	}
	free(race);
}

static void O06_one_among_a_thousand_waits_two_seconds(void **state)
{
	struct race *race = malloc(sizeof(*race));

	(void)state;
	assert_non_null(race);
	for (uint64_t seed = 1; seed <= 200; seed++) {
		run_race(race, 1, 1000, seed);
		assert_true(race->last_ms <= 2 * SECOND_MS + TURN_SLOT_MS);
	}
	free(race);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O06_few_nodes_wait_for_nothing),
		cmocka_unit_test(O06_a_thousand_at_once_take_turns),
		cmocka_unit_test(O06_one_among_a_thousand_waits_two_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
