// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_RECORD_H
#define HERALD_CONTROLLER_RECORD_H

#include <xxhash.h>

#include "herald/base/err.h"
#include "herald/base/monotime.h"
#include "herald/core/assign.h"

/*
 * One Service as the controller keeps it: who it is, in which version it was judged and
 * which addresses it holds. While something is to be done about it, it has its object
 * and all else in `work`; most Services have what they need, and none, so that memory
 * does not follow the size of the objects. To judge them anew they are listed again.
 */

/* Told once what they tell of is written. */
struct record_event {
	struct record_event *next;
	const char *reason; /* static */
	bool warning;
	char message[];
};

struct record_link {
	struct record *previous, *next;
};

struct record_work {
	struct service *service; /* as it was last seen */
	struct record_link dirty, waiting;
	struct writer_job *job; /* a write or read under way; NULL: none */
	struct record_event *events;
	struct monotime since; /* it wants an address since then */
	bool is_dirty;	       /* it is to be decided */
	bool is_waiting;       /* for an address, or more than it has */
	bool stale;	       /* to be read before it is decided */
	bool failed;	       /* set aside until the slow retry */
};

#define RECORD_VERSION_SIZE 22 /* 64 bits in decimal */

struct record {
	struct record *next_in_bucket;
	struct record_work *work; /* NULL: settled */
	struct alloc_holder holder;
	uint64_t uid;	       /* a hash of the object's uid */
	uint32_t list;	       /* the list in which it was last told */
	uint32_t judgement;    /* the assigner's when it was last decided */
	uint32_t window_start; /* of `writes`, in seconds */
	uint8_t writes;	       /* in this window */
	uint8_t state;	       /* enum assign_state */
	/* The resourceVersion last seen; "" where it does not fit, and so never compares. */
	char version[RECORD_VERSION_SIZE];
	char key[]; /* "namespace/name" */
};

/* A doubly linked list through one of the links, longest in it first. */
struct record_list {
	struct record *first, *last;
	size_t count;
};

struct records {
	struct record **buckets;
	size_t bucket_count, count;
	struct record_list dirty, waiting;
	uint32_t list;
};

/* Every record must have been removed. */
void records_done(struct records *records);
/* In no order; NULL at the end. A record may be removed once the next one is known. */
struct record *records_first(const struct records *records);
struct record *records_next(const struct records *records, const struct record *record);

/* Of an object that is in no record yet. Of use from record_set_take on. */
struct record *record_add(struct records *records, const struct object_meta *meta);
struct record *record_find(const struct records *records, const char *namespace, const char *name);
/* Holds nothing, no job under way. */
void record_remove(struct records *records, struct record *record);

/* Takes what the Service is now, in place of what it was. It has work then. */
void record_set_take(struct record *record, struct service *service);
/* Nothing is to be done: no more work. It does not wait, and no job is under way. */
void record_settle(struct records *records, struct record *record);
bool record_is_of(const struct record *record, const struct object_meta *meta); /* same uid */
bool record_is_in_namespace(const struct record *record, const char *namespace);

/* Of records with work: */
void record_mark(struct records *records, struct record *record); /* dirty, at the end */
void record_unmark(struct records *records, struct record *record);
/* Keeps its place where it waits already. */
void record_set_waiting(struct records *records, struct record *record, bool waiting);
/* False: it is kept already, word by word. Of many the oldest are dropped. */
bool record_keep_event(struct record *record, const struct assign_event *event);
void record_drop_events(struct record *record);

/* The first, no longer dirty; or NULL. */
struct record *record_next_dirty(struct records *records);

#endif
