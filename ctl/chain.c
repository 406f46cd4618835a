// SPDX-License-Identifier: Apache-2.0
/*
 * The chain as a value, and its first part: how a Service comes to an address, or does
 * not. The controller's own rooms are asked (core/assign, core/alloc) on the picture of
 * the cluster, so that the answer is theirs also while no controller runs.
 */
#include "chain.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

const char *link_result_name(enum link_result result)
{
	static const char *const names[] = {"good", "note", "wrong"};

	return names[result];
}

void chain_add(struct chain *chain, enum link_result result, const char *step, const char *reason,
	const char *remedy, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	if ((chain->count & (chain->count - 1)) == 0)
		chain->links = xrealloc(
			chain->links, chain->count ? 2 * chain->count : 1, sizeof(*chain->links));
	chain->links[chain->count++] =
		(struct link){result, step, reason, text, remedy ? xstrdup(remedy) : NULL};
	chain->is_wrong = chain->is_wrong || result == LINK_WRONG;
}

void chain_done(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		free(chain->links[i].text);
		free(chain->links[i].remedy);
	}
	free(chain->links);
	*chain = (struct chain){0};
}

/* False: the chain ends here, as the Service is not Herald's. */
static bool add_service(struct chain *chain, const struct view *view, const struct service *service)
{
	static const char *const types[] = {
		"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"};
	const struct assign_rules *rules = view->rules;
	const char *class = service->load_balancer_class;

	if (service->type != SERVICE_LOAD_BALANCER) {
		chain_add(chain, LINK_WRONG, "service", "NotLoadBalancer",
			"set spec.type to LoadBalancer",
			"spec.type is %s: Herald gives it no address", types[service->type]);
		return false;
	}
	if (!assign_is_ours(rules, service)) {
		AUTO_FREE char *remedy = xasprintf(
			"create the Service %s%s%s, or start the controller and the speakers with "
			"--load-balancer-class and give it to heraldctl, too",
			rules->class ? "with the class \"" : "without a class",
			rules->class ? rules->class : "", rules->class ? "\"" : "");

		chain_add(chain, LINK_WRONG, "service", "ForeignClass", remedy,
			"spec.loadBalancerClass is %s%s%s: another controller's, Herald serves "
			"%s%s%s",
			class ? "\"" : "not set", class ? class : "", class ? "\"" : "",
			rules->class ? "\"" : "those without a class",
			rules->class ? rules->class : "", rules->class ? "\"" : "");
		return false;
	}
	if (service->meta.deleting)
		chain_add(chain, LINK_WRONG, "service", "Deleting",
			"wait, or look at its finalizers: the controller takes its own away",
			"is being deleted: its address is released");
	else
		chain_add(chain, LINK_GOOD, "service", "", NULL,
			"is of type LoadBalancer%s%s, and Herald's", class ? " and class " : "",
			class ? class : "");
	return !service->meta.deleting;
}

static void add_controller(struct chain *chain, const struct view *view)
{
	if (view->config_problem)
		chain_add(chain, LINK_WRONG, "configuration",
			facts_config_map(view->facts) ? "ConfigRejected" : "NoConfiguration",
			"mend the ConfigMap; heraldctl validate lists all that is wrong", "%s",
			view->config_problem);
	else
		chain_add(chain, LINK_GOOD, "configuration", "", NULL, "is good, with %zu pools",
			view->config->pool_count);
	if (view->facts->controller_alive)
		chain_add(chain, LINK_GOOD, "controller", "", NULL, "is at work");
	else
		chain_add(chain, LINK_WRONG, "controller", "ControllerAway",
			"see why no controller runs: kubectl -n herald-system get pods, and their "
			"logs",
			"none renews its Lease: nothing is assigned now");
}

static void add_wish(struct chain *chain, const struct assign_wish *wish)
{
	const struct alloc_request *request = &wish->request;
	bool asks = request->pool || wish->ips[0].family || wish->ips[1].family ||
		    (request->sharing_key && *request->sharing_key);

	if (wish->malformed)
		chain_add(
			chain, LINK_WRONG, "request", "InvalidRequest", NULL, "%s", wish->problem);
	else if (asks)
		chain_add(chain, LINK_NOTE, "request", "", NULL, "asks for%s%s%s%s%s%s%s%s",
			wish->ips[0].family ? " " : "",
			wish->ips[0].family ? ip_text(&wish->ips[0]).s : "",
			wish->ips[1].family ? " " : "",
			wish->ips[1].family ? ip_text(&wish->ips[1]).s : "",
			request->pool ? " pool " : "", request->pool ? request->pool : "",
			request->sharing_key && *request->sharing_key ? " sharing as " : "",
			request->sharing_key ? request->sharing_key : "");
}

static void add_refusal(
	struct chain *chain, const struct alloc_refusal *refusal, const struct assign_wish *wish)
{
	char words[700];

	alloc_refusal_text(refusal, &wish->request, words, sizeof(words));
	chain_add(chain, LINK_NOTE, "pools", alloc_reason_name(refusal->reason), NULL, "%s", words);
}

/* Why no address of a family can be had, pool by pool. */
static void add_pools(struct chain *chain, struct alloc *alloc, const struct adopted *adopted,
	const struct assign_wish *wish, uint8_t family)
{
	const struct ip *asked = &wish->ips[family == IP_V6];
	struct alloc_trace trace = {0};
	struct alloc_refusal refusal;
	struct ip found;

	if (asked->family != IP_NONE) {
		if (!alloc_check(alloc, &adopted->holder, &wish->request, asked, &refusal))
			add_refusal(chain, &refusal, wish);
		return;
	}
	if (alloc_find(alloc, &adopted->holder, &wish->request, family, &found, &trace)) {
		chain_add(chain, LINK_NOTE, "pools", "", NULL, "%s is free for it",
			ip_text(&found).s);
		return;
	}
	for (size_t i = 0; i < trace.count; i++)
		add_refusal(chain, &trace.refusals[i], wish);
	if (trace.omitted)
		chain_add(chain, LINK_NOTE, "pools", "", NULL, "and %zu more", trace.omitted);
}

static void add_origin(struct chain *chain, const struct view *view, const struct ip *address)
{
	const struct config_pool *pool = alloc_pool_of(view->adoption.alloc, address);

	if (pool)
		chain_add(chain, LINK_GOOD, "pools", "", NULL, "%s is from pool `%s`",
			ip_text(address).s, pool->name);
	else
		chain_add(chain, LINK_NOTE, "pools", "AddressOutsidePools",
			"put the address back into a pool, or set whenRemoved: move",
			"%s is in no pool", ip_text(address).s);
}

/* What the condition says, against what would be decided now. */
static void add_decision(
	struct chain *chain, const struct service *service, const struct assign_decision *decision)
{
	const struct condition *condition = assign_condition(service);
	bool is_wrong = decision->state == ASSIGN_PENDING;

	if (strcmp(decision->condition_reason, "Assigned") == 0)
		chain_add(chain, LINK_GOOD, "address", "", NULL, "%s", decision->condition_message);
	else
		chain_add(chain, is_wrong ? LINK_WRONG : LINK_NOTE, "address",
			decision->condition_reason, NULL, "%s", decision->condition_message);
	if (!condition)
		chain_add(chain, LINK_NOTE, "condition", "NoCondition", NULL,
			"no controller has written %s yet", CONDITION_ASSIGNED);
	else if (decision->write && strcmp(condition->reason, decision->condition_reason) != 0)
		chain_add(chain, LINK_NOTE, "condition", "Outdated", NULL, "still says %s: %s",
			condition->reason, condition->message);
	else
		chain_add(chain, LINK_GOOD, "condition", "", NULL, "says %s", condition->reason);
}

void chain_assignment(struct chain *chain, const struct view *view, const struct service *service)
{
	struct adopted *adopted;
	struct assign_decision decision;
	struct assign_wish wish;

	if (!add_service(chain, view, service))
		return;
	add_controller(chain, view);
	adopted = adoption_find(&view->adoption, service);
	if (!view->config || !adopted)
		return;
	assign_wish_read(view->adoption.alloc, &adopted->input, &wish);
	add_wish(chain, &wish);
	for (size_t i = 0; i < 2 && service->families[i] != IP_NONE; i++) {
		struct ip held;

		if (alloc_held(&adopted->holder, service->families[i], &held))
			add_origin(chain, view, &held);
		else if (!wish.malformed)
			add_pools(
				chain, view->adoption.alloc, adopted, &wish, service->families[i]);
	}
	assign_decide(view->adoption.alloc, &adopted->input, &decision);
	add_decision(chain, service, &decision);
}
