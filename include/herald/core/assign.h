// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_ASSIGN_H
#define HERALD_CORE_ASSIGN_H

#include "herald/core/alloc.h"
#include "herald/core/objects.h"

/*
 * What one Service should have, and what has to be written to it. Pure but for the
 * allocator passed in, in which addresses are taken at once, so that two decisions never
 * give one address away; what a Service leaves stays taken until the caller has written
 * the decision and calls alloc_settle.
 */
#define ANNOTATION_IPS "herald.io/ips"	   /* asked for: one address a family, comma separated */
#define ANNOTATION_POOL "herald.io/pool"   /* only from this pool */
#define ANNOTATION_SHARE "herald.io/share" /* sharing key */
#define ANNOTATION_ASSIGNED "herald.io/assigned"   /* ours: what was assigned (K18) */
#define ANNOTATION_SHARED_AS "herald.io/shared-as" /* ours: what it shared by then, as a hash */
/* Ours: those of its addresses whose pool has Services moved off what it does not have any more,
   for a controller that starts when that pool is gone (A08). */
#define ANNOTATION_MOVES "herald.io/move-when-removed"
#define CONDITION_ASSIGNED "herald.io/Assigned"
/* That of a Service; NULL: it has none. */
const struct condition *assign_condition(const struct service *service);

/* Which Services are ours (K01, K02). */
struct assign_rules {
	const char *class; /* NULL: those whose loadBalancerClass is unset */
	bool handle_unset; /* with a class: also those without one */
};
bool assign_is_ours(const struct assign_rules *rules, const struct service *service);

struct assign_input {
	const struct service *service;
	const struct string_map *namespace_labels; /* NULL: not known */
	struct alloc_holder *holder;
	bool ours; /* assign_is_ours */
};

enum assign_state {
	ASSIGN_FOREIGN,	  /* not ours and never was */
	ASSIGN_PENDING,	  /* ours, without what it needs */
	ASSIGN_ASSIGNED,  /* has what it asks for */
	ASSIGN_KEPT,	  /* keeps what it has, though something it asks for can't be met */
	ASSIGN_RELEASING, /* no longer ours, or being deleted, and something is to be written */
	ASSIGN_RELEASED,  /* the same with nothing left to write: its addresses are free to go */
	ASSIGN_STATE_COUNT
};

/* One thing of the Service: left as it is, written, or taken away. */
enum assign_change { ASSIGN_KEEP, ASSIGN_SET, ASSIGN_REMOVE };

#define ASSIGN_TEXT_MAX 1024
struct assign_event {
	bool warning;
	const char *reason; /* static */
	char message[ASSIGN_TEXT_MAX];
};

struct assign_decision {
	enum assign_state state;
	enum alloc_reason failure; /* ALLOC_OK: none */
	bool write;		   /* anything below differs from what is there */

	struct ip addresses[2]; /* the whole ingress list, in the Service's family order */
	uint8_t address_count;
	bool ingress; /* the list is to be written */
	enum assign_change finalizer;
	enum assign_change annotation; /* ANNOTATION_ASSIGNED */
	char annotation_text[2 * IP_TEXT_MAX];
	enum assign_change shared_as; /* ANNOTATION_SHARED_AS */
	char shared_as_text[17];
	enum assign_change moves; /* ANNOTATION_MOVES */
	char moves_text[2 * IP_TEXT_MAX];

	enum assign_change condition;	      /* CONDITION_ASSIGNED */
	bool condition_true, condition_flips; /* flips: its status changes or it is new */
	const char *condition_reason;	      /* static */
	char condition_message[ASSIGN_TEXT_MAX];

	struct assign_event events[2]; /* to be told once the decision is written */
	size_t event_count;
	bool conflict; /* what was in status belongs to an older holder (A12) */
};

/*
 * Before anything is decided after a start: takes what status holds, oldest Service
 * first (A12). False: nothing there, or an older holder has one of the addresses.
 */
bool assign_adopt_status(struct alloc *alloc, const struct assign_input *input);
/*
 * In which pass over all Services it takes over what status shows, 0 to ASSIGN_PASSES - 1,
 * whatever its age. Of two that can't share any longer, the one that goes anyway has to give
 * way, and the one that was changed while nobody looked (A06): first come those that share
 * as they did when it was written, then those that share nothing, then these.
 */
#define ASSIGN_PASSES 3
unsigned assign_pass_of(const struct alloc *alloc, const struct assign_input *input);
/* Then: what the annotation remembers of a Service that came back without status (K18). */
bool assign_adopt_annotation(struct alloc *alloc, const struct assign_input *input);

void assign_decide(
	struct alloc *alloc, const struct assign_input *input, struct assign_decision *ret);

/* What a Service asks for, from its spec and annotations. */
struct assign_wish {
	struct alloc_request request;
	struct ip ips[2]; /* IPv4 and IPv6 asked for; IP_NONE: any */
	bool malformed;
	char problem[256]; /* of a malformed wish: what, and how to mend it */
};
void assign_wish_read(
	const struct alloc *alloc, const struct assign_input *input, struct assign_wish *ret);
/* Parses "a, b" with at most one address a family into ips[2]; false: *problem says why. */
bool assign_ips_parse(const char *text, struct ip ips[2], char *problem, size_t size);

#endif
