// SPDX-License-Identifier: Apache-2.0
/*
 * A guess of how many speakers wait to write their first Lease, and whose turn it is. In:
 * how many have written, the time. Out: whether it is ours. The rule stands in the header.
 */
#include "herald/core/turn.h"

static uint64_t draw(struct turn *turn, uint64_t limit)
{
	turn->random ^= turn->random << 13;
	turn->random ^= turn->random >> 7;
	turn->random ^= turn->random << 17;
	return turn->random % limit;
}

void turn_begin(struct turn *turn, uint64_t seed, size_t nodes, struct monotime now)
{
	*turn = (struct turn){.random = seed | 1, .waiting = nodes};
	turn->next = monotime_add_ms(now, draw(turn, TURN_SLOT_MS));
	if (nodes <= TURN_AT_ONCE) {
		turn->waiting = 0;
		turn->ours = true;
	}
}

static size_t guess(size_t waiting, size_t written)
{
	size_t least = waiting / 2, most = 2 * waiting;
	size_t likely = waiting * written / TURN_WRITES_PER_SLOT;

	if (likely < least)
		return least;
	return likely > most ? most : likely;
}

void turn_step(struct turn *turn, size_t written, struct monotime now)
{
	if (turn->waiting == 0)
		return;
	turn->waiting = guess(turn->waiting, written > turn->written ? written - turn->written : 0);
	turn->written = written;
	turn->next = monotime_add_ms(now, TURN_SLOT_MS);
	if (turn->waiting == 0 || draw(turn, turn->waiting) < TURN_WRITES_PER_SLOT)
		turn->ours = true;
}
