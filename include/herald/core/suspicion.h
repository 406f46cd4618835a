// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_SUSPICION_H
#define HERALD_CORE_SUSPICION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * From suspicions to a verdict that is the same on every node. A node whose BFD session
 * with another went from Up to Down says so in its own Lease, in the annotation
 * herald.io/suspects: the names of the nodes, with blanks between. The rule:
 *
 * 1. Those take part whose Lease is alive and says that they have BFD. A node is watched
 *    by its peers on the ring (bfd_ring.h), and only what these say of it counts.
 * 2. A node counts as dead when more than half of its watchers suspect it, and at least
 *    two of them. Where just two speakers live in all, the other's word is enough. So one
 *    watcher with a broken link moves nobody's addresses.
 * 3. What a node says that counts as dead itself does not count, neither does it then
 *    as a watcher. Those that the largest share of their watchers suspect come first:
 *    one that was cut off suspects all others, but is suspected by more.
 * 4. Where more than half of the nodes would be dead by this, none is: then it is not the
 *    nodes that broke but the network between them, and the Leases alone decide. So does
 *    it end when two halves suspect each other, and when the two nodes of a cluster do.
 *
 * It lasts until the watchers withdraw it: when their sessions are up again, or the
 * node says in its own, renewed Lease that it has no BFD.
 */
#define SUSPECTS_ANNOTATION "herald.io/suspects"
#define SUSPECTS_MAX 64u /* names that are read of one annotation */

struct suspicion_node {
	const char *name;
	const char *suspects; /* the annotation's value; NULL: none */
};

struct suspicion_verdict {
	unsigned watchers; /* whose word counts */
	unsigned against;  /* of these, who suspect it */
	bool dead;
};

/* One verdict for each of the nodes that take part; `alive`: all speakers with a Lease. */
void suspicion_decide(const struct suspicion_node *nodes, size_t count, unsigned watchers,
	size_t alive, struct suspicion_verdict *ret);

#endif
