// SPDX-License-Identifier: Apache-2.0
/*
 * From one Service, the config and who holds what to the addresses the Service should
 * have and the changes to be written to it. The rules, in one place: what a Service has
 * is kept unless another can't live with it or the user asked for something else that
 * can be had (K19, K25); nothing is written that is there already (K15); finalizer,
 * annotation, addresses and condition change together (K14).
 */
#include "herald/core/assign.h"

#include <stdio.h>
#include <string.h>

/* The decision under way. */
struct deciding {
	struct alloc *alloc;
	const struct assign_input *input;
	const struct service *service;
	struct assign_wish wish;
	struct assign_decision *decision;
	struct ip targets[2];	       /* by position in service->families; IP_NONE: none */
	struct ip before[2];	       /* held when the decision began, likewise */
	char problem[ASSIGN_TEXT_MAX]; /* "": none; why the wish is not met in full */
	const char *problem_reason;
	bool must_leave; /* what it has collides with an older holder */
	bool moved_by_config;
};

bool assign_is_ours(const struct assign_rules *rules, const struct service *service)
{
	if (service->type != SERVICE_LOAD_BALANCER)
		return false;
	if (!service->load_balancer_class)
		return !rules->class || rules->handle_unset;
	return rules->class && strcmp(rules->class, service->load_balancer_class) == 0;
}

static void add_event(
	struct assign_decision *decision, bool warning, const char *reason, const char *message)
{
	struct assign_event *event;

	if (decision->event_count == 2)
		return;
	event = &decision->events[decision->event_count++];
	event->warning = warning;
	event->reason = reason;
	snprintf(event->message, sizeof(event->message), "%s", message);
}

static void set_problem(
	struct deciding *d, enum alloc_reason failure, const char *reason, const char *text)
{
	if (*d->problem)
		return; /* the first is the one to mend first */
	d->decision->failure = failure;
	d->problem_reason = reason;
	snprintf(d->problem, sizeof(d->problem), "%s", text);
}

static void refused_address(
	struct deciding *d, const struct ip *ip, const struct alloc_refusal *refusal)
{
	char words[400], text[600];

	alloc_refusal_text(refusal, &d->wish.request, words, sizeof(words));
	snprintf(text, sizeof(text), "%s can't be assigned: %s", ip_text(ip).s, words);
	set_problem(d, refusal->reason, alloc_reason_name(refusal->reason), text);
}

static void list_eligible(const struct deciding *d, char *buffer, size_t size)
{
	const struct config_pool *pool;
	size_t position = 0, used = 0;

	snprintf(buffer, size, "none");
	while (used + 1 < size &&
		(pool = alloc_eligible_pool(d->alloc, &d->wish.request, &position))) {
		int length = snprintf(
			buffer + used, size - used, "%s`%s`", used ? ", " : "", pool->name);

		used += length > 0 ? (size_t)length : 0;
	}
}

static void refused_pools(struct deciding *d, uint8_t family, const struct alloc_trace *trace)
{
	enum alloc_reason reason = trace->count ? trace->refusals[0].reason : ALLOC_NO_POOL;
	char words[800], text[ASSIGN_TEXT_MAX];
	const char *name = "NoAddressAvailable";

	if (trace->count == 1 && reason == ALLOC_UNKNOWN_POOL) {
		list_eligible(d, words, sizeof(words));
		snprintf(text, sizeof(text),
			"pool `%.100s` does not exist; this Service may use: %s",
			d->wish.request.pool, words);
		name = alloc_reason_name(reason);
	} else {
		alloc_trace_text(trace, &d->wish.request, words, sizeof(words));
		snprintf(text, sizeof(text), "no IPv%u address: %s", family, words);
	}
	set_problem(d, reason, name, text);
}

/* Any address of the family; IP_NONE after telling why not. */
static struct ip find_any(struct deciding *d, uint8_t family)
{
	struct alloc_trace trace;
	struct ip ip;

	if (alloc_find(d->alloc, d->input->holder, &d->wish.request, family, &ip, &trace))
		return ip;
	refused_pools(d, family, &trace);
	return (struct ip){0};
}

/* The address asked for; `had` (or none) after telling why not. */
static struct ip find_asked(struct deciding *d, const struct ip *asked, const struct ip *had)
{
	struct alloc_refusal refusal;

	if (alloc_check(d->alloc, d->input->holder, &d->wish.request, asked, &refusal))
		return *asked;
	refused_address(d, asked, &refusal);
	return *had;
}

static void kept_without_pool(
	struct deciding *d, const struct ip *held, const struct alloc_refusal *refusal)
{
	char words[400], text[700];

	alloc_refusal_text(refusal, &d->wish.request, words, sizeof(words));
	snprintf(text, sizeof(text),
		"%s is kept though it would not be assigned now: %s; put it back into a pool, or "
		"set "
		"whenRemoved: move to have such Services moved",
		ip_text(held).s, words);
	set_problem(d, ALLOC_OK, "Kept", text);
}

/* What the Service has does not stand: leave it, move it, or keep and say so. */
static struct ip replace_held(
	struct deciding *d, const struct ip *held, const struct alloc_refusal *refusal, bool move)
{
	struct ip found;

	if (refusal->reason >= ALLOC_IN_USE) {
		d->must_leave = true;
		return find_any(d, held->family);
	}
	if (!move && refusal->reason != ALLOC_OTHER_POOL) {
		kept_without_pool(d, held, refusal);
		return *held;
	}
	found = find_any(d, held->family);
	if (found.family == IP_NONE)
		return *held;
	d->moved_by_config = move;
	return found;
}

/* The address of one family that the Service should have. */
static struct ip target_for(struct deciding *d, uint8_t family)
{
	const struct ip *asked = &d->wish.ips[family == IP_V6];
	struct alloc_refusal refusal;
	struct ip held = {0};
	bool move;

	if (!alloc_held(d->input->holder, family, &held))
		return asked->family != IP_NONE ? find_asked(d, asked, &held) : find_any(d, family);
	if (asked->family != IP_NONE && !ip_equal(asked, &held)) {
		struct ip target = find_asked(d, asked, &held);

		if (ip_equal(&target, asked))
			return target;
	}
	if (alloc_stands(d->alloc, d->input->holder, &d->wish.request, &held, &refusal, &move))
		return held;
	if (asked->family != IP_NONE && refusal.reason >= ALLOC_IN_USE) {
		/* It asked for what it may share no longer, so that nothing else will do. */
		d->must_leave = true;
		refused_address(d, &held, &refusal);
		return (struct ip){0};
	}
	return replace_held(d, &held, &refusal, move);
}

static void choose_targets(struct deciding *d)
{
	const struct service *service = d->service;
	bool required = service->family_policy == FAMILY_REQUIRE_DUAL;

	d->targets[0] = target_for(d, service->families[0]);
	if (service->families[1] == IP_NONE)
		return;
	d->targets[1] = target_for(d, service->families[1]);
	if (d->targets[0].family && d->targets[1].family)
		return;
	if (required) {
		/* Both or none, but for what it has already. */
		for (size_t i = 0; i < 2; i++) {
			if (d->before[i].family == IP_NONE)
				d->targets[i] = (struct ip){0};
		}
		return;
	}
	/* PreferDualStack is content with one; the other follows once a pool has it (K26). */
	if (d->targets[0].family || d->targets[1].family) {
		struct ip missing =
			d->wish.ips[(d->targets[0].family ? service->families[1]
							  : service->families[0]) == IP_V6];

		if (missing.family == IP_NONE && !d->must_leave) {
			*d->problem = '\0';
			d->decision->failure = ALLOC_OK;
		}
	}
}

/* Nothing can be judged without a config or a readable wish: what is held is kept. */
static bool keep_as_is(struct deciding *d)
{
	if (!alloc_config(d->alloc))
		set_problem(d, ALLOC_NO_POOL, "NoConfiguration",
			"there is no configuration yet: create the ConfigMap with the key "
			"config.yaml");
	else if (d->service->families[0] == IP_NONE)
		set_problem(d, ALLOC_NO_FAMILY, "NoIPFamily",
			"the Service has neither spec.ipFamilies nor spec.clusterIPs");
	else if (d->wish.malformed)
		set_problem(d, ALLOC_NO_POOL, "InvalidRequest", d->wish.problem);
	else
		return false;
	memcpy(d->targets, d->before, sizeof(d->targets));
	return true;
}

static void take_targets(struct deciding *d)
{
	struct alloc_holder *holder = d->input->holder;

	for (size_t i = 0; i < 2; i++) {
		uint8_t family = d->service->families[i];

		if (family == IP_NONE)
			continue;
		if (d->targets[i].family != IP_NONE)
			alloc_take(d->alloc, holder, &d->targets[i]);
		else
			alloc_leave(d->alloc, holder, family);
	}
	/* A family that the Service no longer has. */
	for (unsigned f = IP_V4; f <= IP_V6; f += IP_V6 - IP_V4) {
		if (d->service->families[0] != IP_NONE && f != d->service->families[0] &&
			f != d->service->families[1])
			alloc_leave(d->alloc, holder, f);
	}
}

/* K15, K16, K20: equal when the list is, text by text; a stranger's ports or mode are not. */
static bool ingress_equals(const struct service *service, const struct assign_decision *decision)
{
	if (service->ingress_count != decision->address_count)
		return false;
	for (uint16_t i = 0; i < service->ingress_count; i++) {
		const struct service_ingress *ingress = &service->ingress[i];

		if (!ip_equal(&ingress->ip, &decision->addresses[i]) || !ingress->canonical ||
			(ingress->ip_mode_set && !ingress->ip_mode_vip) || ingress->has_ports)
			return false;
	}
	return true;
}

static const struct condition *find_condition(const struct service *service)
{
	for (uint16_t i = 0; i < service->condition_count; i++) {
		if (strcmp(service->conditions[i].type, CONDITION_ASSIGNED) == 0)
			return &service->conditions[i];
	}
	return NULL;
}

static void addresses_text(const struct assign_decision *decision, char *buffer, size_t size)
{
	*buffer = '\0';
	for (uint8_t i = 0; i < decision->address_count; i++) {
		size_t used = strlen(buffer);

		snprintf(buffer + used, size - used, "%s%s", i ? "," : "",
			ip_text(&decision->addresses[i]).s);
	}
}

static void decide_condition(struct deciding *d)
{
	struct assign_decision *decision = d->decision;
	const struct condition *now = find_condition(d->service);

	decision->condition_true = decision->address_count > 0 && decision->failure == ALLOC_OK &&
				   (!*d->problem || strcmp(d->problem_reason, "Kept") == 0);
	decision->condition_reason = *d->problem ? d->problem_reason : "Assigned";
	if (*d->problem)
		snprintf(decision->condition_message, ASSIGN_TEXT_MAX, "%s", d->problem);
	else
		snprintf(decision->condition_message, ASSIGN_TEXT_MAX, "%s is assigned",
			decision->annotation_text);
	decision->condition_flips =
		!now || strcmp(now->status, decision->condition_true ? "True" : "False") != 0;
	if (decision->condition_flips || strcmp(now->reason, decision->condition_reason) != 0 ||
		strcmp(now->message, decision->condition_message) != 0)
		decision->condition = ASSIGN_SET;
}

static void decide_events(struct deciding *d)
{
	struct assign_decision *decision = d->decision;
	char text[ASSIGN_TEXT_MAX], before[2 * IP_TEXT_MAX] = "";
	bool changed = memcmp(d->targets, d->before, sizeof(d->targets)) != 0;

	for (size_t i = 0; i < 2; i++) {
		size_t used = strlen(before);

		if (d->before[i].family != IP_NONE)
			snprintf(before + used, sizeof(before) - used, "%s%s", used ? "," : "",
				ip_text(&d->before[i]).s);
	}
	if (changed && decision->address_count > 0 && !*before) {
		snprintf(text, sizeof(text), "assigned %s", decision->annotation_text);
		add_event(decision, false, "IPAllocated", text);
	} else if (changed && *before) {
		snprintf(text, sizeof(text), "address changed from %s to %s%s", before,
			decision->address_count ? decision->annotation_text : "none",
			d->moved_by_config ? ": the configuration moves it"
			: d->must_leave	   ? ": it could not be shared any longer"
					   : "");
		add_event(decision, false, "UpdatedLoadBalancer", text);
	}
	if (*d->problem && decision->condition == ASSIGN_SET)
		add_event(decision, true,
			strcmp(d->problem_reason, "Kept") == 0 ? "AddressKept" : "AllocationFailed",
			d->problem);
}

/* Where nothing was held and status names addresses, an older holder has them (A12). */
static void note_conflict(struct deciding *d)
{
	char text[ASSIGN_TEXT_MAX];
	struct ip held;

	for (uint16_t i = 0; i < d->service->ingress_count; i++) {
		const struct ip *ip = &d->service->ingress[i].ip;
		struct alloc_refusal refusal;
		bool move;

		if (ip->family == IP_NONE || alloc_held(d->input->holder, ip->family, &held) ||
			alloc_stands(d->alloc, d->input->holder, &d->wish.request, ip, &refusal,
				&move) ||
			refusal.reason < ALLOC_IN_USE)
			continue;
		d->decision->conflict = true;
		snprintf(text, sizeof(text), "%s in status belongs to `%s`, which had it first",
			ip_text(ip).s, refusal.holder);
		add_event(d->decision, true, "AddressConflict", text);
		return;
	}
}

static void decide_ours(struct deciding *d)
{
	struct assign_decision *decision = d->decision;
	const struct service *service = d->service;
	const char *remembered = string_map_get(&service->annotations, ANNOTATION_ASSIGNED);

	assign_wish_read(d->alloc, d->input, &d->wish);
	for (size_t i = 0; i < 2; i++) {
		if (service->families[i] != IP_NONE)
			alloc_held(d->input->holder, service->families[i], &d->before[i]);
	}
	if (alloc_config(d->alloc))
		note_conflict(d);
	if (!keep_as_is(d)) {
		alloc_describe(d->alloc, d->input->holder, &d->wish.request);
		choose_targets(d);
		take_targets(d);
	}
	for (size_t i = 0; i < 2; i++) {
		if (d->targets[i].family != IP_NONE)
			decision->addresses[decision->address_count++] = d->targets[i];
	}
	addresses_text(decision, decision->annotation_text, sizeof(decision->annotation_text));
	decision->ingress = !ingress_equals(service, decision);
	if (!alloc_config(d->alloc))
		decision->ingress = false;
	if (decision->address_count > 0 && !service->has_finalizer)
		decision->finalizer = ASSIGN_SET;
	if (decision->address_count > 0 &&
		!(remembered && strcmp(remembered, decision->annotation_text) == 0))
		decision->annotation = ASSIGN_SET;
	decide_condition(d);
	decide_events(d);
	decision->state = !*d->problem		    ? ASSIGN_ASSIGNED
			  : decision->address_count ? ASSIGN_KEPT
						    : ASSIGN_PENDING;
}

/* K07, K08, K03: clean up a Service that is going or is ours no longer. */
static void decide_release(struct deciding *d, bool owned)
{
	struct assign_decision *decision = d->decision;
	const struct service *service = d->service;
	bool foreign_now = service->type == SERVICE_LOAD_BALANCER && !d->input->ours;
	bool cleared = service->ingress_count == 0;

	alloc_leave(d->alloc, d->input->holder, IP_V4);
	alloc_leave(d->alloc, d->input->holder, IP_V6);
	/* Status that another class's controller may have written is its own (K02). */
	decision->ingress = !foreign_now && !cleared && (d->input->ours || owned);
	if (service->has_finalizer && (owned || d->input->ours) && (!foreign_now || cleared))
		decision->finalizer = ASSIGN_REMOVE;
	if (string_map_get(&service->annotations, ANNOTATION_ASSIGNED) && owned)
		decision->annotation = ASSIGN_REMOVE;
	if (find_condition(service))
		decision->condition = ASSIGN_REMOVE;
	if (alloc_holds_any(d->input->holder) && !service->meta.deleting)
		add_event(decision, false, "DeletedLoadBalancer",
			"the address was released: the Service is no longer a LoadBalancer of "
			"ours");
	decision->state = ASSIGN_RELEASING;
}

static bool anything_to_write(const struct assign_decision *decision)
{
	return decision->ingress || decision->finalizer != ASSIGN_KEEP ||
	       decision->annotation != ASSIGN_KEEP || decision->condition != ASSIGN_KEEP;
}

void assign_decide(
	struct alloc *alloc, const struct assign_input *input, struct assign_decision *ret)
{
	const struct service *service = input->service;
	bool held = alloc_holds_any(input->holder);
	bool owned = held || string_map_get(&service->annotations, ANNOTATION_ASSIGNED);
	struct deciding d = {.alloc = alloc, .input = input, .service = service, .decision = ret};

	memset(ret, 0, sizeof(*ret));
	if (input->ours && !service->meta.deleting) {
		decide_ours(&d);
	} else if (input->ours || held ||
		   (owned && (service->type != SERVICE_LOAD_BALANCER || service->meta.deleting))) {
		decide_release(&d, owned);
		if (!anything_to_write(ret))
			ret->state = ASSIGN_RELEASED;
	}
	ret->write = anything_to_write(ret);
}
