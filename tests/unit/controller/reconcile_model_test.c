// SPDX-License-Identifier: Apache-2.0
/*
 * The controller's reconciler itself in random histories (reconcile_world.c): lost, late and
 * repeated messages, stale lists, crashes, two leaders at once. HERALD_STEPS and HERALD_SEED
 * say how far to go and where to begin; a failure names the seed of its history.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reconcile_world.h"

#define HISTORY_STEPS 1500u
#define REST_EVERY 150u

static void play(struct world *w, uint64_t seed)
{
	world_begin(w, seed);
	for (w->step = 1; w->step <= HISTORY_STEPS; w->step++) {
		world_happen(w);
		if (w->step % REST_EVERY == 0) {
			world_come_to_rest(w);
			world_check_at_rest(w);
		}
	}
	world_end(w);
}

/* K10, K11, K14, K15, K19, K24, K57, K59, A06-A09, A12, C26, C31, in no order. */
static void histories_keep_the_rules(void **state)
{
	uint64_t steps = model_number("HERALD_STEPS", 75000);
	uint64_t first = model_number("HERALD_SEED", 1);
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	print_message("%llu steps from seed %llu on\n", (unsigned long long)steps,
		(unsigned long long)first);
	for (size_t i = 0; i < MODEL_CONFIGS; i++)
		w->configs[i] = model_config(i);
	for (uint64_t done = 0, seed = first; done < steps; done += HISTORY_STEPS, seed++)
		play(w, seed);
	for (size_t i = 0; i < MODEL_CONFIGS; i++)
		config_free(w->configs[i]);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histories_keep_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
