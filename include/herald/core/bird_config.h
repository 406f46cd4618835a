// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BIRD_CONFIG_H
#define HERALD_CORE_BIRD_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"

/*
 * The text that BIRD's own configuration includes: what Herald wants of BIRD. Nothing of
 * it is taken over from others as text: addresses are printed from their bytes, and an
 * interface's name that BIRD could not read leaves the interface out.
 */
#define BIRD_BFD_NAME "herald_bfd" /* of the protocol in BIRD */

struct bird_bfd {
	const char *interface; /* where all sessions are */
	struct ip local;
	uint32_t interval_ms, multiplier;
	const struct ip *peers; /* of the same family as local */
	size_t peer_count;
};

/* `bfd` NULL: nothing is wanted. malloc'ed. */
char *bird_config_text(const struct bird_bfd *bfd);

#endif
