// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_RESPONDER_H
#define HERALD_CORE_RESPONDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/core/arp.h"
#include "herald/core/ndp.h"
#include "herald/core/spread.h"

/*
 * What a received frame means for the addresses that are answered or asked for here. Interfaces are
 * numbered in slots 0..RESPONDER_SLOTS-1 by the owner; an address is answered on those
 * whose bit is set in its `slots`. Looking up allocates nothing.
 */
#define RESPONDER_SLOTS 64u

struct responder_address {
	struct ip ip;
	uint64_t slots; /* bit n: answered on the interface in slot n */
	bool asked;	/* not answered yet: we ask whether anybody has it (core/probe.h) */
	bool noted;	/* not answered: another node does; who asks is of interest */
	/* Served per client: only our own are answered. NULL: all who ask are. */
	const struct spread *spread;
	bool defends; /* per client: who has no address yet is answered by us */
};

struct responder_table {
	const struct responder_address *addresses; /* sorted by ip, unique */
	size_t address_count;
	uint8_t macs[RESPONDER_SLOTS][MAC_SIZE]; /* of the interfaces in use */
	uint64_t used_slots;			 /* which of these are set */
};

enum responder_verdict {
	RESPONDER_REPLY,  /* send reply */
	RESPONDER_OTHERS, /* `asker` asked for an address that another node answers it for */
	RESPONDER_CLAIM,  /* another station says that it has one of these addresses, or asks
			     for one that we ask for in the same way, to have it */
	RESPONDER_IGNORE, /* sound, and none of our business */
	RESPONDER_DROP	  /* refused: `arp_reason` or `ndp_reason`, by `family` */
};

/* Who asked. It has no address yet where `ip` is of no family. */
struct responder_asker {
	struct ip ip;
	uint8_t mac[MAC_SIZE];
	bool directly; /* us alone, by our MAC address */
};

struct responder_result {
	enum responder_verdict verdict;
	enum ip_family family;	      /* IP_V4: the frame was read as ARP, IP_V6: as NDP */
	enum arp_reason arp_reason;   /* of DROP, ARP */
	enum ndp_reason ndp_reason;   /* of DROP, NDP */
	struct ip ip;		      /* of REPLY, OTHERS and CLAIM: the address concerned */
	struct responder_asker asker; /* of REPLY and OTHERS */
	uint8_t claimant[MAC_SIZE];   /* of CLAIM */
	/* Of REPLY: to be sent on the interface it came from. */
	uint8_t reply[NDP_FRAME_SIZE];
	size_t reply_length;
};

/* NULL when ip is not in the table. */
const struct responder_address *responder_find(
	const struct responder_table *table, const struct ip *ip);

/* A frame that came in on the interface in `slot`. */
void responder_handle(const struct responder_table *table, unsigned slot, const uint8_t *bytes,
	size_t length, struct responder_result *ret);

#endif
