// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_BGP_H
#define HERALD_SPEAKER_BGP_H

#include <jansson.h>
#include <stdbool.h>

#include "bird_include.h"
#include "herald/kube/program.h"

/*
 * BGP of this node: plans, has BIRD carry the plan out, and says in the node's Lease how
 * its sessions are. Leaving runs in two steps (B05): routes get the community
 * GRACEFUL_SHUTDOWN, and go when `bgp.drainTime` has passed. A speaker that just stops
 * leaves BIRD as it is.
 */
struct bgp;

struct bgp_sink {
	/* bgp_annotate says something else: to be told at once, or with the next renewal. */
	void (*changed)(void *context, bool at_once);
	/* bgp_follow is to be called again. */
	void (*due)(void *context);
};

/* `include` is borrowed; NULL: there is no BIRD, and BGP in the configuration a problem. */
struct bgp *bgp_new(struct program *program, const char *self, struct bird_include *include,
	const struct bgp_sink *sink, void *context);
void bgp_free(struct bgp *bgp); /* NULL is allowed */

/* After anything changed. `speak` as bgp_report_turn has it. */
struct bgp_facts {
	const struct plan_input *cluster;
	bool speak;
};
void bgp_follow(struct bgp *bgp, const struct bgp_facts *facts);
/* BIRD is in force or not any more, or has another problem. */
void bgp_bird_changed(struct bgp *bgp);

/* This speaker is removed for good: withdraws everything, within `limit_ms`. */
void bgp_leave(struct bgp *bgp, uint32_t limit_ms);
/* Nothing is announced any more, or nobody could be told. */
bool bgp_has_left(const struct bgp *bgp);

/* Some advertisement selects the address, for whatever node. */
bool bgp_covers(const struct bgp *bgp, const struct ip *address);

/* Adds what our Lease is to say:
   {"peers": {NAME: {"state": "up" | "down" | "held" | "unknown", "exported": N, "error": TEXT}}} */
void bgp_annotate(const struct bgp *bgp, json_t *annotations);
/* For the status page; a new reference. */
json_t *bgp_status(const struct bgp *bgp);

#endif
