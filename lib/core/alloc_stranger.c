// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses that stations have which are none of ours: blocked like a node's, but with
 * another reason to tell. In: all conflicts as they stand. Out: blocks, by the difference.
 * Finds none: speakers do (core/probe.h).
 */
#include "alloc_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_ip(const void *key, const void *stranger)
{
	return ip_compare(key, &((const struct alloc_stranger *)stranger)->ip);
}

const struct alloc_stranger *stranger_find(const struct alloc *alloc, const struct ip *ip)
{
	if (alloc->stranger_count == 0)
		return NULL;
	return bsearch(
		ip, alloc->strangers, alloc->stranger_count, sizeof(*alloc->strangers), compare_ip);
}

static struct alloc_stranger stranger_of(const struct conflict *conflict)
{
	struct alloc_stranger stranger = {.ip = conflict->ip};

	if (conflict->node)
		snprintf(stranger.who, sizeof(stranger.who), "station %s, as node `%s` has found",
			mac_text(conflict->mac).s, conflict->node);
	else
		snprintf(stranger.who, sizeof(stranger.who), "station %s",
			mac_text(conflict->mac).s);
	return stranger;
}

bool alloc_set_strangers(struct alloc *alloc, const struct conflict_list *list)
{
	struct alloc_stranger *old = alloc->strangers;
	size_t old_count = alloc->stranger_count;
	struct alloc_stranger *fresh = xcalloc(list->count, sizeof(*fresh));
	bool held = false;

	/* The new ones first, so that what stays is free at no moment. */
	for (size_t i = 0; i < list->count; i++) {
		bool was_there = stranger_find(alloc, &list->items[i].ip) != NULL;

		fresh[i] = stranger_of(&list->items[i]);
		held = (alloc_block(alloc, &fresh[i].ip) && !was_there) || held;
	}
	alloc->strangers = fresh;
	alloc->stranger_count = list->count;
	for (size_t i = 0; i < old_count; i++)
		alloc_unblock(alloc, &old[i].ip);
	free(old);
	return held;
}
