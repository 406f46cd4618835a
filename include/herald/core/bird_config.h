// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BIRD_CONFIG_H
#define HERALD_CORE_BIRD_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/core/bgp_plan.h"

/*
 * The text that BIRD's own configuration includes: what Herald wants of BIRD. Only the
 * extra text of the administrator is taken over as text, and that can't leave its block:
 * all else is printed from values, and an interface's name that BIRD could not read leaves
 * the interface out. The same values give the same text.
 *
 * With BGP it has, in this order: two tables, the attributes that routes carry for the
 * filters, functions that set them, a static protocol per family with a line per route, for
 * unnumbered links router advertisements, and for each session an export filter and a protocol.
 * Routes are in tables of their own, which no kernel protocol is connected to, and sessions take in
 * nothing (B11). Filters and protocols depend on the configuration and the node only, so that
 * whatever happens to Services changes static routes and the functions that they call, and nothing
 * else (B06, C09).
 *
 * The text may hold passwords (B07): the file is for its owner only, and the text is not
 * to be shown.
 */
#define BIRD_BFD_NAME "herald_bfd"   /* of the protocol in BIRD, for all of its sessions */
#define BIRD_IPV4_NAME "herald_ipv4" /* of the static protocols */
#define BIRD_IPV6_NAME "herald_ipv6"
#define BIRD_RADV_NAME "herald_radv"
#define BIRD_IPV4_TABLE "herald4"
#define BIRD_IPV6_TABLE "herald6"

/* Between nodes (bfd_ring.h); sessions with BGP peers come with the peers. */
struct bird_bfd {
	const char *interface; /* where all sessions are */
	struct ip local;
	uint32_t interval_ms, multiplier;
	const struct ip *peers; /* of the same family as local */
	size_t peer_count;
};

struct bird_wants {
	const struct bird_bfd *bfd; /* NULL: none between nodes */
	const struct bgp_plan *bgp; /* NULL: none */
};

/* malloc'ed. */
char *bird_config_text(const struct bird_wants *wants);

/*
 * Whose extra text stands on this line (from 1, as BIRD's "file:line:column" counts) of the
 * text made of the same values. BIRD refuses the whole for one mistake; the shell then
 * takes this one's extra text away, and tries again (C28).
 */
#define BIRD_BLAME_NONE SIZE_MAX /* nobody's: ours is at fault, or BIRD's own configuration */
#define BIRD_BLAME_GLOBAL (SIZE_MAX - 1) /* bgp_plan.extra */
/* Else the index of a session. */
size_t bird_config_blame(const struct bird_wants *wants, size_t line);

#endif
