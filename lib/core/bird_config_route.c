// SPDX-License-Identifier: Apache-2.0
/*
 * The routes in BIRD's configuration: a static protocol per family with a line per route,
 * and before them a function for each of the different things that routes say. Most routes
 * say the same, so that this makes the text much shorter, and BIRD faster. A function is
 * named by what it does: BIRD takes a route as changed when its function is another one.
 *
 * What all sessions are told stands under BGP's own attributes where BIRD exports those
 * from a static route, and under attributes that the export filters copy where it does not.
 * What some sessions are told instead stands under attributes named after the session. All
 * are declared whether used or not, so that a route never changes a declaration.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "bird_config_parts.h"
#include "herald/base/err.h"

/* Bytes a second that one endpoint stands for in link bandwidth communities: 1 Gbit/s. */
#define ENDPOINT_BANDWIDTH 125000000.0f

const struct bird_attribute bird_attributes[] = {
	{"int", "local_pref", "bgp_local_pref"},
	{"clist", "community", "bgp_community"},
	{"lclist", "large_community", "bgp_large_community"},
	{"int", "med", NULL},
	{"int", "prepend", NULL},
	{"int", "bandwidth", NULL},
	{"ip", "next_hop", NULL},
};
const size_t bird_attribute_count = sizeof(bird_attributes) / sizeof(bird_attributes[0]);

/* " NAME = ", as the offer's session calls the attribute; `session` NULL: as all do. */
static void write_name(FILE *out, const struct bgp_session *session, enum bird_attribute_kind kind)
{
	const struct bird_attribute *attribute = &bird_attributes[kind];

	if (session)
		fprintf(out, " %s_%s = ", session->protocol, attribute->name);
	else if (attribute->builtin)
		fprintf(out, " %s = ", attribute->builtin);
	else
		fprintf(out, " herald_%s = ", attribute->name);
}

static void write_communities(FILE *out, const struct bgp_session *session,
	const struct bgp_attributes *attributes, enum config_community_kind kind)
{
	bool large = kind == COMMUNITY_LARGE;
	size_t count = 0;

	for (size_t i = 0; i < attributes->community_count; i++)
		count += attributes->communities[i].kind == kind;
	if (count == 0)
		return;
	write_name(out, session, large ? BIRD_LARGE_COMMUNITY : BIRD_COMMUNITY);
	for (size_t i = 0; i < count; i++)
		fputs("add(", out);
	fputs(large ? "---empty---" : "-empty-", out);
	for (size_t i = 0; i < attributes->community_count; i++) {
		const struct config_community_value *value = &attributes->communities[i];

		if (value->kind != kind)
			continue;
		fprintf(out, ",(%" PRIu32 ",%" PRIu32, value->parts[0], value->parts[1]);
		if (large)
			fprintf(out, ",%" PRIu32, value->parts[2]);
		fputs("))", out);
	}
	fputc(';', out);
}

static void write_number(
	FILE *out, const struct bgp_session *session, enum bird_attribute_kind kind, uint32_t value)
{
	write_name(out, session, kind);
	fprintf(out, "%" PRIu32 ";", value);
}

/* The float of the link bandwidth community, as the 32 bits that it is. */
static uint32_t bandwidth_bits(uint32_t endpoints)
{
	float bandwidth = (float)endpoints * ENDPOINT_BANDWIDTH;
	uint32_t bits;

	memcpy(&bits, &bandwidth, sizeof(bits));
	return bits;
}

static void write_attributes(
	FILE *out, const struct bgp_session *session, const struct bgp_attributes *attributes)
{
	if (session)
		fprintf(out, " %s_told = 1;", session->protocol);
	if (attributes->has_local_pref)
		write_number(out, session, BIRD_LOCAL_PREF, attributes->local_pref);
	write_communities(out, session, attributes, COMMUNITY_STANDARD);
	write_communities(out, session, attributes, COMMUNITY_LARGE);
	if (attributes->has_med)
		write_number(out, session, BIRD_MED, attributes->med);
	if (attributes->prepend)
		write_number(out, session, BIRD_PREPEND, attributes->prepend);
	if (attributes->bandwidth)
		write_number(out, session, BIRD_BANDWIDTH, bandwidth_bits(attributes->bandwidth));
	if (attributes->next_hop.family != IP_NONE) {
		write_name(out, session, BIRD_NEXT_HOP);
		fprintf(out, "%s;", ip_text(&attributes->next_hop).s);
	}
}

/* What the routes of a recipe say. */
struct saying {
	uint64_t hash; /* of the text; SAYS_NOTHING: there is none */
	char *text;
};
#define SAYS_NOTHING 0

struct sayings {
	struct saying *items; /* sorted by hash once all are made */
	uint64_t *by_recipe;
	size_t count;
};

static char *text_of(const struct bgp_plan *plan, const struct bgp_route *route)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool for_all = false;

	if (!out)
		DIE("no memory");
	for (size_t i = 0; i < route->offer_count; i++) {
		const struct bgp_offer *offer = &route->offers[i];

		for_all = for_all || offer->to_all;
		if (offer->to_all)
			write_attributes(out, NULL, offer->attributes);
		for (size_t s = 0; s < offer->session_count; s++)
			write_attributes(
				out, &plan->sessions[offer->sessions[s]], offer->attributes);
	}
	if (!for_all)
		fputs(" herald_some = 1;", out);
	if (fclose(out) != 0)
		DIE("no memory");
	return text;
}

static int compare_sayings(const void *a, const void *b)
{
	const struct saying *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static void make_sayings(struct sayings *ret, const struct bgp_plan *plan)
{
	AUTO_FREE bool *made = xcalloc(plan->recipe_count + 1, sizeof(*made));

	ret->items = xcalloc(plan->recipe_count + 1, sizeof(*ret->items));
	ret->by_recipe = xcalloc(plan->recipe_count + 1, sizeof(*ret->by_recipe));
	for (size_t i = 0; i < plan->route_count; i++) {
		const struct bgp_route *route = &plan->routes[i];
		struct saying *saying = &ret->items[ret->count];

		if (made[route->recipe])
			continue;
		made[route->recipe] = true;
		saying->text = text_of(plan, route);
		saying->hash =
			*saying->text ? XXH64(saying->text, strlen(saying->text), 0) : SAYS_NOTHING;
		ret->by_recipe[route->recipe] = saying->hash;
		ret->count++;
	}
	qsort(ret->items, ret->count, sizeof(*ret->items), compare_sayings);
}

static void sayings_done(struct sayings *sayings)
{
	for (size_t i = 0; i < sayings->count; i++)
		free(sayings->items[i].text);
	free(sayings->items);
	free(sayings->by_recipe);
}

static void write_sayings(FILE *out, const struct sayings *sayings)
{
	uint64_t last = SAYS_NOTHING;

	for (size_t i = 0; i < sayings->count; i++) {
		const struct saying *saying = &sayings->items[i];

		if (saying->hash != last)
			fprintf(out, "\nfunction herald_says_%016" PRIx64 "() {%s }\n",
				saying->hash, saying->text);
		last = saying->hash;
	}
}

static void write_route(FILE *out, const struct bgp_route *route, uint64_t says)
{
	fprintf(out, "\troute %s/%u unreachable", ip_text(&route->prefix.address).s,
		route->prefix.length);
	if (says == SAYS_NOTHING)
		fputs(";\n", out);
	else
		fprintf(out, " { herald_says_%016" PRIx64 "(); };\n", says);
}

static void write_static(
	FILE *out, const struct bgp_plan *plan, const struct sayings *sayings, uint8_t family)
{
	bool v4 = family == IP_V4;

	fprintf(out,
		"\nprotocol static %s {\n"
		"\t%s { table %s; };\n",
		v4 ? BIRD_IPV4_NAME : BIRD_IPV6_NAME, v4 ? "ipv4" : "ipv6",
		v4 ? BIRD_IPV4_TABLE : BIRD_IPV6_TABLE);
	for (size_t i = 0; i < plan->route_count; i++) {
		if (plan->routes[i].prefix.address.family == family)
			write_route(
				out, &plan->routes[i], sayings->by_recipe[plan->routes[i].recipe]);
	}
	fputs("}\n", out);
}

static void declare(FILE *out, const struct bgp_plan *plan)
{
	fputs("\nattribute int herald_some;\n", out);
	for (size_t i = 0; i < bird_attribute_count; i++) {
		if (!bird_attributes[i].builtin)
			fprintf(out, "attribute %s herald_%s;\n", bird_attributes[i].type,
				bird_attributes[i].name);
	}
	for (size_t s = 0; s < plan->session_count; s++) {
		const char *session = plan->sessions[s].protocol;

		fprintf(out, "attribute int %s_told;\n", session);
		for (size_t i = 0; i < bird_attribute_count; i++)
			fprintf(out, "attribute %s %s_%s;\n", bird_attributes[i].type, session,
				bird_attributes[i].name);
	}
}

void bird_write_routes(FILE *out, const struct bgp_plan *plan)
{
	struct sayings sayings = {0};

	fputs("\nipv4 table " BIRD_IPV4_TABLE ";\nipv6 table " BIRD_IPV6_TABLE ";\n", out);
	declare(out, plan);
	make_sayings(&sayings, plan);
	write_sayings(out, &sayings);
	write_static(out, plan, &sayings, IP_V4);
	write_static(out, plan, &sayings, IP_V6);
	sayings_done(&sayings);
}
