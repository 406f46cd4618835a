// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_OWNERSHIP_H
#define HERALD_CORE_OWNERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/base/mac.h"
#include "herald/base/monotime.h"

/*
 * What this node does with each address, from what the plan wishes and from what is
 * heard on the wire. The stated rules:
 *
 * 1. Whom the plan makes owner, and whose own Lease has not lapsed, holds the address.
 *    A claim by another station that still stands when OWNERSHIP_SETTLE_MS have passed
 *    (the plan may be changing just then) is a conflict: it is counted and answered with
 *    one announcement, at most one per DEFEND_INTERVAL_MS and address (RFC 5227 2.4 c).
 * 2. Whose Lease has lapsed goes on answering (fail static) until it hears a claim, then
 *    yields at once and stays silent until it has its Lease and the plan again.
 * 3. An address that the plan gives to another node is answered until that node's claim
 *    is heard, at most for the bound given: the next owner announces before the old one
 *    stops. With nobody to follow it, and when it is no longer wanted at all, it ends
 *    at once.
 */
#define OWNERSHIP_SETTLE_MS 500u
#define OWNERSHIP_RECENT_CLAIM_MS 1000u /* heard so recently, a hand-over need not wait */
#define DEFEND_INTERVAL_MS 10000u	/* RFC 5227 1.1: DEFEND_INTERVAL */

enum ownership_wish_kind {
	OWNERSHIP_OURS,
	OWNERSHIP_THEIRS, /* another node is the owner */
	OWNERSHIP_NOBODYS
};

struct ownership_wish {
	struct ip ip;
	enum ownership_wish_kind kind;
};

enum ownership_state {
	OWNERSHIP_NONE,
	OWNERSHIP_HELD,		/* answers and announces */
	OWNERSHIP_HANDING_OVER, /* answers, announces no more */
	OWNERSHIP_YIELDED	/* silent by rule 2 */
};
const char *ownership_state_text(enum ownership_state state);

enum ownership_action {
	OWNERSHIP_TAKE,	     /* answer, announce */
	OWNERSHIP_HAND_OVER, /* go on answering, announce no more */
	OWNERSHIP_RELEASE,   /* stop answering */
	OWNERSHIP_YIELD,     /* stop answering: `mac` claims it */
	OWNERSHIP_DEFEND     /* announce once: `mac` claims it */
};

struct ownership_effect {
	struct ip ip;
	enum ownership_action action;
	uint8_t mac[MAC_SIZE]; /* of YIELD and DEFEND */
};

struct ownership_effects {
	struct ownership_effect *items; /* grown as needed; owned by the caller */
	size_t count, capacity;
};
void ownership_effects_done(struct ownership_effects *effects);

/* The time, and whether our own Lease has not been renewed for its duration. */
struct ownership_now {
	struct monotime time;
	bool lapsed;
};

struct ownership; /* opaque */

struct ownership *ownership_new(void);
void ownership_free(struct ownership *ownership); /* NULL is allowed */

/* Each appends to *effects what is to be done. `wishes`: sorted by ip, unique, all. */
void ownership_plan(struct ownership *ownership, const struct ownership_wish *wishes, size_t count,
	const struct ownership_now *now, uint32_t hand_over_ms, struct ownership_effects *effects);
void ownership_claim(struct ownership *ownership, const struct ip *ip,
	const uint8_t mac[static MAC_SIZE], const struct ownership_now *now,
	struct ownership_effects *effects);
void ownership_step(struct ownership *ownership, const struct ownership_now *now,
	struct ownership_effects *effects);
/* When ownership_step is to be called; false: no need. */
bool ownership_next(const struct ownership *ownership, struct monotime *ret);

enum ownership_state ownership_state_of(const struct ownership *ownership, const struct ip *ip);
size_t ownership_count(const struct ownership *ownership, enum ownership_state state);

#endif
