// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_OWN_LEASE_H
#define HERALD_SPEAKER_OWN_LEASE_H

#include <jansson.h>

#include "herald/kube/cluster.h"
#include "herald/kube/program.h"

/*
 * This node's Lease: when it is first written, what it tells the others, and the proof that
 * it gives: where our Lease in the watch is what we wrote last, all that was written before
 * we sent that has been seen (core/ownership.h).
 */
struct own_lease_sink {
	/* Adds what others are to know of us, beside what the room adds itself. */
	void (*annotate)(void *context, json_t *annotations);
	void (*proven)(void *context);
};

struct own_lease;

struct own_lease *own_lease_new(struct program *program, const char *node,
	const struct own_lease_sink *sink, void *context); /* `node` is borrowed */
void own_lease_free(struct own_lease *lease);		   /* does not release; NULL is allowed */

/* Only once the first list of Leases was seen (our renewal would hide whether the last
   run's Lease was still valid) and the configuration says how long it is to last: from then
   on it is written when it is our turn. Once is enough. */
void own_lease_begin(struct own_lease *lease, struct cluster *cluster);
/* The cluster's timing has changed. */
void own_lease_follow_timing(struct own_lease *lease);
/* With our Node our Lease goes, too; the Node may have been made anew. */
void own_lease_follow_node(struct own_lease *lease);
/* Our Lease was seen in the watch. */
void own_lease_seen(struct own_lease *lease);

/* Tells at once what has changed of the annotations. */
void own_lease_tell(struct own_lease *lease);
/* With the next renewal, and where so many addresses moved, soon. */
void own_lease_tell_later(struct own_lease *lease, size_t moved);
void own_lease_renew(struct own_lease *lease);

/* All that was written by then has been seen. */
struct monotime own_lease_proven(const struct own_lease *lease);

/* It is not begun any more; `done` is called from the loop, or at once where there is none. */
void own_lease_release(struct own_lease *lease, void (*done)(void *context), void *context);

#endif
