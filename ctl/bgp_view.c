// SPDX-License-Identifier: Apache-2.0
/*
 * BGP as it ought to be and as it is told: one plan a node, and the speakers' own words.
 * Passwords are not known here, and are not needed: whether a Secret could be read is in what
 * the speaker tells.
 */
#include "bgp_view.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/config_bgp.h"

const struct bgp_vip *bgp_node_announces(const struct bgp_node *node, const struct ip *address)
{
	const struct bgp_vip *vip =
		node->plan && node->is_alive ? bgp_plan_find(node->plan, address) : NULL;

	return vip && vip->announced ? vip : NULL;
}

void bgp_view_make(const struct view *view, struct bgp_view *ret)
{
	const struct store *nodes = &view->facts->of[FACT_NODE];
	struct plan_input cluster;
	struct bgp_plan_input input = {.cluster = &cluster, .assume_secrets = true};

	*ret = (struct bgp_view){0};
	if (!view->config || !view->config->bgp || !view->facts->members)
		return;
	view_plan_input(view, &cluster);
	ret->nodes = xcalloc(nodes->count + 1, sizeof(*ret->nodes));
	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = nodes->items[i];
		const struct member *member = members_find(view->facts->members, node->meta.name);
		struct bgp_node *made = &ret->nodes[ret->count++];

		made->name = node->meta.name;
		made->is_alive = member && member->state == MEMBER_ALIVE;
		cluster.self = node->meta.name;
		made->plan = bgp_plan_make(&input);
		bgp_peers_parse(member ? member->bgp : NULL, &made->told);
	}
}

void bgp_view_done(struct bgp_view *bgp)
{
	for (size_t i = 0; i < bgp->count; i++) {
		bgp_plan_free(bgp->nodes[i].plan);
		bgp_peer_list_done(&bgp->nodes[i].told);
	}
	free(bgp->nodes);
	*bgp = (struct bgp_view){0};
}
