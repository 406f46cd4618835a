// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_BGP_VIEW_H
#define HERALDCTL_BGP_VIEW_H

#include "herald/core/bgp_plan.h"
#include "view.h"

/*
 * What each node is to say by BGP, by the speakers' own plan (core/bgp_plan.h), and what
 * its speaker tells of its sessions in its Lease's annotation herald.io/bgp:
 *     {"peers":{"tor1":{"state":"up","exported":3},"tor2":{"state":"down","error":"..."}}}
 * That is another machine's text: what is malformed or beyond the bounds is left out.
 */
#define BGP_ANNOTATION "herald.io/bgp"
#define BGP_PEERS_MAX 1000u

struct bgp_told {
	char *peer, *state, *error; /* error: "" none */
	uint64_t exported;	    /* routes */
};

struct bgp_node {
	const char *name;
	struct bgp_plan *plan; /* NULL: the configuration has no BGP */
	struct bgp_told *told; /* sorted by peer */
	size_t told_count;
};

struct bgp_view {
	struct bgp_node *nodes; /* sorted by name */
	size_t count;		/* 0: the configuration has no BGP */
};
/* The view and `home`, Herald's namespace, are borrowed. */
void bgp_view_make(const struct view *view, const char *home, struct bgp_view *ret);
void bgp_view_done(struct bgp_view *bgp);

/* What the node announces of an address; NULL: nothing, or its speaker is not alive. */
const struct bgp_vip *bgp_node_announces(
	const struct view *view, const struct bgp_node *node, const struct ip *address);

/* `ret` is malloc'ed; returns how many. */
size_t bgp_told_parse(const char *text, struct bgp_told **ret);
void bgp_told_free(struct bgp_told *told, size_t count);
/* NULL: the node's speaker says nothing of this peer. */
const struct bgp_told *bgp_told_find(const struct bgp_node *node, const char *peer);

#endif
