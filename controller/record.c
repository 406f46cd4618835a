// SPDX-License-Identifier: Apache-2.0
/*
 * The controller's table of Services and its two queues. Knows no rule: what is to be
 * done with a record is decided in assigner.c. The table is a chained one of our own,
 * since it costs 16 bytes a Service where a library's costs 60 and more.
 */
#include "record.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64u
#define EVENTS_MAX 8u /* of one Service that can't be written; who made them may make more */

/* ---- the table ---- */

static struct record **bucket_of(const struct records *records, const char *key)
{
	return &records->buckets[XXH3_64bits(key, strlen(key)) & (records->bucket_count - 1)];
}

/* A power of two, at least as many as there are records. */
static void make_buckets(struct records *records)
{
	struct records old = *records;

	if (records->count < records->bucket_count)
		return;
	records->bucket_count = old.bucket_count ? 2 * old.bucket_count : BUCKETS_MIN;
	records->buckets = xcalloc(records->bucket_count, sizeof(struct record *));
	for (size_t i = 0; i < old.bucket_count; i++) {
		struct record *record = old.buckets[i];

		while (record) {
			struct record *next = record->next_in_bucket;
			struct record **bucket = bucket_of(records, record->key);

			record->next_in_bucket = *bucket;
			*bucket = record;
			record = next;
		}
	}
	free(old.buckets);
}

void records_done(struct records *records)
{
	free(records->buckets);
	*records = (struct records){0};
}

static struct record *first_from(const struct records *records, size_t bucket)
{
	for (; bucket < records->bucket_count; bucket++) {
		if (records->buckets[bucket])
			return records->buckets[bucket];
	}
	return NULL;
}

struct record *records_first(const struct records *records)
{
	return first_from(records, 0);
}

struct record *records_next(const struct records *records, const struct record *record)
{
	if (record->next_in_bucket)
		return record->next_in_bucket;
	return first_from(
		records, (size_t)(bucket_of(records, record->key) - records->buckets) + 1);
}

struct record *record_find(const struct records *records, const char *namespace, const char *name)
{
	AUTO_FREE char *key = xasprintf("%s/%s", namespace, name);
	struct record *record = records->count ? *bucket_of(records, key) : NULL;

	while (record && strcmp(record->key, key) != 0)
		record = record->next_in_bucket;
	return record;
}

struct record *record_add(struct records *records, const struct object_meta *meta)
{
	size_t length = strlen(meta->namespace) + strlen(meta->name) + 1;
	/* Less than sizeof where the key begins in what would be padding. */
	size_t size = offsetof(struct record, key) + length + 1;
	struct record *record =
		xcalloc(1, size < sizeof(struct record) ? sizeof(struct record) : size);
	struct record **bucket;

	snprintf(record->key, length + 1, "%s/%s", meta->namespace, meta->name);
	record->holder.name = record->key;
	record->list = records->list;
	make_buckets(records);
	bucket = bucket_of(records, record->key);
	record->next_in_bucket = *bucket;
	*bucket = record;
	records->count++;
	return record;
}

static void end_work(struct records *records, struct record *record)
{
	if (!record->work)
		return;
	record_unmark(records, record);
	record_set_waiting(records, record, false);
	record_drop_events(record);
	free(record->work->service);
	free(record->work);
	record->work = NULL;
}

void record_remove(struct records *records, struct record *record)
{
	struct record **link = bucket_of(records, record->key);

	while (*link != record)
		link = &(*link)->next_in_bucket;
	*link = record->next_in_bucket;
	records->count--;
	end_work(records, record);
	free(record);
}

/* ---- one record ---- */

void record_set_take(struct record *record, struct service *service)
{
	const struct object_meta *meta = &service->meta;
	size_t length = strlen(meta->resource_version);

	if (!record->work)
		record->work = xcalloc(1, sizeof(*record->work));
	free(record->work->service);
	record->work->service = service;
	record->uid = XXH3_64bits(meta->uid, strlen(meta->uid));
	if (length >= sizeof(record->version))
		length = 0;
	memcpy(record->version, meta->resource_version, length);
	record->version[length] = '\0';
}

void record_settle(struct records *records, struct record *record)
{
	end_work(records, record);
}

bool record_is_of(const struct record *record, const struct object_meta *meta)
{
	return record->uid == XXH3_64bits(meta->uid, strlen(meta->uid));
}

bool record_is_in_namespace(const struct record *record, const char *namespace)
{
	size_t length = strlen(namespace);

	return strncmp(record->key, namespace, length) == 0 && record->key[length] == '/';
}

static void drop_oldest_event(struct record_work *work)
{
	struct record_event *oldest = work->events;

	work->events = oldest->next;
	free(oldest);
}

bool record_keep_event(struct record *record, const struct assign_event *event)
{
	struct record_event **end = &record->work->events, *kept;
	size_t size = strlen(event->message) + 1, count = 1;

	for (; *end; end = &(*end)->next, count++) {
		if (strcmp((*end)->reason, event->reason) == 0 &&
			strcmp((*end)->message, event->message) == 0)
			return false;
	}
	kept = xcalloc(1, sizeof(*kept) + size);
	kept->reason = event->reason;
	kept->warning = event->warning;
	memcpy(kept->message, event->message, size);
	*end = kept;
	if (count > EVENTS_MAX)
		drop_oldest_event(record->work);
	return true;
}

void record_drop_events(struct record *record)
{
	while (record->work->events)
		drop_oldest_event(record->work);
}

/* ---- the queues ---- */

/* `offset`: of the struct record_link in the record's work. */
static struct record_link *link_of(struct record *record, size_t offset)
{
	return (struct record_link *)((char *)record->work + offset);
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
	if (record->work->is_dirty)
		return;
	record->work->is_dirty = true;
	list_append(&records->dirty, record, offsetof(struct record_work, dirty));
}

void record_unmark(struct records *records, struct record *record)
{
	if (!record->work->is_dirty)
		return;
	record->work->is_dirty = false;
	list_remove(&records->dirty, record, offsetof(struct record_work, dirty));
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
	if (record->work->is_waiting == waiting)
		return;
	record->work->is_waiting = waiting;
	if (waiting)
		list_append(&records->waiting, record, offsetof(struct record_work, waiting));
	else
		list_remove(&records->waiting, record, offsetof(struct record_work, waiting));
}
