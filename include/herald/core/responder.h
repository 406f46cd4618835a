// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_RESPONDER_H
#define HERALD_CORE_RESPONDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/core/arp.h"

/*
 * What a received frame means for the addresses that are answered here. Interfaces are
 * numbered in slots 0..RESPONDER_SLOTS-1 by the owner; an address is answered on those
 * whose bit is set in its `slots`. Looking up allocates nothing.
 */
#define RESPONDER_SLOTS 64u

struct responder_address {
	uint8_t ip[4];
	uint64_t slots; /* bit n: answered on the interface in slot n */
};

struct responder_table {
	const struct responder_address *addresses; /* sorted by ip, unique */
	size_t address_count;
	uint8_t macs[RESPONDER_SLOTS][MAC_SIZE]; /* of the interfaces in use */
	uint64_t used_slots;			 /* which of these are set */
};

enum responder_verdict {
	RESPONDER_REPLY,  /* send reply */
	RESPONDER_CLAIM,  /* another station says that it has one of our addresses */
	RESPONDER_IGNORE, /* sound, and none of our business */
	RESPONDER_DROP	  /* refused: `reason` */
};

struct responder_result {
	enum responder_verdict verdict;
	enum arp_reason reason;	       /* of DROP */
	uint8_t ip[4];		       /* of REPLY and CLAIM: the address concerned */
	uint8_t claimant[MAC_SIZE];    /* of CLAIM */
	uint8_t reply[ARP_FRAME_SIZE]; /* of REPLY: to be sent on the interface it came from */
};

/* NULL when ip is not in the table. */
const struct responder_address *responder_find(
	const struct responder_table *table, const uint8_t ip[static 4]);

/* A frame that came in on the interface in `slot`. */
void responder_handle(const struct responder_table *table, unsigned slot, const uint8_t *bytes,
	size_t length, struct responder_result *ret);

#endif
