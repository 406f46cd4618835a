// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_ASSIGNER_STATE_H
#define HERALD_CONTROLLER_ASSIGNER_STATE_H

#include "assigner.h"
#include "herald/kube/store.h"
#include "report.h"
#include "writer.h"

/*
 * What the assigner's files share; nobody else includes this. assigner.c has its life and
 * its turns, assigner_intake.c takes in Services as they are, assigner_decide.c makes of
 * them what they should be, assigner_describe.c tells.
 */
struct assigner {
	struct program *program;
	struct assigner_options options;
	struct alloc *alloc;
	struct store first; /* the Services, until it has started */
	struct records records;
	uint32_t judgement; /* rises when all must be judged anew */
	bool list_again;    /* for those whose object was not kept */
	bool listing;	    /* a list is under way */
	struct writer *writer;
	struct report report;
	struct timer *turn, *slow;
	uint64_t judged_generation; /* of the allocator, when those waiting were last tried */
	size_t states[ASSIGN_STATE_COUNT];
	uint32_t trimmed; /* the list after which memory was given back */
	bool started;
	void (*drained)(void *context); /* NULL: not draining */
	void *drained_context;
};

/* assigner.c */
void assigner_schedule(struct assigner *a);
void assigner_mark(struct assigner *a, struct record *record);
void assigner_set_state(struct assigner *a, struct record *record, enum assign_state state);
void assigner_judge_all(struct assigner *a);
/* After a job has ended, in whatever way. */
void assigner_check_drained(struct assigner *a);

/* assigner_intake.c */
bool assigner_is_of_interest(const struct service *service);
/* A record of what is in none yet, and the first Service to be decided in it. */
struct record *assigner_add(struct assigner *a, const struct object_meta *meta);
void assigner_begin_take(struct assigner *a, struct record *record, struct service *service);
/* `listed`: a list's word counts even where it seems to be older (history went back). */
void assigner_put_take(struct assigner *a, struct service *service, bool listed);
void assigner_forget(struct assigner *a, struct record *record);

/* assigner_decide.c */
struct assign_input assigner_input_of(const struct assigner *a, struct record *record);
void assigner_decide(struct assigner *a, struct record *record);
void assigner_read(struct assigner *a, struct record *record);
/* Something became free: to whoever has waited longest (A09). */
void assigner_try_waiting(struct assigner *a);

#endif
