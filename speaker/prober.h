// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_PROBER_H
#define HERALD_SPEAKER_PROBER_H

#include "herald/core/probe.h"
#include "herald/core/responder.h"
#include "ports.h"

/*
 * Probing (core/probe.h) as frames and counters: ARP probes for IPv4, neighbour
 * solicitations from the unspecified address for IPv6, on every port where the address
 * would be answered.
 */
struct prober {
	struct probe *probe;
	struct metric *first, *later; /* probes */
	struct metric *conflicts, *withheld;
};

void prober_init(struct prober *prober, struct metrics *metrics, uint64_t seed);
void prober_done(struct prober *prober);

/* Sends what is due. True: some addresses may be announced now, so plan again. */
bool prober_step(struct prober *prober, struct ports *ports, const struct responder_table *table,
	struct monotime now);
/* Asks for an address that this node has: one who has it, too, answers, which is a claim. */
void prober_verify(const struct prober *prober, struct ports *ports,
	const struct responder_table *table, const struct ip *ip);
/* The same as probe_heard, counted. */
bool prober_heard(struct prober *prober, const struct ip *ip, const uint8_t mac[static MAC_SIZE],
	struct monotime now);
/* Something may have become a conflict, or none: shows how many there are. */
void prober_count(const struct prober *prober);

#endif
