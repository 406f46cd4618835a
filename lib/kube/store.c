// SPDX-License-Identifier: Apache-2.0
/*
 * A sorted store of decoded objects with the sweep that a list needs. In: objects as
 * they come. Out: all of them, sorted. Knows no kind but for its meta.
 */
#include "herald/kube/store.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static const struct object_meta *meta_of(const void *object)
{
	return object; /* the first member of every kind */
}

static size_t place_of(
	const struct store *store, const char *namespace, const char *name, bool *ret_found)
{
	size_t low = 0, high = store->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct object_meta *meta = meta_of(store->items[middle]);
		int order = strcmp(meta->namespace, namespace);

		if (order == 0)
			order = strcmp(meta->name, name);
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

void store_done(struct store *store)
{
	for (size_t i = 0; i < store->count; i++)
		free(store->items[i]);
	free(store->items);
	free(store->generations);
	*store = (struct store){0};
}

void store_list_begin(struct store *store)
{
	store->generation++;
}

static void make_room(struct store *store, size_t place)
{
	size_t behind = store->count - place;

	if (store->count == store->capacity) {
		store->capacity = store->capacity ? 2 * store->capacity : 16;
		store->items = xrealloc(store->items, store->capacity, sizeof(*store->items));
		store->generations =
			xrealloc(store->generations, store->capacity, sizeof(*store->generations));
	}
	memmove(&store->items[place + 1], &store->items[place], behind * sizeof(*store->items));
	memmove(&store->generations[place + 1], &store->generations[place],
		behind * sizeof(*store->generations));
	store->items[place] = NULL;
	store->count++;
}

void store_put_take(struct store *store, void *object)
{
	bool found;
	size_t place = place_of(store, meta_of(object)->namespace, meta_of(object)->name, &found);

	if (!found)
		make_room(store, place);
	free(store->items[place]);
	store->items[place] = object;
	store->generations[place] = store->generation;
}

static void remove_at(struct store *store, size_t place)
{
	size_t behind = --store->count - place;

	free(store->items[place]);
	memmove(&store->items[place], &store->items[place + 1], behind * sizeof(*store->items));
	memmove(&store->generations[place], &store->generations[place + 1],
		behind * sizeof(*store->generations));
}

bool store_remove(struct store *store, const char *namespace, const char *name)
{
	bool found;
	size_t place = place_of(store, namespace, name, &found);

	if (found)
		remove_at(store, place);
	return found;
}

void store_list_end(struct store *store)
{
	for (size_t i = store->count; i-- > 0;) {
		if (store->generations[i] != store->generation)
			remove_at(store, i);
	}
}

const void *store_find(const struct store *store, const char *namespace, const char *name)
{
	bool found;
	size_t place = place_of(store, namespace, name, &found);

	return found ? store->items[place] : NULL;
}
