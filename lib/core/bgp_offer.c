// SPDX-License-Identifier: Apache-2.0
/*
 * What a route says to whom. In: the advertisements that make it, in the configuration's
 * order. Out: offers, one for all sessions, and one for each group of sessions that others
 * hear more of. Communities are united; of what a route can have once the first
 * advertisement that sets it is followed, and a later one that differs is told of (B10).
 * Routes made of the same advertisements share one recipe.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "bgp_parts.h"
#include "herald/base/err.h"

static const struct config_community_value graceful_shutdown = {COMMUNITY_STANDARD, {65535, 0}};

/* The advertisements that one group of sessions hears of. */
struct mix {
	const struct bgp_recipe *recipe;
	const bool *taken; /* by index of the recipe's rules */
	const struct config_bgp_advertisement *sets[AGREED_COUNT];
};

static int compare_communities(const void *a, const void *b)
{
	const struct config_community_value *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	for (size_t i = 0; i < 3; i++) {
		if (x->parts[i] != y->parts[i])
			return x->parts[i] < y->parts[i] ? -1 : 1;
	}
	return 0;
}

static void unite_communities(
	struct bgp_maker *m, const struct mix *mix, struct bgp_attributes *ret)
{
	const struct bgp_ingredients *from = &mix->recipe->from;
	struct config_community_value *all;
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < from->rule_count; i++)
		count += mix->taken[i] ? m->rules[from->rules[i]].from->community_count : 0;
	all = arena_alloc(&m->plan->memory, count + 1, sizeof(*all));
	count = 0;
	for (size_t i = 0; i < from->rule_count; i++) {
		const struct config_bgp_advertisement *rule = m->rules[from->rules[i]].from;

		if (!mix->taken[i] || rule->community_count == 0)
			continue;
		memcpy(all + count, rule->communities, rule->community_count * sizeof(*all));
		count += rule->community_count;
	}
	if (m->input->drain == BGP_DRAIN_SHUTDOWN)
		all[count++] = graceful_shutdown;
	qsort(all, count, sizeof(*all), compare_communities);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || compare_communities(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	}
	ret->communities = all;
	ret->community_count = kept;
}

static void tell_disagreement(struct bgp_maker *m, struct bgp_recipe *recipe,
	const struct config_bgp_advertisement *first, const struct config_bgp_advertisement *second,
	enum config_agreed field)
{
	const struct bgp_concern concern = {BGP_PROBLEM_ADVERTISEMENT, second->name, second->line};
	AUTO_FREE char *text = xasprintf("the advertisement \"%s\" on line %u sets %s %s where "
					 "\"%s\" on line %u sets %s for "
					 "the same routes: the latter is followed; make them "
					 "equal, or keep the two apart by "
					 "pools, peers or selectors",
		second->name, second->line, config_agreed_name(field),
		config_agreed_text(second, field).s, first->name, first->line,
		config_agreed_text(first, field).s);

	bgp_tell(m, &concern, "%s", text);
	if (!*recipe->problem)
		recipe->problem = bgp_keep_text(m, text);
}

/* Of each thing that a route has once the advertisement that is followed. */
static void choose(struct bgp_maker *m, struct bgp_recipe *recipe, struct mix *mix)
{
	const struct bgp_ingredients *from = &recipe->from;

	for (size_t i = 0; i < from->rule_count; i++) {
		const struct config_bgp_advertisement *rule = m->rules[from->rules[i]].from;

		for (unsigned f = 0; mix->taken[i] && f < AGREED_COUNT; f++) {
			enum config_agreed field = (enum config_agreed)f;

			if (!config_advertisement_sets(rule, field, from->family))
				continue;
			if (!mix->sets[f])
				mix->sets[f] = rule;
			else if (!config_advertisements_agree(
					 mix->sets[f], rule, field, from->family))
				tell_disagreement(m, recipe, mix->sets[f], rule, field);
		}
	}
}

static struct ip next_hop_of(
	struct bgp_maker *m, const struct config_bgp_advertisement *rule, uint8_t family)
{
	const struct bgp_concern concern = {BGP_PROBLEM_ADVERTISEMENT, rule->name, rule->line};
	struct ip ip = rule->next_hop_address;

	if (rule->next_hop == NEXT_HOP_GIVEN)
		return ip;
	ip = bgp_node_address(m->self, family);
	if (ip.family == IP_NONE)
		bgp_tell(m, &concern,
			"the advertisement \"%s\" on line %u wants the node's address as next hop, "
			"but the node \"%s\" has no IPv%u address: its routes lead to where the "
			"session comes from",
			rule->name, rule->line, m->self->meta.name, family);
	return ip;
}

static void set_weight(
	uint32_t weight, const struct bgp_ingredients *from, struct bgp_attributes *ret)
{
	if (from->endpoints == 0)
		return;
	if (weight == WEIGHT_BANDWIDTH)
		ret->bandwidth = from->endpoints;
	else
		ret->prepend += from->behind;
	if (ret->prepend > CONFIG_PREPEND_MAX)
		ret->prepend = CONFIG_PREPEND_MAX;
}

static const struct bgp_attributes *make_attributes(
	struct bgp_maker *m, struct bgp_recipe *recipe, const bool *taken)
{
	struct bgp_attributes *ret = arena_alloc(&m->plan->memory, 1, sizeof(*ret));
	struct mix mix = {.recipe = recipe, .taken = taken};

	choose(m, recipe, &mix);
	unite_communities(m, &mix, ret);
	if (mix.sets[AGREED_LOCAL_PREF]) {
		ret->has_local_pref = true;
		ret->local_pref = mix.sets[AGREED_LOCAL_PREF]->local_pref;
	}
	if (mix.sets[AGREED_MED]) {
		ret->has_med = true;
		ret->med = mix.sets[AGREED_MED]->med;
	}
	if (mix.sets[AGREED_PREPEND])
		ret->prepend = mix.sets[AGREED_PREPEND]->prepend;
	if (mix.sets[AGREED_NEXT_HOP])
		ret->next_hop = next_hop_of(m, mix.sets[AGREED_NEXT_HOP], recipe->from.family);
	if (mix.sets[AGREED_WEIGHT])
		set_weight(mix.sets[AGREED_WEIGHT]->weight, &recipe->from, ret);
	if (m->input->drain == BGP_DRAIN_SHUTDOWN) {
		ret->has_local_pref = true;
		ret->local_pref = 0;
	}
	return ret;
}

/* Which of the advertisements the session hears of; SIZE_MAX: those that all hear of. */
static bool take_rules(const struct bgp_maker *m, const struct bgp_ingredients *from,
	size_t session, bool *ret_taken)
{
	bool any = false;

	for (size_t i = 0; i < from->rule_count; i++) {
		const bool *sessions = m->rules[from->rules[i]].sessions;

		ret_taken[i] = !sessions || (session != SIZE_MAX && sessions[session]);
		any = any || ret_taken[i];
	}
	return any;
}

/* Sessions that hear of the same advertisements, as rows of flags. */
struct groups {
	bool *taken; /* a row for each group; the first is what all hear of */
	size_t width, count;
	bool has_all;	    /* they do hear of something */
	size_t *of_session; /* SIZE_MAX: of none, or as all */
};

static size_t find_group(struct groups *g, const bool *row)
{
	for (size_t i = g->has_all ? 0 : 1; i < g->count; i++) {
		if (memcmp(g->taken + i * g->width, row, g->width * sizeof(*row)) == 0)
			return i;
	}
	return g->count++;
}

static void group_sessions(
	const struct bgp_maker *m, const struct bgp_ingredients *from, struct groups *g)
{
	g->has_all = take_rules(m, from, SIZE_MAX, g->taken);
	g->count = 1;
	for (size_t s = 0; s < m->plan->session_count; s++) {
		const struct bgp_session *session = &m->plan->sessions[s];
		bool *row = g->taken + g->count * g->width; /* becomes a group's, if new */
		size_t group = SIZE_MAX;

		if ((from->family == IP_V4 ? session->ipv4 : session->ipv6) &&
			take_rules(m, from, s, row))
			group = find_group(g, row);
		g->of_session[s] = group == 0 ? SIZE_MAX : group;
	}
}

static void name_sessions(
	struct bgp_maker *m, const struct groups *g, size_t group, struct bgp_offer *offer)
{
	size_t count = 0, *sessions;

	for (size_t s = 0; s < m->plan->session_count; s++)
		count += g->of_session[s] == group;
	sessions = arena_alloc(&m->plan->memory, count, sizeof(*sessions));
	for (size_t s = 0; s < m->plan->session_count; s++) {
		if (g->of_session[s] == group)
			sessions[offer->session_count++] = s;
	}
	offer->sessions = sessions;
}

static void make_offers(struct bgp_maker *m, struct bgp_recipe *recipe)
{
	size_t sessions = m->plan->session_count, width = recipe->from.rule_count;
	struct groups g = {.width = width,
		.taken = xcalloc((sessions + 2) * width, sizeof(bool)),
		.of_session = xcalloc(sessions, sizeof(size_t))};
	struct bgp_offer *offers;

	group_sessions(m, &recipe->from, &g);
	offers = arena_alloc(&m->plan->memory, g.count, sizeof(*offers));
	for (size_t i = g.has_all ? 0 : 1; i < g.count; i++) {
		struct bgp_offer *offer = &offers[recipe->offer_count++];

		offer->attributes = make_attributes(m, recipe, g.taken + i * width);
		offer->to_all = i == 0;
		if (i > 0)
			name_sessions(m, &g, i, offer);
	}
	recipe->offers = offers;
	free(g.taken);
	free(g.of_session);
}

static uint64_t hash_of(const struct bgp_ingredients *from)
{
	uint64_t seed =
		((uint64_t)from->endpoints << 40) ^ ((uint64_t)from->behind << 8) ^ from->family;

	return XXH64(from->rules, from->rule_count * sizeof(*from->rules), seed);
}

static bool is_same(const struct bgp_ingredients *a, const struct bgp_ingredients *b)
{
	return a->family == b->family && a->endpoints == b->endpoints && a->behind == b->behind &&
	       a->rule_count == b->rule_count &&
	       memcmp(a->rules, b->rules, a->rule_count * sizeof(*a->rules)) == 0;
}

static void grow(struct bgp_maker *m)
{
	size_t room = m->recipe_room ? 2 * m->recipe_room : 64;
	struct bgp_recipe **wider = xcalloc(room, sizeof(struct bgp_recipe *));

	for (size_t i = 0; i < m->recipe_room; i++) {
		size_t at = m->recipes[i] ? m->recipes[i]->hash & (room - 1) : 0;

		if (!m->recipes[i])
			continue;
		while (wider[at])
			at = (at + 1) & (room - 1);
		wider[at] = m->recipes[i];
	}
	free(m->recipes);
	m->recipes = wider;
	m->recipe_room = room;
}

static struct bgp_recipe *make_recipe(
	struct bgp_maker *m, const struct bgp_ingredients *from, uint64_t hash)
{
	struct bgp_recipe *recipe = arena_alloc(&m->plan->memory, 1, sizeof(*recipe));
	uint32_t *rules = arena_alloc(&m->plan->memory, from->rule_count, sizeof(*rules));

	memcpy(rules, from->rules, from->rule_count * sizeof(*rules));
	*recipe = (struct bgp_recipe){.hash = hash, .from = *from, .problem = ""};
	recipe->from.rules = rules;
	make_offers(m, recipe);
	return recipe;
}

const struct bgp_recipe *bgp_recipe_for(struct bgp_maker *m, const struct bgp_ingredients *from)
{
	uint64_t hash = hash_of(from);
	size_t at;

	if (2 * (m->plan->recipe_count + 1) > m->recipe_room)
		grow(m);
	at = hash & (m->recipe_room - 1);
	while (m->recipes[at] &&
		(m->recipes[at]->hash != hash || !is_same(&m->recipes[at]->from, from)))
		at = (at + 1) & (m->recipe_room - 1);
	if (!m->recipes[at]) {
		m->recipes[at] = make_recipe(m, from, hash);
		m->recipes[at]->index = m->plan->recipe_count++;
	}
	return m->recipes[at];
}

void bgp_recipes_done(struct bgp_maker *m)
{
	free(m->recipes);
	m->recipes = NULL;
}
