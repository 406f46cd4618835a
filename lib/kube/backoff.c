// SPDX-License-Identifier: Apache-2.0
/*
 * Exponential back-off with jitter as a value: no clock, no source of randomness. The
 * caller passes a random number and sets its own timer.
 */
#include "herald/kube/backoff.h"

static uint32_t ceiling_ms(const struct backoff *backoff)
{
	uint64_t ms = backoff->base_ms;

	for (uint32_t i = 0; i < backoff->failures && ms < backoff->max_ms; i++)
		ms *= 2;
	return ms < backoff->max_ms ? (uint32_t)ms : backoff->max_ms;
}

uint32_t backoff_next_ms(struct backoff *backoff, uint32_t asked_ms, uint32_t random)
{
	uint32_t ceiling = ceiling_ms(backoff);
	uint32_t half = ceiling / 2;
	uint32_t jitter = random % (ceiling - half + 1);

	if (backoff->failures < UINT32_MAX)
		backoff->failures++;
	if (asked_ms > BACKOFF_ASKED_MAX_MS)
		asked_ms = BACKOFF_ASKED_MAX_MS;
	return asked_ms > half ? asked_ms + jitter : half + jitter;
}

void backoff_reset(struct backoff *backoff)
{
	backoff->failures = 0;
}
