// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_CLIENTS_H
#define HERALD_CORE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/base/mac.h"
#include "herald/base/monotime.h"

/*
 * The stations that asked for our addresses, whoever answered them, so that they can be told,
 * each for itself, where an address is when that has changed: a router may heed no
 * announcement to all (C03), and where each is answered by a node of its own nothing may be
 * announced to all (core/spread.h). Room is bounded: whoever asked longest ago is forgotten
 * first, and finds the address by asking again, as any host does.
 *
 * A guest is a client that was ours, is another node's by now, and is answered by us still when
 * it asks us alone: so that it is moved in our own time, or not at all (takeBack). Once it
 * asks everybody, the other node answers it, and it is no guest any more.
 */
#define CLIENTS_MAX 16384u
#define CLIENTS_BATCH 64u   /* told at one time ... */
#define CLIENTS_PAUSE_MS 4u /* ... and then this pause: a burst is bounded */

struct client {
	struct ip vip;	       /* what it asked for */
	struct ip ip;	       /* from which address, last */
	uint8_t mac[MAC_SIZE]; /* who it is */
	uint8_t slot;	       /* of our interface where it was heard last */
};

struct clients; /* opaque */

/* `seed`: any number that nobody else knows. */
struct clients *clients_new(uint32_t room, uint64_t seed);
void clients_free(struct clients *clients); /* NULL is allowed */
size_t clients_count(const struct clients *clients);

/* It asked, `directly`: us alone. Allocates nothing. */
void clients_note(struct clients *clients, const struct client *client, bool directly);

/* Those of an address for which `judge` says so are to be told, `repeat` times: at once, and
   then with spacing. Who is being told already begins anew. */
typedef bool clients_judge_fn(void *context, const struct client *client);
void clients_tell(struct clients *clients, const struct ip *vip, clients_judge_fn *judge,
	void *context, uint32_t repeat);
/* Those of an address for which `judge` says so are guests from now on, each for a part of
   `within_ms` that its MAC address decides; UINT64_MAX: for good. Who is one stays as it is. */
#define CLIENTS_LET_GO_MS 500u
void clients_host(struct clients *clients, const struct ip *vip, clients_judge_fn *judge,
	void *context, uint64_t within_ms, struct monotime now);
bool clients_is_guest(
	const struct clients *clients, const struct ip *vip, const uint8_t mac[static MAC_SIZE]);
/* Guests whose time is over are none, and are to be told. */
void clients_let_go(struct clients *clients, uint32_t repeat, struct monotime now);
/* Takes up to CLIENTS_BATCH that are due; returns how many. */
size_t clients_due(struct clients *clients, struct monotime now, uint32_t spacing_ms,
	struct client ret[static CLIENTS_BATCH]);
/* When clients_due and clients_let_go are to be called; false: no need. */
bool clients_next(const struct clients *clients, struct monotime *ret);

#endif
