// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_BGP_REPORT_H
#define HERALD_SPEAKER_BGP_REPORT_H

#include "bgp_watch.h"
#include "herald/kube/program.h"

/*
 * Telling people of BGP: a log line, an Event on the Service or the Node concerned, and
 * metrics. What was told once is not told again while it stays so.
 */
struct bgp_report;

struct bgp_report *bgp_report_new(struct program *program, const char *self);
void bgp_report_free(struct bgp_report *report); /* NULL is allowed */

/* A plan is in force; not borrowed. `node_uid` is of our Node object. `speak`: of what is wrong
   with Services, too. What is found announced first was so before we started, and not told. */
struct bgp_report_turn {
	const struct bgp_plan *plan; /* NULL: no BGP */
	const char *node_uid;
	bool speak;
};
void bgp_report_plan(struct bgp_report *report, const struct bgp_report_turn *turn);
/* As bgp_watch_sink; `error` is what is to be told of a session that is down. */
void bgp_report_session(struct bgp_report *report, const struct bgp_peer *peer, enum bgp_state was,
	bool first, const char *error);
/* What is exported, or which sessions are up, has changed. */
void bgp_report_exports(
	struct bgp_report *report, const struct bgp_plan *plan, const struct bgp_watch *watch);

#endif
