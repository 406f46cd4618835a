// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_ANNOUNCER_H
#define HERALD_SPEAKER_ANNOUNCER_H

#include "herald/core/responder.h"
#include "ports.h"

/*
 * Announcements as frames: gratuitous ARP in one or both forms for IPv4, an unsolicited
 * neighbour advertisement for IPv6, on every port where the address is answered.
 */
struct announcer {
	bool reply_form; /* of gratuitous ARP too */
	struct metric *gratuitous, *unsolicited;
};

void announcer_init(struct announcer *announcer, struct metrics *metrics);
/* Nothing where the table does not have the address. */
void announcer_announce(const struct announcer *announcer, struct ports *ports,
	const struct responder_table *table, const struct ip *ip);

#endif
