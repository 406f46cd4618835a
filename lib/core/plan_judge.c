// SPDX-License-Identifier: Apache-2.0
/*
 * Verdicts: may this node have this address, and how well does it suit? In: the objects
 * as they are. Out: one verdict, the first refusal that applies or what makes the node
 * worse than others. Chooses nobody: plan.c does.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/holds.h"
#include "plan_parts.h"

static uint8_t judge_member(const struct member *member)
{
	switch (member ? member->state : MEMBER_UNKNOWN) {
	case MEMBER_ALIVE:
		return member->suspicion.dead ? PLAN_SUSPECTED : PLAN_ELIGIBLE;
	case MEMBER_LEAVING:
		return PLAN_LEAVING;
	case MEMBER_DEAD:
		return PLAN_LEASE_EXPIRED;
	case MEMBER_UNKNOWN:
		break;
	}
	return PLAN_NO_SPEAKER;
}

uint8_t plan_judge_node(const struct plan_input *input, const struct node *node)
{
	if (input->self_leaving && strcmp(node->meta.name, input->self) == 0)
		return PLAN_LEAVING;
	if (node->meta.deleting)
		return PLAN_NODE_DELETING;
	if (node->to_be_deleted)
		return PLAN_TO_BE_DELETED;
	if (node->out_of_service)
		return PLAN_OUT_OF_SERVICE;
	if (node->shutting_down)
		return PLAN_SHUTTING_DOWN;
	if (node_is_drained(node))
		return PLAN_DRAINED;
	if (node->unschedulable && input->config->move_on_cordon)
		return PLAN_CORDONED;
	if (node->network_unavailable)
		return PLAN_NETWORK_UNAVAILABLE;
	if (!input->config->ignore_exclude_label && node_is_excluded_from_load_balancers(node))
		return PLAN_EXCLUDED;
	return node->ready ? PLAN_ELIGIBLE : PLAN_ELIGIBLE | PLAN_WORSE_NOT_READY;
}

uint8_t plan_verdict_on_node(const struct plan_input *input, const struct node *node)
{
	uint8_t verdict = judge_member(members_find(input->members, node->meta.name));

	return verdict == PLAN_ELIGIBLE ? plan_judge_node(input, node) : verdict;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct plan_node *x = a, *y = b;

	return strcmp(x->node->meta.name, y->node->meta.name);
}

static int compare_slice_to(
	const struct endpoint_slice *slice, const char *namespace, const char *service)
{
	int order = strcmp(slice->meta.namespace, namespace);

	return order ? order : strcmp(slice->service, service);
}

static int compare_slices(const void *a, const void *b)
{
	const struct endpoint_slice *const *x = a, *const *y = b;

	return compare_slice_to(*x, (*y)->meta.namespace, (*y)->service);
}

static int compare_plan_holds(const void *a, const void *b)
{
	const struct plan_hold *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* Of the nodes that may own anything at all. */
static void collect_holds(struct plan_facts *facts)
{
	uint32_t hashes[HOLDS_MAX];
	size_t room = 0;

	for (size_t n = 0; n < facts->node_count; n++) {
		const struct plan_node *node = &facts->nodes[n];
		const struct member *member =
			members_find(facts->input->members, node->node->meta.name);
		size_t count = 0;

		if (node->base >= PLAN_ELIGIBLE && member && member->holds)
			count = holds_parse(member->holds, hashes, HOLDS_MAX);
		if (facts->hold_count + count > room) {
			room = 2 * room + count;
			facts->holds = xrealloc(facts->holds, room, sizeof(*facts->holds));
		}
		for (size_t i = 0; i < count; i++)
			facts->holds[facts->hold_count++] = (struct plan_hold){hashes[i], n};
	}
	if (facts->hold_count)
		qsort(facts->holds, facts->hold_count, sizeof(*facts->holds), compare_plan_holds);
}

void plan_facts_init(struct plan_facts *facts, const struct plan_input *input)
{
	const struct config *config = input->config;

	*facts = (struct plan_facts){
		.input = input,
		.rules = config->layer2,
		.rule_count = config->layer2_count,
		.nodes = xcalloc(input->node_count, sizeof(*facts->nodes)),
		.node_count = input->node_count,
		.slices = xcalloc(input->slice_count, sizeof(*facts->slices)),
		.slice_count = input->slice_count,
	};
	for (size_t i = 0; i < facts->node_count; i++) {
		const struct node *node = input->nodes[i];
		const struct member *member = members_find(input->members, node->meta.name);
		struct plan_node *fact = &facts->nodes[i];

		fact->node = node;
		fact->hash = elect_node_hash(node->meta.name);
		fact->base = plan_verdict_on_node(input, node);
		interface_list_parse(member ? member->interfaces : "", &fact->interfaces);
	}
	qsort(facts->nodes, facts->node_count, sizeof(*facts->nodes), compare_nodes);
	collect_holds(facts);
	for (size_t i = 0; i < facts->slice_count; i++)
		facts->slices[i] = input->slices[i];
	qsort(facts->slices, facts->slice_count, sizeof(*facts->slices), compare_slices);
}

void plan_facts_done(struct plan_facts *facts)
{
	for (size_t i = 0; i < facts->node_count; i++)
		interface_list_done(&facts->nodes[i].interfaces);
	free(facts->nodes);
	free(facts->slices);
	free(facts->holds);
}

static uint64_t allowed_interfaces(
	const struct interface_list *interfaces, const struct config_layer2 *rule)
{
	uint64_t allowed = 0;

	for (size_t i = 0; i < interfaces->count; i++) {
		if (interface_is_allowed(
			    &interfaces->items[i], rule->interfaces.items, rule->interfaces.count))
			allowed |= UINT64_C(1) << i;
	}
	return allowed;
}

static uint32_t preference_for(const struct config_layer2 *rule, const struct string_map *labels)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < rule->preference_count; i++) {
		if (selector_matches(&rule->preferences[i].selector, labels))
			sum += rule->preferences[i].weight;
	}
	return sum;
}

void plan_judge_rules(const struct plan_facts *facts, struct plan_rules *rules)
{
	for (size_t n = 0; n < facts->node_count; n++) {
		const struct plan_node *node = &facts->nodes[n];

		rules->verdicts[n] = rules->count ? PLAN_NOT_SELECTED : PLAN_NO_RULE;
		rules->interfaces[n] = 0;
		for (size_t i = 0; i < rules->count; i++) {
			const struct config_layer2 *rule = &facts->rules[rules->indexes[i]];

			if (!selector_list_matches(&rule->node_selectors, &node->node->labels))
				continue;
			rules->weights[n] += preference_for(rule, &node->node->labels);
			rules->interfaces[n] |= allowed_interfaces(&node->interfaces, rule);
			rules->verdicts[n] =
				rules->interfaces[n] ? PLAN_ELIGIBLE : PLAN_NO_INTERFACE;
		}
	}
}

static size_t first_slice_of(const struct plan_facts *facts, const struct service *service)
{
	size_t low = 0, high = facts->slice_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_slice_to(
			    facts->slices[middle], service->meta.namespace, service->meta.name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int compare_name_to_node(const void *name, const void *node)
{
	return strcmp(name, ((const struct plan_node *)node)->node->meta.name);
}

static void count_endpoint(
	const struct plan_facts *facts, const struct endpoint *endpoint, uint8_t *by_node)
{
	uint8_t usable = PLAN_ENDPOINTS_NONE;
	const struct plan_node *node;

	if (endpoint->ready)
		usable = PLAN_ENDPOINTS_READY;
	else if (endpoint->serving && endpoint->terminating)
		usable = PLAN_ENDPOINTS_TERMINATING;
	if (usable == PLAN_ENDPOINTS_NONE || facts->node_count == 0)
		return;
	node = bsearch(endpoint->node, facts->nodes, facts->node_count, sizeof(*facts->nodes),
		compare_name_to_node);
	if (node && by_node[node - facts->nodes] < usable)
		by_node[node - facts->nodes] = usable;
}

void plan_judge_endpoints(const struct plan_facts *facts, const struct service *service,
	uint8_t family, uint8_t *ret_by_node)
{
	memset(ret_by_node, PLAN_ENDPOINTS_NONE, facts->node_count);
	for (size_t i = first_slice_of(facts, service); i < facts->slice_count; i++) {
		const struct endpoint_slice *slice = facts->slices[i];

		if (compare_slice_to(slice, service->meta.namespace, service->meta.name) != 0)
			break;
		if (slice->family != family || slice->meta.deleting)
			continue;
		for (size_t e = 0; e < slice->endpoint_count; e++)
			count_endpoint(facts, &slice->endpoints[e], ret_by_node);
	}
}

/* An endpoint on a node, by its hash. */
struct counted {
	size_t node;
	uint32_t id;
};

static int compare_counted(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* The ready ones of a slice, from found[count] on; how many there are then. */
static size_t collect_ready(const struct plan_facts *facts, const struct endpoint_slice *slice,
	struct counted *found, size_t count)
{
	for (size_t e = 0; e < slice->endpoint_count; e++) {
		const struct endpoint *endpoint = &slice->endpoints[e];
		const struct plan_node *node = NULL;

		if (endpoint->ready)
			node = bsearch(endpoint->node, facts->nodes, facts->node_count,
				sizeof(*facts->nodes), compare_name_to_node);
		if (node)
			found[count++] =
				(struct counted){(size_t)(node - facts->nodes), endpoint->id};
	}
	return count;
}

/* One that stands in two slices, which happens while it is moved, counts once (K43). */
void plan_count_endpoints(const struct plan_facts *facts, const struct service *service,
	uint8_t family, uint32_t *by_node)
{
	AUTO_FREE struct counted *found = NULL;
	size_t count = 0;

	for (size_t i = first_slice_of(facts, service); i < facts->slice_count; i++) {
		const struct endpoint_slice *slice = facts->slices[i];

		if (compare_slice_to(slice, service->meta.namespace, service->meta.name) != 0)
			break;
		if (slice->family != family || slice->meta.deleting)
			continue;
		found = xrealloc(found, count + slice->endpoint_count + 1, sizeof(*found));
		count = collect_ready(facts, slice, found, count);
	}
	if (count)
		qsort(found, count, sizeof(*found), compare_counted);
	for (size_t i = 0; i < count; i++)
		by_node[found[i].node] += i == 0 || compare_counted(&found[i - 1], &found[i]) != 0;
}

bool plan_judge_claims(const struct plan_facts *facts, const struct plan_claim *claims,
	size_t count, uint8_t *ret_by_node)
{
	size_t nodes = facts->node_count;
	AUTO_FREE uint8_t *any = NULL, *one = NULL;
	bool is_local = false, somewhere = false;

	memset(ret_by_node, PLAN_ENDPOINTS_READY, nodes);
	for (size_t i = 0; i < count; i++)
		is_local = is_local || claims[i].local;
	if (!is_local)
		return false;
	any = xcalloc(nodes, 1);
	one = xcalloc(nodes, 1);
	for (size_t i = 0; i < count; i++) {
		if (!claims[i].local)
			continue;
		plan_judge_endpoints(facts, claims[i].service, claims[i].address.family, one);
		for (size_t n = 0; n < nodes; n++) {
			any[n] = any[n] > one[n] ? any[n] : one[n];
			if (one[n] < ret_by_node[n])
				ret_by_node[n] = one[n];
		}
	}
	for (size_t n = 0; n < nodes; n++)
		somewhere = somewhere || ret_by_node[n] != PLAN_ENDPOINTS_NONE;
	if (!somewhere)
		memcpy(ret_by_node, any, nodes);
	return true;
}

static bool is_on_link(const struct plan_node *node, uint64_t allowed, const struct ip *address)
{
	for (uint64_t left = allowed; left; left &= left - 1) {
		const struct interface *interface = &node->interfaces.items[__builtin_ctzll(left)];

		if (interface_has_network_of(interface, address))
			return true;
	}
	return false;
}

uint8_t plan_judge(const struct plan_facts *facts, const struct plan_rules *rules,
	const uint8_t *endpoints, const struct ip *address, size_t index)
{
	const struct plan_node *node = &facts->nodes[index];
	uint8_t verdict = node->base;

	if (verdict < PLAN_REFUSAL_COUNT)
		return verdict;
	if (rules->verdicts[index] < PLAN_REFUSAL_COUNT)
		return rules->verdicts[index];
	if (endpoints && endpoints[index] == PLAN_ENDPOINTS_NONE)
		return PLAN_NO_ENDPOINT;
	if (endpoints && endpoints[index] == PLAN_ENDPOINTS_TERMINATING)
		verdict |= PLAN_WORSE_TERMINATING;
	if (!is_on_link(node, rules->interfaces[index], address))
		verdict |= PLAN_WORSE_OFF_LINK;
	return verdict;
}
