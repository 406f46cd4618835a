// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_ASSIGNER_H
#define HERALD_CONTROLLER_ASSIGNER_H

#include <jansson.h>

#include "herald/core/assign.h"
#include "herald/kube/program.h"

/*
 * The reconciler: Services come in as they are, each is decided (core/assign.h) and what
 * is decided is written. Until assigner_start nothing is decided, so that all that is
 * assigned already is known first (decision 8 of the design: a restart changes nothing).
 */
struct assigner;

struct assigner_options {
	struct assign_rules rules;
	/* NULL where the namespace is not known. */
	const struct string_map *(*namespace_labels)(void *context, const char *namespace);
	/* All Services must be judged anew: begin another list. */
	void (*list_again)(void *context);
	void *context;
	uint32_t retry_ms; /* after which what failed is tried again without any event (C31) */
};

struct assigner *assigner_new(struct program *program, const struct assigner_options *options);
void assigner_free(struct assigner *assigner); /* NULL is allowed */

/* Services, as a watch tells them. */
void assigner_list_begin(struct assigner *assigner);
void assigner_put(struct assigner *assigner, const json_t *object);
void assigner_gone(struct assigner *assigner, const json_t *object);
void assigner_list_end(struct assigner *assigner);

/* Borrowed until the next call; NULL: none. */
void assigner_configure(struct assigner *assigner, const struct config *config);
/* An address of a node, that must not be assigned; counted. */
void assigner_block(struct assigner *assigner, const struct ip *ip);
void assigner_unblock(struct assigner *assigner, const struct ip *ip);
/* All addresses that stations have which are none of ours. */
void assigner_set_strangers(struct assigner *assigner, const struct conflict_list *list);
void assigner_namespace_changed(struct assigner *assigner, const char *namespace);

/* All inputs are there: take over what is assigned, then begin. Once; not in the middle of
   a list, at whose end it is to be called again. */
void assigner_start(struct assigner *assigner);
bool assigner_has_started(const struct assigner *assigner);
/* Starts no more writes; `done` is called once none is under way, at once or later. */
void assigner_drain(struct assigner *assigner, void (*done)(void *context), void *context);

/* What it holds as JSON: pools, counts, and up to `limit` Services that wait. New reference. */
json_t *assigner_describe(const struct assigner *assigner, size_t limit);

#endif
