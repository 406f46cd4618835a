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

/* One address of one Service. */
struct claim {
	struct ip address;
	const struct service *service;
	const struct config_pool *pool; /* NULL: one of spec.externalIPs */
};

struct verdict_row {
	uint64_t hash;
	const uint8_t *verdicts;
};

struct maker {
	struct plan_facts facts;
	struct plan *plan;
	struct claim *claims; /* sorted by address, then by Service */
	size_t claim_count;
	struct plan_rules *rules; /* the different sets met */
	size_t rules_count;
	struct verdict_row *rows; /* the different ones made */
	size_t row_count;
	/* Room for one address at a time. */
	uint8_t *row, *endpoints, *one;
	size_t *indexes;
	struct plan_election election;
};

bool plan_class_matches(const struct plan_class *class, const struct service *service)
{
	if (!service->load_balancer_class)
		return !class->name || class->handle_unset;
	return class->name && strcmp(class->name, service->load_balancer_class) == 0;
}

bool plan_where_allows(const struct plan_where *where, const struct interface *interface)
{
	if (where->suitable && !interface->only_by_name)
		return true;
	return where->pattern_count > 0 &&
	       interface_is_allowed(interface, where->patterns, where->pattern_count);
}

static const struct config_pool *pool_of(const struct config *config, const struct ip *address)
{
	for (size_t p = 0; p < config->pool_count; p++) {
		for (size_t r = 0; r < config->pools[p].range_count; r++) {
			if (ip_range_contains(&config->pools[p].ranges[r], address))
				return &config->pools[p];
		}
	}
	return NULL;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = ip_compare(&x->address, &y->address);

	if (order == 0)
		order = strcmp(x->service->meta.namespace, y->service->meta.namespace);
	return order ? order : strcmp(x->service->meta.name, y->service->meta.name);
}

static bool is_ours(const struct plan_input *input, const struct service *service)
{
	return service->type == SERVICE_LOAD_BALANCER && !service->meta.deleting &&
	       plan_class_matches(&input->class, service);
}

static void claim_ingress(struct maker *m, const struct service *service)
{
	const struct plan_input *input = m->facts.input;

	if (!is_ours(input, service))
		return;
	for (size_t n = 0; n < service->ingress_count; n++) {
		struct claim claim = {.address = service->ingress[n].ip, .service = service};

		if (claim.address.family == IP_NONE)
			continue;
		claim.pool = pool_of(input->config, &claim.address);
		if (claim.pool)
			m->claims[m->claim_count++] = claim;
	}
}

static bool is_allowed_external(const struct config *config, const struct ip *address)
{
	for (size_t i = 0; i < config->external_count; i++) {
		if (ip_range_contains(&config->external[i], address))
			return true;
	}
	return false;
}

/* Of whatever type and class: kube-proxy takes traffic for these of every Service. */
static void claim_external(struct maker *m, const struct service *service)
{
	const struct config *config = m->facts.input->config;

	if (service->meta.deleting)
		return;
	for (size_t n = 0; n < service->external_ip_count; n++) {
		const struct ip *address = &service->external_ips[n];

		if (is_allowed_external(config, address) && !pool_of(config, address))
			m->claims[m->claim_count++] =
				(struct claim){.address = *address, .service = service};
	}
}

static void collect_claims(struct maker *m)
{
	const struct plan_input *input = m->facts.input;
	size_t room = 0;

	for (size_t i = 0; i < input->service_count; i++)
		room += (size_t)input->services[i]->ingress_count +
			input->services[i]->external_ip_count;
	m->claims = xcalloc(room, sizeof(*m->claims));
	for (size_t i = 0; i < input->service_count; i++) {
		claim_ingress(m, input->services[i]);
		claim_external(m, input->services[i]);
	}
	qsort(m->claims, m->claim_count, sizeof(*m->claims), compare_claims);
}

static bool rule_covers(const struct config_layer2 *rule, const struct claim *claim)
{
	bool pool_matches = rule->pools.count == 0;

	for (size_t i = 0; claim->pool && i < rule->pools.count && !pool_matches; i++)
		pool_matches = strcmp(rule->pools.items[i], claim->pool->name) == 0;
	return pool_matches &&
	       selector_list_matches(&rule->service_selectors, &claim->service->labels);
}

/* The indexes of the rules that cover any of the claims, into m->indexes. */
static size_t find_rules(struct maker *m, const struct claim *claims, size_t count)
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

static const struct plan_rules *rules_for(struct maker *m, const struct claim *claims, size_t count)
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

/* What endpoints all (or, where no node has that, any) of the claims' Services with
   policy Local have on each node; NULL where none has that policy. */
static const uint8_t *endpoints_for(struct maker *m, const struct claim *claims, size_t count)
{
	size_t nodes = m->facts.node_count;
	AUTO_FREE uint8_t *any = xcalloc(nodes, 1);
	bool is_local = false, somewhere = false;

	memset(m->endpoints, PLAN_ENDPOINTS_READY, nodes);
	for (size_t i = 0; i < count; i++) {
		if (!claims[i].service->traffic_local)
			continue;
		is_local = true;
		plan_judge_endpoints(
			&m->facts, claims[i].service, claims[i].address.family, m->one);
		for (size_t n = 0; n < nodes; n++) {
			any[n] = any[n] > m->one[n] ? any[n] : m->one[n];
			if (m->one[n] < m->endpoints[n])
				m->endpoints[n] = m->one[n];
		}
	}
	for (size_t n = 0; n < nodes; n++)
		somewhere = somewhere || m->endpoints[n] != PLAN_ENDPOINTS_NONE;
	if (!somewhere)
		memcpy(m->endpoints, any, nodes);
	return is_local ? m->endpoints : NULL;
}

static const uint8_t *keep_row(struct maker *m)
{
	uint64_t hash = XXH64(m->row, m->facts.node_count, 0);

	for (size_t i = 0; i < m->row_count; i++) {
		if (m->rows[i].hash == hash &&
			memcmp(m->rows[i].verdicts, m->row, m->facts.node_count) == 0)
			return m->rows[i].verdicts;
	}
	m->rows = xrealloc(m->rows, m->row_count + 1, sizeof(*m->rows));
	m->rows[m->row_count] = (struct verdict_row){
		.hash = hash,
		.verdicts = plan_keep(m->plan, m->row, m->facts.node_count),
	};
	return m->rows[m->row_count++].verdicts;
}

static void plan_address(struct maker *m, const struct claim *claims, size_t count)
{
	const struct plan_rules *rules = rules_for(m, claims, count);
	const uint8_t *endpoints = endpoints_for(m, claims, count);
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
		.verdicts = keep_row(m),
		.where = rules->where,
	};
	plan_elect(&m->election, rules, vip);
}

static void plan_addresses(struct maker *m)
{
	size_t end;

	for (size_t begin = 0; begin < m->claim_count; begin = end) {
		end = begin + 1;
		while (end < m->claim_count &&
			ip_equal(&m->claims[begin].address, &m->claims[end].address))
			end++;
		plan_address(m, &m->claims[begin], end - begin);
	}
}

static void maker_init(struct maker *m, const struct plan_input *input, struct plan *plan)
{
	*m = (struct maker){.plan = plan};
	plan_facts_init(&m->facts, input);
	m->row = xcalloc(m->facts.node_count, 1);
	m->endpoints = xcalloc(m->facts.node_count, 1);
	m->one = xcalloc(m->facts.node_count, 1);
	m->indexes = xcalloc(m->facts.rule_count, sizeof(*m->indexes));
	plan->nodes = xcalloc(m->facts.node_count, sizeof(*plan->nodes));
	for (size_t n = 0; n < m->facts.node_count; n++)
		plan->nodes[n] = plan_keep_text(plan, m->facts.nodes[n].node->meta.name);
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
	free(m->one);
	free(m->indexes);
	plan_election_done(&m->election);
	free(m->claims);
	plan_facts_done(&m->facts);
}

struct plan *plan_make(const struct plan_input *input)
{
	struct plan *plan = xcalloc(1, sizeof(*plan));
	struct maker m;

	if (!input->config)
		return plan;
	maker_init(&m, input, plan);
	collect_claims(&m);
	plan->vips = xcalloc(m.claim_count, sizeof(*plan->vips));
	plan_addresses(&m);
	maker_done(&m);
	return plan;
}
