// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_STORE_H
#define HERALD_KUBE_STORE_H

#include "herald/core/objects.h"

/*
 * The objects of one kind as the watch last told them, sorted by namespace and name.
 * Each is a malloc'ed block that begins with its struct object_meta (core/objects.h).
 */
struct store {
	void **items;
	unsigned *generations; /* the list in which each was last put */
	size_t count, capacity;
	unsigned generation;
};

void store_done(struct store *store);
void store_list_begin(struct store *store);
/* Takes the object. */
void store_put_take(struct store *store, void *object);
/* True where it was there. */
bool store_remove(struct store *store, const char *namespace, const char *name);
/* Drops what was not put since store_list_begin. */
void store_list_end(struct store *store);
const void *store_find(const struct store *store, const char *namespace, const char *name);

#endif
