// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_UNIT_CORE_CLUSTER_SIM_H
#define HERALD_TESTS_UNIT_CORE_CLUSTER_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/core/config.h"

/*
 * A cluster in simulated time: speakers made of the rooms as they are (members, plan,
 * holds, ownership, announce), an API server that keeps their Leases and shows them to
 * each with delays of its own, and a segment that loses frames. Faults are made by the
 * test; who answers for what is counted as a client on the segment would see it.
 */
struct sim_rules {
	uint64_t seed;
	size_t nodes, vips; /* at most 250 vips */
	enum config_take_back take_back;
	uint32_t take_back_ms;
	uint32_t write_ms, watch_ms; /* the longest that the API server takes */
	uint32_t wire_ms;	     /* the longest that a frame takes */
	uint32_t lost_frames;	     /* of 100, for each receiver */
	uint32_t lost_writes;	     /* of 100: not carried out, and no answer */
	uint32_t plan_pause_ms;	     /* between two plans of a node */
};

/* Times in milliseconds. An address counts while some node on the segment runs. */
struct sim_counts {
	uint64_t takes;			    /* addresses taken over */
	uint64_t writes;		    /* of Leases, carried out */
	uint64_t writes_second, writes_ten; /* the most in one second, and in ten */
	uint64_t nobody_ms;		    /* over all addresses: answered by nobody */
	uint64_t nobody_max;		    /* the longest of one address */
	uint64_t several_ms;		    /* answered by more than one node */
	uint64_t several_max;		    /* the longest of one address */
	uint64_t heard_ms; /* of these, after one of them had heard the other's claim */
	uint64_t heard_max;
	uint64_t heard; /* how often that happened */
};

struct sim;

struct sim *sim_new(const struct sim_rules *rules);
void sim_free(struct sim *sim);
uint32_t sim_draw(struct sim *sim, uint32_t limit); /* 0 .. limit - 1 */

void sim_run(struct sim *sim, uint64_t ms);
/* As from now on; what goes on (an episode) is cut off. */
void sim_counts_clear(struct sim *sim);
/* With the episodes that go on. */
struct sim_counts sim_counts(struct sim *sim);
uint64_t sim_now_ms(const struct sim *sim);

/* Faults. Each may be made in any state and then does nothing where it makes no sense. */
void sim_start(struct sim *sim, size_t node);
void sim_kill(struct sim *sim, size_t node);
void sim_stop(struct sim *sim, size_t node);		      /* in order, as on SIGTERM */
void sim_set_api(struct sim *sim, size_t node, bool reached); /* by this node */
void sim_set_wire(struct sim *sim, size_t node, bool plugged);
void sim_set_api_up(struct sim *sim, bool up);
void sim_stall(struct sim *sim, size_t node, uint32_t ms); /* nothing reaches it so long */

bool sim_runs(const struct sim *sim, size_t node);
size_t sim_answered_by(const struct sim *sim, size_t node); /* how many addresses */
/* All that run and are connected have the same plan, and each address one who answers. */
bool sim_is_settled(const struct sim *sim);

#endif
