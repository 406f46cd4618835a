// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_STEERING_H
#define HERALD_SPEAKER_STEERING_H

#include "herald/core/clients.h"
#include "herald/core/responder.h"
#include "herald/core/sharing.h"
#include "ports.h"

/*
 * Telling stations, each for itself, where an address is: who asked lately, when the address
 * moves (core/clients.h), and where it is served per client (core/sharing.h), whoever is to
 * go to another node, and the nodes that served it and do not any more.
 */
struct steering {
	struct sharing *sharing;
	struct clients *clients;
	uint32_t repeat, spacing_ms; /* as announcements have it */
	/* Within which time who is another node's again, which is back, is moved: takeBackTime.
	   0: at once; UINT64_MAX: never. */
	uint64_t take_back_ms;
	struct metric *known, *told, *redirected;
};

/* What is needed to send: where, what is answered, and whether our own Lease has lapsed, so
   that we don't know who else serves. */
struct steering_scene {
	struct ports *ports;
	const struct responder_table *table;
	bool lapsed;
};

void steering_init(struct steering *steering, struct metrics *metrics, const char *self);
void steering_done(struct steering *steering);

/* After each plan, before the table is made from it; sharing_changes_done. */
void steering_follow(struct steering *steering, const struct plan *plan,
	const struct members *members, struct monotime now, struct sharing_changes *ret);
/* Somebody asked: of REPLY and OTHERS. */
void steering_note(struct steering *steering, unsigned slot, const struct responder_result *result);
/* Those that we answer are told that we do: since we took the address over, or since
   another station claimed it. */
void steering_took(struct steering *steering, const struct ip *ip);
void steering_defend(struct steering *steering, const struct ip *ip);
/* Of OTHERS, asked directly: the answer is where the node is that serves it, which may be
   here yet (core/clients.h: guests). */
void steering_redirect(struct steering *steering, const struct steering_scene *scene, unsigned slot,
	const struct responder_result *result);
/* Tells the nodes that served it that we do, and `claimant`, unless NULL. */
void steering_claim(const struct steering *steering, const struct steering_scene *scene,
	const struct ip *ip, const uint8_t *claimant);

/* Sends what is due. */
void steering_step(
	struct steering *steering, const struct steering_scene *scene, struct monotime now);
/* When steering_step is to be called; false: no need. */
bool steering_next(const struct steering *steering, struct monotime *ret);

#endif
