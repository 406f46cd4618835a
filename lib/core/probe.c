// SPDX-License-Identifier: Apache-2.0
/*
 * Which addresses are asked for before they are announced, when, and what came of it. In:
 * the plan's wishes, what others tell, claims heard, the time. Out: wishes held back, and
 * which address to ask for now. The rules stand in the header. Builds no frame; who is
 * one of ours is decided by the caller.
 */
#include "herald/core/probe.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

struct item {
	struct ip ip;
	uint8_t mac[MAC_SIZE]; /* of CONFLICT */
	enum probe_state state;
	bool planned; /* it is in the plan */
	bool ours;    /* by the plan */
	bool theirs;  /* of NEW: another node has owned it without conflict since then */
	struct monotime since;
	uint32_t sent;	     /* probes of this round */
	uint32_t found;	     /* conflicts, without a pass between them */
	struct monotime due; /* of ASKING and CONFLICT: the next probe, or the end */
};

struct probe {
	struct item *items; /* sorted by ip */
	size_t count;
	struct probe_timing timing;
	uint64_t random;
	bool started; /* there was a plan */
};

const char *probe_state_text(enum probe_state state)
{
	static const char *const texts[] = {NULL, NULL, "asking", "conflict"};

	return texts[state];
}

struct probe *probe_new(uint64_t seed)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	p->random = seed ? seed : 1;
	return p;
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	free(probe->items);
	free(probe);
}

void probe_set_timing(struct probe *probe, const struct probe_timing *timing)
{
	probe->timing = *timing;
}

/* xorshift64 (Marsaglia, 2003): enough to spread retries. */
static uint64_t next_random(struct probe *p)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return p->random;
}

static int compare_ip(const void *key, const void *item)
{
	return ip_compare(key, &((const struct item *)item)->ip);
}

static struct item *find(const struct probe *p, const struct ip *ip)
{
	if (p->count == 0)
		return NULL;
	return bsearch(ip, p->items, p->count, sizeof(*p->items), compare_ip);
}

static bool is_under_way(const struct item *item)
{
	return item->state == PROBE_ASKING || item->state == PROBE_CONFLICT;
}

static void ask(struct item *item, struct monotime now)
{
	item->state = PROBE_ASKING;
	item->sent = 0;
	item->found = 0;
	item->due = now;
}

/* Another's time with it ends; long enough, and it is known to be ours. */
static void end_theirs(const struct probe *p, struct item *item, struct monotime now)
{
	uint64_t enough = (uint64_t)p->timing.count * p->timing.spacing_ms + PROBE_NEWS_MS;

	if (item->state == PROBE_NEW && item->theirs &&
		monotime_reached(now, monotime_add_ms(item->since, enough)))
		item->state = PROBE_KNOWN;
	item->theirs = false;
}

static void plan_ours(const struct probe *p, struct item *item, struct monotime now)
{
	end_theirs(p, item, now);
	if (p->timing.count == 0)
		item->state = PROBE_KNOWN;
	else if (item->state == PROBE_NEW)
		ask(item, now);
}

static void plan_theirs(struct item *item, bool told, struct monotime now)
{
	if (told || is_under_way(item))
		item->state = PROBE_NEW;
	if (!item->theirs)
		item->since = now;
	item->theirs = !told;
}

static void plan_nobodys(const struct probe *p, struct item *item, struct monotime now)
{
	end_theirs(p, item, now);
	if (item->state == PROBE_ASKING)
		item->state = PROBE_NEW;
}

static void plan_one(const struct probe *p, struct item *item, struct ownership_wish *wish,
	bool told, struct monotime now)
{
	item->planned = true;
	item->ours = wish->kind == OWNERSHIP_OURS;
	if (wish->kind == OWNERSHIP_OURS)
		plan_ours(p, item, now);
	else if (wish->kind == OWNERSHIP_THEIRS)
		plan_theirs(item, told, now);
	else
		plan_nobodys(p, item, now);
	if (item->ours && is_under_way(item))
		wish->kind = OWNERSHIP_NOBODYS;
}

/* Out of the plan: only a conflict is still of interest, as far as it is told. */
static bool outlives_plan(const struct probe *p, struct item *item, size_t *left)
{
	if (item->state != PROBE_CONFLICT || p->timing.count == 0 || *left == 0)
		return false;
	(*left)--;
	item->planned = item->ours = false;
	return true;
}

void probe_plan(struct probe *probe, struct ownership_wish *wishes, size_t count,
	const struct conflict_list *told, struct monotime now)
{
	struct item *fresh = xcalloc(count + probe->count, sizeof(*fresh));
	size_t kept = 0, old = 0, left = CONFLICTS_MAX;

	for (size_t i = 0; i < count; i++) {
		bool is_told = conflict_find(told, &wishes[i].ip) != NULL;
		/* Rule 1: the first plan is what was there when we started. */
		struct item item = {.ip = wishes[i].ip,
			.state = probe->started || is_told ? PROBE_NEW : PROBE_KNOWN};

		for (; old < probe->count && ip_compare(&probe->items[old].ip, &item.ip) < 0; old++)
			if (outlives_plan(probe, &probe->items[old], &left))
				fresh[kept++] = probe->items[old];
		if (old < probe->count && ip_equal(&probe->items[old].ip, &item.ip))
			item = probe->items[old++];
		plan_one(probe, &item, &wishes[i], is_told, now);
		fresh[kept++] = item;
	}
	for (; old < probe->count; old++)
		if (outlives_plan(probe, &probe->items[old], &left))
			fresh[kept++] = probe->items[old];
	free(probe->items);
	probe->items = fresh;
	probe->count = kept;
	probe->started = true;
}

void probe_recall(struct probe *probe, const struct conflict *conflict, struct monotime now)
{
	struct item item = {.ip = conflict->ip, .state = PROBE_CONFLICT, .due = now};
	size_t place = 0;

	if (find(probe, &item.ip))
		return;
	memcpy(item.mac, conflict->mac, MAC_SIZE);
	while (place < probe->count && ip_compare(&probe->items[place].ip, &item.ip) < 0)
		place++;
	probe->items = xrealloc(probe->items, probe->count + 1, sizeof(*probe->items));
	memmove(&probe->items[place + 1], &probe->items[place],
		(probe->count - place) * sizeof(*probe->items));
	probe->items[place] = item;
	probe->count++;
}

static uint64_t retry_ms(struct probe *p, uint32_t found)
{
	uint64_t pause = PROBE_RETRY_MIN_MS;

	while (found-- > 0 && pause < PROBE_RETRY_MAX_MS)
		pause *= 2;
	if (pause > PROBE_RETRY_MAX_MS)
		pause = PROBE_RETRY_MAX_MS;
	return pause * 3 / 4 + next_random(p) % (pause / 2);
}

bool probe_heard(struct probe *probe, const struct ip *ip, const uint8_t mac[static MAC_SIZE],
	struct monotime now)
{
	struct item *item = find(probe, ip);
	bool news;

	/* Between two rounds it says what is known already. */
	if (!item || !is_under_way(item) || (item->state == PROBE_CONFLICT && item->sent == 0))
		return false;
	news = item->state != PROBE_CONFLICT || memcmp(item->mac, mac, MAC_SIZE) != 0;
	item->state = PROBE_CONFLICT;
	memcpy(item->mac, mac, MAC_SIZE);
	item->sent = 0;
	item->due = monotime_add_ms(now, retry_ms(probe, item->found++));
	return news;
}

static void drop_past(struct probe *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (p->items[i].planned || is_under_way(&p->items[i]))
			p->items[kept++] = p->items[i];
	}
	p->count = kept;
}

void probe_step(struct probe *probe, struct monotime now, struct probe_turn *ret)
{
	ret->count = 0;
	ret->passed = false;
	for (size_t i = 0; probe->started && i < probe->count; i++) {
		struct item *item = &probe->items[i];

		if (!is_under_way(item) || !monotime_reached(now, item->due))
			continue;
		if (item->sent >= probe->timing.count) {
			item->state = item->ours ? PROBE_KNOWN : PROBE_NEW;
			ret->passed = true;
		} else if (ret->count < PROBE_BATCH) {
			ret->ips[ret->count++] = item->ip;
			item->sent++;
			item->due = monotime_add_ms(now, probe->timing.spacing_ms);
		}
	}
	if (ret->passed)
		drop_past(probe);
}

bool probe_next(const struct probe *probe, struct monotime *ret)
{
	struct monotime first = {UINT64_MAX};

	/* Before the first plan nothing is decided: see probe_recall. */
	for (size_t i = 0; probe->started && i < probe->count; i++) {
		const struct item *item = &probe->items[i];

		if (is_under_way(item) && item->due.ns < first.ns)
			first = item->due;
	}
	*ret = first;
	return first.ns != UINT64_MAX;
}

enum probe_state probe_state_of(const struct probe *probe, const struct ip *ip)
{
	const struct item *item = find(probe, ip);

	return item ? item->state : PROBE_KNOWN;
}

struct ip *probe_watched(const struct probe *probe, size_t *ret_count)
{
	struct ip *ips = xcalloc(probe->count, sizeof(*ips));
	size_t count = 0;

	for (size_t i = 0; i < probe->count; i++) {
		if (is_under_way(&probe->items[i]))
			ips[count++] = probe->items[i].ip;
	}
	*ret_count = count;
	return ips;
}

void probe_conflicts(const struct probe *probe, struct conflict_list *ret)
{
	struct conflict_list list = {.items = xcalloc(probe->count, sizeof(*list.items))};

	for (size_t i = 0; i < probe->count; i++) {
		const struct item *item = &probe->items[i];
		struct conflict *conflict = &list.items[list.count];

		if (item->state != PROBE_CONFLICT)
			continue;
		conflict->ip = item->ip;
		memcpy(conflict->mac, item->mac, MAC_SIZE);
		list.count++;
	}
	*ret = list;
}
