// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_CORE_ASSIGN_PRIVATE_H
#define HERALD_LIB_CORE_ASSIGN_PRIVATE_H

#include "herald/core/assign.h"

/* What the files of the decision share; nothing outside lib/core/assign*.c includes this. */

/* Why the wish for one family is not met. */
struct assign_problem {
	const char *reason; /* static, CamelCase; NULL: no problem */
	enum alloc_reason failure;
	const char *mend; /* static; NULL: the text says what to do */
	bool kept;	  /* nothing is missing: only, what it has would not be given today */
	char text[ASSIGN_TEXT_MAX];
};

/* The decision under way. */
struct deciding {
	struct alloc *alloc;
	const struct assign_input *input;
	const struct service *service;
	struct assign_wish wish;
	struct assign_decision *decision;
	struct ip targets[2];		   /* by position in service->families; IP_NONE: none */
	struct ip before[2];		   /* held when the decision began, likewise */
	struct assign_problem problems[2]; /* likewise */
	bool must_leave;		   /* what it has collides with another holder */
	bool moved_by_config;
	bool moved_by_stranger; /* another machine has what it had */
};

/* The first problem of a family is the one to mend first: later ones are not kept. */
void assign_problem_set(struct assign_problem *problem, enum alloc_reason failure,
	const char *reason, const char *text);
void assign_refused_address(struct deciding *d, struct assign_problem *problem, const struct ip *ip,
	const struct alloc_refusal *refusal);
void assign_refused_pools(struct deciding *d, struct assign_problem *problem, uint8_t family,
	const struct alloc_trace *trace);
void assign_kept_unpooled(struct deciding *d, struct assign_problem *problem, const struct ip *held,
	const struct alloc_refusal *refusal);
/* Though another machine has it, since it was asked for or there is none in its place. */
void assign_kept_beside_stranger(struct deciding *d, struct assign_problem *problem,
	const struct ip *held, const struct alloc_refusal *refusal);

/* "a,b" of the decision's addresses. */
void assign_addresses_text(const struct assign_decision *decision, char *buffer, size_t size);
/* The condition and the Events, once targets, addresses and what is written are decided. */
void assign_tell(struct deciding *d);
/* What is said when an address is given up. */
void assign_tell_release(struct deciding *d);

/*
 * Before anything else is decided: what the Service shows to have been assigned, and the
 * allocator does not know of, is taken over where that is possible.
 */
void assign_recall(
	struct alloc *alloc, const struct assign_input *input, const struct assign_wish *wish);
/* "" for one that does not share. */
void assign_shared_as_text(const struct assign_wish *wish, char *buffer, size_t size);
/*
 * Of a Service that holds none of this family: what it shows or remembers to have had, if it
 * can still be had. Not taken: it may turn out that it gets none (K26).
 */
bool assign_recall_one(const struct deciding *d, uint8_t family, struct ip *ret);
/* What status lists of this family; false: nothing. */
bool assign_in_status(const struct service *service, uint8_t family, struct ip *ret);

#endif
