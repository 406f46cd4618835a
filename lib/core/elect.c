// SPDX-License-Identifier: Apache-2.0
/*
 * Rendezvous hashing of addresses over nodes. In: an address and the names of the nodes
 * that may have it. Out: the one that has it. Does not know why a node may or may not:
 * that is plan.c.
 */
#include "herald/core/elect.h"

#include <string.h>
#include <xxhash.h>

uint64_t elect_node_hash(const char *name)
{
	return XXH64(name, strlen(name), ELECT_SEED);
}

uint64_t elect_score(const struct ip *address, uint64_t node_hash)
{
	uint8_t key[1 + sizeof(address->bytes)];

	key[0] = address->family;
	memcpy(key + 1, address->bytes, sizeof(address->bytes));
	return XXH64(key, sizeof(key), node_hash);
}

size_t elect_owner(const struct ip *address, const struct elect_candidate *candidates, size_t count)
{
	size_t best = ELECT_NONE;
	uint64_t best_score = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t score = elect_score(address, candidates[i].hash);

		if (best == ELECT_NONE || score > best_score ||
			(score == best_score &&
				strcmp(candidates[i].name, candidates[best].name) < 0)) {
			best = i;
			best_score = score;
		}
	}
	return best;
}
