// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_ELECT_H
#define HERALD_CORE_ELECT_H

#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"

/*
 * Who of several nodes owns an address: rendezvous hashing (Thaler and Ravishankar,
 * "A Name-Based Mapping Scheme for Rendezvous", 1996). Every node computes the same
 * answer from the same names without talking; the loss of a node moves only the
 * addresses that it had, and its return moves only these back.
 *
 * The scores are part of what speakers of different versions must agree on. They never
 * change: node hash = XXH64(name, seed ELECT_SEED); score = XXH64(17 bytes of family
 * and address, seed node hash). The highest score wins, ties go to the lower name.
 */
#define ELECT_SEED UINT64_C(0x6865726c64766970)
#define ELECT_NONE SIZE_MAX

uint64_t elect_node_hash(const char *name);
uint64_t elect_score(const struct ip *address, uint64_t node_hash);

struct elect_candidate {
	const char *name;
	uint64_t hash; /* elect_node_hash(name) */
};

/* Index of the owner among the candidates (in any order); ELECT_NONE for no candidates. */
size_t elect_owner(
	const struct ip *address, const struct elect_candidate *candidates, size_t count);

#endif
