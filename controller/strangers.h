// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_STRANGERS_H
#define HERALD_CONTROLLER_STRANGERS_H

#include "assigner.h"

/*
 * The addresses that speakers have found to be somebody else's (core/conflicts.h), from
 * their Leases: the assigner gives them to nobody. What a speaker tells counts as long as
 * its Lease is alive. Nothing waits for these Leases: without the right to read them
 * all else works.
 */
struct strangers;

/* `assigner` is borrowed. */
struct strangers *strangers_new(struct program *program, struct assigner *assigner);
void strangers_free(struct strangers *strangers); /* before the assigner; NULL is allowed */

#endif
