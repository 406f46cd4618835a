// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_BGP_WATCH_H
#define HERALD_SPEAKER_BGP_WATCH_H

#include "bird.h"
#include "herald/core/bgp_exports.h"
#include "herald/core/bird_bgp.h"

/*
 * BIRD's sessions as they are: asked for twice a second, and whenever the configuration was
 * put in force; what a session exports is asked for where it may have changed.
 */
enum bgp_state {
	BGP_UNKNOWN, /* not asked yet, or BIRD does not answer */
	BGP_DOWN,
	BGP_UP
};
const char *bgp_state_text(enum bgp_state state); /* "up", ... */

struct bgp_peer {
	const char *name; /* of the peer in the configuration */
	enum bgp_state state;
	struct bird_bgp bird; /* as BIRD shows it; its exported: of all that are spawned */
	int64_t since_unix;   /* of the state; 0: not known */
	bool known;	      /* the state was once */
};

struct bgp_watch;

struct bgp_watch_sink {
	/* The state is another one, for the first time since we know the peer with `first`. */
	void (*changed)(void *context, const struct bgp_peer *peer, enum bgp_state was, bool first);
	/* What is exported in some session is. */
	void (*exported)(void *context);
};

struct bgp_watch *bgp_watch_new(struct program *program, struct bird *bird,
	const struct bgp_watch_sink *sink, void *context);
void bgp_watch_free(struct bgp_watch *watch); /* NULL is allowed */

/* The sessions there ought to be; borrowed until the next call has returned. NULL: none. */
void bgp_watch_set_plan(struct bgp_watch *watch, const struct bgp_plan *plan);
/* BIRD is in force or not any more. */
void bgp_watch_bird_changed(struct bgp_watch *watch);

/* As many as the plan has sessions, and in its order. */
const struct bgp_peer *bgp_watch_at(const struct bgp_watch *watch, size_t session);
/* The session is up, and BIRD exports the prefix in it (B08). */
bool bgp_watch_announces(
	const struct bgp_watch *watch, size_t session, const struct ip_prefix *prefix);
/* What is exported in each session that is up is known. */
bool bgp_watch_is_settled(const struct bgp_watch *watch);

#endif
