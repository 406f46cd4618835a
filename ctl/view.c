// SPDX-License-Identifier: Apache-2.0
/*
 * From facts to what follows from them, and the health of one Service. Pure.
 */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "bgp_view.h"
#include "herald/base/err.h"
#include "verb.h"

#define EXPLAIN_NODES 10u

static void read_config(struct view *view)
{
	const struct config_map *map = facts_config_map(view->facts);
	struct config_problems problems = {0};

	if (!map || !map->text) {
		view->config_problem = xstrdup(
			map ? "the ConfigMap has no key config.yaml: put the configuration there"
			    : "there is no ConfigMap with a configuration: apply one, or say with "
			      "--herald-namespace and --config-map where it is");
		return;
	}
	view->config = config_parse(map->text, map->length, &problems);
	if (!view->config)
		view->config_problem = xasprintf(
			"it is refused, so that an earlier one is in force: line %u: %s%s%s%s",
			problems.items[0].line, problems.items[0].field,
			problems.items[0].field[0] ? ": " : "", problems.items[0].text,
			problems.count + problems.omitted > 1 ? " (and more: heraldctl validate)"
							      : "");
	config_problems_done(&problems);
}

void view_plan_input(const struct view *view, struct plan_input *ret)
{
	const struct facts *facts = view->facts;

	*ret = (struct plan_input){
		/* Without Leases nobody is known to be alive: then nothing is planned. */
		.config = facts->members ? view->config : NULL,
		.class = {view->rules->class, view->rules->handle_unset},
		/* All object pointers look alike: each store holds one kind. */
		.services = (const void *)facts->of[FACT_SERVICE].items,
		.service_count = facts->of[FACT_SERVICE].count,
		.slices = (const void *)facts->of[FACT_SLICE].items,
		.slice_count = facts->of[FACT_SLICE].count,
		.nodes = (const void *)facts->of[FACT_NODE].items,
		.node_count = facts->of[FACT_NODE].count,
		.members = facts->members,
		.self = "",
	};
}

void view_make(const struct facts *facts, const struct assign_rules *rules, struct view *ret)
{
	struct plan_input input;

	*ret = (struct view){.facts = facts, .rules = rules};
	read_config(ret);
	view_plan_input(ret, &input);
	ret->plan = plan_make(&input);
	adoption_make(facts, rules, ret->config, &ret->adoption);
	ret->bgp = xcalloc(1, sizeof(*ret->bgp));
	bgp_view_make(ret, ret->bgp);
}

void view_done(struct view *view)
{
	bgp_view_done(view->bgp);
	free(view->bgp);
	plan_free(view->plan);
	adoption_done(&view->adoption);
	config_free(view->config);
	free(view->config_problem);
	*view = (struct view){0};
}

char *view_bgp_nodes(const struct view *view, const struct ip *address)
{
	char *text = xstrdup("");

	for (size_t n = 0; n < view->bgp->count; n++) {
		const struct bgp_node *node = &view->bgp->nodes[n];

		if (bgp_node_announces(node, address))
			text = text_join(text, ",", node->name);
	}
	return text;
}

const char *service_state_name(enum service_state state)
{
	static const char *const names[] = {[SERVICE_PENDING] = "Pending",
		[SERVICE_CONFLICT] = "AddressConflict",
		[SERVICE_NO_RULE] = "NotAnnounced",
		[SERVICE_NO_NODE] = "NoEligibleNode",
		[SERVICE_NO_CONFIG] = "Unknown",
		[SERVICE_ANNOUNCED] = "Announced"};

	return names[state];
}

static void set(struct service_health *health, enum service_state state, char *why)
{
	if (state >= health->state) {
		free(why);
		return;
	}
	free(health->why);
	health->state = state;
	health->why = why;
}

static void judge_address(
	const struct view *view, const struct ip *address, struct service_health *health)
{
	const struct conflict *conflict = conflict_find(&view->adoption.strangers, address);
	const struct plan_vip *vip = plan_find(view->plan, address);
	AUTO_FREE char *by_bgp = view_bgp_nodes(view, address);

	if (conflict)
		set(health, SERVICE_CONFLICT,
			xasprintf("%s: station %s has it, as node \"%s\" found", ip_text(address).s,
				mac_text(conflict->mac).s, conflict->node));
	else if (!view->config)
		set(health, SERVICE_NO_CONFIG, xstrdup("no configuration is known"));
	else if (*by_bgp)
		return;
	else if (!vip)
		set(health, SERVICE_NO_RULE,
			xasprintf("%s is in no pool of the configuration", ip_text(address).s));
	else if (!vip->covered)
		set(health, SERVICE_NO_RULE, xasprintf("no rule announces %s", ip_text(address).s));
	else if (!vip->owner) {
		AUTO_FREE char *reasons = plan_explain(view->plan, vip, EXPLAIN_NODES);

		set(health, SERVICE_NO_NODE, xasprintf("%s: %s", ip_text(address).s, reasons));
	}
}

void service_health(
	const struct view *view, const struct service *service, struct service_health *ret)
{
	const struct condition *condition = assign_condition(service);

	bool has_address = false;

	*ret = (struct service_health){.state = SERVICE_ANNOUNCED, .why = xstrdup("")};
	for (uint16_t i = 0; i < service->ingress_count; i++) {
		if (service->ingress[i].ip.family == IP_NONE)
			continue; /* a hostname, which a stranger has written */
		has_address = true;
		judge_address(view, &service->ingress[i].ip, ret);
	}
	if (!has_address)
		set(ret, SERVICE_PENDING,
			condition ? xasprintf("%s: %s", condition->reason, condition->message)
				  : xstrdup("no controller has decided about it yet"));
}

void service_health_done(struct service_health *health)
{
	free_pointer(&health->why);
}

const uint8_t *view_verdict(const struct view *view, const struct plan_vip *vip, const char *node)
{
	for (size_t n = 0; n < view->plan->node_count; n++) {
		if (strcmp(view->plan->nodes[n], node) == 0)
			return &vip->verdicts[n];
	}
	return NULL;
}
