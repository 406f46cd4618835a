// SPDX-License-Identifier: Apache-2.0
/*
 * After a start or a change of leader the allocator knows nothing: what Services have in
 * status is taken over before anything is assigned, whether or not a pool still has it
 * (K19), then what the annotation remembers of those restored from a backup (K18). The
 * caller goes through the Services oldest first, so that of two holders of one address
 * the older keeps it (A12).
 */
#include "herald/core/assign.h"

#include <string.h>

/* Nobody else has it whom this Service could not share it with. */
static bool is_free_for(const struct alloc *alloc, const struct assign_input *input,
	const struct assign_wish *wish, const struct ip *ip)
{
	struct alloc_refusal refusal;
	bool move;

	if (alloc_stands(alloc, input->holder, &wish->request, ip, &refusal, &move))
		return true;
	return refusal.reason < ALLOC_IN_USE;
}

static bool wants_family(const struct service *service, uint8_t family)
{
	return family != IP_NONE &&
	       (family == service->families[0] || family == service->families[1]);
}

bool assign_adopt_status(struct alloc *alloc, const struct assign_input *input)
{
	const struct service *service = input->service;
	struct assign_wish wish;
	bool all = service->ingress_count > 0;

	if (!input->ours || service->type != SERVICE_LOAD_BALANCER)
		return false;
	assign_wish_read(alloc, input, &wish);
	for (uint16_t i = 0; i < service->ingress_count; i++) {
		const struct ip *ip = &service->ingress[i].ip;
		struct ip held;

		if (!wants_family(service, ip->family) ||
			alloc_held(input->holder, ip->family, &held))
			continue;
		if (!is_free_for(alloc, input, &wish, ip)) {
			all = false;
			continue;
		}
		alloc_describe(alloc, input->holder, &wish.request);
		alloc_take(alloc, input->holder, ip);
	}
	return all;
}

bool assign_adopt_annotation(struct alloc *alloc, const struct assign_input *input)
{
	const char *text = string_map_get(&input->service->annotations, ANNOTATION_ASSIGNED);
	struct alloc_refusal refusal;
	struct assign_wish wish;
	struct ip ips[2];
	char unused[160];
	bool taken = false;

	if (!input->ours || !text || input->service->meta.deleting ||
		!assign_ips_parse(text, ips, unused, sizeof(unused)))
		return false;
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
