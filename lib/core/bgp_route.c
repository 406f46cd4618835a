// SPDX-License-Identifier: Apache-2.0
/*
 * This node's addresses and routes. In: the claims on addresses, the advertisements, what
 * is known of nodes and endpoints. Out: for each address whether this node announces it
 * and why not, and the routes, one for each prefix that some advertisement makes of them.
 * An aggregate is there while one of its members is. What a route says is made by
 * bgp_offer.c.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp_parts.h"
#include "herald/base/err.h"

/* An advertisement makes this route of this address. */
struct part {
	struct ip_prefix prefix;
	uint32_t rule, vip;
	uint32_t endpoints, behind; /* as bgp_ingredients */
	size_t route;		    /* SIZE_MAX: this address is with the route already */
};

/* How the endpoints of one address are spread. */
struct spread {
	const uint8_t *by_node; /* enum plan_endpoints; NULL: they do not matter */
	uint32_t here, most;	/* ready ones, on this node and on the one with most */
};

struct router {
	struct bgp_maker *m;
	struct plan_claims claims;
	struct part *parts;
	size_t part_count, part_room;
	uint8_t *by_node; /* room for one address at a time */
	uint32_t *counts;
};

static bool in_list(const struct config_string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return list->count == 0;
}

static bool *find_sessions(struct bgp_maker *m, const struct config_bgp_advertisement *from)
{
	bool *sessions;

	if (from->peers.count == 0)
		return NULL;
	sessions = arena_alloc(&m->plan->memory, m->plan->session_count, sizeof(*sessions));
	for (size_t s = 0; s < m->plan->session_count; s++)
		sessions[s] = in_list(&from->peers, m->plan->sessions[s].peer);
	return sessions;
}

/* Whether a node is to have a session over which it tells of it. */
static bool has_peer(const struct bgp_maker *m, const struct config_bgp_advertisement *from,
	const struct node *node)
{
	for (size_t i = 0; i < m->config->peer_count; i++) {
		const struct config_bgp_peer *peer = &m->config->peers[i];

		if (in_list(&from->peers, peer->name) &&
			selector_list_matches(&peer->node_selectors, &node->labels))
			return true;
	}
	return false;
}

static void make_rule(
	struct bgp_maker *m, const struct config_bgp_advertisement *from, struct bgp_rule *rule)
{
	const struct config *config = m->input->cluster->config;

	*rule = (struct bgp_rule){.from = from,
		.pools = arena_alloc(&m->plan->memory, config->pool_count + 1, sizeof(bool)),
		.nodes = arena_alloc(&m->plan->memory, m->facts.node_count, sizeof(bool)),
		.sessions = find_sessions(m, from)};
	for (size_t p = 0; p < config->pool_count; p++)
		rule->pools[p] = in_list(&from->pools, config->pools[p].name);
	rule->pools[config->pool_count] = from->pools.count == 0;
	for (size_t n = 0; n < m->facts.node_count; n++) {
		const struct node *node = m->facts.nodes[n].node;

		rule->nodes[n] = selector_list_matches(&from->node_selectors, &node->labels) &&
				 has_peer(m, from, node);
	}
	rule->on_self = selector_list_matches(&from->node_selectors, &m->self->labels);
}

static void make_rules(struct bgp_maker *m)
{
	m->rule_count = m->config->advertisement_count;
	m->rules = arena_alloc(&m->plan->memory, m->rule_count, sizeof(*m->rules));
	for (size_t i = 0; i < m->rule_count; i++)
		make_rule(m, &m->config->advertisements[i], &m->rules[i]);
}

static bool covers(const struct bgp_maker *m, const struct bgp_rule *rule,
	const struct plan_claim *claims, size_t count)
{
	const struct config *config = m->input->cluster->config;

	for (size_t i = 0; i < count; i++) {
		size_t pool = claims[i].pool ? (size_t)(claims[i].pool - config->pools)
					     : config->pool_count;

		if (rule->pools[pool] && selector_list_matches(&rule->from->service_selectors,
						 &claims[i].service->labels))
			return true;
	}
	return false;
}

static uint8_t judge_self(const struct bgp_maker *m)
{
	switch (m->input->drain) {
	case BGP_DRAIN_SHUTDOWN:
		return PLAN_ELIGIBLE;
	case BGP_DRAIN_WITHDRAW:
		return PLAN_LEAVING;
	case BGP_DRAIN_NONE:
		break;
	}
	return m->plan->node_verdict;
}

/* The node's verdict with that on the endpoints there. */
static uint8_t with_endpoints(uint8_t base, const struct spread *spread, size_t node)
{
	if (base < PLAN_REFUSAL_COUNT || !spread->by_node ||
		spread->by_node[node] == PLAN_ENDPOINTS_READY)
		return base;
	return spread->by_node[node] == PLAN_ENDPOINTS_NONE ? PLAN_NO_ENDPOINT
							    : base | PLAN_WORSE_TERMINATING;
}

static bool is_better_elsewhere(const struct bgp_maker *m, const struct bgp_rule *rule,
	const struct spread *spread, uint8_t own)
{
	for (size_t n = 0; own != PLAN_ELIGIBLE && n < m->facts.node_count; n++) {
		uint8_t other = with_endpoints(m->facts.nodes[n].base, spread, n);

		if (n != m->self_index && rule->nodes[n] && other >= PLAN_ELIGIBLE && other < own)
			return true;
	}
	return false;
}

static void add_part(struct router *r, const struct part *part)
{
	if (r->part_count == r->part_room) {
		r->part_room = 2 * r->part_room + 64;
		r->parts = xrealloc(r->parts, r->part_room, sizeof(*r->parts));
	}
	r->parts[r->part_count++] = *part;
}

/* Only where an advertisement weighs, and only under policy Local: else kube-proxy spreads
   what comes here over all endpoints. */
static void weigh(
	struct router *r, const struct plan_claim *claims, size_t count, struct spread *spread)
{
	const struct plan_facts *facts = &r->m->facts;

	if (!spread->by_node || spread->most > 0)
		return;
	memset(r->counts, 0, facts->node_count * sizeof(*r->counts));
	for (size_t i = 0; i < count; i++) {
		if (claims[i].local)
			plan_count_endpoints(
				facts, claims[i].service, claims[i].address.family, r->counts);
	}
	for (size_t n = 0; n < facts->node_count; n++) {
		bool counts = n == r->m->self_index || facts->nodes[n].base >= PLAN_ELIGIBLE;

		if (counts && r->counts[n] > spread->most)
			spread->most = r->counts[n];
	}
	spread->here = r->counts[r->m->self_index];
}

/* What the advertisements that cover an address make of it. */
static void add_parts(struct router *r, const struct plan_claim *claims, size_t count,
	struct spread *spread, struct bgp_vip *vip)
{
	struct bgp_maker *m = r->m;
	size_t index = (size_t)(vip - m->plan->vips);
	bool selected = false;

	for (size_t i = 0; i < m->rule_count; i++) {
		const struct bgp_rule *rule = &m->rules[i];
		bool v4 = claims->address.family == IP_V4;
		uint32_t length =
			v4 ? rule->from->aggregation_length : rule->from->aggregation_length_v6;
		struct part part = {.rule = (uint32_t)i, .vip = (uint32_t)index};

		if (!covers(m, rule, claims, count))
			continue;
		vip->covered = true;
		selected = selected || rule->on_self;
		if (!rule->on_self || vip->verdict < PLAN_ELIGIBLE ||
			is_better_elsewhere(m, rule, spread, vip->verdict))
			continue;
		if (rule->from->weight != WEIGHT_NONE) {
			weigh(r, claims, count, spread);
			part.endpoints = spread->here;
			part.behind = spread->most - spread->here;
		}
		part.prefix = ip_prefix_of(&claims->address, (uint8_t)length);
		add_part(r, &part);
	}
	if (vip->verdict >= PLAN_ELIGIBLE && !selected)
		vip->verdict = vip->covered ? PLAN_NOT_SELECTED : PLAN_NO_RULE;
}

static void add_vip(struct router *r, const struct plan_claim *claims, size_t count)
{
	struct bgp_maker *m = r->m;
	const struct object_meta *meta = &claims->service->meta;
	struct bgp_vip *vip = &m->plan->vips[m->plan->vip_count++];
	struct spread spread = {0};

	if (plan_judge_claims(&m->facts, claims, count, r->by_node))
		spread.by_node = r->by_node;
	*vip = (struct bgp_vip){.address = claims->address,
		.namespace = bgp_keep_text(m, meta->namespace),
		.service = bgp_keep_text(m, meta->name),
		.uid = bgp_keep_text(m, meta->uid),
		.verdict = with_endpoints(judge_self(m), &spread, m->self_index),
		.problem = ""};
	add_parts(r, claims, count, &spread, vip);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_prefixes(const struct ip_prefix *a, const struct ip_prefix *b)
{
	int order = ip_compare(&a->address, &b->address);

	return order ? order : compare_numbers(a->length, b->length);
}

static int compare_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int order = compare_prefixes(&x->prefix, &y->prefix);

	if (order == 0)
		order = compare_numbers(x->rule, y->rule);
	return order ? order : compare_numbers(x->vip, y->vip);
}

/* One route of parts[begin..end); `rules` is room for each advertisement's index. */
static void add_route(
	struct router *r, size_t begin, size_t end, uint32_t *rules, size_t *last_of_vip)
{
	struct bgp_plan *plan = r->m->plan;
	struct bgp_ingredients from = {
		.family = r->parts[begin].prefix.address.family, .rules = rules};
	const struct bgp_recipe *recipe;
	struct bgp_route *route = &plan->routes[plan->route_count];

	*route = (struct bgp_route){.prefix = r->parts[begin].prefix};
	for (size_t i = begin; i < end; i++) {
		struct part *part = &r->parts[i];

		if (from.rule_count == 0 || rules[from.rule_count - 1] != part->rule)
			rules[from.rule_count++] = part->rule;
		if (part->endpoints > 0) {
			from.endpoints = part->endpoints;
			from.behind = part->behind;
		}
		part->route = SIZE_MAX;
		if (last_of_vip[part->vip] == plan->route_count)
			continue;
		part->route = last_of_vip[part->vip] = plan->route_count;
		route->vip_count++;
	}
	recipe = bgp_recipe_for(r->m, &from);
	route->offers = recipe->offers;
	route->offer_count = recipe->offer_count;
	route->recipe = recipe->index;
	plan->route_count += recipe->offer_count > 0;
	for (size_t i = begin; i < end; i++) {
		if (recipe->offer_count == 0)
			r->parts[i].route = SIZE_MAX;
		else if (*recipe->problem && !*plan->vips[r->parts[i].vip].problem)
			plan->vips[r->parts[i].vip].problem = recipe->problem;
	}
}

static void add_routes(struct router *r)
{
	struct bgp_plan *plan = r->m->plan;
	AUTO_FREE uint32_t *rules = xcalloc(r->m->rule_count, sizeof(*rules));
	AUTO_FREE size_t *last_of_vip = xcalloc(plan->vip_count, sizeof(*last_of_vip));

	memset(last_of_vip, 0xff, plan->vip_count * sizeof(*last_of_vip));
	if (r->part_count)
		qsort(r->parts, r->part_count, sizeof(*r->parts), compare_parts);
	plan->routes = arena_alloc(&plan->memory, r->part_count, sizeof(*plan->routes));
	for (size_t begin = 0, end; begin < r->part_count; begin = end) {
		end = begin + 1;
		while (end < r->part_count &&
			compare_prefixes(&r->parts[begin].prefix, &r->parts[end].prefix) == 0)
			end++;
		add_route(r, begin, end, rules, last_of_vip);
	}
}

/* Each address learns which routes stand for it. */
static void link_routes(struct router *r)
{
	struct bgp_plan *plan = r->m->plan;
	size_t *all = arena_alloc(&plan->memory, r->part_count, sizeof(*all));
	size_t used = 0;

	for (size_t i = 0; i < r->part_count; i++)
		plan->vips[r->parts[i].vip].route_count += r->parts[i].route != SIZE_MAX;
	for (size_t v = 0; v < plan->vip_count; v++) {
		struct bgp_vip *vip = &plan->vips[v];

		vip->announced = vip->route_count > 0;
		vip->routes = all + used;
		used += vip->route_count;
		vip->route_count = 0;
	}
	for (size_t i = 0; i < r->part_count; i++) {
		struct bgp_vip *vip = &plan->vips[r->parts[i].vip];

		if (r->parts[i].route != SIZE_MAX)
			all[(size_t)(vip->routes - all) + vip->route_count++] = r->parts[i].route;
	}
}

void bgp_make_routes(struct bgp_maker *m)
{
	struct bgp_plan *plan = m->plan;
	struct router r = {.m = m,
		.claims = plan_claims_collect(m->input->cluster),
		.by_node = xcalloc(m->facts.node_count, 1),
		.counts = xcalloc(m->facts.node_count, sizeof(*r.counts))};

	make_rules(m);
	plan_claims_add_cluster(&r.claims, m->input->cluster);
	plan->vips = arena_alloc(&plan->memory, r.claims.count, sizeof(*plan->vips));
	for (size_t begin = 0, end; begin < r.claims.count; begin = end) {
		end = plan_claims_end(&r.claims, begin);
		add_vip(&r, &r.claims.items[begin], end - begin);
	}
	add_routes(&r);
	link_routes(&r);
	plan_claims_done(&r.claims);
	free(r.parts);
	free(r.by_node);
	free(r.counts);
}
