// SPDX-License-Identifier: Apache-2.0
/*
 * Who owns an address: the field of nodes is narrowed by one question after the other
 * until one is left. In: each node's verdict and preference. Out: the owner. The same on
 * every node, whatever the order of the objects: nodes are sorted by name.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "plan_parts.h"

void plan_election_init(struct plan_election *election, const struct plan_facts *facts)
{
	*election = (struct plan_election){
		.facts = facts,
		.field = xcalloc(facts->node_count, sizeof(*election->field)),
		.candidates = xcalloc(facts->node_count, sizeof(*election->candidates)),
	};
}

void plan_election_done(struct plan_election *election)
{
	free(election->field);
	free(election->candidates);
}

static void enter_best_verdict(struct plan_election *e, const uint8_t *verdicts)
{
	uint8_t best = UINT8_MAX;

	e->count = 0;
	for (size_t n = 0; n < e->facts->node_count; n++) {
		if (verdicts[n] < PLAN_ELIGIBLE || verdicts[n] > best)
			continue;
		if (verdicts[n] < best)
			e->count = 0;
		best = verdicts[n];
		e->field[e->count++] = n;
	}
}

static void keep_preferred(struct plan_election *e, const uint32_t *weights)
{
	uint32_t best = 0;
	size_t kept = 0;

	for (size_t i = 0; i < e->count; i++) {
		if (weights[e->field[i]] > best)
			best = weights[e->field[i]];
	}
	for (size_t i = 0; i < e->count; i++) {
		if (weights[e->field[i]] == best)
			e->field[kept++] = e->field[i];
	}
	e->count = kept;
}

static const char *elect(struct plan_election *e, const struct ip *address)
{
	size_t owner;

	for (size_t i = 0; i < e->count; i++) {
		const struct plan_node *node = &e->facts->nodes[e->field[i]];

		e->candidates[i] = (struct elect_candidate){node->node->meta.name, node->hash};
	}
	owner = elect_owner(address, e->candidates, e->count);
	return owner == ELECT_NONE ? NULL : e->candidates[owner].name;
}

void plan_elect(
	struct plan_election *election, const struct plan_rules *rules, struct plan_vip *vip)
{
	enter_best_verdict(election, vip->verdicts);
	keep_preferred(election, rules->weights);
	vip->owner = elect(election, &vip->address);
	vip->ours = vip->owner && strcmp(vip->owner, election->facts->input->self) == 0;
}
