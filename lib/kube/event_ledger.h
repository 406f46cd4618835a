// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_EVENT_LEDGER_H
#define HERALD_KUBE_EVENT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "herald/base/monotime.h"
#include "herald/kube/event.h"

/*
 * Which Events are written, and when: repeats are folded into a count, each object has a
 * token bucket, each Event is written at most once a second. No I/O, no clock; memory is
 * bounded, the least recently used is forgotten.
 */
enum {
	EVENT_LEDGER_MAX = 1024, /* Events remembered, and as many objects */
	EVENT_BURST = 25,	 /* writes of one object at once ... */
	EVENT_REFILL_S = 300,	 /* ... and one more in this time (client-go's figures) */
	EVENT_SPACING_MS = 1000, /* between writes of one Event */
	EVENT_MESSAGE_MAX = 1024,
	EVENT_REASON_MAX = 128,
};

/* An Event; valid until the ledger is called again, or, where it is being written, until
   event_ledger_written. */
struct event_entry;

struct event_view {
	const char *api_version, *kind, *namespace, *object, *uid;
	const char *reason, *message;
	enum kube_event_type type;
	uint32_t count;
	int64_t first_unix, last_unix;
	const char *name; /* of the Event that was created; NULL: create it */
};

struct event_ledger;
struct event_ledger *event_ledger_new(void);
void event_ledger_free(struct event_ledger *ledger); /* NULL is allowed */

struct event_note {
	const struct kube_object_ref *about;
	enum kube_event_type type;
	const char *reason, *message;
	int64_t unix_time; /* for showing only */
};
/* False: dropped, since the object's bucket is empty and there is no Event to count in. */
bool event_ledger_record(
	struct event_ledger *ledger, const struct event_note *note, struct monotime now);

/*
 * The next Event to write now (a token is taken for it), or NULL; then *ret_wake says
 * when there will be one (ns 0: not before another call of event_ledger_record).
 */
struct event_entry *event_ledger_next(
	struct event_ledger *ledger, struct monotime now, struct monotime *ret_wake);
struct event_view event_ledger_view(const struct event_entry *entry);

enum event_outcome {
	EVENT_CREATED, /* under `name` */
	EVENT_PATCHED,
	EVENT_VANISHED, /* the Event was deleted meanwhile: it is created anew */
	EVENT_FAILED,	/* given up; a repeat tries again */
};
void event_ledger_written(struct event_ledger *ledger, struct event_entry *entry,
	enum event_outcome outcome, const char *name);

#endif
