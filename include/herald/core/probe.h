// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_PROBE_H
#define HERALD_CORE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/base/mac.h"
#include "herald/base/monotime.h"
#include "herald/core/conflicts.h"
#include "herald/core/ownership.h"

/*
 * Before this node announces an address for the first time it asks on the wire whether
 * anybody has it (RFC 5227 2.1, RFC 4862 5.4). It stands between the plan and ownership:
 * what is not known to be ours yet is held back. The stated rules:
 *
 * 1. An address is known to be ours, and not asked for, when it was in the first plan
 *    after the start, when this node has had it, or when another node has owned it for as
 *    long as its asking takes and PROBE_NEWS_MS more without telling of a conflict. So
 *    nothing that worked waits: no failing over, no handing over, no start.
 * 2. Nobody answered within `count` probes and the pause after each: it is announced.
 * 3. A station that is none of ours answers, or asks in the same way: a conflict. The
 *    address is not announced, and is asked for again after PROBE_RETRY_MIN_MS, then twice
 *    as long up to PROBE_RETRY_MAX_MS, each by up to a quarter more or less, so that two
 *    who ask at the same time do not meet for ever. Once nobody answers, rule 2 holds.
 * 4. Of an address in conflict that leaves the plan, its asking goes on: as long as it is
 *    told (core/conflicts.h) nobody gets it, and it is told until nobody answers any more.
 */
#define PROBE_NEWS_MS 500u
#define PROBE_RETRY_MIN_MS 5000u
#define PROBE_RETRY_MAX_MS 60000u
#define PROBE_BATCH 64u /* probes at one time: a burst is bounded */

struct probe_timing {
	uint32_t count; /* 0: nothing is asked, all is announced at once */
	uint32_t spacing_ms;
};

enum probe_state {
	PROBE_KNOWN, /* ours, or nothing is known of the address */
	PROBE_NEW,   /* not ours to announce, and not known to be anybody's of us */
	PROBE_ASKING,
	PROBE_CONFLICT
};

struct probe; /* opaque */

/* `seed`: spreads the retries; any number, different on each node. */
struct probe *probe_new(uint64_t seed);
void probe_free(struct probe *probe); /* NULL is allowed */
void probe_set_timing(struct probe *probe, const struct probe_timing *timing);

/* A conflict that this node told of before it was started again. */
void probe_recall(struct probe *probe, const struct conflict *conflict, struct monotime now);

/* `wishes` as for ownership_plan; those of ours that may not be announced yet become
   nobody's. `told`: the conflicts that other nodes tell of. */
void probe_plan(struct probe *probe, struct ownership_wish *wishes, size_t count,
	const struct conflict_list *told, struct monotime now);

/* `mac`, none of ours, has this address or asks for it. True: a conflict that was not
   known, or not with this station. */
bool probe_heard(struct probe *probe, const struct ip *ip, const uint8_t mac[static MAC_SIZE],
	struct monotime now);

struct probe_turn {
	struct ip ips[PROBE_BATCH]; /* to be asked for now */
	size_t count;
	bool passed; /* of some it is known now that nobody has them: plan again */
};
void probe_step(struct probe *probe, struct monotime now, struct probe_turn *ret);
/* When probe_step is to be called; false: no need. */
bool probe_next(const struct probe *probe, struct monotime *ret);

enum probe_state probe_state_of(const struct probe *probe, const struct ip *ip);
/* "asking", "conflict"; NULL for the others. */
const char *probe_state_text(enum probe_state state);
/* Addresses that somebody may answer for: asked for, or in conflict. malloc'ed, sorted. */
struct ip *probe_watched(const struct probe *probe, size_t *ret_count);
void probe_conflicts(const struct probe *probe, struct conflict_list *ret);

#endif
