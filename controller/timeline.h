// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_TIMELINE_H
#define HERALD_CONTROLLER_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

/*
 * What has happened lately, for the status page: the last TIMELINE_MAX entries, numbered
 * from 1. Pure: the time comes from the caller.
 */
#define TIMELINE_MAX 1000u
#define TIMELINE_TEXT_MAX 1024u /* bytes of each text; what others say has no end */

struct timeline_entry {
	uint64_t number;
	int64_t time_ms;     /* Unix time */
	const char *kind;    /* static: "assigned", "failover", ... (docs/status-page.md) */
	const char *service; /* "namespace/name"; NULL: of none */
	const char *address; /* NULL: of none */
	const char *node;    /* where it is now, or which it is about; NULL: none */
	const char *from;    /* the node that had the address; NULL: none */
	const char *text;    /* why, in words; NULL: nothing to add */
};

struct timeline; /* opaque */

struct timeline *timeline_new(void);
void timeline_free(struct timeline *timeline); /* NULL is allowed */
/* Copies the texts, cut where they are too long; `number` is given. */
void timeline_add(struct timeline *timeline, const struct timeline_entry *entry);
/* Of the last entry; 0: none. */
uint64_t timeline_last(const struct timeline *timeline);
/* NULL: it is not kept any more, or not there yet. */
const struct timeline_entry *timeline_at(const struct timeline *timeline, uint64_t number);
/* The number of the oldest one that is kept; 1 where there is none. */
uint64_t timeline_first(const struct timeline *timeline);

#endif
