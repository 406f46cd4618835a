// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BFD_WATCH_H
#define HERALD_CORE_BFD_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/core/bird_reply.h"
#include "herald/core/members.h"

/*
 * What this node thinks of its BFD peers, from what BIRD says of the sessions each time
 * it is asked. A peer whose session was seen Up and is then Down is suspected, until it
 * is Up again. No suspicion comes from a session that was never Up, that is down by our
 * own administrator's hand, or that BIRD does not have any more; and without BIRD there
 * are none. One that is suspected when its Lease expires is suspected still when the
 * Lease comes back before the session does: a node that reaches the API server, but not
 * us.
 */
enum bfd_opinion {
	BFD_UNKNOWN, /* its session was not Up yet */
	BFD_UP,
	BFD_SUSPECTED
};
const char *bfd_opinion_text(enum bfd_opinion opinion);

struct bfd_peer {
	const char *node;
	struct ip address;
	enum bfd_opinion opinion;
	bool watched; /* false: remembered of a node whose Lease has expired */
};

struct bfd_watch; /* opaque */

struct bfd_watch *bfd_watch_new(void);
void bfd_watch_free(struct bfd_watch *watch); /* NULL is allowed */

/* Each tells with true that whom we suspect has changed. */

/* Whom to watch now: node and address of each are read and copied. */
bool bfd_watch_set_peers(struct bfd_watch *watch, const struct bfd_peer *peers, size_t count,
	const struct members *members);
bool bfd_watch_see(struct bfd_watch *watch, const struct bird_session *sessions, size_t count);
/* BIRD is gone, and with it all that we knew. */
bool bfd_watch_forget(struct bfd_watch *watch);

size_t bfd_watch_count(const struct bfd_watch *watch);
const struct bfd_peer *bfd_watch_at(const struct bfd_watch *watch, size_t index);
/* The names of those suspected, as SUSPECTS_ANNOTATION has them; "" for nobody. malloc'ed. */
char *bfd_watch_suspects(const struct bfd_watch *watch);

#endif
