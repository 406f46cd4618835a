// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses that wait for kube-proxy. In: plans as they are made, the time. Out: wishes
 * held back. The rule stands in the header. One record for each address that has no
 * endpoint here, or has one that is new; each plan makes the list anew from the one before.
 */
#include "herald/core/warmup.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

struct item {
	struct ip ip;
	bool lacking;	     /* no endpoint here */
	bool theirs;	     /* another node had it by the plan */
	bool waiting;	     /* ours by the plan, and held back */
	struct monotime end; /* not lacking: of the warm-up */
};

struct warmup {
	char *self;
	struct item *items; /* sorted by ip */
	size_t count;
};

struct warmup *warmup_new(const char *self)
{
	struct warmup *w = xcalloc(1, sizeof(*w));

	w->self = xstrdup(self);
	return w;
}

void warmup_free(struct warmup *warmup)
{
	if (!warmup)
		return;
	free(warmup->self);
	free(warmup->items);
	free(warmup);
}

static bool another_could(const struct plan *plan, const struct plan_vip *vip, size_t self)
{
	for (size_t n = 0; n < plan->node_count; n++) {
		if (n != self && vip->verdicts[n] >= PLAN_ELIGIBLE)
			return true;
	}
	return false;
}

/* False: there is nothing to remember of it. `before` is NULL where nothing was. */
static bool follow_one(const struct item *before, const struct plan *plan,
	const struct plan_vip *vip, size_t self, struct monotime now, struct item *ret)
{
	*ret = (struct item){.ip = vip->address, .theirs = vip->owner && !vip->ours};
	if (vip->verdicts[self] == PLAN_NO_ENDPOINT) {
		ret->lacking = true;
		return true;
	}
	if (vip->verdicts[self] < PLAN_ELIGIBLE || !before)
		return false;
	ret->end = before->lacking ? monotime_add_ms(now, WARMUP_MS) : before->end;
	ret->waiting =
		vip->ours && (before->waiting || before->theirs) && another_could(plan, vip, self);
	return !monotime_reached(now, ret->end);
}

static size_t index_of(const struct plan *plan, const char *node)
{
	size_t n = 0;

	while (n < plan->node_count && strcmp(plan->nodes[n], node) != 0)
		n++;
	return n;
}

void warmup_follow(struct warmup *warmup, const struct plan *plan, struct monotime now)
{
	size_t self = index_of(plan, warmup->self), kept = 0, old = 0;
	struct item *fresh = xcalloc(plan->vip_count, sizeof(*fresh));

	for (size_t i = 0; self < plan->node_count && i < plan->vip_count; i++) {
		const struct plan_vip *vip = &plan->vips[i];
		const struct item *before = NULL;

		while (old < warmup->count && ip_compare(&warmup->items[old].ip, &vip->address) < 0)
			old++;
		if (old < warmup->count && ip_equal(&warmup->items[old].ip, &vip->address))
			before = &warmup->items[old];
		if (follow_one(before, plan, vip, self, now, &fresh[kept]))
			kept++;
	}
	free(warmup->items);
	warmup->items = fresh;
	warmup->count = kept;
}

void warmup_hold_back(const struct warmup *warmup, struct ownership_wish *wishes, size_t count)
{
	size_t at = 0;

	for (size_t i = 0; i < warmup->count; i++) {
		const struct item *item = &warmup->items[i];

		while (at < count && ip_compare(&wishes[at].ip, &item->ip) < 0)
			at++;
		if (at < count && item->waiting && ip_equal(&wishes[at].ip, &item->ip) &&
			wishes[at].kind == OWNERSHIP_OURS)
			wishes[at].kind = OWNERSHIP_THEIRS;
	}
}

bool warmup_step(struct warmup *warmup, struct monotime now)
{
	size_t kept = 0;
	bool ended = false;

	for (size_t i = 0; i < warmup->count; i++) {
		const struct item *item = &warmup->items[i];

		if (item->waiting && monotime_reached(now, item->end))
			ended = true;
		else
			warmup->items[kept++] = *item;
	}
	warmup->count = kept;
	return ended;
}

bool warmup_next(const struct warmup *warmup, struct monotime *ret)
{
	struct monotime first = {UINT64_MAX};

	for (size_t i = 0; i < warmup->count; i++) {
		if (warmup->items[i].waiting && warmup->items[i].end.ns < first.ns)
			first = warmup->items[i].end;
	}
	*ret = first;
	return first.ns != UINT64_MAX;
}
