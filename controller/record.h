// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_RECORD_H
#define HERALD_CONTROLLER_RECORD_H

#include "herald/base/err.h"
#include "herald/base/monotime.h"
#include "herald/core/assign.h"

#define uthash_fatal(message) DIE(message)
#include <uthash.h>

/*
 * One Service as the controller keeps it: its last known state, the addresses it holds,
 * and what is still to be done about it. A record is in the table, and by need among
 * those to be decided (`dirty`) and those that wait for an address (`waiting`, longest
 * first).
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

struct record {
	UT_hash_handle hh; /* by key */
	struct service *service;
	struct alloc_holder holder;
	struct record_link dirty, waiting;
	struct writer_job *job; /* a write or read under way; NULL: none */
	struct record_event *events;
	struct monotime since;	      /* it wants an address since then */
	struct monotime window_start; /* of `writes` */
	uint32_t list;		      /* the list in which it was last told */
	uint8_t writes;		      /* in this window */
	uint8_t state;		      /* enum assign_state */
	bool is_dirty, is_waiting;
	bool stale;  /* to be read before it is decided */
	bool failed; /* set aside until the slow retry */
	char key[];  /* "namespace/name" */
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
struct record *record_find(const struct records *records, const char *namespace, const char *name);
/* Holds nothing, no job under way. */
void record_remove(struct records *records, struct record *record);
size_t records_count(const struct records *records);
/* Oldest Service first, then by name; malloc'ed, records_count() of them. */
struct record **records_by_age(const struct records *records);

void record_mark(struct records *records, struct record *record); /* dirty, at the end */
struct record *record_next_dirty(struct records *records);	  /* no longer dirty; or NULL */
void record_unmark(struct records *records, struct record *record);
/* Keeps its place where it waits already. */
void record_set_waiting(struct records *records, struct record *record, bool waiting);

/* False: it is kept already, word by word. */
bool record_keep_event(struct record *record, const struct assign_event *event);
void record_drop_events(struct record *record);

#endif
