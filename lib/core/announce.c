// SPDX-License-Identifier: Apache-2.0
/*
 * The schedule of announcements. In: which addresses are ours and the time. Out: which
 * are due, and when to ask again. Builds no frame and sends nothing.
 *
 * Refreshes of many addresses fall on a grid of REFRESH_GRID_NS with a random phase
 * each: load is even, and the machine wakes a few times a second however many there are.
 */
#include "herald/core/announce.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

#define REFRESH_GRID_NS UINT64_C(250000000)
#define NEVER UINT64_MAX

struct entry {
	uint64_t due_ns; /* NEVER: nothing more to come */
	uint32_t left;	 /* announcements of the first burst still to make */
	bool once;	 /* the next is outside the schedule */
	bool settled;	 /* of the last: see the header */
	struct ip ip;
};

struct announce {
	struct entry *entries; /* sorted by ip */
	size_t count, capacity;
	size_t cursor;		/* where the next batch begins: all get their turn */
	uint64_t not_before_ns; /* the pause after a full batch */
	uint64_t random;
	struct announce_timing timing;
};

struct announce *announce_new(uint64_t seed)
{
	struct announce *a = xcalloc(1, sizeof(*a));

	a->random = seed ? seed : 1;
	a->timing = (struct announce_timing){.repeat = 1};
	return a;
}

void announce_free(struct announce *announce)
{
	if (!announce)
		return;
	free(announce->entries);
	free(announce);
}

void announce_set_timing(struct announce *announce, const struct announce_timing *timing)
{
	announce->timing = *timing;
}

size_t announce_count(const struct announce *announce)
{
	return announce->count;
}

/* xorshift64 (Marsaglia, 2003): enough to spread load. */
static uint64_t next_random(struct announce *a)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return a->random;
}

/* The place of ip, or where it would be inserted. */
static size_t place_of(const struct announce *a, const struct ip *ip, bool *ret_found)
{
	size_t low = 0, high = a->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = ip_compare(&a->entries[middle].ip, ip);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

static struct entry *entry_of(struct announce *a, const struct ip *ip)
{
	bool found;
	size_t place = place_of(a, ip, &found);

	if (found)
		return &a->entries[place];
	if (a->count == a->capacity) {
		a->capacity = a->capacity ? 2 * a->capacity : 16;
		a->entries = xrealloc(a->entries, a->capacity, sizeof(*a->entries));
	}
	memmove(&a->entries[place + 1], &a->entries[place],
		(a->count - place) * sizeof(*a->entries));
	a->count++;
	a->entries[place] = (struct entry){.due_ns = NEVER, .ip = *ip};
	return &a->entries[place];
}

/* Between half and the whole of the interval from now, on the grid. */
static uint64_t refresh_time(struct announce *a, struct monotime now)
{
	uint64_t half = a->timing.refresh_s * UINT64_C(500000000);
	uint64_t at;

	if (half == 0)
		return NEVER;
	at = now.ns + half + next_random(a) % half;
	return (at / REFRESH_GRID_NS + 1) * REFRESH_GRID_NS;
}

void announce_start(struct announce *announce, const struct ip *ip, struct monotime now)
{
	struct entry *entry = entry_of(announce, ip);

	entry->left = announce->timing.repeat > 0 ? announce->timing.repeat : 1;
	entry->due_ns = now.ns;
}

void announce_adopt(struct announce *announce, const struct ip *ip, struct monotime now)
{
	struct entry *entry = entry_of(announce, ip);

	entry->left = 0;
	entry->due_ns = refresh_time(announce, now);
}

void announce_once(struct announce *announce, const struct ip *ip, struct monotime now)
{
	bool found;
	size_t place = place_of(announce, ip, &found);

	if (!found)
		return;
	announce->entries[place].due_ns = now.ns;
	announce->entries[place].once = true;
}

void announce_stop(struct announce *announce, const struct ip *ip)
{
	bool found;
	size_t place = place_of(announce, ip, &found);

	if (!found)
		return;
	announce->count--;
	memmove(&announce->entries[place], &announce->entries[place + 1],
		(announce->count - place) * sizeof(*announce->entries));
}

static void advance(struct announce *a, struct entry *entry, struct monotime now)
{
	if (entry->left > 0)
		entry->left--;
	entry->settled = entry->left == 0 && !entry->once;
	entry->once = false;
	entry->due_ns = entry->left > 0 ? monotime_add_ms(now, a->timing.spacing_ms).ns
					: refresh_time(a, now);
}

size_t announce_due(
	struct announce *announce, struct monotime now, struct ip ret_ips[static ANNOUNCE_BATCH])
{
	size_t taken = 0;
	size_t begin = announce->cursor;

	if (now.ns < announce->not_before_ns)
		return 0;
	for (size_t i = 0; i < announce->count && taken < ANNOUNCE_BATCH; i++) {
		size_t at = (begin + i) % announce->count;
		struct entry *entry = &announce->entries[at];

		if (entry->due_ns > now.ns)
			continue;
		ret_ips[taken++] = entry->ip;
		advance(announce, entry, now);
		announce->cursor = at + 1;
	}
	if (taken == ANNOUNCE_BATCH)
		announce->not_before_ns = monotime_add_ms(now, ANNOUNCE_PAUSE_MS).ns;
	return taken;
}

bool announce_is_settled(const struct announce *announce, const struct ip *ip)
{
	bool found;
	size_t place = place_of(announce, ip, &found);

	return found && announce->entries[place].settled;
}

bool announce_next(const struct announce *announce, struct monotime *ret)
{
	uint64_t first = NEVER;

	for (size_t i = 0; i < announce->count; i++) {
		if (announce->entries[i].due_ns < first)
			first = announce->entries[i].due_ns;
	}
	if (first == NEVER)
		return false;
	ret->ns = first > announce->not_before_ns ? first : announce->not_before_ns;
	return true;
}
