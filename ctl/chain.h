// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_CHAIN_H
#define HERALDCTL_CHAIN_H

#include "bgp_view.h"
#include "view.h"

/*
 * A chain of findings about one Service, from its spec to the wire: each is good, worth a
 * note, or wrong; what is wrong says what to do about it. Pure.
 */
enum link_result { LINK_GOOD, LINK_NOTE, LINK_WRONG };
const char *link_result_name(enum link_result result); /* "good", "note", "wrong" */

struct link {
	enum link_result result;
	const char *step;   /* static: "service", "pools", ... */
	const char *reason; /* a stable name: "PoolFull"; "" where it is good */
	char *text;
	char *remedy; /* what to do; NULL: nothing, or the text says it */
};

struct chain {
	struct link *links;
	size_t count;
	bool is_wrong; /* some link is */
};
/* `remedy` may be NULL; it is copied. */
void chain_add(struct chain *chain, enum link_result result, const char *step, const char *reason,
	const char *remedy, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void chain_done(struct chain *chain);

/* The parts of the story, in their order. The first one decides about the Service in the
   view's allocator. */
void chain_assignment(struct chain *chain, const struct view *view, const struct service *service);
void chain_announcement(
	struct chain *chain, const struct view *view, const struct service *service);
/* What the Service's Events (a list of core/v1 Events) say, the latest last. */
void chain_events(struct chain *chain, const json_t *events);

#endif
