// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BGP_EXPORTS_H
#define HERALD_CORE_BGP_EXPORTS_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/core/bgp_plan.h"

/*
 * The prefixes that BIRD says it exports in one session, beside those that the plan offers
 * there: what is announced indeed (B08), and what has to be asked for.
 */
struct bgp_exports {
	struct ip_prefix *items; /* sorted */
	size_t count;
	bool known; /* asked for since the session came up */
};

void bgp_exports_done(struct bgp_exports *exports); /* and nothing is known */
/* Everything, in any order; takes it. */
void bgp_exports_set_take(struct bgp_exports *exports, struct ip_prefix *items, size_t count);
/* One prefix. */
void bgp_exports_put(struct bgp_exports *exports, const struct ip_prefix *prefix, bool present);
bool bgp_exports_has(const struct bgp_exports *exports, const struct ip_prefix *prefix);

/*
 * Prefixes of which what is known is not what the plan wants: at most `room` of them in
 * *ret; returns how many there are, SIZE_MAX where nothing is known.
 */
size_t bgp_exports_doubtful(const struct bgp_exports *exports, const struct bgp_plan *plan,
	size_t session, struct ip_prefix *ret, size_t room);

#endif
