// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_LEASE_MACHINE_H
#define HERALD_KUBE_LEASE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "herald/base/monotime.h"

/*
 * When to read, create, take, renew and give up one Lease: an event and the time in, one
 * request and what changed out. No I/O, no clock. At most one request is under way; its
 * outcome comes back as an event. All times are of the local monotonic clock.
 */
enum {
	LEASE_HOLDER_SIZE = 254,
	LEASE_VERSION_SIZE = 129,
	LEASE_TIME_SIZE = 129,
	LEASE_WHY_SIZE = 320,
	LEASE_RELEASE_MS = 2000, /* the longest that giving it up may take */
};

/* What the server said last. */
struct lease_record {
	char holder[LEASE_HOLDER_SIZE]; /* "": nobody */
	char resource_version[LEASE_VERSION_SIZE];
	char renew_time[LEASE_TIME_SIZE]; /* compared, never interpreted */
	uint32_t duration_s, transitions;
};

enum lease_request {
	LEASE_REQUEST_NONE,
	LEASE_REQUEST_READ,
	LEASE_REQUEST_CREATE,
	LEASE_REQUEST_TAKE, /* the following three with the record's resourceVersion */
	LEASE_REQUEST_RENEW,
	LEASE_REQUEST_RELEASE,
};

enum lease_event_kind {
	LEASE_EVENT_TIMER,    /* wake_at was reached; spurious ones do no harm */
	LEASE_EVENT_READ,     /* answer to READ, with the record */
	LEASE_EVENT_WRITTEN,  /* answer to the other requests, with the record */
	LEASE_EVENT_MISSING,  /* 404 */
	LEASE_EVENT_CONFLICT, /* 409: it exists already, or is not what we read */
	LEASE_EVENT_FAILED,   /* any other answer, or none: it may have taken effect */
	LEASE_EVENT_NUDGE,    /* renew at once, for what else the write carries */
	LEASE_EVENT_RELEASE,
};

struct lease_event {
	enum lease_event_kind kind;
	const struct lease_record *record; /* READ and WRITTEN */
	uint32_t retry_after_ms;	   /* FAILED; 0: the server did not say */
	uint32_t random;		   /* any number: for jitter */
};

struct lease_action {
	enum lease_request request;
	bool gained, lost;	  /* at most one of them */
	char why[LEASE_WHY_SIZE]; /* of lost */
	bool released;		  /* the end: no further event is needed */
	bool wake;		  /* give TIMER at wake_at */
	struct monotime wake_at;
};

enum lease_knowledge { LEASE_UNREAD, LEASE_ABSENT, LEASE_SEEN };

struct lease_state {
	char identity[LEASE_HOLDER_SIZE];
	uint32_t duration_ms, renew_ms; /* of the next write */
	/* What is known of the Lease. */
	enum lease_knowledge knowledge;
	struct lease_record record; /* the last seen one, also while UNREAD */
	struct monotime changed_at; /* when we first saw this holder and renewTime */
	/* Ours. */
	bool held;
	struct monotime valid_until;		  /* nothing may be done in its name from then on */
	char written_version[LEASE_VERSION_SIZE]; /* that our last write made; "": none */
	struct monotime written_at;		  /* when that was sent */
	/* What goes on. */
	enum lease_request under_way;
	struct monotime sent_at;
	uint32_t sent_duration_ms; /* what it says */
	uint32_t sent_renew_ms;	   /* the interval that held then */
	bool stretched;		   /* much longer than that of the write before */
	struct monotime next_at;   /* of the next request */
	uint32_t failures;	   /* in a row */
	bool nudged, releasing;
	struct monotime release_by;
};

void lease_state_init(
	struct lease_state *state, const char *identity, uint32_t duration_ms, uint32_t renew_ms);
void lease_state_set_timing(struct lease_state *state, uint32_t duration_ms, uint32_t renew_ms);
struct lease_action lease_step(
	struct lease_state *state, const struct lease_event *event, struct monotime now);
/* True while it may be acted in the lease's name. */
bool lease_state_is_valid(const struct lease_state *state, struct monotime now);

#endif
