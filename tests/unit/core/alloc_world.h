// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_UNIT_CORE_ALLOC_WORLD_H
#define HERALD_TESTS_UNIT_CORE_ALLOC_WORLD_H

#include "alloc_model.h"

/*
 * A world of Services, an API server and a controller for alloc_model_test.c: what may
 * happen in it (alloc_world.c) and whether what the controller did was right, judged by
 * the naive rules (alloc_world_check.c).
 */
#define SLOTS 14

struct write {
	bool under_way;
	uint32_t version; /* precondition */
	struct assign_decision decision;
};

struct slot {
	struct object truth, cache;
	struct write write, late; /* late: of a process that is gone */
	/* the controller's */
	struct alloc_holder holder;
	struct spec decided, decided_before;
	uint32_t left; /* of UNIVERSE: it was to leave these when the process before died */
	bool dirty, waiting;
	bool stale; /* what became of a write is not known: to be read before it is decided */
	char name[16];
};

struct world {
	uint64_t random, seed, step;
	struct alloc *alloc;
	struct config *configs[MODEL_CONFIGS];
	const struct config *config;
	struct slot slots[SLOTS];
	uint64_t judged; /* the generation when those waiting were last tried */
	uint32_t versions;
	bool blocked[UNIVERSE], moves[UNIVERSE]; /* moves: by the word of a pool that is gone */
	bool calm; /* no late writes and old readings in this history: stricter checks */
};

/* Fails the test and says how to see it again, and what the controller knew. */
#define REQUIRE(w, condition, ...)                                                                 \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			world_print(w);                                                            \
			print_error("HERALD_SEED=%llu, step %llu: ",                               \
				(unsigned long long)(w)->seed, (unsigned long long)(w)->step);     \
			fail_msg(__VA_ARGS__);                                                     \
		}                                                                                  \
	} while (0)

void world_print(const struct world *w);
bool world_lists(const struct ip *ips, size_t count, const struct ip *ip);
/* May this Service be given this address anew? */
bool world_may_have(struct world *w, const struct slot *slot, const struct ip *ip);
/* Right after a decision; `before`: the addresses held until then. */
void world_check_decision(struct world *w, struct slot *slot, const struct ip *before,
	const struct assign_decision *decision);
/* Right after a new process took over what there is. */
void world_check_adopted(struct world *w);
/* Right after a write; `before`: the object until then. */
void world_check_published(struct world *w, struct slot *slot, const struct object *before);
/* Once nothing is left to be done. */
void world_check_at_rest(struct world *w);

/* One thing happens, drawn by the world's random numbers. */
void world_happen(struct world *w);
/* All writes arrive and all news is read, until the controller has nothing to do. */
void world_come_to_rest(struct world *w);

#endif
