// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_SHARING_H
#define HERALD_CORE_SHARING_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/base/ip.h"
#include "herald/base/monotime.h"
#include "herald/core/plan.h"
#include "herald/core/spread.h"

/*
 * Which nodes serve which address, followed from plan to plan, so that who was moved from one
 * to another can be told. The stated rules of an address that is served per client:
 *
 * 1. It is served by all nodes with the best verdict and, of these, the highest preference
 *    (plan.h), each answering its own clients (spread.h). Holds play no part: a node that
 *    returns moves its own clients only.
 * 2. A node whose first endpoint is new (externalTrafficPolicy Local) is left out for
 *    WARMUP_MS, as kube-proxy there may not know it yet, where another node serves. All
 *    nodes see the endpoint come, and wait alike.
 * 3. One of them, the one that the election chooses, answers stations that have no address
 *    yet and ask whether anybody has this one.
 * 4. Whoever served and does not any more goes on answering its clients until another node
 *    says that it serves, to it alone: `left` are those to be told.
 */
struct sharing_place {
	struct ip ip;
	bool per_client;
	bool defends;	       /* rule 3: that is us */
	struct spread *set;    /* serving now; of one node at most where not per client */
	struct spread *before; /* rule 4: we were among these, and are not in `set`; or NULL */
	struct spread *left;   /* per client: who is to be told that we serve; or NULL */
};

/* An address that other nodes serve than before, or in another way. */
struct sharing_change {
	const struct sharing_place *place;
	struct spread *old; /* who served */
};
struct sharing_changes {
	struct sharing_change *items;
	size_t count;
};
void sharing_changes_done(struct sharing_changes *changes);

struct sharing; /* opaque: of one speaker */

struct sharing *sharing_new(const char *self);
void sharing_free(struct sharing *sharing); /* NULL is allowed */

/* After each plan, and when sharing_step says so. The places in *ret are valid until the next
   call. */
void sharing_follow(struct sharing *sharing, const struct plan *plan, const struct members *members,
	struct monotime now, struct sharing_changes *ret);
/* True, once: somebody has waited long enough. */
bool sharing_step(struct sharing *sharing, struct monotime now);
/* When sharing_step is to be called; false: nobody waits. */
bool sharing_next(const struct sharing *sharing, struct monotime *ret);

/* NULL: it is not in the plan. */
const struct sharing_place *sharing_find(const struct sharing *sharing, const struct ip *ip);

#endif
