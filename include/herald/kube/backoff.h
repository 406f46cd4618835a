// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_BACKOFF_H
#define HERALD_KUBE_BACKOFF_H

#include <stdint.h>

/*
 * How long to wait before trying again: doubling from base_ms to max_ms, the upper half
 * of it at random, so that clients that failed together do not come back together. What
 * the server asked for (Retry-After) is a lower bound, believed up to one minute.
 */
#define BACKOFF_ASKED_MAX_MS 60000u

struct backoff {
	uint32_t base_ms, max_ms;
	uint32_t failures; /* in a row */
};

/* Counts one failure. `random` is any uniformly distributed number. */
uint32_t backoff_next_ms(struct backoff *backoff, uint32_t asked_ms, uint32_t random);
/* It worked: the next failure starts from base_ms again. */
void backoff_reset(struct backoff *backoff);

#endif
