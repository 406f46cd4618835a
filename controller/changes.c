// SPDX-License-Identifier: Apache-2.0
/*
 * From two looks at the cluster to entries of the timeline. Addresses are compared plan by
 * plan. All else is put as facts, a subject and what is true of it, in order, so that one
 * walk over two lists finds what is new, what is gone and what has changed.
 */
#include "changes.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/assign.h"
#include "herald/core/conflicts.h"
#include "herald/kube/bgp_peers.h"
#include "view.h"

#define EXPLAIN_NODES 5u

enum fact_kind { FACT_CONFLICT, FACT_PEER, FACT_SPEAKER, FACT_WAITING };

struct fact {
	enum fact_kind kind;
	char *subject; /* an address, a peer, a node, a Service */
	char *node;    /* that says so; NULL: none */
	char *value;   /* what is true of it */
	char *text;    /* in words; NULL: nothing to add */
};

struct facts {
	struct fact *items;
	size_t count, capacity;
};

struct changes {
	struct timeline *timeline;
	struct facts facts;
	int64_t time_ms;	    /* of this look */
	const struct bgp_plan *bgp; /* likewise */
};

/* ---- addresses ---- */

/* The verdict on a node by name; one that is gone has no speaker. */
static uint8_t verdict_on(const struct plan *plan, const struct plan_vip *vip, const char *node)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		if (strcmp(plan->nodes[i], node) == 0)
			return vip->verdicts[i];
	}
	return PLAN_NO_SPEAKER;
}

/* Somebody wanted that it does not announce any more. */
static bool is_planned(uint8_t verdict)
{
	switch (verdict) {
	case PLAN_LEAVING:
	case PLAN_NODE_DELETING:
	case PLAN_TO_BE_DELETED:
	case PLAN_SHUTTING_DOWN:
	case PLAN_DRAINED:
	case PLAN_CORDONED:
	case PLAN_EXCLUDED:
	case PLAN_NO_RULE:
	case PLAN_NOT_SELECTED:
		return true;
	default:
		return verdict >= PLAN_ELIGIBLE;
	}
}

static void tell_vip(const struct changes *c, const char *kind, const struct plan_vip *vip,
	const char *from, const char *text)
{
	AUTO_FREE char *service = xasprintf("%s/%s", vip->namespace, vip->service);
	const struct ip_text address = ip_text(&vip->address);
	const struct timeline_entry entry = {
		.time_ms = c->time_ms,
		.kind = kind,
		.service = service,
		.address = address.s,
		.node = vip->owner,
		.from = from,
		.text = text,
	};

	timeline_add(c->timeline, &entry);
}

static void tell_released(const struct changes *c, const struct plan_vip *old)
{
	struct plan_vip nobodys = *old;

	nobodys.owner = NULL;
	tell_vip(c, "released", &nobodys, old->owner, NULL);
}

static void tell_nobody(const struct changes *c, const char *kind, const struct plan *plan,
	const struct plan_vip *vip, const char *from)
{
	const struct bgp_vip *bgp = c->bgp ? bgp_plan_find(c->bgp, &vip->address) : NULL;
	AUTO_FREE char *why = bgp && bgp->covered ? xstrdup("by BGP")
			      : vip->covered	  ? plan_explain(plan, vip, EXPLAIN_NODES)
						  : xstrdup("no layer2 rule covers it");

	tell_vip(c, kind, vip, from, why);
}

static void compare_vip(const struct changes *c, const struct plan *plan,
	const struct plan_vip *old, const struct plan_vip *vip)
{
	uint8_t verdict;

	if (old->owner ? vip->owner && strcmp(old->owner, vip->owner) == 0 : !vip->owner)
		return;
	if (!vip->owner) {
		tell_nobody(c, "unannounced", plan, vip, old->owner);
		return;
	}
	if (!old->owner) {
		tell_vip(c, "announced", vip, NULL, "a node is eligible again");
		return;
	}
	verdict = verdict_on(plan, vip, old->owner);
	tell_vip(c, is_planned(verdict) ? "moved" : "failover", vip, old->owner,
		verdict < PLAN_REFUSAL_COUNT ? plan_verdict_text(verdict) : "by the election");
}

static void compare_plans(
	const struct changes *c, const struct plan *before, const struct plan *plan)
{
	size_t i = 0, k = 0;

	while (i < before->vip_count || k < plan->vip_count) {
		const struct plan_vip *old = &before->vips[i], *new = &plan->vips[k];
		int order = i == before->vip_count ? 1
			    : k == plan->vip_count ? -1
						   : ip_compare(&old->address, &new->address);

		if (order < 0)
			tell_released(c, old);
		else if (order > 0 && new->owner)
			tell_vip(c, "assigned", new, NULL, NULL);
		else if (order > 0)
			tell_nobody(c, "assigned", plan, new, NULL);
		else
			compare_vip(c, plan, old, new);
		i += order <= 0;
		k += order >= 0;
	}
}

/* ---- facts ---- */

static void facts_done(struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		free(facts->items[i].subject);
		free(facts->items[i].node);
		free(facts->items[i].value);
		free(facts->items[i].text);
	}
	free(facts->items);
	*facts = (struct facts){0};
}

/* Takes the strings of *fact. */
static void facts_add_take(struct facts *facts, const struct fact *fact)
{
	if (facts->count == facts->capacity) {
		facts->capacity = facts->capacity ? 2 * facts->capacity : 32;
		facts->items = xrealloc(facts->items, facts->capacity, sizeof(*facts->items));
	}
	facts->items[facts->count++] = *fact;
}

static void add_conflicts(struct facts *facts, const struct members *members)
{
	struct conflict_list list;

	conflicts_collect(members, NULL, &list);
	for (size_t i = 0; i < list.count; i++) {
		const struct conflict *conflict = &list.items[i];
		const struct mac_text mac = mac_text(conflict->mac);

		facts_add_take(
			facts, &(struct fact){
				       .kind = FACT_CONFLICT,
				       .subject = xstrdup(ip_text(&conflict->ip).s),
				       .node = conflict->node ? xstrdup(conflict->node) : NULL,
				       .value = xstrdup(mac.s),
				       .text = xasprintf("station %s has it", mac.s),
			       });
	}
	conflict_list_done(&list);
}

static void add_peers(struct facts *facts, const struct member *member)
{
	struct bgp_peer_list peers;

	bgp_peers_parse(member->bgp, &peers);
	for (size_t i = 0; i < peers.count; i++) {
		const struct bgp_peer *peer = &peers.items[i];

		facts_add_take(
			facts, &(struct fact){
				       .kind = FACT_PEER,
				       .subject = xasprintf("%s/%s", member->node, peer->name),
				       .node = xstrdup(member->node),
				       .value = xstrdup(peer->state),
				       .text = xasprintf("BGP peer %s: %s%s%s", peer->name,
					       peer->state, *peer->error ? ", " : "", peer->error),
			       });
	}
	bgp_peer_list_done(&peers);
}

static void add_members(struct facts *facts, const struct members *members)
{
	for (size_t i = 0; i < members_count(members); i++) {
		const struct member *member = members_at(members, i);
		const char *state =
			member->suspicion.dead ? "suspected" : member_state_text(member->state);

		facts_add_take(facts, &(struct fact){
					      .kind = FACT_SPEAKER,
					      .subject = xstrdup(member->node),
					      .node = xstrdup(member->node),
					      .value = xstrdup(state),
					      .text = xasprintf("its speaker: %s", state),
				      });
		if (member->state == MEMBER_ALIVE)
			add_peers(facts, member);
	}
}

static void add_waiting(struct facts *facts, const struct plan_input *objects)
{
	for (size_t i = 0; i < objects->service_count; i++) {
		const struct service *service = objects->services[i];
		const struct condition *condition = assign_condition(service);

		if (!condition || strcmp(condition->status, "False") != 0)
			continue;
		facts_add_take(facts,
			&(struct fact){
				.kind = FACT_WAITING,
				.subject = xasprintf(
					"%s/%s", service->meta.namespace, service->meta.name),
				.value = xstrdup(condition->reason),
				.text = xasprintf("%s: %s", condition->reason, condition->message),
			});
	}
}

static int compare_facts(const void *a, const void *b)
{
	const struct fact *left = a, *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return strcmp(left->subject, right->subject);
}

static const char *kind_of_speaker(const char *state)
{
	if (strcmp(state, "alive") == 0)
		return "node-up";
	return strcmp(state, "leaving") == 0 ? "node-leaving" : "node-down";
}

/* `gone`: it is true no longer. */
static void tell_fact(const struct changes *c, const struct fact *fact, bool gone)
{
	struct timeline_entry entry = {
		.time_ms = c->time_ms, .node = fact->node, .text = fact->text};

	switch (fact->kind) {
	case FACT_CONFLICT:
		entry.kind = gone ? "conflict-ended" : "conflict";
		entry.address = fact->subject;
		break;
	case FACT_PEER:
		entry.kind = !gone && strcmp(fact->value, "up") == 0 ? "peer-up" : "peer-down";
		if (gone)
			entry.text = NULL;
		break;
	case FACT_SPEAKER:
		entry.kind = kind_of_speaker(fact->value);
		break;
	case FACT_WAITING:
		if (gone)
			return; /* that it was assigned is told by its address */
		entry.kind = "pending";
		entry.service = fact->subject;
		break;
	}
	timeline_add(c->timeline, &entry);
}

static void compare_all_facts(
	const struct changes *c, const struct facts *before, const struct facts *now)
{
	size_t i = 0, k = 0;

	while (i < before->count || k < now->count) {
		const struct fact *old = &before->items[i], *new = &now->items[k];
		int order = i == before->count ? 1 : k == now->count ? -1 : compare_facts(old, new);

		if (order < 0)
			tell_fact(c, old, true);
		else if (order > 0 || strcmp(old->value, new->value) != 0)
			tell_fact(c, new, false);
		i += order <= 0;
		k += order >= 0;
	}
}

struct changes *changes_new(struct timeline *timeline)
{
	struct changes *changes = xcalloc(1, sizeof(*changes));

	changes->timeline = timeline;
	return changes;
}

void changes_free(struct changes *changes)
{
	if (!changes)
		return;
	facts_done(&changes->facts);
	free(changes);
}

void changes_follow(struct changes *changes, const struct changes_input *input)
{
	struct facts now = {0};

	changes->time_ms = input->time_ms;
	changes->bgp = input->bgp;
	add_conflicts(&now, input->objects->members);
	add_members(&now, input->objects->members);
	add_waiting(&now, input->objects);
	if (now.count > 0)
		qsort(now.items, now.count, sizeof(*now.items), compare_facts);
	if (input->before) {
		compare_all_facts(changes, &changes->facts, &now);
		compare_plans(changes, input->before, input->plan);
	}
	facts_done(&changes->facts);
	changes->facts = now;
}
