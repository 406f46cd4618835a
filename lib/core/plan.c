// SPDX-License-Identifier: Apache-2.0
/*
 * The plan: which node owns which address. In: configuration, Services, EndpointSlices,
 * Nodes, members. Out: a sorted list of addresses, each with its owner, the verdict on
 * each node, and where this node would answer. Pure; the same on every node.
 *
 * Addresses fall under few different sets of rules, and few different rows of verdicts
 * exist, so both are made once and shared by all addresses that they hold for.
 */
#include "herald/core/plan.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "herald/base/err.h"
#include "plan_parts.h"

/* What many addresses have alike is in memory once. */
struct kept_row {
	uint64_t hash;
	const void *bytes;
	size_t size;
};

struct maker {
	struct plan_facts facts;
	struct plan *plan;
	struct plan_claims claims;
	struct plan_rules *rules; /* the different sets met */
	size_t rules_count;
	struct kept_row *rows; /* of verdicts, and of nodes that serve */
	size_t row_count;
	/* Room for one address at a time. */
	uint8_t *row, *endpoints;
	size_t *indexes;
	struct plan_election election;
};

bool plan_where_allows(const struct plan_where *where, const struct interface *interface)
{
	if (where->suitable && !interface->only_by_name)
		return true;
	return where->pattern_count > 0 &&
	       interface_is_allowed(interface, where->patterns, where->pattern_count);
}

static bool rule_covers(const struct config_layer2 *rule, const struct plan_claim *claim)
{
	bool pool_matches = rule->pools.count == 0;

	for (size_t i = 0; claim->pool && i < rule->pools.count && !pool_matches; i++)
		pool_matches = strcmp(rule->pools.items[i], claim->pool->name) == 0;
	return pool_matches &&
	       selector_list_matches(&rule->service_selectors, &claim->service->labels);
}

/* The indexes of the rules that cover any of the claims, into m->indexes. */
static size_t find_rules(struct maker *m, const struct plan_claim *claims, size_t count)
{
	size_t found = 0;

	for (size_t r = 0; r < m->facts.rule_count; r++) {
		bool covers = false;

		for (size_t i = 0; i < count && !covers; i++)
			covers = rule_covers(&m->facts.rules[r], &claims[i]);
		if (covers)
			m->indexes[found++] = r;
	}
	return found;
}

/* The patterns of those rules that select ourselves. */
static struct plan_where where_on_self(struct maker *m, const struct plan_rules *rules)
{
	const struct plan_facts *facts = &m->facts;
	struct plan_where where = {0};
	AUTO_FREE const char **patterns = NULL;
	const struct node *self = NULL;

	for (size_t i = 0; i < facts->node_count && !self; i++) {
		if (strcmp(facts->nodes[i].node->meta.name, facts->input->self) == 0)
			self = facts->nodes[i].node;
	}
	for (size_t r = 0; self && r < rules->count; r++) {
		const struct config_layer2 *rule = &facts->rules[rules->indexes[r]];
		size_t count = rule->interfaces.count;

		if (!selector_list_matches(&rule->node_selectors, &self->labels))
			continue;
		where.suitable = where.suitable || count == 0;
		patterns = xrealloc(patterns, where.pattern_count + count, sizeof(*patterns));
		for (size_t i = 0; i < count; i++)
			patterns[where.pattern_count++] =
				plan_keep_text(m->plan, rule->interfaces.items[i]);
	}
	where.patterns =
		plan_keep(m->plan, patterns, where.pattern_count * sizeof(*where.patterns));
	return where;
}

static const struct plan_rules *rules_for(
	struct maker *m, const struct plan_claim *claims, size_t count)
{
	size_t found = find_rules(m, claims, count);
	struct plan_rules *rules;

	for (size_t i = 0; i < m->rules_count; i++) {
		rules = &m->rules[i];
		if (rules->count == found &&
			memcmp(rules->indexes, m->indexes, found * sizeof(*m->indexes)) == 0)
			return rules;
	}
	m->rules = xrealloc(m->rules, m->rules_count + 1, sizeof(*m->rules));
	rules = &m->rules[m->rules_count++];
	*rules = (struct plan_rules){
		.indexes = xcalloc(found, sizeof(*rules->indexes)),
		.count = found,
		.verdicts = xcalloc(m->facts.node_count, 1),
		.weights = xcalloc(m->facts.node_count, sizeof(*rules->weights)),
		.interfaces = xcalloc(m->facts.node_count, sizeof(*rules->interfaces)),
	};
	memcpy(rules->indexes, m->indexes, found * sizeof(*m->indexes));
	plan_judge_rules(&m->facts, rules);
	rules->where = where_on_self(m, rules);
	return rules;
}

static const void *keep_row(struct maker *m, const void *bytes, size_t size)
{
	uint64_t hash = XXH64(bytes, size, size);

	for (size_t i = 0; i < m->row_count; i++) {
		if (m->rows[i].hash == hash && m->rows[i].size == size &&
			memcmp(m->rows[i].bytes, bytes, size) == 0)
			return m->rows[i].bytes;
	}
	m->rows = xrealloc(m->rows, m->row_count + 1, sizeof(*m->rows));
	m->rows[m->row_count] = (struct kept_row){
		.hash = hash,
		.bytes = plan_keep(m->plan, bytes, size),
		.size = size,
	};
	return m->rows[m->row_count++].bytes;
}

static void keep_serving(struct maker *m, struct plan_vip *vip)
{
	size_t owner = 0;

	if (!vip->owner)
		return;
	if (vip->per_client) {
		vip->serving_count = m->election.count;
		vip->serving = keep_row(
			m, m->election.field, m->election.count * sizeof(*m->election.field));
		return;
	}
	while (m->plan->nodes[owner] != vip->owner)
		owner++;
	vip->serving_count = 1;
	vip->serving = keep_row(m, &owner, sizeof(owner));
}

static void plan_address(struct maker *m, const struct plan_claim *claims, size_t count)
{
	const struct plan_rules *rules = rules_for(m, claims, count);
	const uint8_t *endpoints =
		plan_judge_claims(&m->facts, claims, count, m->endpoints) ? m->endpoints : NULL;
	const struct object_meta *meta = &claims->service->meta;
	struct plan_vip *vip = &m->plan->vips[m->plan->vip_count++];

	for (size_t n = 0; n < m->facts.node_count; n++)
		m->row[n] = plan_judge(&m->facts, rules, endpoints, &claims->address, n);
	*vip = (struct plan_vip){
		.address = claims->address,
		.namespace = plan_keep_text(m->plan, meta->namespace),
		.service = plan_keep_text(m->plan, meta->name),
		.uid = plan_keep_text(m->plan, meta->uid),
		.sharers = count,
		.covered = rules->count > 0,
		.per_client = claims->pool && claims->pool->per_client,
		.verdicts = keep_row(m, m->row, m->facts.node_count),
		.where = rules->where,
	};
	plan_elect(&m->election, rules, vip);
	keep_serving(m, vip);
}

static void plan_addresses(struct maker *m)
{
	size_t end;

	for (size_t begin = 0; begin < m->claims.count; begin = end) {
		end = plan_claims_end(&m->claims, begin);
		plan_address(m, &m->claims.items[begin], end - begin);
	}
}

static void maker_init(struct maker *m, const struct plan_input *input, struct plan *plan)
{
	*m = (struct maker){.plan = plan};
	plan_facts_init(&m->facts, input);
	m->row = xcalloc(m->facts.node_count, 1);
	m->endpoints = xcalloc(m->facts.node_count, 1);
	m->indexes = xcalloc(m->facts.rule_count, sizeof(*m->indexes));
	plan->nodes = xcalloc(m->facts.node_count, sizeof(*plan->nodes));
	plan->standing = xcalloc(m->facts.node_count, 1);
	for (size_t n = 0; n < m->facts.node_count; n++) {
		plan->nodes[n] = plan_keep_text(plan, m->facts.nodes[n].node->meta.name);
		plan->standing[n] = m->facts.nodes[n].base;
	}
	plan->node_count = m->facts.node_count;
	plan_election_init(&m->election, &m->facts, plan->nodes);
}

static void maker_done(struct maker *m)
{
	for (size_t i = 0; i < m->rules_count; i++) {
		free(m->rules[i].indexes);
		free(m->rules[i].verdicts);
		free(m->rules[i].weights);
		free(m->rules[i].interfaces);
	}
	free(m->rules);
	free(m->rows);
	free(m->row);
	free(m->endpoints);
	free(m->indexes);
	plan_election_done(&m->election);
	plan_claims_done(&m->claims);
	plan_facts_done(&m->facts);
}

struct plan *plan_make(const struct plan_input *input)
{
	struct plan *plan = xcalloc(1, sizeof(*plan));
	struct maker m;

	if (!input->config)
		return plan;
	maker_init(&m, input, plan);
	m.claims = plan_claims_collect(input);
	plan->vips = xcalloc(m.claims.count, sizeof(*plan->vips));
	plan_addresses(&m);
	maker_done(&m);
	return plan;
}
