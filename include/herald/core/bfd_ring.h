// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BFD_RING_H
#define HERALD_CORE_BFD_RING_H

#include <stddef.h>

/*
 * Who watches whom. The nodes stand on a ring in the order of a hash of their names, and
 * each has a BFD session with its `watchers` successors and predecessors: so all know
 * from the names alone who watches whom, it is mutual, a node has as many sessions in a
 * cluster of a thousand as in one of ten, and one that comes or goes changes the
 * sessions of its neighbours only. Where there are no more nodes than that, each watches
 * all others.
 */
#define BFD_WATCHERS_MAX 8u
#define BFD_PEERS_MAX (2u * BFD_WATCHERS_MAX)

struct bfd_ring; /* opaque */

/* The names are borrowed; a node is its index among them from then on. */
struct bfd_ring *bfd_ring_new(const char *const *nodes, size_t count, unsigned watchers);
void bfd_ring_free(struct bfd_ring *ring); /* NULL is allowed */
/* Those that the node has a session with; returns how many. */
size_t bfd_ring_peers(const struct bfd_ring *ring, size_t node, size_t ret[static BFD_PEERS_MAX]);

#endif
