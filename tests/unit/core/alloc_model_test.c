// SPDX-License-Identifier: Apache-2.0
/*
 * Random histories of Services, configs, node addresses, lost answers, late writes and
 * crashes (alloc_world.c), and beside them the naive rules of alloc_model.c.
 * HERALD_STEPS and HERALD_SEED say how far to go and where to begin; a failure
 * names the seed of its history.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_world.h"

#define HISTORY_STEPS 1500u
#define SETTLE_EVERY 100u

static void play(struct world *w, uint64_t seed)
{
	w->seed = seed;
	w->random = model_random(seed);
	w->calm = seed % 2;
	w->alloc = alloc_new();
	w->config = w->configs[0];
	w->versions = 0;
	w->judged = 0;
	memset(w->slots, 0, sizeof(w->slots));
	memset(w->blocked, 0, sizeof(w->blocked));
	memset(w->moves, 0, sizeof(w->moves));
	alloc_configure(w->alloc, w->config);
	for (size_t i = 0; i < SLOTS; i++) {
		snprintf(w->slots[i].name, sizeof(w->slots[i].name), "x/s%zu", i);
		w->slots[i].holder.name = w->slots[i].name;
	}
	for (w->step = 1; w->step <= HISTORY_STEPS; w->step++) {
		world_happen(w);
		if (w->step % SETTLE_EVERY == 0) {
			world_come_to_rest(w);
			world_check_at_rest(w);
		}
	}
	for (size_t i = 0; i < SLOTS; i++)
		alloc_release(w->alloc, &w->slots[i].holder);
	alloc_free(w->alloc);
}

/* K10, K11, K19, K59, A06-A09, A12, A14, C26: all of them at once, in no order. */
static void histories_keep_the_rules(void **state)
{
	uint64_t steps = model_number("HERALD_STEPS", 600000);
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
