// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_GATHER_H
#define HERALDCTL_GATHER_H

#include "facts.h"
#include "session.h"

/*
 * Gathering the facts from the API server, by the same lists and watches as the programs
 * use: all that is there at one time, and after that every change.
 *
 * Which speakers are alive is seen, not believed: a Lease that says it was renewed just
 * now, by this machine's clock, is taken as alive; any other one is watched for as long
 * as it lasts, at most GATHER_DOUBT_MAX_MS, and its speaker counts as dead only when
 * no renewal was seen. So a cluster in good health is told at once, and clocks that
 * differ cost a moment, but tell nothing wrong.
 */
#define GATHER_DOUBT_MAX_MS 10000u

#define FACT_BIT(kind) (1u << (kind))
#define FACTS_OF_CONTROLLER                                                                        \
	(FACT_BIT(FACT_SERVICE) | FACT_BIT(FACT_NODE) | FACT_BIT(FACT_NAMESPACE) |                 \
		FACT_BIT(FACT_CONFIG_MAP))
#define FACTS_ALL (FACTS_OF_CONTROLLER | FACT_BIT(FACT_SLICE) | FACT_BIT(FACT_LEASE))

struct gather;
/* `kinds`: FACT_BITs. The session is borrowed. */
struct gather *gather_new(struct session *session, unsigned kinds);
void gather_free(struct gather *gather); /* NULL is allowed */

/* Runs the loop until all is there, within the session's bound. */
int gather_all(struct gather *gather, struct err *e);
const struct facts *gather_facts(const struct gather *gather);

/* From then on: called at most once a turn when something has changed. */
void gather_follow(struct gather *gather, void (*changed)(void *context), void *context);

/*
 * A verb's whole course: connect, gather, `fn` with what is there, tear down. What fails is
 * told on stderr, with what to do; then the exit code is VERB_UNKNOWN, else fn's.
 */
typedef int gathered_fn(void *context, struct gather *gather);
int with_facts(struct cluster_options *options, unsigned kinds, gathered_fn *fn, void *context);
struct session *gather_session(const struct gather *gather);

#endif
