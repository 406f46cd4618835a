// SPDX-License-Identifier: Apache-2.0
/*
 * A ring of what has happened. In: entries. Out: entries by number. Each is one block of
 * memory with its texts, so that what falls off the end is one free().
 */
#include "timeline.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/base/utf8.h"

#define TEXTS 5 /* that an entry owns */

struct timeline {
	struct timeline_entry *entries[TIMELINE_MAX];
	uint64_t last;
};

struct timeline *timeline_new(void)
{
	return xcalloc(1, sizeof(struct timeline));
}

void timeline_free(struct timeline *timeline)
{
	if (!timeline)
		return;
	for (size_t i = 0; i < TIMELINE_MAX; i++)
		free(timeline->entries[i]);
	free(timeline);
}

static struct timeline_entry *copy(const struct timeline_entry *entry)
{
	const char *texts[TEXTS] = {
		entry->service, entry->address, entry->node, entry->from, entry->text};
	size_t sizes[TEXTS] = {0}, total = sizeof(*entry);
	struct timeline_entry *made;
	char *place;

	for (size_t i = 0; i < TEXTS; i++) {
		sizes[i] = texts[i] ? utf8_length_within(texts[i], TIMELINE_TEXT_MAX) + 1 : 0;
		total += sizes[i];
	}
	made = xcalloc(1, total);
	*made = *entry;
	place = (char *)(made + 1);
	for (size_t i = 0; i < TEXTS; i++) {
		if (texts[i])
			texts[i] = memcpy(place, texts[i], sizes[i] - 1); /* the 0 is there */
		place += sizes[i];
	}
	made->service = texts[0];
	made->address = texts[1];
	made->node = texts[2];
	made->from = texts[3];
	made->text = texts[4];
	return made;
}

void timeline_add(struct timeline *timeline, const struct timeline_entry *entry)
{
	struct timeline_entry **place = &timeline->entries[++timeline->last % TIMELINE_MAX];

	free(*place);
	*place = copy(entry);
	(*place)->number = timeline->last;
}

uint64_t timeline_last(const struct timeline *timeline)
{
	return timeline->last;
}

uint64_t timeline_first(const struct timeline *timeline)
{
	return timeline->last < TIMELINE_MAX ? 1 : timeline->last - TIMELINE_MAX + 1;
}

const struct timeline_entry *timeline_at(const struct timeline *timeline, uint64_t number)
{
	if (number < timeline_first(timeline) || number > timeline->last)
		return NULL;
	return timeline->entries[number % TIMELINE_MAX];
}
