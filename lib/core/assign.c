// SPDX-License-Identifier: Apache-2.0
/*
 * From one Service, the config and who holds what to the addresses the Service should
 * have and the changes to be written to it. The rules, in one place: what a Service has
 * is kept unless another can't live with it or the user asked for something else that
 * can be had (K19, K25); nothing is written that is there already (K15); finalizer,
 * annotation, addresses and condition change together (K14).
 */
#include "assign_private.h"

#include <stdio.h>
#include <string.h>

bool assign_is_ours(const struct assign_rules *rules, const struct service *service)
{
	if (service->type != SERVICE_LOAD_BALANCER)
		return false;
	if (!service->load_balancer_class)
		return !rules->class || rules->handle_unset;
	return rules->class && strcmp(rules->class, service->load_balancer_class) == 0;
}

/* Any address of the family; IP_NONE after telling why not. */
static struct ip find_any(struct deciding *d, size_t position)
{
	uint8_t family = d->service->families[position];
	struct alloc_trace trace;
	struct ip ip;

	if (alloc_find(d->alloc, d->input->holder, &d->wish.request, family, &ip, &trace))
		return ip;
	assign_refused_pools(d, &d->problems[position], family, &trace);
	return (struct ip){0};
}

/* The address asked for; false after telling why not. */
static bool find_asked(struct deciding *d, size_t position, const struct ip *asked)
{
	struct alloc_refusal refusal;

	if (alloc_check(d->alloc, d->input->holder, &d->wish.request, asked, &refusal))
		return true;
	assign_refused_address(d, &d->problems[position], asked, &refusal);
	return false;
}

/* It asks for a pool by name that is not the one its address is in. */
static bool wants_other_pool(const struct deciding *d, const struct ip *held)
{
	const struct config_pool *pool = alloc_pool_of(d->alloc, held);

	return d->wish.request.pool && (!pool || strcmp(pool->name, d->wish.request.pool) != 0);
}

/* Another machine had the address before it was announced: to the next one, unless it is
   this one that was asked for (design 5). */
static struct ip leave_stranger(struct deciding *d, size_t position, const struct ip *held,
	const struct alloc_refusal *refusal)
{
	bool asked = d->wish.ips[held->family == IP_V6].family != IP_NONE;
	struct alloc_trace unused;
	struct ip found;

	if (!asked && alloc_find(d->alloc, d->input->holder, &d->wish.request, held->family, &found,
			      &unused)) {
		d->moved_by_stranger = true;
		return found;
	}
	assign_kept_beside_stranger(d, &d->problems[position], held, refusal);
	return *held;
}

/* What the Service has does not stand, but nobody else claims it: move it, or keep it. */
static struct ip replace_held(struct deciding *d, size_t position, const struct ip *held,
	const struct alloc_refusal *refusal, bool move)
{
	struct assign_problem *problem = &d->problems[position];
	bool asked = d->wish.ips[held->family == IP_V6].family != IP_NONE;
	bool elsewhere = wants_other_pool(d, held);
	struct ip found;

	if (!move && asked && elsewhere) {
		/* Address and pool contradict each other; no other address would do. */
		assign_refused_address(d, problem, held, refusal);
		return *held;
	}
	if (refusal->reason == ALLOC_STRANGER)
		return leave_stranger(d, position, held, refusal);
	if (!move && !elsewhere) {
		assign_kept_unpooled(d, problem, held, refusal);
		return *held;
	}
	found = find_any(d, position);
	if (found.family == IP_NONE)
		return *held;
	d->moved_by_config = move;
	/* It still asks for what it had: as it will be told whenever it is judged again. */
	if (move && asked)
		assign_refused_address(d, problem, held, refusal);
	return found;
}

/* The address of one family that the Service should have. */
static struct ip target_for(struct deciding *d, size_t position)
{
	uint8_t family = d->service->families[position];
	const struct ip *asked = &d->wish.ips[family == IP_V6];
	bool asks = asked->family != IP_NONE;
	struct alloc_refusal refusal;
	struct ip held = {0};
	bool move;

	if (d->wish.malformed)
		assign_problem_set(
			&d->problems[position], ALLOC_NO_POOL, "InvalidRequest", d->wish.problem);
	if (!alloc_held(d->input->holder, family, &held)) {
		if (d->wish.malformed)
			return held;
		if (asks)
			return find_asked(d, position, asked) ? *asked : held;
		return assign_recall_one(d, family, &held) ? held : find_any(d, position);
	}
	if (!d->wish.malformed && asks && !ip_equal(asked, &held) && find_asked(d, position, asked))
		return *asked;
	if (alloc_stands(d->alloc, d->input->holder, &d->wish.request, &held, &refusal, &move))
		return held;
	if (alloc_reason_collides(refusal.reason)) {
		d->must_leave = true;
		if (!asks && !d->wish.malformed)
			return find_any(d, position);
		/* Nothing but what it asked for will do, whoever has that. */
		assign_refused_address(d, &d->problems[position], &held, &refusal);
		return (struct ip){0};
	}
	return d->wish.malformed ? held : replace_held(d, position, &held, &refusal, move);
}

/* It has an address of this family, perhaps one that it is to leave for its target; or one
   that it was to have and shows, and left before this was seen to be so. */
static bool shows_family(const struct deciding *d, size_t position)
{
	const struct alloc_holder *holder = d->input->holder;
	struct alloc_refusal refusal;
	struct ip shown;

	return assign_in_status(d->service, d->service->families[position], &shown) &&
	       (alloc_has_settled(holder, &shown) || ip_equal(&shown, &d->before[position]) ||
		       ip_equal(&shown, &d->targets[position]) ||
		       (alloc_holds(holder, &shown) &&
			       alloc_admits(d->alloc, holder, &d->wish.request, &shown, &refusal)));
}

static void choose_targets(struct deciding *d)
{
	const struct service *service = d->service;
	size_t missing;

	d->targets[0] = target_for(d, 0);
	if (service->families[1] == IP_NONE)
		return;
	d->targets[1] = target_for(d, 1);
	if (d->targets[0].family && d->targets[1].family)
		return;
	missing = d->targets[0].family ? 1 : 0;
	if (service->family_policy == FAMILY_REQUIRE_DUAL) {
		/* Both or none, but for what it has already (K19, K26). */
		if (!shows_family(d, !missing))
			d->targets[!missing] = (struct ip){0};
	} else if (d->targets[!missing].family && !d->wish.malformed && !d->must_leave &&
		   d->wish.ips[service->families[missing] == IP_V6].family == IP_NONE) {
		/* PreferDualStack is content with one; the other follows once a pool has it. */
		d->problems[missing].reason = NULL;
	}
}

/* Nothing can be judged without a config or a family: what is held is kept. */
static bool keep_as_is(struct deciding *d)
{
	if (!alloc_config(d->alloc))
		assign_problem_set(&d->problems[0], ALLOC_NO_POOL, "NoConfiguration",
			"there is no configuration yet: create the ConfigMap with the key "
			"config.yaml");
	else if (d->service->families[0] == IP_NONE)
		assign_problem_set(&d->problems[0], ALLOC_NO_FAMILY, "NoIPFamily",
			"the Service has neither spec.ipFamilies nor spec.clusterIPs");
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

/* By position; of a Service whose families are not known, those that it holds. */
static void note_held(struct deciding *d)
{
	static const uint8_t both[] = {IP_V4, IP_V6};
	const uint8_t *families = d->service->families;

	if (families[0] == IP_NONE)
		families = both;
	for (size_t i = 0; i < 2; i++) {
		if (families[i] != IP_NONE)
			alloc_held(d->input->holder, families[i], &d->before[i]);
	}
}

/* So that whoever takes over knows which of two sharers was changed (A06). */
static void decide_shared_as(struct deciding *d)
{
	struct assign_decision *decision = d->decision;
	const char *now = string_map_get(&d->service->annotations, ANNOTATION_SHARED_AS);
	char *text = decision->shared_as_text;

	if (decision->address_count > 0)
		assign_shared_as_text(&d->wish, text, sizeof(decision->shared_as_text));
	if (*text && !(now && strcmp(now, text) == 0))
		decision->shared_as = ASSIGN_SET;
	if (!*text && now)
		decision->shared_as = ASSIGN_REMOVE;
}

/* So that whoever takes over when the pool is gone knows what it said (A08). */
static void decide_moves(struct deciding *d)
{
	struct assign_decision *decision = d->decision;
	const char *now = string_map_get(&d->service->annotations, ANNOTATION_MOVES);
	char *text = decision->moves_text;

	for (uint8_t i = 0; i < decision->address_count; i++) {
		const struct ip *ip = &decision->addresses[i];
		size_t used = strlen(text);

		if (alloc_moves(d->alloc, &d->wish.request, ip))
			snprintf(text + used, sizeof(decision->moves_text) - used, "%s%s",
				used ? "," : "", ip_text(ip).s);
	}
	if (*text && !(now && strcmp(now, text) == 0))
		decision->moves = ASSIGN_SET;
	if (!*text && now)
		decision->moves = ASSIGN_REMOVE;
}

static void decide_ours(struct deciding *d)
{
	struct assign_decision *decision = d->decision;
	const struct service *service = d->service;
	const char *remembered = string_map_get(&service->annotations, ANNOTATION_ASSIGNED);
	bool kept_as_is;

	assign_wish_read(d->alloc, d->input, &d->wish);
	if (alloc_config(d->alloc)) {
		alloc_describe(d->alloc, d->input->holder, &d->wish.request);
		assign_recall(d->alloc, d->input, &d->wish);
	}
	note_held(d);
	kept_as_is = keep_as_is(d);
	if (!kept_as_is) {
		choose_targets(d);
		take_targets(d);
	}
	for (size_t i = 0; i < 2; i++) {
		if (d->targets[i].family != IP_NONE)
			decision->addresses[decision->address_count++] = d->targets[i];
	}
	assign_addresses_text(
		decision, decision->annotation_text, sizeof(decision->annotation_text));
	decision->ingress = !kept_as_is && !ingress_equals(service, decision);
	if (decision->address_count > 0 && !service->has_finalizer)
		decision->finalizer = ASSIGN_SET;
	if (decision->address_count > 0 && !kept_as_is &&
		!(remembered && strcmp(remembered, decision->annotation_text) == 0))
		decision->annotation = ASSIGN_SET;
	if (!kept_as_is) {
		decide_shared_as(d);
		decide_moves(d);
	}
	assign_tell(d);
	decision->state = decision->address_count == 0			   ? ASSIGN_PENDING
			  : d->problems[0].reason || d->problems[1].reason ? ASSIGN_KEPT
									   : ASSIGN_ASSIGNED;
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
	if (string_map_get(&service->annotations, ANNOTATION_SHARED_AS) && owned)
		decision->shared_as = ASSIGN_REMOVE;
	if (string_map_get(&service->annotations, ANNOTATION_MOVES) && owned)
		decision->moves = ASSIGN_REMOVE;
	assign_tell_release(d);
	decision->state = ASSIGN_RELEASING;
}

static bool anything_to_write(const struct assign_decision *decision)
{
	return decision->ingress || decision->finalizer != ASSIGN_KEEP ||
	       decision->annotation != ASSIGN_KEEP || decision->shared_as != ASSIGN_KEEP ||
	       decision->moves != ASSIGN_KEEP || decision->condition != ASSIGN_KEEP;
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
