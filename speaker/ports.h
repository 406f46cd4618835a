// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_PORTS_H
#define HERALD_SPEAKER_PORTS_H

#include "herald/core/config.h"
#include "herald/core/interfaces.h"
#include "herald/core/responder.h"
#include "herald/io/netlink.h"
#include "herald/io/wire.h"
#include "herald/io/wire_filter.h"
#include "herald/kube/program.h"

/*
 * The interfaces in use, each in a slot (core/responder.h) with its open wire. Which
 * they are: Ethernet, up, with carrier; not a port of a bridge or bond, not a macvlan whose
 * lower interface is here too, and not named like a container's, unless a rule of the
 * configuration names it.
 */
struct port {
	struct interface interface; /* "" in the name: the slot is free */
	int index;
	uint8_t mac[MAC_SIZE];
	bool link_local; /* the interface has an IPv6 link-local address */
	struct wire *wire;
	bool failed; /* its wire could not be opened; tried again */
	struct metric *arp_requests, *arp_replies, *ndp_solicitations, *ndp_advertisements;
};

struct ports;

struct ports_sink {
	void (*frame)(void *context, unsigned slot, const uint8_t *bytes, size_t length);
	/* The set changed. Bits of *fresh: slots that were (re)opened or changed their MAC. */
	void (*changed)(void *context, uint64_t fresh);
};

int ports_new(struct program *program, const struct wire_driver *driver,
	const struct ports_sink *sink, void *context, struct ports **ret, struct err *e);
void ports_free(struct ports *ports); /* NULL is allowed */
/* Patterns of these rules count from now on. Leads to `changed` where that matters. */
void ports_set_config(struct ports *ports, const struct config *config);

/* NULL: the slot is free. */
const struct port *ports_at(const struct ports *ports, unsigned slot);
uint64_t ports_open(const struct ports *ports); /* the slots with a wire */
bool ports_send(struct ports *ports, unsigned slot, const uint8_t *bytes, size_t length);
/* The networks of the addresses that are of interest: frames for others need not wake us.
   At most WIRE_FILTER_NETWORKS of each family. */
void ports_heed(struct ports *ports, const struct ip_prefix *networks, size_t count);
/* What others are told (core/interfaces.h); malloc'ed. */
char *ports_text(const struct ports *ports);

#endif
