// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_LAYER2_H
#define HERALD_SPEAKER_LAYER2_H

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
	bool (*has_lapsed)(void *context); /* of our own Lease */
	void (*interfaces_changed)(void *context);
	/* What was done with an address, to be told to people. */
	void (*acted)(void *context, const struct ownership_effect *effect);
};

int layer2_new(struct program *program, const struct wire_driver *driver, const char *self,
	const struct layer2_sink *sink, void *context, struct layer2 **ret, struct err *e);
void layer2_free(struct layer2 *layer2); /* NULL is allowed */

void layer2_set_config(struct layer2 *layer2, const struct config *config);
/* `quiet`: what is taken over now is known to the segment, so it is not announced. */
void layer2_apply(
	struct layer2 *layer2, const struct plan *plan, uint32_t hand_over_ms, bool quiet);

const struct ports *layer2_ports(const struct layer2 *layer2);
enum ownership_state layer2_state_of(const struct layer2 *layer2, const struct ip *address);
/* Addresses that are handed over just now, or that were yielded. */
size_t layer2_count(const struct layer2 *layer2, enum ownership_state state);
/* Names of the interfaces where the address is answered, separated by commas; malloc'ed. */
char *layer2_interfaces_of(const struct layer2 *layer2, const struct ip *address);

#endif
