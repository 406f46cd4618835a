// SPDX-License-Identifier: Apache-2.0
/*
 * After a start or a change of leader the allocator knows nothing: what Services have in
 * status is taken over before anything is assigned, whether or not a pool still has it
 * (K19), then what the annotation remembers of those restored from a backup (K18). The
 * caller goes through the Services oldest first, so that of two holders of one address
 * the older keeps it (A12), but pass by pass, see assign_pass_of. Later, a Service may still
 * turn out to have what the allocator does not know of: read late, restored, or written by
 * the leader before us.
 */
#include "assign_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool wants_family(const struct service *service, uint8_t family)
{
	if (service->families[0] == IP_NONE)
		return family != IP_NONE; /* not known: then nothing that it has is dropped */
	return family != IP_NONE &&
	       (family == service->families[0] || family == service->families[1]);
}

/* Nobody has it whom this Service could not share it with. */
static bool is_nobody_elses(const struct alloc *alloc, const struct assign_input *input,
	const struct assign_wish *wish, const struct ip *ip)
{
	struct alloc_refusal refusal;
	bool move;

	return alloc_stands(alloc, input->holder, &wish->request, ip, &refusal, &move) ||
	       !alloc_reason_collides(refusal.reason);
}

/* What the annotation remembers, IPv4 and IPv6. */
static void read_memory(const struct service *service, struct ip ret[2])
{
	const char *text = string_map_get(&service->annotations, ANNOTATION_ASSIGNED);
	char unused[160];

	ret[0] = ret[1] = (struct ip){0};
	if (text && !assign_ips_parse(text, ret, unused, sizeof(unused)))
		ret[0] = ret[1] = (struct ip){0};
}

/* Herald writes status and annotation together: what no pool has, while the annotation tells of
   another that can be had, a stranger has written (K23). */
static bool is_strangers(const struct alloc *alloc, const struct assign_input *input,
	const struct assign_wish *wish, const struct ip *ip)
{
	struct alloc_refusal refusal;
	struct ip memory[2];
	const struct ip *ours = &memory[ip->family == IP_V6];

	if (alloc_pool_of(alloc, ip))
		return false;
	read_memory(input->service, memory);
	return ours->family != IP_NONE && !ip_equal(ours, ip) &&
	       alloc_check(alloc, input->holder, &wish->request, ours, &refusal);
}

/* Takes what it may keep; false: an older holder has one of the addresses. */
static bool take_status(
	struct alloc *alloc, const struct assign_input *input, const struct assign_wish *wish)
{
	const struct service *service = input->service;
	bool all = true;

	for (uint16_t i = 0; i < service->ingress_count; i++) {
		const struct ip *ip = &service->ingress[i].ip;
		struct ip held;

		if (!wants_family(service, ip->family) ||
			alloc_held(input->holder, ip->family, &held) ||
			is_strangers(alloc, input, wish, ip))
			continue;
		if (is_nobody_elses(alloc, input, wish, ip))
			alloc_take(alloc, input->holder, ip);
		else
			all = false;
	}
	return all;
}

/* What it may not keep is taken, too, as being left, while status shows it to the world. */
static void leave_the_rest(struct alloc *alloc, const struct assign_input *input)
{
	const struct service *service = input->service;

	for (uint16_t i = 0; i < service->ingress_count; i++) {
		const struct ip *ip = &service->ingress[i].ip;
		struct ip held;

		if (ip->family == IP_NONE || alloc_held(input->holder, ip->family, &held))
			continue;
		alloc_take(alloc, input->holder, ip);
		alloc_leave(alloc, input->holder, (enum ip_family)ip->family);
	}
}

bool assign_adopt_status(struct alloc *alloc, const struct assign_input *input)
{
	struct assign_wish wish;
	bool all;

	if (!input->ours || input->service->ingress_count == 0)
		return false;
	assign_wish_read(alloc, input, &wish);
	alloc_describe(alloc, input->holder, &wish.request);
	all = take_status(alloc, input, &wish);
	alloc_settle(alloc, input->holder);
	leave_the_rest(alloc, input);
	return all;
}

void assign_shared_as_text(const struct assign_wish *wish, char *buffer, size_t size)
{
	uint64_t mark = alloc_sharing_mark(&wish->request);

	*buffer = '\0';
	if (mark != 0)
		snprintf(buffer, size, "%016" PRIx64, mark);
}

unsigned assign_pass_of(const struct alloc *alloc, const struct assign_input *input)
{
	const char *before = string_map_get(&input->service->annotations, ANNOTATION_SHARED_AS);
	struct assign_wish wish;
	char now[17];

	if (input->service->meta.deleting)
		return 2;
	if (!before)
		return 1;
	assign_wish_read(alloc, input, &wish);
	assign_shared_as_text(&wish, now, sizeof(now));
	return strcmp(before, now) == 0 ? 0 : 2;
}

bool assign_in_status(const struct service *service, uint8_t family, struct ip *ret)
{
	for (uint16_t i = 0; i < service->ingress_count; i++) {
		if (service->ingress[i].ip.family != family)
			continue;
		*ret = service->ingress[i].ip;
		return true;
	}
	return false;
}

static bool is_settled(const struct alloc_holder *holder, uint8_t family)
{
	struct ip held;

	return alloc_held(holder, (enum ip_family)family, &held) &&
	       alloc_has_settled(holder, &held);
}

/* Written by a leader of ours, who puts the same into both, and not known to this one. */
static bool was_assigned(const struct alloc *alloc, const struct assign_input *input,
	const struct assign_wish *wish, const struct ip *in_status, const struct ip *remembered)
{
	struct alloc_refusal refusal;

	return in_status->family != IP_NONE && ip_equal(in_status, remembered) &&
	       !alloc_holds(input->holder, in_status) &&
	       !is_settled(input->holder, in_status->family) &&
	       alloc_admits(alloc, input->holder, &wish->request, in_status, &refusal);
}

/* In no pool, or not to be given to it today: kept all the same, as a rule (A08). */
static bool would_be_kept(const struct alloc *alloc, const struct assign_wish *wish,
	const struct ip *ip, const struct alloc_refusal *refusal)
{
	const struct config_pool *pool = alloc_pool_of(alloc, ip);
	const char *asked = wish->request.pool;

	return refusal->reason != ALLOC_STRANGER && !alloc_reason_collides(refusal->reason) &&
	       (!asked || (pool && strcmp(pool->name, asked) == 0));
}

/* It is to leave what it shows, for another or because it had no use for the family. */
static bool is_about_to_leave(const struct alloc_holder *holder, const struct assign_wish *wish,
	const struct ip *in_status)
{
	enum ip_family family = (enum ip_family)in_status->family;
	struct ip held;

	if (family == IP_NONE || !alloc_holds(holder, in_status))
		return false;
	if (!alloc_held(holder, family, &held))
		return alloc_has_settled(holder, in_status);
	return !ip_equal(&held, in_status) && !alloc_has_settled(holder, &held) &&
	       (wish->malformed || !ip_equal(&wish->ips[family == IP_V6], &held));
}

/* That is not written yet, and the reason for it is gone. */
static bool may_stay(const struct alloc *alloc, const struct assign_input *input,
	const struct assign_wish *wish, const struct ip *in_status)
{
	struct alloc_refusal refusal;
	bool move;

	if (!is_about_to_leave(input->holder, wish, in_status))
		return false;
	return (alloc_stands(alloc, input->holder, &wish->request, in_status, &refusal, &move) ||
		       (!move && would_be_kept(alloc, wish, in_status, &refusal))) &&
	       alloc_admits(alloc, input->holder, &wish->request, in_status, &refusal);
}

void assign_recall(
	struct alloc *alloc, const struct assign_input *input, const struct assign_wish *wish)
{
	struct ip memory[2];

	read_memory(input->service, memory);
	for (size_t i = 0; i < 2; i++) {
		uint8_t family = input->service->families[i];
		struct ip in_status = {0};

		if (family == IP_NONE)
			continue;
		assign_in_status(input->service, family, &in_status);
		if (was_assigned(alloc, input, wish, &in_status, &memory[family == IP_V6]) ||
			may_stay(alloc, input, wish, &in_status))
			alloc_take(alloc, input->holder, &in_status);
	}
}

bool assign_recall_one(const struct deciding *d, uint8_t family, struct ip *ret)
{
	struct ip memory[2], in_status = {0};
	const struct ip *const known[] = {&in_status, &memory[family == IP_V6]};

	read_memory(d->service, memory);
	assign_in_status(d->service, family, &in_status);
	for (size_t i = 0; i < 2; i++) {
		struct alloc_refusal refusal;

		if (known[i]->family == IP_NONE || !alloc_check(d->alloc, d->input->holder,
							   &d->wish.request, known[i], &refusal))
			continue;
		*ret = *known[i];
		return true;
	}
	return false;
}

bool assign_adopt_annotation(struct alloc *alloc, const struct assign_input *input)
{
	struct alloc_refusal refusal;
	struct assign_wish wish;
	struct ip ips[2];
	bool taken = false;

	if (!input->ours || input->service->meta.deleting)
		return false;
	read_memory(input->service, ips);
	assign_wish_read(alloc, input, &wish);
	for (size_t i = 0; i < 2; i++) {
		struct ip held;

		if (!wants_family(input->service, ips[i].family) ||
			alloc_held(input->holder, ips[i].family, &held))
			continue;
		if (wish.ips[i].family != IP_NONE && !ip_equal(&wish.ips[i], &ips[i]))
			continue;
		if (!alloc_check(alloc, input->holder, &wish.request, &ips[i], &refusal))
			continue;
		alloc_describe(alloc, input->holder, &wish.request);
		alloc_take(alloc, input->holder, &ips[i]);
		taken = true;
	}
	return taken;
}
