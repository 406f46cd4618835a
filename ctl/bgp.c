// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl bgp: the sessions that each node is to have and what its speaker tells of them
 * (peers), and the routes that each node is to announce to whom (routes), as the speakers
 * plan them.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp_view.h"
#include "herald/base/err.h"
#include "listing.h"

static const struct grid_column peer_columns[] = {
	{.title = "NODE"},
	{.title = "PEER"},
	{.title = "STATE"},
	{.title = "ROUTES"},
	{.title = "ADDRESS", .wide = true},
	{.title = "ASN", .wide = true},
	{.title = "ERROR", .wide = true},
};

static const struct grid_column route_columns[] = {
	{.title = "NODE"},
	{.title = "PREFIX"},
	{.title = "PEERS"},
	{.title = "SERVICES"},
	{.title = "LOCALPREF", .wide = true},
	{.title = "COMMUNITIES", .wide = true},
};

/* Where the peer is: its address, range or interface; malloc'ed. */
static char *place_of_peer(const struct bgp_session *session)
{
	if (session->address.family != IP_NONE)
		return xstrdup(ip_text(&session->address).s);
	if (session->range.address.family != IP_NONE)
		return xasprintf(
			"%s/%u", ip_text(&session->range.address).s, session->range.length);
	return xstrdup(session->interface);
}

static void list_peer(const struct bgp_node *node, const char *peer,
	const struct bgp_session *session, const char *held_back, struct grid *grid, json_t *items)
{
	const struct bgp_peer *told = bgp_peer_find(&node->told, peer);
	const char *state = held_back ? "held" : told ? told->state : "unknown";
	const char *error = held_back ? held_back : told ? told->error : "";
	AUTO_FREE char *place = session ? place_of_peer(session) : xstrdup("");
	int64_t exported = told ? told->exported : -1;

	grid_add(grid, node->name);
	grid_add(grid, peer);
	grid_add(grid, state);
	if (exported >= 0)
		grid_addf(grid, "%lld", (long long)exported);
	else
		grid_add(grid, "");
	grid_add(grid, place);
	grid_addf(grid, "%u", session ? session->peer_asn : 0);
	grid_add(grid, error);
	json_array_append_new(items,
		json_pack("{s:s, s:s, s:s, s:o, s:s, s:I, s:s}", "node", node->name, "name", peer,
			"state", state, "exported",
			exported >= 0 ? json_integer(exported) : json_null(), "address", place,
			"asn", (json_int_t)(session ? session->peer_asn : 0), "error", error));
}

/* Advertisements that are not followed, and a node that has no session at all. */
static void note_problems(const struct bgp_node *node)
{
	for (size_t i = 0; i < node->plan->problem_count; i++) {
		const struct bgp_problem *problem = &node->plan->problems[i];

		if (problem->kind != BGP_PROBLEM_PEER)
			complain("note: %s: %s%s%s", node->name, problem->name,
				*problem->name ? ": " : "", problem->text);
	}
}

static void note_no_bgp(const struct view *view)
{
	if (view->config && !view->config->bgp)
		complain("note: the configuration has no section bgp");
	else if (!view->config)
		complain("note: the configuration in force is not known: %s", view->config_problem);
}

static void fill_peers(const struct view *view, const struct listing_scope *scope,
	struct grid *grid, json_t *items)
{
	note_no_bgp(view);
	for (size_t n = 0; n < view->bgp->count; n++) {
		const struct bgp_node *node = &view->bgp->nodes[n];

		note_problems(node);
		for (size_t s = 0; s < node->plan->session_count; s++) {
			const struct bgp_session *session = &node->plan->sessions[s];

			if (listing_wants(scope, "", session->peer))
				list_peer(node, session->peer, session, NULL, grid, items);
		}
		for (size_t i = 0; i < node->plan->problem_count; i++) {
			const struct bgp_problem *problem = &node->plan->problems[i];

			if (problem->kind == BGP_PROBLEM_PEER &&
				listing_wants(scope, "", problem->name))
				list_peer(node, problem->name, NULL, problem->text, grid, items);
		}
	}
}

static bool offer_reaches(const struct bgp_plan *plan, const struct bgp_route *route,
	const struct bgp_offer *offer, size_t session)
{
	if (!offer->to_all)
		return bgp_offer_names(offer, session) &&
		       bgp_route_is_offered(plan, route, session);
	for (size_t i = 0; i < route->offer_count; i++) {
		if (bgp_offer_names(&route->offers[i], session))
			return false;
	}
	return bgp_route_is_offered(plan, route, session);
}

/* For each route the Services that it is for: "default/web,default/api"; malloc'ed. */
static char **services_by_route(const struct bgp_plan *plan)
{
	char **texts = xcalloc(plan->route_count + 1, sizeof(*texts));

	for (size_t r = 0; r < plan->route_count; r++)
		texts[r] = xstrdup("");
	for (size_t v = 0; v < plan->vip_count; v++) {
		const struct bgp_vip *vip = &plan->vips[v];
		AUTO_FREE char *name = xasprintf("%s/%s", vip->namespace, vip->service);

		for (size_t r = 0; r < vip->route_count; r++)
			texts[vip->routes[r]] = text_join(texts[vip->routes[r]], ",", name);
	}
	return texts;
}

/* "64512:1" or "64512:1:2". */
static char *communities_of(const struct bgp_attributes *attributes)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < attributes->community_count; i++) {
		const struct config_community_value *value = &attributes->communities[i];
		AUTO_FREE char *one =
			value->kind == COMMUNITY_LARGE
				? xasprintf("%u:%u:%u", value->parts[0], value->parts[1],
					  value->parts[2])
				: xasprintf("%u:%u", value->parts[0], value->parts[1]);

		text = text_join(text, ",", one);
	}
	return text;
}

static void list_offer(const struct bgp_node *node, const struct bgp_route *route,
	const struct bgp_offer *offer, const char *services, struct grid *grid, json_t *items)
{
	const struct bgp_plan *plan = node->plan;
	const struct bgp_attributes *attributes = offer->attributes;
	AUTO_FREE char *prefix =
		xasprintf("%s/%u", ip_text(&route->prefix.address).s, route->prefix.length);
	AUTO_FREE char *peer_names = xstrdup("");
	AUTO_FREE char *communities = communities_of(attributes);
	json_t *list = json_array();

	for (size_t s = 0; s < plan->session_count; s++) {
		if (!offer_reaches(plan, route, offer, s))
			continue;
		peer_names = text_join(peer_names, ",", plan->sessions[s].peer);
		json_array_append_new(list, json_string(plan->sessions[s].peer));
	}
	grid_add(grid, node->name);
	grid_add(grid, prefix);
	grid_add(grid, peer_names);
	grid_add(grid, services);
	if (attributes->has_local_pref)
		grid_addf(grid, "%u", attributes->local_pref);
	else
		grid_add(grid, "");
	grid_add(grid, communities);
	json_array_append_new(
		items, json_pack("{s:s, s:s, s:o, s:s, s:o, s:s}", "node", node->name, "name",
			       prefix, "peers", list, "services", services, "localPref",
			       attributes->has_local_pref ? json_integer(attributes->local_pref)
							  : json_null(),
			       "communities", communities));
}

static void list_node(const struct bgp_node *node, const struct listing_scope *scope,
	struct grid *grid, json_t *items)
{
	char **services = services_by_route(node->plan);

	for (size_t r = 0; r < node->plan->route_count; r++) {
		const struct bgp_route *route = &node->plan->routes[r];
		AUTO_FREE char *prefix =
			xasprintf("%s/%u", ip_text(&route->prefix.address).s, route->prefix.length);

		for (size_t o = 0; o < route->offer_count; o++) {
			if (listing_wants(scope, "", prefix))
				list_offer(
					node, route, &route->offers[o], services[r], grid, items);
		}
		free(services[r]);
	}
	free(services);
}

static void fill_routes(const struct view *view, const struct listing_scope *scope,
	struct grid *grid, json_t *items)
{
	note_no_bgp(view);
	for (size_t n = 0; n < view->bgp->count; n++) {
		const struct bgp_node *node = &view->bgp->nodes[n];

		note_problems(node);
		if (node->is_alive)
			list_node(node, scope, grid, items);
	}
}

static const struct listing peers = {
	"peers", "BGP peer", LISTING_COLUMNS(peer_columns), 2, false, fill_peers};
static const struct listing routes = {
	"routes", "route", LISTING_COLUMNS(route_columns), 3, false, fill_routes};

static const char doc[] =
	"peers: the BGP sessions that each node is to have, and what its speaker tells of them. "
	"routes: which node is to announce which prefix to which peers, as the speakers plan it, "
	"and for which Services. NAME: of a peer, or a prefix."
	"\vExit codes: 0 done, 1 there is no peer or route of a name asked for, 2 it could not be "
	"told, 64 wrong command line.";

const struct argp bgp_argp = {
	listing_options, listing_parse, "peers|routes [NAME...]", doc, asking_children, NULL, NULL};

int bgp_main(int argc, char **argv)
{
	static const struct listing *const listings[] = {&peers, &routes};
	AUTO_FREE char *title = NULL;

	for (size_t i = 0; argc > 1 && i < 2; i++) {
		if (strcmp(argv[1], listings[i]->member) != 0)
			continue;
		title = xasprintf("%s %s", argv[0], argv[1]);
		argv[1] = title;
		return listing_main(listings[i], &bgp_argp, argc - 1, argv + 1);
	}
	return listing_main(NULL, &bgp_argp, argc, argv);
}
