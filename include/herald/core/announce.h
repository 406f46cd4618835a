// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_ANNOUNCE_H
#define HERALD_CORE_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/base/monotime.h"

/*
 * When which address is announced, by gratuitous ARP (RFC 5227 2.3) or an unsolicited
 * neighbour advertisement (RFC 4861 7.2.6): several times with spacing after it was taken
 * over, and from then on now and then, so that switches do not forget the MAC address
 * (they do after 300 s) while routers keep their entry. Only addresses in the schedule
 * are announced, so removing one at the moment it is lost is
 * what makes each repeat check that it is still owned.
 */
#define ANNOUNCE_BATCH 64u   /* addresses at one time ... */
#define ANNOUNCE_PAUSE_MS 4u /* ... and then this pause: a burst is bounded */

struct announce_timing {
	uint32_t repeat, spacing_ms; /* after taking over; repeat counts the first */
	uint32_t refresh_s;	     /* 0: never */
};

struct announce; /* opaque */

/* `seed`: spreads the refreshes; any number, different on each node. */
struct announce *announce_new(uint64_t seed);
void announce_free(struct announce *announce); /* NULL is allowed */
void announce_set_timing(struct announce *announce, const struct announce_timing *timing);

/* Announce from now on: at once and repeatedly. Starting again begins the repeats anew. */
void announce_start(struct announce *announce, const struct ip *ip, struct monotime now);
/* Already known to the segment: only the periodic refresh. */
void announce_adopt(struct announce *announce, const struct ip *ip, struct monotime now);
/* One announcement now, outside the schedule (a defence), if it is in the schedule. */
void announce_once(struct announce *announce, const struct ip *ip, struct monotime now);
void announce_stop(struct announce *announce, const struct ip *ip);
size_t announce_count(const struct announce *announce);

/* Takes up to ANNOUNCE_BATCH addresses that are due at `now`; returns how many. */
size_t announce_due(
	struct announce *announce, struct monotime now, struct ip ret_ips[static ANNOUNCE_BATCH]);
/* Of one that was due: it was the last of the first repeats, or a periodic one. That is when
   to look whether another station has it, too. */
bool announce_is_settled(const struct announce *announce, const struct ip *ip);
/* When announce_due is to be called next; false: nothing is scheduled. */
bool announce_next(const struct announce *announce, struct monotime *ret);

#endif
