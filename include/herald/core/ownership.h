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
 * 1. Whom the plan makes owner holds the address. A claim by a station that is none of us
 *    never takes it away: where it still stands when OWNERSHIP_SETTLE_MS have passed (the
 *    plan may be changing just then) it is a conflict, counted and answered with one
 *    announcement, at most one per DEFEND_INTERVAL_MS and address (RFC 5227 2.4 c).
 * 2. Where another speaker claims it, one of the two knows old news. Each asks for proof
 *    that its own are not: it writes its Lease, and has proof once it sees that write come
 *    back through the watch, for the watch shows all that was written before. Who has proof
 *    defends. Who has none OWNERSHIP_CONTEST_MS after the claim yields to a node whose
 *    name sorts before its own. To another it announces the address again, and yields to
 *    an answer to the second time: only who has proof answers for so long. Unanswered it
 *    goes on, so that two without proof do not both fall silent.
 * 3. Whose Lease has lapsed goes on answering (fail static) until it hears another speaker's
 *    claim, then yields at once.
 * 4. Who yielded stays silent until it has proof and the plan wishes it again.
 * 5. An address that the plan gives to another node is answered until another speaker's claim
 *    is heard, at most for the bound given: the next owner announces before the old one
 *    stops. With nobody to follow it, and when it is no longer wanted at all, it ends
 *    at once.
 */
#define OWNERSHIP_SETTLE_MS 500u
#define OWNERSHIP_ASK_MS 200u		/* the plan may be changing just then: it costs a write */
#define OWNERSHIP_CONTEST_MS 750u	/* from a claim to its judgement, and between challenges */
#define OWNERSHIP_CHALLENGES 8u		/* then one in DEFEND_INTERVAL_MS */
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
	OWNERSHIP_YIELDED	/* silent by rule 4 */
};
const char *ownership_state_text(enum ownership_state state);

enum ownership_action {
	OWNERSHIP_TAKE,	     /* answer, announce */
	OWNERSHIP_HAND_OVER, /* go on answering, announce no more */
	OWNERSHIP_RELEASE,   /* stop answering */
	OWNERSHIP_YIELD,     /* stop answering, as `mac` claims it, and ASK */
	OWNERSHIP_DEFEND,    /* announce once: `mac` claims it */
	OWNERSHIP_INSIST,    /* the same, with all repeats: a frame may be lost */
	OWNERSHIP_ASK	     /* write our Lease, for proof */
};

struct ownership_effect {
	struct ip ip;
	enum ownership_action action;
	uint8_t mac[MAC_SIZE]; /* of YIELD, DEFEND and INSIST */
};

struct ownership_effects {
	struct ownership_effect *items; /* grown as needed; owned by the caller */
	size_t count, capacity;
};
void ownership_effects_done(struct ownership_effects *effects);

/* Who claims an address. */
enum ownership_claimant {
	OWNERSHIP_STRANGER,
	OWNERSHIP_EARLIER_NODE, /* a speaker; its node's name sorts before ours */
	OWNERSHIP_LATER_NODE
};

struct ownership_claim {
	struct ip ip;
	uint8_t mac[MAC_SIZE];
	enum ownership_claimant by;
};

struct ownership_now {
	struct monotime time;
	bool lapsed;		/* our own Lease has not been renewed for its duration */
	struct monotime proven; /* all that was written by then has been seen */
};

struct ownership; /* opaque */

struct ownership *ownership_new(void);
void ownership_free(struct ownership *ownership); /* NULL is allowed */

/* Each appends to *effects what is to be done. `wishes`: sorted by ip, unique, all. */
void ownership_plan(struct ownership *ownership, const struct ownership_wish *wishes, size_t count,
	const struct ownership_now *now, uint32_t hand_over_ms, struct ownership_effects *effects);
void ownership_claim(struct ownership *ownership, const struct ownership_claim *claim,
	const struct ownership_now *now, struct ownership_effects *effects);
void ownership_step(struct ownership *ownership, const struct ownership_now *now,
	struct ownership_effects *effects);
/* When ownership_step is to be called; false: no need. */
bool ownership_next(const struct ownership *ownership, struct monotime *ret);

enum ownership_state ownership_state_of(const struct ownership *ownership, const struct ip *ip);
size_t ownership_count(const struct ownership *ownership, enum ownership_state state);

#endif
