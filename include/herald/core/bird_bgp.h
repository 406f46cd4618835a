// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BIRD_BGP_H
#define HERALD_CORE_BIRD_BGP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/core/bird_reply.h"

/*
 * What BIRD tells of BGP, out of its replies. Texts are cut where they are longer than
 * room is for, and hold printable ASCII only, so that they can be shown anywhere.
 */
struct bird_bgp {
	char name[64];	   /* of the protocol in BIRD */
	char state[16];	   /* "Established", "Active", "Down", ...; RFC 4271's names */
	char error[120];   /* the last one, as long as BIRD shows it; "" none */
	bool up;	   /* established */
	uint32_t exported; /* routes, over all families */
};

/* `show protocols all`: its BGP protocols, at most `room`. */
size_t bird_bgp_sessions(const struct bird_reply *reply, struct bird_bgp *ret, size_t room);

/* `show route export NAME`: the prefixes, in BIRD's order, malloc'ed; *ret_count of them. */
struct ip_prefix *bird_bgp_prefixes(const struct bird_reply *reply, size_t *ret_count);

#endif
