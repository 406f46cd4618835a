// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl services: each Service of ours with its addresses, the pools they are from,
 * the nodes that announce them, and what is wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp_view.h"
#include "herald/base/err.h"
#include "listing.h"

static const struct grid_column columns[] = {
	{.title = "NAMESPACE"},
	{.title = "NAME"},
	{.title = "ADDRESSES"},
	{.title = "NODES"},
	{.title = "STATE"},
	{.title = "POOLS", .wide = true},
	{.title = "POLICY", .wide = true},
	{.title = "WHY", .wide = true},
};

static json_t *bgp_nodes_json(const struct view *view, const struct ip *address)
{
	json_t *list = json_array();

	for (size_t n = 0; n < view->bgp->count; n++) {
		if (bgp_node_announces(&view->bgp->nodes[n], address))
			json_array_append_new(list, json_string(view->bgp->nodes[n].name));
	}
	return list;
}

static json_t *address_json(const struct view *view, const struct ip *address)
{
	const struct config_pool *pool = alloc_pool_of(view->adoption.alloc, address);
	const struct plan_vip *vip = plan_find(view->plan, address);
	const struct conflict *conflict = conflict_find(&view->adoption.strangers, address);

	return json_pack("{s:s, s:s?, s:s?, s:o, s:I, s:s?}", "address", ip_text(address).s, "pool",
		pool ? pool->name : NULL, "node", vip ? vip->owner : NULL, "bgpNodes",
		bgp_nodes_json(view, address), "sharers", (json_int_t)(vip ? vip->sharers : 0),
		"station", conflict ? mac_text(conflict->mac).s : NULL);
}

static void list(
	const struct view *view, const struct service *service, struct grid *grid, json_t *items)
{
	AUTO_FREE char *addresses = xstrdup(""), *nodes = xstrdup(""), *pools = xstrdup("");
	const char *policy = service->traffic_local ? "Local" : "Cluster";
	json_t *list = json_array();
	struct service_health health;

	service_health(view, service, &health);
	for (uint16_t i = 0; i < service->ingress_count; i++) {
		const struct ip *ip = &service->ingress[i].ip;
		const struct config_pool *pool = alloc_pool_of(view->adoption.alloc, ip);
		const struct plan_vip *vip = plan_find(view->plan, ip);
		AUTO_FREE char *by_bgp = view_bgp_nodes(view, ip);

		if (ip->family == IP_NONE)
			continue;
		addresses = text_join(addresses, ",", ip_text(ip).s);
		for (size_t n = 0; vip && n < vip->serving_count; n++)
			nodes = text_join(nodes, ",", view->plan->nodes[vip->serving[n]]);
		if (*by_bgp)
			nodes = text_join(nodes, ",", by_bgp);
		if (pool)
			pools = text_join(pools, ",", pool->name);
		json_array_append_new(list, address_json(view, ip));
	}
	grid_add(grid, service->meta.namespace);
	grid_add(grid, service->meta.name);
	grid_add(grid, addresses);
	grid_add(grid, nodes);
	grid_add(grid, service_state_name(health.state));
	grid_add(grid, pools);
	grid_add(grid, policy);
	grid_add(grid, health.why);
	json_array_append_new(items,
		json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "namespace", service->meta.namespace,
			"name", service->meta.name, "state", service_state_name(health.state),
			"why", health.why, "addresses", list, "externalTrafficPolicy", policy));
	service_health_done(&health);
}

static void fill(const struct view *view, const struct listing_scope *scope, struct grid *grid,
	json_t *items)
{
	const struct store *services = &view->facts->of[FACT_SERVICE];

	for (size_t i = 0; i < services->count; i++) {
		const struct service *service = services->items[i];

		if (assign_is_ours(view->rules, service) &&
			listing_wants(scope, service->meta.namespace, service->meta.name))
			list(view, service, grid, items);
	}
}

static const struct listing listing = {
	"services", "Service of Herald", LISTING_COLUMNS(columns), 2, true, fill};

static const char doc[] =
	"Lists the Services that are Herald's: addresses, the nodes that announce them, and what "
	"is wrong. With -o wide also the pools, the traffic policy and the reason; \"heraldctl "
	"why\" "
	"says more of one."
	"\vExit codes: 0 done, 1 there is no Service of a name asked for, 2 it could not be told, "
	"64 wrong command line.";

const struct argp services_argp = {
	listing_namespaced_options, listing_parse, "[NAME...]", doc, asking_children, NULL, NULL};

int services_main(int argc, char **argv)
{
	return listing_main(&listing, &services_argp, argc, argv);
}
