// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_JOINING_H
#define HERALD_SPEAKER_JOINING_H

#include "herald/kube/cluster.h"
#include "herald/kube/program.h"

/* Waiting for the turn to write our Lease for the first time (core/turn.h). */
struct joining;

/* `due` is called once, from the loop, when it is our turn. */
struct joining *joining_new(
	struct program *program, const char *self, void (*due)(void *context), void *context);
void joining_free(struct joining *joining); /* NULL is allowed */
/* The cluster's objects are known: from now on it may be our turn. Once is enough. */
void joining_begin(struct joining *joining, struct cluster *cluster);

#endif
