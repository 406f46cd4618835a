// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_BGP_PEERS_H
#define HERALD_KUBE_BGP_PEERS_H

#include <stddef.h>
#include <stdint.h>

/*
 * The BGP peers that a speaker tells of in its Lease's annotation herald.io/bgp:
 *     {"peers":{"NAME":{"state":"up","exported":12,"error":""}}}
 * Text of another program is untrusted: what is malformed or beyond the bound is left out.
 */
#define BGP_PEERS_MAX 256u

struct bgp_peer {
	const char *name, *state, *error; /* "" where not said */
	int64_t exported;		  /* routes; -1: not said */
};

struct bgp_peer_list {
	struct bgp_peer *items; /* by name */
	size_t count;
	void *document; /* that holds their texts */
};

void bgp_peers_parse(const char *text, struct bgp_peer_list *ret); /* NULL is allowed */
/* NULL: there is none of this name. */
const struct bgp_peer *bgp_peer_find(const struct bgp_peer_list *list, const char *name);
void bgp_peer_list_done(struct bgp_peer_list *list);

#endif
