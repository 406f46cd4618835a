// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_TURN_H
#define HERALD_CORE_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/monotime.h"

/*
 * When a speaker that starts may write its Lease for the first time, so that a thousand
 * which start together write no more than MEMBER_WRITES_PER_SECOND of them a second.
 *
 * Nobody knows how many wait, but everybody sees who has written. Each guesses: at first
 * that all nodes wait. In each slot of TURN_SLOT_MS it writes with the chance that has
 * TURN_WRITES_PER_SLOT of all who wait write. Fewer than that did? Then fewer wait, by as
 * much (half at the least, for a slot may be unlucky), and so with more. A speaker that
 * starts alone among a thousand has its turn within two seconds; up to
 * TURN_AT_ONCE nodes nobody waits.
 *
 * The guess goes on after the own write, until nobody waits: those who do will live soon,
 * and how long a Lease lasts follows their number, too.
 */
#define TURN_SLOT_MS 250u
#define TURN_WRITES_PER_SLOT 10u
#define TURN_AT_ONCE 40u

struct turn {
	uint64_t random;
	size_t waiting; /* the guess; 0: nobody, and the turn needs no more steps */
	size_t written; /* at the last step */
	struct monotime next;
	bool ours; /* write now */
};

void turn_begin(struct turn *turn, uint64_t seed, size_t nodes, struct monotime now);
/* At turn->next. `written`: how many others were seen to write for the first time since we
   look. */
void turn_step(struct turn *turn, size_t written, struct monotime now);

#endif
