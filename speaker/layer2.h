// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_LAYER2_H
#define HERALD_SPEAKER_LAYER2_H

#include "herald/core/conflicts.h"
#include "herald/core/ownership.h"
#include "herald/core/plan.h"
#include "herald/kube/program.h"
#include "ports.h"

/*
 * The layer 2 side of this node: carries out what ownership (core/ownership.h) says by
 * answering and announcing on the ports.
 */
struct layer2;

struct layer2_sink {
	bool (*has_lapsed)(void *context);	  /* of our own Lease */
	struct monotime (*proven)(void *context); /* as in core/ownership.h */
	void (*asks_for_proof)(void *context);	  /* the same */
	enum ownership_claimant (*claimant)(void *context, const uint8_t mac[static MAC_SIZE]);
	void (*interfaces_changed)(void *context);
	void (*plan_again)(void *context); /* it is time for layer2_apply_take */
	/* What was done with an address, to be told to people. */
	void (*acted)(void *context, const struct ownership_effect *effect);
	/* Whether it is the MAC address of a speaker's interface, perhaps our own. */
	bool (*is_one_of_us)(void *context, const uint8_t mac[static MAC_SIZE]);
	void (*conflict_found)(
		void *context, const struct conflict *conflict, const struct port *port);
	void (*conflicts_changed)(void *context); /* perhaps: layer2_conflicts */
};

int layer2_new(struct program *program, const struct wire_driver *driver, const char *self,
	const struct layer2_sink *sink, void *context, struct layer2 **ret, struct err *e);
void layer2_free(struct layer2 *layer2); /* NULL is allowed */

void layer2_set_config(struct layer2 *layer2, const struct config *config);
/* What this node told of before it was started again; before the first plan. */
void layer2_recall(struct layer2 *layer2, const struct conflict_list *conflicts);
struct layer2_plan {
	const struct plan *plan;       /* borrowed until the next one */
	const struct members *members; /* what the plan was made from */
	struct conflict_list *told;    /* what other nodes tell of; taken */
	bool quiet; /* what is taken over now is known to the segment: it is not announced */
};
void layer2_apply_take(struct layer2 *layer2, const struct layer2_plan *plan);

/* Whoever hears us may have lost us meanwhile, and what it knew (C19): announces all that
   is held, as when it was taken over. */
void layer2_announce_again(struct layer2 *layer2);

const struct ports *layer2_ports(const struct layer2 *layer2);
/* "held", "conflict", ...: of ownership, or of what comes before it (core/probe.h). */
const char *layer2_state_text_of(const struct layer2 *layer2, const struct ip *address);
/* Addresses that are withheld since another station has them; conflict_list_done. */
void layer2_conflicts(const struct layer2 *layer2, struct conflict_list *ret);
/* Addresses that are handed over just now, or that were yielded. */
size_t layer2_count(const struct layer2 *layer2, enum ownership_state state);
/* The MAC address by which it is, was or would be answered, on the first of several
   interfaces; "" where there is none. */
struct mac_text layer2_mac_of(const struct layer2 *layer2, const struct ip *address);
/* Names of the interfaces where the address is answered, separated by commas; malloc'ed. */
char *layer2_interfaces_of(const struct layer2 *layer2, const struct ip *address);

#endif
