// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_BGP_VIEW_H
#define HERALDCTL_BGP_VIEW_H

#include "herald/core/bgp_plan.h"
#include "herald/kube/bgp_peers.h"
#include "view.h"

/*
 * What each node is to say by BGP, by the speakers' own plan (core/bgp_plan.h), and what
 * its speaker tells of its sessions in its Lease.
 */
struct bgp_node {
	const char *name;
	struct bgp_plan *plan; /* NULL: the configuration has no BGP */
	struct bgp_peer_list told;
	bool is_alive; /* its speaker is */
};

struct bgp_view {
	struct bgp_node *nodes; /* sorted by name */
	size_t count;		/* 0: the configuration has no BGP */
};
void bgp_view_make(const struct view *view, struct bgp_view *ret); /* the view is borrowed */
void bgp_view_done(struct bgp_view *bgp);

/* What the node announces of an address; NULL: nothing, or its speaker is not alive. */
const struct bgp_vip *bgp_node_announces(const struct bgp_node *node, const struct ip *address);

#endif
