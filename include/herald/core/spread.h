// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_SPREAD_H
#define HERALD_CORE_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/base/mac.h"
#include "herald/core/interfaces.h"
#include "herald/core/members.h"

/*
 * The nodes that serve one address in one segment at the same time (a pool's `spread:
 * per-client`), and which of them answers which station: the rendezvous hash of address and
 * station decides. Every node computes the same; the loss of a node moves only the stations
 * that it answered, its return only these back.
 *
 * A station is known by its MAC address, not by the IP address that it asks from: it has
 * one neighbour entry for the address whatever it asks from, and a host asks from several
 * (Linux refreshes IPv6 entries from its link-local address). Asked by two addresses two
 * nodes would answer, and the entry would go to and fro.
 *
 * The scores are part of what speakers of different versions must agree on. They never
 * change: score = XXH64(17 bytes of family and address, 6 of the MAC address; seed
 * elect_node_hash(name)). The highest score wins, ties go to the lower name.
 */
#define SPREAD_NONE SIZE_MAX

struct spread_node {
	char *name;
	uint64_t hash; /* elect_node_hash(name) */
	struct interface_list interfaces;
};

/* Never changed once it is made. Shared: each spread_use is ended by a spread_drop. */
struct spread {
	unsigned uses;
	size_t self; /* of the nodes; SPREAD_NONE: we are none of them */
	size_t count;
	struct spread_node nodes[];
};

/* Copies the names. `members` say which interfaces the nodes have; NULL: nothing is known. */
struct spread *spread_new(
	const char *const *names, size_t count, const struct members *members, const char *self);
struct spread *spread_use(struct spread *spread);
void spread_drop(struct spread *spread); /* NULL is allowed */

/* Index of the node that answers the station; SPREAD_NONE where there is no node. */
size_t spread_owner(const struct spread *spread, const struct ip *address,
	const uint8_t station[static MAC_SIZE]);
bool spread_is_ours(const struct spread *spread, const struct ip *address,
	const uint8_t station[static MAC_SIZE]);

/* SPREAD_NONE: none has this name. */
size_t spread_find(const struct spread *spread, const char *name);
/* The same nodes, whatever is known of their interfaces. */
bool spread_same(const struct spread *a, const struct spread *b);
/* Whether one of the nodes has this MAC address. */
bool spread_has_mac(const struct spread *spread, const uint8_t mac[static MAC_SIZE]);
/* By which MAC address a node is reached in the segment of our interface `here`, for an
   address: that of its interface with the narrowest network around it, else of one that
   shares a network with ours. NULL: not known. */
const uint8_t *spread_mac(const struct spread *spread, size_t node, const struct interface *here,
	const struct ip *address);

#endif
