// SPDX-License-Identifier: Apache-2.0
/*
 * Who owns an address: the field of nodes is narrowed by one question after the other
 * until one is left. In: each node's verdict, what it holds, how it is
 * preferred. Out: the owner, and for ours who else would have it. The same on
 * every node, whatever the order of the objects: nodes are sorted by name.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/holds.h"
#include "plan_parts.h"

void plan_election_init(
	struct plan_election *election, const struct plan_facts *facts, const char *const *names)
{
	*election = (struct plan_election){
		.facts = facts,
		.names = names,
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

static size_t first_hold_of(const struct plan_facts *facts, uint32_t hash)
{
	size_t low = 0, high = facts->hold_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (facts->holds[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Both are sorted by node. Where nobody in the field holds it, the field stays. */
static void keep_holders(struct plan_election *e, uint32_t hash)
{
	const struct plan_facts *facts = e->facts;
	size_t kept = 0, i = 0;

	for (size_t h = first_hold_of(facts, hash);
		h < facts->hold_count && facts->holds[h].hash == hash; h++) {
		while (i < e->count && e->field[i] < facts->holds[h].node)
			i++;
		if (i < e->count && e->field[i] == facts->holds[h].node)
			e->field[kept++] = e->field[i++];
	}
	if (kept > 0)
		e->count = kept;
}

/* The choice among the field; NULL where it is empty. */
static const char *choose(
	struct plan_election *e, const struct plan_rules *rules, const struct ip *address)
{
	size_t owner;

	keep_preferred(e, rules->weights);
	for (size_t i = 0; i < e->count; i++) {
		size_t n = e->field[i];

		e->candidates[i] = (struct elect_candidate){e->names[n], e->facts->nodes[n].hash};
	}
	owner = elect_owner(address, e->candidates, e->count);
	return owner == ELECT_NONE ? NULL : e->candidates[owner].name;
}

/* All that a rule selects, well or not: they could own it one day. */
static void enter_selected(struct plan_election *e, const uint8_t *by_rules)
{
	e->count = 0;
	for (size_t n = 0; n < e->facts->node_count; n++) {
		if (by_rules[n] != PLAN_NO_RULE && by_rules[n] != PLAN_NOT_SELECTED)
			e->field[e->count++] = n;
	}
}

static bool is_self(const struct plan_election *e, const char *node)
{
	return node && strcmp(node, e->facts->input->self) == 0;
}

static bool has_self(const struct plan_election *e)
{
	for (size_t i = 0; i < e->count; i++) {
		if (is_self(e, e->names[e->field[i]]))
			return true;
	}
	return false;
}

void plan_elect(
	struct plan_election *election, const struct plan_rules *rules, struct plan_vip *vip)
{
	const char *heir;

	enter_best_verdict(election, vip->verdicts);
	if (vip->per_client) {
		vip->owner = choose(election, rules, &vip->address);
		vip->ours = has_self(election);
		return;
	}
	keep_holders(election, holds_hash(&vip->address));
	vip->owner = choose(election, rules, &vip->address);
	vip->ours = is_self(election, vip->owner);
	if (!vip->ours)
		return;
	enter_selected(election, rules->verdicts);
	vip->astray = !is_self(election, choose(election, rules, &vip->address));
	enter_best_verdict(election, vip->verdicts);
	heir = choose(election, rules, &vip->address);
	vip->heir = is_self(election, heir) ? NULL : heir;
}
