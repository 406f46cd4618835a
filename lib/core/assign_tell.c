// SPDX-License-Identifier: Apache-2.0
/*
 * A decision in words (A09, O04, K22): the condition with a stable reason and a message
 * that says what to do, and the Events. Both follow from what the Service shows now and
 * what it is to show, not from what the allocator did just now, so that a decision that
 * has to be made again after a failed write says the same again. Names and values in the
 * text come from users: what goes out is well-formed UTF-8 without control characters.
 */
#include "assign_private.h"

#include <stdio.h>
#include <string.h>

#include "herald/base/utf8.h"

/* Also ends a text that was cut in the middle of a character before that character. */
static void make_clean(char *text)
{
	size_t length = strlen(text), in = 0, out = 0;

	while (in < length) {
		uint32_t code;
		size_t size = utf8_next(text + in, length - in, &code);

		if (size == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) {
			/* A character that begins here and would end behind the cut. */
			if (size == 0 && length == ASSIGN_TEXT_MAX - 1 && length - in < 4 &&
				(uint8_t)text[in] >= 0xc2)
				break;
			text[out++] = '?';
			in += size ? size : 1;
			continue;
		}
		memmove(text + out, text + in, size);
		out += size;
		in += size;
	}
	text[out] = '\0';
}

static void add_event(
	struct assign_decision *decision, bool warning, const char *reason, const char *message)
{
	struct assign_event *event;

	if (decision->event_count == sizeof(decision->events) / sizeof(decision->events[0]))
		return;
	event = &decision->events[decision->event_count++];
	event->warning = warning;
	event->reason = reason;
	snprintf(event->message, sizeof(event->message), "%s", message);
	make_clean(event->message);
}

void assign_problem_set(struct assign_problem *problem, enum alloc_reason failure,
	const char *reason, const char *text)
{
	if (problem->reason)
		return;
	problem->failure = failure;
	problem->reason = reason;
	snprintf(problem->text, sizeof(problem->text), "%s", text);
	make_clean(problem->text);
}

/* What to do about an address that was asked for and can't be had. */
static const char *mend_address(enum alloc_reason reason)
{
	switch (reason) {
	case ALLOC_NO_POOL:
		return "ask for another address, or add it to a pool";
	case ALLOC_OTHER_POOL:
		return "ask for the address or the pool, not for both";
	case ALLOC_DISABLED:
		return "ask for another address, or enable the pool";
	case ALLOC_NAMESPACE:
	case ALLOC_SERVICE:
	case ALLOC_CLASS:
		return "ask for another address, or let the pool select this Service";
	case ALLOC_STRANGER:
		return "ask for another address, or take this one from that machine";
	case ALLOC_SHARED_PORT:
		return "use another port, or ask for another address";
	case ALLOC_SHARED_POLICY:
		return "make them the same, or ask for another address";
	default:
		return "ask for another address";
	}
}

/* What to do where no pool gives an address. */
static const char *mend_pools(enum alloc_reason reason)
{
	switch (reason) {
	case ALLOC_NO_POOL:
		return "add one to the configuration";
	case ALLOC_FULL:
		return "enlarge a pool, or free an address: it goes to whoever has waited longest";
	case ALLOC_NO_FAMILY:
		return "add a range of this family to a pool";
	case ALLOC_DISABLED:
		return "enable a pool";
	case ALLOC_BY_REQUEST:
		return "ask for a pool in the annotation " ANNOTATION_POOL;
	default:
		return "let a pool select this Service";
	}
}

void assign_refused_address(struct deciding *d, struct assign_problem *problem, const struct ip *ip,
	const struct alloc_refusal *refusal)
{
	char words[700], text[ASSIGN_TEXT_MAX];

	alloc_refusal_text(refusal, &d->wish.request, words, sizeof(words));
	snprintf(text, sizeof(text), "%s can't be assigned: %s", ip_text(ip).s, words);
	if (!problem->reason)
		problem->mend = mend_address(refusal->reason);
	assign_problem_set(problem, refusal->reason, alloc_reason_name(refusal->reason), text);
}

/* Names that do not fit are counted. */
static void list_eligible(const struct deciding *d, char *buffer, size_t size)
{
	const struct config_pool *pool;
	size_t position = 0, used = 0, omitted = 0;

	snprintf(buffer, size, "none");
	while ((pool = alloc_eligible_pool(d->alloc, &d->wish.request, &position))) {
		char name[160];
		int length =
			snprintf(name, sizeof(name), "%s`%.128s`", used ? ", " : "", pool->name);

		if (length < 0 ||
			used + (size_t)length + sizeof(" and 18446744073709551615 more") > size) {
			omitted++;
			continue;
		}
		memcpy(buffer + used, name, (size_t)length + 1);
		used += (size_t)length;
	}
	if (omitted)
		snprintf(buffer + used, size - used, " and %zu more", omitted);
}

/* The reason that stands for them all: "full" where more addresses would have helped. */
static enum alloc_reason main_reason(const struct alloc_trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		if (trace->refusals[i].reason == ALLOC_FULL)
			return ALLOC_FULL;
	}
	return trace->count ? trace->refusals[0].reason : ALLOC_NO_POOL;
}

void assign_refused_pools(struct deciding *d, struct assign_problem *problem, uint8_t family,
	const struct alloc_trace *trace)
{
	enum alloc_reason reason = main_reason(trace);
	char words[ASSIGN_TEXT_MAX - 200], text[ASSIGN_TEXT_MAX];
	const char *name = "NoAddressAvailable", *mend = mend_pools(reason);

	if (trace->count == 1 && reason == ALLOC_UNKNOWN_POOL) {
		list_eligible(d, words, sizeof(words));
		snprintf(text, sizeof(text),
			"pool `%.128s` does not exist; this Service may use: %s",
			d->wish.request.pool, words);
		name = alloc_reason_name(reason);
		mend = NULL;
	} else {
		alloc_trace_text(trace, &d->wish.request, words, sizeof(words));
		snprintf(text, sizeof(text), "no IPv%u address: %s", family, words);
	}
	if (!problem->reason)
		problem->mend = mend;
	assign_problem_set(problem, reason, name, text);
}

void assign_kept_unpooled(struct deciding *d, struct assign_problem *problem, const struct ip *held,
	const struct alloc_refusal *refusal)
{
	char words[600], text[ASSIGN_TEXT_MAX];
	const char *mend = "put it back into a pool, or set whenRemoved: move to have such "
			   "Services moved";

	if (refusal->reason == ALLOC_NODE_ADDRESS)
		mend = "take it off the node or out of externalIPs, or ask for another in the "
		       "annotation " ANNOTATION_IPS;
	alloc_refusal_text(refusal, &d->wish.request, words, sizeof(words));
	snprintf(text, sizeof(text), "%s is kept though it would not be assigned now: %s; %s",
		ip_text(held).s, words, mend);
	assign_problem_set(problem, ALLOC_OK, "Kept", text);
	problem->kept = true;
}

void assign_kept_beside_stranger(struct deciding *d, struct assign_problem *problem,
	const struct ip *held, const struct alloc_refusal *refusal)
{
	bool asked = d->wish.ips[held->family == IP_V6].family != IP_NONE;
	char words[600], text[ASSIGN_TEXT_MAX];

	alloc_refusal_text(refusal, &d->wish.request, words, sizeof(words));
	snprintf(text, sizeof(text),
		"%s is kept but not announced: %s, and %s; take it from that machine, or %s",
		ip_text(held).s, words,
		asked ? "this Service asks for just this one" : "no pool has another",
		asked ? "ask for another" : "enlarge a pool");
	assign_problem_set(problem, ALLOC_OK, alloc_reason_name(ALLOC_STRANGER), text);
	problem->kept = true;
}

void assign_addresses_text(const struct assign_decision *decision, char *buffer, size_t size)
{
	*buffer = '\0';
	for (uint8_t i = 0; i < decision->address_count; i++) {
		size_t used = strlen(buffer);

		snprintf(buffer + used, size - used, "%s%s", i ? "," : "",
			ip_text(&decision->addresses[i]).s);
	}
}

const struct condition *assign_condition(const struct service *service)
{
	for (uint16_t i = 0; i < service->condition_count; i++) {
		if (strcmp(service->conditions[i].type, CONDITION_ASSIGNED) == 0)
			return &service->conditions[i];
	}
	return NULL;
}

/* The one that the condition is named after: what is missing before what is only kept. */
static const struct assign_problem *main_problem(const struct deciding *d)
{
	const struct assign_problem *first = &d->problems[0], *second = &d->problems[1];

	if (!first->reason || (first->kept && second->reason && !second->kept))
		return second->reason ? second : NULL;
	return first;
}

/* As much of it as there is room for. */
static void append(char *buffer, size_t size, const char *text)
{
	size_t used = strlen(buffer), length = strlen(text);

	if (length >= size - used)
		length = size - used - 1;
	memcpy(buffer + used, text, length);
	buffer[used + length] = '\0';
}

static void append_mend(char *buffer, size_t size, const char *mend)
{
	if (!mend)
		return;
	append(buffer, size, "; ");
	append(buffer, size, mend);
}

static void problem_text(const struct deciding *d, char *buffer, size_t size)
{
	const struct assign_problem *first = main_problem(d);
	const struct assign_problem *second = first == d->problems ? &d->problems[1] : d->problems;

	*buffer = '\0';
	append(buffer, size, first->text);
	if (second->reason && strcmp(first->text, second->text) != 0) {
		append(buffer, size, "; ");
		append(buffer, size, second->text);
	}
	append_mend(buffer, size, first->mend);
	if (second->reason && second->mend != first->mend)
		append_mend(buffer, size, second->mend);
	make_clean(buffer);
}

static void tell_condition(struct deciding *d)
{
	struct assign_decision *decision = d->decision;
	const struct condition *now = assign_condition(d->service);
	const struct assign_problem *problem = main_problem(d);

	decision->failure = problem ? problem->failure : ALLOC_OK;
	decision->condition_true = decision->address_count > 0 && (!problem || problem->kept);
	decision->condition_reason = problem ? problem->reason : "Assigned";
	if (problem)
		problem_text(d, decision->condition_message, ASSIGN_TEXT_MAX);
	else
		snprintf(decision->condition_message, ASSIGN_TEXT_MAX, "%s is assigned",
			decision->annotation_text);
	decision->condition_flips =
		!now || strcmp(now->status, decision->condition_true ? "True" : "False") != 0;
	if (decision->condition_flips || strcmp(now->reason, decision->condition_reason) != 0 ||
		strcmp(now->message, decision->condition_message) != 0)
		decision->condition = ASSIGN_SET;
}

static void status_text(const struct service *service, char *buffer, size_t size)
{
	size_t used = 0;

	*buffer = '\0';
	for (uint16_t i = 0; i < service->ingress_count && used + 1 < size; i++) {
		int length = snprintf(buffer + used, size - used, "%s%s", i ? "," : "",
			service->ingress[i].ip.family == IP_NONE
				? "a hostname"
				: ip_text(&service->ingress[i].ip).s);

		used += length > 0 ? (size_t)length : 0;
	}
}

static bool is_remembered(const struct deciding *d)
{
	const char *remembered = string_map_get(&d->service->annotations, ANNOTATION_ASSIGNED);

	return remembered && strcmp(remembered, d->decision->annotation_text) == 0;
}

static bool lists_the_same_addresses(const struct deciding *d)
{
	if (d->service->ingress_count != d->decision->address_count)
		return false;
	for (uint16_t i = 0; i < d->service->ingress_count; i++) {
		if (!ip_equal(&d->service->ingress[i].ip, &d->decision->addresses[i]))
			return false;
	}
	return true;
}

static void tell_change(struct deciding *d)
{
	struct assign_decision *decision = d->decision;
	const char *now = decision->address_count ? decision->annotation_text : "none";
	char text[ASSIGN_TEXT_MAX], before[256];

	if (!decision->ingress || lists_the_same_addresses(d))
		return;
	status_text(d->service, before, sizeof(before));
	if (is_remembered(d) && *before) {
		snprintf(text, sizeof(text),
			"status said %s, which Herald did not write: it is %s again", before, now);
		add_event(decision, true, "StatusRepaired", text);
	} else if (*before) {
		snprintf(text, sizeof(text), "address changed from %s to %s%s", before, now,
			d->moved_by_config     ? ": the configuration moves it"
			: d->moved_by_stranger ? ": another machine has that address, see the "
						 "Event AddressConflict"
			: d->must_leave	       ? ": it could not be shared any longer"
					       : "");
		add_event(decision, false, "UpdatedLoadBalancer", text);
	} else {
		snprintf(text, sizeof(text), "assigned %s", now);
		add_event(decision, false, "IPAllocated", text);
	}
}

/* An address in status that others have, by status as well or by what was decided (A12). */
static void tell_conflict(struct deciding *d)
{
	char text[ASSIGN_TEXT_MAX];

	for (uint16_t i = 0; i < d->service->ingress_count; i++) {
		const struct ip *ip = &d->service->ingress[i].ip;
		struct alloc_refusal refusal;

		if (ip->family == IP_NONE || alloc_has_settled(d->input->holder, ip) ||
			alloc_admits(d->alloc, d->input->holder, &d->wish.request, ip, &refusal))
			continue;
		d->decision->conflict = true;
		snprintf(text, sizeof(text), "%s in status belongs to `%s`, which had it first",
			ip_text(ip).s, refusal.holder);
		add_event(d->decision, true, "AddressConflict", text);
		return;
	}
}

void assign_tell(struct deciding *d)
{
	const struct assign_problem *problem = main_problem(d);
	bool kept_quietly = !alloc_config(d->alloc) && d->decision->address_count > 0;

	tell_condition(d);
	/* While there is no config, nothing is said of those who have what they need. */
	if (kept_quietly)
		d->decision->condition = ASSIGN_KEEP;
	if (alloc_config(d->alloc))
		tell_conflict(d);
	tell_change(d);
	if (problem && d->decision->condition == ASSIGN_SET)
		add_event(d->decision, true, problem->kept ? "AddressKept" : "AllocationFailed",
			d->decision->condition_message);
}

void assign_tell_release(struct deciding *d)
{
	if (assign_condition(d->service))
		d->decision->condition = ASSIGN_REMOVE;
	if (alloc_holds_any(d->input->holder) && !d->service->meta.deleting)
		add_event(d->decision, false, "DeletedLoadBalancer",
			"the address was released: the Service is no longer a LoadBalancer of "
			"ours");
}
