// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_RECORD_H
#define HERALD_CONTROLLER_RECORD_H

#include "herald/base/err.h"
#include "herald/base/monotime.h"
#include "herald/core/assign.h"

#define uthash_fatal(message) DIE(message)
#include <uthash.h>
#include <xxhash.h>

/*
 * One Service as the controller keeps it: the addresses it holds and what is still to be
 * done about it. A record is in the table, and by need among those to be decided
 * (`dirty`) and those that wait for an address (`waiting`, longest first).
 *
 * Most Services have what they need, and nothing is to be known of them but who they are
 * and in which version they were judged: their object is not kept, so that memory does
 * not follow its size. To judge them anew they are listed again.
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

#define RECORD_VERSION_SIZE 22 /* 64 bits in decimal */
struct record {
	UT_hash_handle hh;	 /* by key */
	struct service *service; /* NULL: settled */
	struct alloc_holder holder;
	struct record_link dirty, waiting;
	struct writer_job *job; /* a write or read under way; NULL: none */
	struct record_event *events;
	struct monotime since;	      /* it wants an address since then */
	struct monotime window_start; /* of `writes` */
	XXH128_hash_t uid;	      /* of the object's uid */
	uint32_t list;		      /* the list in which it was last told */
	uint32_t judgement;	      /* the assigner's when it was last decided */
	uint8_t writes;		      /* in this window */
	uint8_t state;		      /* enum assign_state */
	bool is_dirty, is_waiting;
	bool stale;  /* to be read before it is decided */
	bool failed; /* set aside until the slow retry */
	/* The resourceVersion last seen; "" where it does not fit, and so never compares. */
	char version[RECORD_VERSION_SIZE];
	char key[]; /* "namespace/name" */
};
/* A doubly linked list through one of a record's links. */
struct record_list {
	struct record *first, *last;
	size_t count;
};

struct records {
	struct record *table;
	struct record_list dirty, waiting;
	uint32_t list;
};

/* Takes the Service, which is in no record yet. */
struct record *record_add_take(struct records *records, struct service *service);
/* Takes what the Service is now, in place of what it was. */
void record_set_take(struct record *record, struct service *service);
/* Drops the object: it is settled. */
void record_shed(struct record *record);
bool record_is_of(const struct record *record, const struct object_meta *meta); /* same uid */
bool record_is_in_namespace(const struct record *record, const char *namespace);
struct record *record_find(const struct records *records, const char *namespace, const char *name);
/* Holds nothing, no job under way. */
void record_remove(struct records *records, struct record *record);
size_t records_count(const struct records *records);

void record_mark(struct records *records, struct record *record); /* dirty, at the end */
struct record *record_next_dirty(struct records *records);	  /* no longer dirty; or NULL */
void record_unmark(struct records *records, struct record *record);
/* Keeps its place where it waits already. */
void record_set_waiting(struct records *records, struct record *record, bool waiting);

/* False: it is kept already, word by word. */
bool record_keep_event(struct record *record, const struct assign_event *event);
void record_drop_events(struct record *record);

#endif
