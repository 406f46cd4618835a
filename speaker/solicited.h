// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_SOLICITED_H
#define HERALD_SPEAKER_SOLICITED_H

#include "herald/core/responder.h"
#include "ports.h"

/*
 * Membership of the solicited-node groups of the IPv6 addresses that are answered, on the
 * ports where they are: without it a NIC's filter, or a switch that snoops MLD, keeps the
 * solicitations from us.
 */
struct solicited;

struct solicited *solicited_new(struct program *program);
void solicited_free(struct solicited *solicited); /* leaves all groups; NULL is allowed */

/* Brings the memberships to what the table says. Both are read again later, when a step
   of many or one that failed is to be done: they live longer than this. */
void solicited_follow(struct solicited *solicited, const struct responder_table *table,
	const struct ports *ports);

#endif
