// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_CONFLICTS_H
#define HERALD_CORE_CONFLICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/base/mac.h"
#include "herald/core/members.h"

/*
 * Addresses that some station has which is none of ours, as speakers find them before they
 * announce one (core/probe.h), and tell it in their Lease's annotation herald.io/conflicts:
 *     192.0.2.7=02:00:00:aa:bb:cc 2001:db8::7=02:00:00:aa:bb:cc
 * so that the controller gives nobody such an address, and the next node to own it asks
 * for it, too. Text of another node is untrusted: what is malformed or beyond the bound
 * is left out.
 */
#define CONFLICTS_MAX 32u /* that one node tells */

struct conflict {
	struct ip ip;
	uint8_t mac[MAC_SIZE]; /* of the station */
	const char *node;      /* that found it; borrowed; NULL: this one */
};

struct conflict_list {
	struct conflict *items; /* sorted by ip, unique; malloc'ed */
	size_t count;
};
void conflict_list_done(struct conflict_list *list);

/* NULL: there is none. */
const struct conflict *conflict_find(const struct conflict_list *list, const struct ip *ip);

/* malloc'ed; NULL where the list is empty. The first CONFLICTS_MAX. */
char *conflicts_text(const struct conflict_list *list);
/* `node` and NULL as text are allowed. */
void conflicts_parse(const char *text, const char *node, struct conflict_list *ret);

/* What all tell whose Lease is alive, but for the node `except` (may be NULL). Of several
   that tell of one address the first by name counts. Nodes' names are the members'. */
void conflicts_collect(
	const struct members *members, const char *except, struct conflict_list *ret);

#endif
