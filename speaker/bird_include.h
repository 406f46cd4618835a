// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_BIRD_INCLUDE_H
#define HERALD_SPEAKER_BIRD_INCLUDE_H

#include "bird.h"
#include "herald/core/bird_config.h"

/*
 * What BIRD's include says: the part of BFD between nodes and the part of BGP in one text.
 * Until both have said what they want, BIRD is left as it is: it has what our last run
 * wanted, and peers must not see us start (B03).
 *
 * An extra text of the administrator that BIRD refuses is left out, and all else is put in
 * force (C28). The same text is not tried again, unless what is without it was refused as
 * well, and is taken now; another one is.
 */
struct bird_include;

struct bird_include_sink {
	void (*changed)(void *context); /* as bird_sink */
	/* Which extra texts are refused has changed: bird_include_set_bgp has to follow with a
	   plan made anew. */
	void (*extra_refused)(void *context);
};

/* Paths are borrowed. */
struct bird_include *bird_include_new(struct program *program, const char *socket,
	const char *include, const struct bird_include_sink *sink, void *context);
void bird_include_free(struct bird_include *include); /* NULL is allowed */

struct bird *bird_include_bird(struct bird_include *include);
/* Copied; NULL: none. Peers that go stay for a moment, see bird_include.c. */
void bird_include_set_bfd(struct bird_include *include, const struct bird_bfd *bfd);
/* Borrowed until the next one; NULL: none. Extra texts that were refused are taken out of
   it. */
void bird_include_set_bgp(struct bird_include *include, struct bgp_plan *plan);
/* Why the extra text of this peer ("": that beside all) is left out; NULL: it is not. */
const char *bird_include_refusal(const struct bird_include *include, const char *peer);

#endif
