// SPDX-License-Identifier: Apache-2.0
/*
 * The controller's table of Services and its two queues. Knows no rule: what is to be
 * done with a record is decided in assigner.c.
 */
#include "record.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *key_of(const char *namespace, const char *name, char *buffer, size_t size)
{
	int length = snprintf(buffer, size, "%s/%s", namespace, name);

	/* Kubernetes' own bounds: 63 for a namespace, 253 at most for any name. */
	return length < 0 || (size_t)length >= size ? NULL : buffer;
}

#define KEY_MAX 512

struct record *record_find(const struct records *records, const char *namespace, const char *name)
{
	char key[KEY_MAX];
	struct record *record = NULL;

	if (key_of(namespace, name, key, sizeof(key)))
		HASH_FIND(hh, records->table, key, strlen(key), record);
	return record;
}

void record_set_take(struct record *record, struct service *service)
{
	const struct object_meta *meta = &service->meta;
	size_t length = strlen(meta->resource_version);

	free(record->service);
	record->service = service;
	record->uid = XXH3_128bits(meta->uid, strlen(meta->uid));
	if (length >= sizeof(record->version))
		length = 0;
	memcpy(record->version, meta->resource_version, length);
	record->version[length] = '\0';
}

void record_shed(struct record *record)
{
	free(record->service);
	record->service = NULL;
}

bool record_is_of(const struct record *record, const struct object_meta *meta)
{
	return XXH128_isEqual(record->uid, XXH3_128bits(meta->uid, strlen(meta->uid)));
}

bool record_is_in_namespace(const struct record *record, const char *namespace)
{
	size_t length = strlen(namespace);

	return strncmp(record->key, namespace, length) == 0 && record->key[length] == '/';
}

struct record *record_add_take(struct records *records, struct service *service)
{
	const struct object_meta *meta = &service->meta;
	size_t length = strlen(meta->namespace) + strlen(meta->name) + 1;
	struct record *record = xcalloc(1, sizeof(*record) + length + 1);

	snprintf(record->key, length + 1, "%s/%s", meta->namespace, meta->name);
	record_set_take(record, service);
	record->holder.name = record->key;
	record->list = records->list;
	HASH_ADD_KEYPTR(hh, records->table, record->key, length, record);
	return record;
}

/* `offset`: of the struct record_link in a record. */
static struct record_link *link_of(struct record *record, size_t offset)
{
	return (struct record_link *)((char *)record + offset);
}

static void list_append(struct record_list *list, struct record *record, size_t offset)
{
	*link_of(record, offset) = (struct record_link){.previous = list->last};
	if (list->last)
		link_of(list->last, offset)->next = record;
	else
		list->first = record;
	list->last = record;
	list->count++;
}

static void list_remove(struct record_list *list, struct record *record, size_t offset)
{
	struct record_link *link = link_of(record, offset);

	if (link->previous)
		link_of(link->previous, offset)->next = link->next;
	else
		list->first = link->next;
	if (link->next)
		link_of(link->next, offset)->previous = link->previous;
	else
		list->last = link->previous;
	list->count--;
}

void record_mark(struct records *records, struct record *record)
{
	if (record->is_dirty)
		return;
	record->is_dirty = true;
	list_append(&records->dirty, record, offsetof(struct record, dirty));
}

void record_unmark(struct records *records, struct record *record)
{
	if (!record->is_dirty)
		return;
	record->is_dirty = false;
	list_remove(&records->dirty, record, offsetof(struct record, dirty));
}

struct record *record_next_dirty(struct records *records)
{
	struct record *record = records->dirty.first;

	if (record)
		record_unmark(records, record);
	return record;
}

void record_set_waiting(struct records *records, struct record *record, bool waiting)
{
	if (record->is_waiting == waiting)
		return;
	record->is_waiting = waiting;
	if (waiting)
		list_append(&records->waiting, record, offsetof(struct record, waiting));
	else
		list_remove(&records->waiting, record, offsetof(struct record, waiting));
}

void record_remove(struct records *records, struct record *record)
{
	record_unmark(records, record);
	record_set_waiting(records, record, false);
	record_drop_events(record);
	HASH_DEL(records->table, record);
	free(record->service);
	free(record);
}

size_t records_count(const struct records *records)
{
	return HASH_COUNT(records->table);
}

bool record_keep_event(struct record *record, const struct assign_event *event)
{
	struct record_event **end = &record->events, *kept;
	size_t size = strlen(event->message) + 1;

	for (; *end; end = &(*end)->next) {
		if (strcmp((*end)->reason, event->reason) == 0 &&
			strcmp((*end)->message, event->message) == 0)
			return false;
	}
	kept = xcalloc(1, sizeof(*kept) + size);
	kept->reason = event->reason;
	kept->warning = event->warning;
	memcpy(kept->message, event->message, size);
	*end = kept;
	return true;
}

void record_drop_events(struct record *record)
{
	while (record->events) {
		struct record_event *next = record->events->next;

		free(record->events);
		record->events = next;
	}
}
