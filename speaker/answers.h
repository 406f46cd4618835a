// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_ANSWERS_H
#define HERALD_SPEAKER_ANSWERS_H

#include "herald/core/ownership.h"
#include "herald/core/plan.h"
#include "herald/core/probe.h"
#include "herald/core/responder.h"
#include "herald/core/sharing.h"
#include "ports.h"

/*
 * The responder's table: which address is answered or asked for on which port, and, where it
 * is served per client, whom we answer; from the plan in force, what ownership, probe and
 * sharing say, and the ports as they are. The others of the plan are there to be noted.
 */
struct answers {
	const struct ports *ports; /* these four are borrowed */
	const struct ownership *ownership;
	const struct probe *probe;
	const struct sharing *sharing;
	struct answers_place *places; /* of the plan in force, sorted */
	size_t place_count;
	struct responder_address *addresses; /* of the table */
	struct responder_table table;
	/* Answered before the last answers_rebuild as well, and now on further ports: there
	   they are to be announced. */
	struct ip *gained;
	size_t gained_count;
};

void answers_done(struct answers *answers);
/* Borrows the plan's texts until the next one. The table is not touched. */
void answers_set_plan(struct answers *answers, const struct plan *plan);
void answers_rebuild(struct answers *answers);
/* The slots where the plan has it answered. */
uint64_t answers_slots_of(const struct answers *answers, const struct ip *ip);

#endif
