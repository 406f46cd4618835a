// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_UNIT_CONTROLLER_RECONCILE_WORLD_H
#define HERALD_TESTS_UNIT_CONTROLLER_RECONCILE_WORLD_H

#include "assigner_state.h"
#include "reconcile_fakes.h"
#include "reconcile_server.h"

/*
 * The controller's own reconciler, one or two of it at a time, between an API server and a
 * network that loses, delays and repeats: what may happen (reconcile_world.c) and whether
 * what was done about it was right (reconcile_check.c), by the rules of alloc_model.h.
 */
struct replica {
	struct program program; /* first: the fakes know it by this */
	struct loop loop;
	struct writer *writer;
	struct assigner *assigner; /* NULL: it does not run */
	size_t position;	   /* in the server's history: what its watch has told */
	bool lists_again;
	struct object seen[SLOTS]; /* what it was told last */
	uint32_t newest[SLOTS];	   /* version that it was ever told, perhaps before an older list */
	uint32_t gone[SLOTS];	 /* uids that a read has found to be gone, whatever is told later */
	uint32_t granted[SLOTS]; /* of UNIVERSE: given by a write, which may have been lost */
	/* When nothing was left to be decided, and nothing under way: */
	size_t settled_at;     /* the server's version */
	uint64_t settled_step; /* the step */
};

struct late {
	char *path, *body;
	struct late *next;
};

struct world {
	uint64_t random, seed, step;
	struct server server;
	struct config *configs[MODEL_CONFIGS];
	const struct config *config;
	uint64_t disturbed_step;		 /* the last change of config or blocked */
	bool blocked[UNIVERSE], moves[UNIVERSE]; /* moves: by the word of a pool that is gone */
	struct replica replicas[2];
	size_t leader;
	struct late *late; /* writes of processes that are gone */
	bool calm;	   /* one replica, no late writes in this history: stricter checks */
};

#define REQUIRE(w, condition, ...)                                                                 \
	do {                                                                                       \
		if (!(condition))                                                                  \
			world_fail(w, __VA_ARGS__);                                                \
	} while (0)
_Noreturn void world_fail(const struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void world_begin(struct world *w, uint64_t seed);
void world_end(struct world *w);
void world_happen(struct world *w);
void world_come_to_rest(struct world *w);

/* When a replica is about to write: nothing needless, nothing that is another's. */
void world_check_write(struct world *w, struct replica *r, const struct writer_job *job);
/* Once nothing is left to be done. */
void world_check_at_rest(struct world *w);

#endif
