// SPDX-License-Identifier: Apache-2.0
/*
 * The BGP plan of one node. In: configuration, Services, EndpointSlices, Nodes, members.
 * Out: sessions, routes, every address with this node's verdict, and what is held back.
 * Sessions come from bgp_session.c.
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
	if (plan->problem_count == m->problem_room) {
		m->problem_room = 2 * m->problem_room + 8;
		plan->problems = xrealloc(plan->problems, m->problem_room, sizeof(*plan->problems));
	}
	plan->problems[plan->problem_count++] = (struct bgp_problem){
		.kind = concern->kind,
		.namespace = bgp_keep_text(m, concern->namespace),
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

static void make_routes(struct bgp_maker *m)
{
	static const struct bgp_attributes plain;
	const struct plan_input *cluster = m->input->cluster;
	struct plan_claims claims = plan_claims_collect(cluster);
	struct bgp_plan *plan = m->plan;

	plan->routes = arena_alloc(&plan->memory, claims.count, sizeof(*plan->routes));
	plan->vips = arena_alloc(&plan->memory, claims.count, sizeof(*plan->vips));
	for (size_t begin = 0, end; begin < claims.count; begin = end) {
		const struct plan_claim *claim = &claims.items[begin];
		struct bgp_vip *vip = &plan->vips[plan->vip_count++];
		size_t *index = arena_alloc(&plan->memory, 1, sizeof(*index));
		struct bgp_offer *offer = arena_alloc(&plan->memory, 1, sizeof(*offer));

		end = plan_claims_end(&claims, begin);
		*index = plan->route_count;
		*offer = (struct bgp_offer){.attributes = &plain, .to_all = true};
		*vip = (struct bgp_vip){.address = claim->address,
			.namespace = bgp_keep_text(m, claim->service->meta.namespace),
			.service = bgp_keep_text(m, claim->service->meta.name),
			.uid = bgp_keep_text(m, claim->service->meta.uid),
			.covered = true,
			.announced = plan->node_verdict >= PLAN_ELIGIBLE,
			.verdict = plan->node_verdict,
			.routes = index,
			.route_count = plan->node_verdict >= PLAN_ELIGIBLE};
		if (vip->announced)
			plan->routes[plan->route_count++] = (struct bgp_route){
				.prefix = ip_prefix_of(
					&claim->address, claim->address.family == IP_V4 ? 32 : 128),
				.offers = offer,
				.offer_count = 1,
				.vip_count = 1};
	}
	plan_claims_done(&claims);
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
	bgp_make_sessions(&m);
	make_routes(&m);
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

static bool names_session(const struct bgp_offer *offer, size_t session)
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
		if (route->offers[i].to_all || names_session(&route->offers[i], session))
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
