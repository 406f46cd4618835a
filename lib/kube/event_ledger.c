// SPDX-License-Identifier: Apache-2.0
/*
 * The ledger of Events: what was said, how often, and whether it may be written now. A
 * new Event of an object that has used up its tokens is dropped at once, as in client-go
 * (an hour later it would only mislead); a repeat of a known one waits for a token, and
 * its count loses nothing.
 */
#include "event_ledger.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "herald/base/err.h"
#include "herald/base/utf8.h"

struct bucket {
	UT_hash_handle hh;	 /* by key, least recently used first */
	struct monotime full_at; /* tokens missing = time until then / EVENT_REFILL_S */
	char key[];
};

struct event_entry {
	UT_hash_handle hh;		 /* by key, least recently used first */
	struct event_entry *prev, *next; /* among the waiting */
	struct event_view view;
	char *name; /* what view.name is */
	struct monotime not_before;
	bool waiting, busy;
	char *texts; /* what the view's other strings are in */
	char key[];
};

struct event_ledger {
	struct bucket *buckets;
	struct event_entry *entries;
	struct event_entry *waiting; /* oldest first */
};

/* The token bucket as one point in time: it is full from full_at on. */
#define TOKEN_NS ((uint64_t)EVENT_REFILL_S * 1000000000u)

struct event_ledger *event_ledger_new(void)
{
	return xcalloc(1, sizeof(struct event_ledger));
}

static void free_entry(struct event_ledger *ledger, struct event_entry *entry)
{
	if (entry->waiting)
		DL_DELETE(ledger->waiting, entry);
	HASH_DEL(ledger->entries, entry);
	free(entry->texts);
	free(entry->name);
	free(entry);
}

void event_ledger_free(struct event_ledger *ledger)
{
	struct event_entry *entry, *next_entry;
	struct bucket *bucket, *next_bucket;

	if (!ledger)
		return;
	HASH_ITER (hh, ledger->entries, entry, next_entry)
		free_entry(ledger, entry);
	HASH_ITER (hh, ledger->buckets, bucket, next_bucket) {
		HASH_DEL(ledger->buckets, bucket);
		free(bucket);
	}
	free(ledger);
}

static char *object_key(const struct kube_object_ref *about)
{
	return xasprintf("%s/%s/%s/%s", about->kind, about->namespace, about->name, about->uid);
}

static int cut(const char *text, size_t max)
{
	return (int)utf8_length_within(text, max);
}

static char *entry_key(const struct event_note *note, const char *object)
{
	return xasprintf("%s\n%d\n%.*s\n%.*s", object, (int)note->type,
		cut(note->reason, EVENT_REASON_MAX), note->reason,
		cut(note->message, EVENT_MESSAGE_MAX), note->message);
}

static bool has_token(const struct bucket *bucket, struct monotime now)
{
	return bucket->full_at.ns <= now.ns + (EVENT_BURST - 1) * TOKEN_NS;
}

static void take_token(struct bucket *bucket, struct monotime now)
{
	if (bucket->full_at.ns < now.ns)
		bucket->full_at = now;
	bucket->full_at.ns += TOKEN_NS;
}

static struct monotime token_at(const struct bucket *bucket)
{
	uint64_t ahead = (EVENT_BURST - 1) * TOKEN_NS;

	return (struct monotime){bucket->full_at.ns > ahead ? bucket->full_at.ns - ahead : 0};
}

static struct bucket *find_bucket(struct event_ledger *ledger, const char *key)
{
	size_t length = strlen(key);
	struct bucket *bucket;

	HASH_FIND(hh, ledger->buckets, key, length, bucket);
	if (bucket) {
		HASH_DEL(ledger->buckets, bucket);
	} else {
		bucket = xcalloc(1, sizeof(*bucket) + length + 1);
		memcpy(bucket->key, key, length);
	}
	if (HASH_COUNT(ledger->buckets) >= EVENT_LEDGER_MAX) {
		struct bucket *oldest = ledger->buckets;

		HASH_DEL(ledger->buckets, oldest);
		free(oldest);
	}
	HASH_ADD_KEYPTR(hh, ledger->buckets, bucket->key, length, bucket);
	return bucket;
}

static struct bucket *bucket_of(struct event_ledger *ledger, const struct event_entry *entry)
{
	const struct event_view *view = &entry->view;
	struct kube_object_ref about = {
		view->api_version, view->kind, view->namespace, view->object, view->uid};
	AUTO_FREE char *key = object_key(&about);

	return find_bucket(ledger, key);
}

static const char *put_text(char **at, const char *text, int length)
{
	char *start = *at;

	memcpy(start, text, (size_t)length);
	*at += length + 1;
	return start;
}

static void keep_texts(struct event_entry *entry, const struct event_note *note)
{
	const struct kube_object_ref *about = note->about;
	int reason = cut(note->reason, EVENT_REASON_MAX);
	int message = cut(note->message, EVENT_MESSAGE_MAX);
	const char *texts[] = {
		about->api_version, about->kind, about->namespace, about->name, about->uid};
	const char **views[] = {&entry->view.api_version, &entry->view.kind, &entry->view.namespace,
		&entry->view.object, &entry->view.uid};
	size_t size = (size_t)reason + (size_t)message + 2;
	char *at;

	for (size_t i = 0; i < 5; i++)
		size += strlen(texts[i]) + 1;
	at = entry->texts = xcalloc(1, size);
	for (size_t i = 0; i < 5; i++)
		*views[i] = put_text(&at, texts[i], (int)strlen(texts[i]));
	entry->view.reason = put_text(&at, note->reason, reason);
	entry->view.message = put_text(&at, note->message, message);
}

static void make_room(struct event_ledger *ledger)
{
	struct event_entry *entry, *next;

	if (HASH_COUNT(ledger->entries) < EVENT_LEDGER_MAX)
		return;
	HASH_ITER (hh, ledger->entries, entry, next) {
		if (entry->busy)
			continue;
		free_entry(ledger, entry);
		return;
	}
}

static struct event_entry *add_entry(
	struct event_ledger *ledger, const struct event_note *note, const char *key)
{
	size_t length = strlen(key);
	struct event_entry *entry = xcalloc(1, sizeof(*entry) + length + 1);

	make_room(ledger);
	memcpy(entry->key, key, length);
	keep_texts(entry, note);
	entry->view.type = note->type;
	entry->view.first_unix = note->unix_time;
	HASH_ADD_KEYPTR(hh, ledger->entries, entry->key, length, entry);
	return entry;
}

bool event_ledger_record(
	struct event_ledger *ledger, const struct event_note *note, struct monotime now)
{
	AUTO_FREE char *object = object_key(note->about);
	AUTO_FREE char *key = entry_key(note, object);
	size_t length = strlen(key);
	struct event_entry *entry;

	HASH_FIND(hh, ledger->entries, key, length, entry);
	if (entry) { /* most recently used: to the end */
		HASH_DEL(ledger->entries, entry);
		HASH_ADD_KEYPTR(hh, ledger->entries, entry->key, length, entry);
	} else if (has_token(find_bucket(ledger, object), now)) {
		entry = add_entry(ledger, note, key);
	} else {
		return false;
	}
	if (entry->view.count < INT32_MAX)
		entry->view.count++;
	entry->view.last_unix = note->unix_time;
	if (!entry->waiting)
		DL_APPEND(ledger->waiting, entry);
	entry->waiting = true;
	return true;
}

/* When the entry may be written; tokens of its object are looked at last. */
static struct monotime writable_at(
	struct event_ledger *ledger, const struct event_entry *entry, struct monotime now)
{
	const struct bucket *bucket;

	if (!monotime_reached(now, entry->not_before))
		return entry->not_before;
	bucket = bucket_of(ledger, entry);
	return has_token(bucket, now) ? now : token_at(bucket);
}

struct event_entry *event_ledger_next(
	struct event_ledger *ledger, struct monotime now, struct monotime *ret_wake)
{
	struct monotime wake = {0};
	struct event_entry *entry;

	DL_FOREACH(ledger->waiting, entry)
	{
		struct monotime at;

		if (entry->busy)
			continue;
		at = writable_at(ledger, entry, now);
		if (monotime_reached(now, at))
			break;
		if (!wake.ns || at.ns < wake.ns)
			wake = at;
	}
	*ret_wake = wake;
	if (!entry)
		return NULL;
	take_token(bucket_of(ledger, entry), now);
	DL_DELETE(ledger->waiting, entry);
	entry->waiting = false;
	entry->busy = true;
	entry->not_before = monotime_add_ms(now, EVENT_SPACING_MS);
	return entry;
}

struct event_view event_ledger_view(const struct event_entry *entry)
{
	struct event_view view = entry->view;

	view.name = entry->name;
	return view;
}

void event_ledger_written(struct event_ledger *ledger, struct event_entry *entry,
	enum event_outcome outcome, const char *name)
{
	entry->busy = false;
	switch (outcome) {
	case EVENT_CREATED:
		free(entry->name);
		entry->name = xstrdup(name);
		break;
	case EVENT_VANISHED:
		free(entry->name);
		entry->name = NULL;
		if (!entry->waiting)
			DL_APPEND(ledger->waiting, entry);
		entry->waiting = true;
		break;
	case EVENT_PATCHED:
	case EVENT_FAILED:
		break;
	}
}
