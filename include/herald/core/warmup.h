// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_WARMUP_H
#define HERALD_CORE_WARMUP_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/base/monotime.h"
#include "herald/core/ownership.h"
#include "herald/core/plan.h"

/*
 * When this node may take an address whose first endpoint here is new (externalTrafficPolicy
 * Local). kube-proxy writes its rules once a second at most, on a busy node later; until it
 * has the endpoint's, the node drops what comes for the address. So where another node has
 * the address and can go on serving it, as in a rolling update, that one keeps it until
 * WARMUP_MS have passed since the endpoint was seen. Where no other node could, it is taken
 * at once.
 */
#define WARMUP_MS 3000u

struct warmup; /* opaque: of one speaker */

struct warmup *warmup_new(const char *self);
void warmup_free(struct warmup *warmup); /* NULL is allowed */

/* After each plan. */
void warmup_follow(struct warmup *warmup, const struct plan *plan, struct monotime now);
/* `wishes` as for ownership_plan: those of ours that wait become another node's. */
void warmup_hold_back(const struct warmup *warmup, struct ownership_wish *wishes, size_t count);
/* Ends waiting that has lasted long enough; true: something did. */
bool warmup_step(struct warmup *warmup, struct monotime now);
bool warmup_next(const struct warmup *warmup, struct monotime *ret); /* false: no need */

#endif
