// SPDX-License-Identifier: Apache-2.0
/*
 * The summary of the status page's API: counts, pools, nodes, BGP peers, conflicts.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/kube/bgp_peers.h"
#include "page_json.h"

static json_t *services_json(const struct view *view)
{
	json_t *counts = json_pack("{s:I}", "total", (json_int_t)view->row_count);

	for (size_t i = 0; i < VIEW_HEALTH_COUNT; i++)
		json_object_set_new(counts, view_health_text((enum view_health)i),
			json_integer((json_int_t)view->health[i]));
	return counts;
}

/* ---- pools ---- */

static json_t *pool_json(
	const struct config_pool *pool, const struct alloc_pool_usage *usage, const uint64_t use[2])
{
	static const char *const families[] = {"ipv4", "ipv6"};
	json_t *document = json_pack("{s:s,s:b,s:b}", "name", pool->name, "autoAssign",
		pool->auto_assign, "disabled", pool->disabled);

	for (size_t family = 0; family < 2; family++) {
		if (usage->total[family] > 0)
			json_object_set_new(document, families[family],
				json_pack("{s:f,s:I}", "addresses", usage->total[family], "inUse",
					(json_int_t)use[family]));
	}
	return document;
}

static json_t *pools_json(
	const struct view *view, const struct config *config, const struct alloc *alloc)
{
	json_t *list = json_array();

	for (size_t i = 0; i < alloc_pool_count(alloc); i++) {
		struct alloc_pool_usage usage = alloc_pool_usage(alloc, i);
		const struct config_pool *pool = config_pool_find(config, usage.name);

		if (pool)
			json_array_append_new(list,
				pool_json(pool, &usage, view->pool_use[pool - config->pools]));
	}
	return list;
}

/* ---- nodes ---- */

static int compare_name(const void *name, const void *entry)
{
	return strcmp(name, *(const char *const *)entry);
}

/* Among the nodes of the plan, which are sorted; NULL: it was made before there was one. */
static const char **place_of(const struct plan *plan, const char *node)
{
	return plan && node ? bsearch(node, plan->nodes, plan->node_count, sizeof(*plan->nodes),
				      compare_name)
			    : NULL;
}

/* How many addresses each node of the plan owns; malloc'ed. */
static size_t *count_owned(const struct plan *plan)
{
	size_t *counts = xcalloc((plan ? plan->node_count : 0) + 1, sizeof(*counts));

	for (size_t i = 0; plan && i < plan->vip_count; i++) {
		const char **place = place_of(plan, plan->vips[i].owner);

		if (place)
			counts[place - plan->nodes]++;
	}
	return counts;
}

static json_t *node_json(
	const struct plan_input *objects, const struct node *node, size_t addresses)
{
	const struct member *member = members_find(objects->members, node->meta.name);
	uint8_t verdict = objects->config ? plan_verdict_on_node(objects, node) : PLAN_NO_SPEAKER;

	return json_pack("{s:s,s:b,s:s,s:s,s:b,s:b,s:b,s:I,s:s}", "name", node->meta.name,
		"eligible", verdict >= PLAN_ELIGIBLE, "verdict", plan_verdict_text(verdict),
		"speaker", member_state_text(member ? member->state : MEMBER_UNKNOWN), "suspected",
		member && member->suspicion.dead, "bfd", member && member->bfd, "ready",
		node->ready, "addresses", (json_int_t)addresses, "interfaces",
		member ? member->interfaces : "");
}

static json_t *nodes_json(const struct plan_input *objects, const struct plan *plan)
{
	AUTO_FREE size_t *owned = count_owned(plan);
	json_t *list = json_array();

	for (size_t i = 0; i < objects->node_count; i++) {
		const struct node *node = objects->nodes[i];
		const char **place = place_of(plan, node->meta.name);

		json_array_append_new(
			list, node_json(objects, node, place ? owned[place - plan->nodes] : 0));
	}
	return list;
}

/* ---- BGP peers, conflicts ---- */

static json_t *peers_json(const struct members *members)
{
	json_t *list = json_array();

	for (size_t i = 0; i < members_count(members); i++) {
		const struct member *member = members_at(members, i);
		struct bgp_peer_list peers;

		/* What one tells that is gone holds no longer. */
		bgp_peers_parse(member->state == MEMBER_ALIVE ? member->bgp : NULL, &peers);
		for (size_t k = 0; k < peers.count; k++) {
			const struct bgp_peer *peer = &peers.items[k];

			json_array_append_new(
				list, json_pack("{s:s,s:s,s:s,s:I,s:s}", "node", member->node,
					      "name", peer->name, "state", peer->state, "exported",
					      (json_int_t)peer->exported, "error", peer->error));
		}
		bgp_peer_list_done(&peers);
	}
	return list;
}

static json_t *conflicts_json(const struct conflict_list *conflicts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < conflicts->count; i++)
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:s?}", "address", ip_text(&conflicts->items[i].ip).s,
				"station", mac_text(conflicts->items[i].mac).s, "node",
				conflicts->items[i].node));
	return list;
}

static const char *configuration_text(const struct observer *observer)
{
	if (observer_config_is_valid(observer))
		return "valid";
	return observer_config(observer) ? "refused" : "none";
}

json_t *page_json_summary(struct observer *observer)
{
	const struct view *view = observer_view(observer);
	const struct config *config = observer_config(observer);
	struct plan_input objects;

	observer_objects(observer, &objects);
	return json_pack("{s:s,s:b,s:b,s:s,s:o,s:o,s:o,s:o,s:o}", "version", HERALD_VERSION,
		"synced", observer_is_synced(observer), "inContact", observer_in_contact(observer),
		"configuration", configuration_text(observer), "services", services_json(view),
		"pools", config ? pools_json(view, config, observer_alloc(observer)) : json_array(),
		"nodes", nodes_json(&objects, observer_plan(observer)), "peers",
		peers_json(objects.members), "conflicts", conflicts_json(&view->conflicts));
}
