// SPDX-License-Identifier: Apache-2.0
/*
 * The BGP plan of one node. In: configuration, Services, EndpointSlices, Nodes, members.
 * Out: sessions, routes, every address with this node's verdict, and what is held back.
 * Sessions come from bgp_session.c, addresses and routes from bgp_route.c.
 */
#include "herald/core/bgp_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp_parts.h"
#include "herald/base/err.h"

const char *bgp_keep_text(struct bgp_maker *m, const char *text)
{
	return arena_strndup(&m->plan->memory, text, strlen(text));
}

void bgp_tell(struct bgp_maker *m, const struct bgp_concern *concern, const char *fmt, ...)
{
	struct bgp_plan *plan = m->plan;
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (size_t i = 0; i < plan->problem_count; i++) {
		if (strcmp(plan->problems[i].text, text) == 0)
			return;
	}
	if (plan->problem_count == m->problem_room) {
		m->problem_room = 2 * m->problem_room + 8;
		plan->problems = xrealloc(plan->problems, m->problem_room, sizeof(*plan->problems));
	}
	plan->problems[plan->problem_count++] = (struct bgp_problem){
		.kind = concern->kind,
		.name = bgp_keep_text(m, concern->name),
		.line = concern->line,
		.text = bgp_keep_text(m, text),
	};
}

static const struct node *find_self(const struct plan_input *cluster)
{
	for (size_t i = 0; i < cluster->node_count; i++) {
		if (strcmp(cluster->nodes[i]->meta.name, cluster->self) == 0)
			return cluster->nodes[i];
	}
	return NULL;
}

uint8_t bgp_plan_node_verdict(const struct plan_input *cluster)
{
	const struct node *self = find_self(cluster);

	return self ? plan_judge_node(cluster, self) : PLAN_NO_SPEAKER;
}

static size_t find_self_index(const struct bgp_maker *m)
{
	for (size_t n = 0; n < m->facts.node_count; n++) {
		if (m->facts.nodes[n].node == m->self)
			return n;
	}
	DIE("the node is not among the nodes");
}

struct ip bgp_node_address(const struct node *node, uint8_t family)
{
	for (size_t i = 0; i < node->address_count; i++) {
		if (node->addresses[i].family == family)
			return node->addresses[i];
	}
	return (struct ip){0};
}

struct bgp_plan *bgp_plan_make(const struct bgp_plan_input *input)
{
	const struct plan_input *cluster = input->cluster;
	struct bgp_maker m = {.input = input};

	if (!cluster->config || !cluster->config->bgp)
		return NULL;
	m.config = cluster->config->bgp;
	m.self = find_self(cluster);
	m.plan = xcalloc(1, sizeof(*m.plan));
	m.plan->node_verdict = bgp_plan_node_verdict(cluster);
	m.plan->extra = bgp_keep_text(&m, m.config->extra);
	if (!m.self)
		return m.plan;
	plan_facts_init(&m.facts, cluster);
	m.self_index = find_self_index(&m);
	bgp_make_sessions(&m);
	bgp_make_routes(&m);
	bgp_recipes_done(&m);
	plan_facts_done(&m.facts);
	return m.plan;
}

void bgp_plan_free(struct bgp_plan *plan)
{
	if (!plan)
		return;
	free(plan->problems);
	arena_done(&plan->memory);
	free(plan);
}

static int compare_to_vip(const void *address, const void *vip)
{
	return ip_compare(address, &((const struct bgp_vip *)vip)->address);
}

const struct bgp_vip *bgp_plan_find(const struct bgp_plan *plan, const struct ip *address)
{
	if (plan->vip_count == 0)
		return NULL;
	return bsearch(address, plan->vips, plan->vip_count, sizeof(*plan->vips), compare_to_vip);
}

const char *bgp_verdict_text(uint8_t verdict)
{
	if (verdict == PLAN_NO_RULE)
		return "no advertisement covers this pool and Service";
	if (verdict == PLAN_NOT_SELECTED)
		return "no advertisement's nodeSelectors select it";
	if (verdict == PLAN_NO_ENDPOINT)
		return "no endpoint there (traffic policy Local)";
	return plan_verdict_text(verdict);
}

bool bgp_offer_names(const struct bgp_offer *offer, size_t session)
{
	for (size_t i = 0; i < offer->session_count; i++) {
		if (offer->sessions[i] == session)
			return true;
	}
	return false;
}

bool bgp_route_is_offered(
	const struct bgp_plan *plan, const struct bgp_route *route, size_t session)
{
	const struct bgp_session *s = &plan->sessions[session];

	if (!(route->prefix.address.family == IP_V4 ? s->ipv4 : s->ipv6))
		return false;
	for (size_t i = 0; i < route->offer_count; i++) {
		if (route->offers[i].to_all || bgp_offer_names(&route->offers[i], session))
			return true;
	}
	return false;
}

const struct bgp_session *bgp_plan_session_of(const struct bgp_plan *plan, const char *protocol)
{
	for (size_t i = 0; i < plan->session_count; i++) {
		const struct bgp_session *s = &plan->sessions[i];
		const char *name = s->dynamic ? s->spawned : s->protocol;
		size_t length = strlen(name);

		if (strcmp(protocol, s->protocol) == 0)
			return s;
		if (s->dynamic && strncmp(protocol, name, length) == 0 && protocol[length] &&
			strspn(protocol + length, "0123456789") == strlen(protocol + length))
			return s;
	}
	return NULL;
}
