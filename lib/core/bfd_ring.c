// SPDX-License-Identifier: Apache-2.0
/*
 * The ring of nodes that watch each other by BFD. In: the nodes' names and how many
 * neighbours each watches in either direction. Out: a node's peers. Whether these are
 * well is not its business.
 */
#include "herald/core/bfd_ring.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "herald/base/err.h"

#define RING_SEED UINT64_C(0x6266642d72696e67) /* never to change: all nodes must agree */

struct place {
	uint64_t hash;
	const char *name;
	size_t node;
};

struct bfd_ring {
	struct place *places; /* around the ring */
	size_t *where;	      /* of each node: its index in places */
	size_t count;
	unsigned watchers;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->name, y->name);
}

struct bfd_ring *bfd_ring_new(const char *const *nodes, size_t count, unsigned watchers)
{
	struct bfd_ring *ring = xcalloc(1, sizeof(*ring));

	ring->places = xcalloc(count + 1, sizeof(*ring->places));
	ring->where = xcalloc(count + 1, sizeof(*ring->where));
	ring->count = count;
	ring->watchers = watchers < BFD_WATCHERS_MAX ? watchers : BFD_WATCHERS_MAX;
	for (size_t i = 0; i < count; i++)
		ring->places[i] =
			(struct place){XXH64(nodes[i], strlen(nodes[i]), RING_SEED), nodes[i], i};
	qsort(ring->places, count, sizeof(*ring->places), compare_places);
	for (size_t i = 0; i < count; i++)
		ring->where[ring->places[i].node] = i;
	return ring;
}

void bfd_ring_free(struct bfd_ring *ring)
{
	if (!ring)
		return;
	free(ring->places);
	free(ring->where);
	free(ring);
}

size_t bfd_ring_peers(const struct bfd_ring *ring, size_t node, size_t ret[static BFD_PEERS_MAX])
{
	size_t at = ring->where[node], found = 0, others = ring->count - 1;

	for (size_t step = 1; step <= ring->watchers && found < others; step++) {
		ret[found++] = ring->places[(at + step) % ring->count].node;
		if (found < others)
			ret[found++] = ring->places[(at + ring->count - step) % ring->count].node;
	}
	return found;
}
