// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_BASE_MONOTIME_H
#define HERALD_BASE_MONOTIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A point of the local monotonic clock, in nanoseconds. It is a type of its own so that
 * it cannot be mixed up with wall-clock time or a duration: leases are judged by it
 * (never by comparing wall clocks), and a jump of the wall clock changes nothing.
 */
struct monotime {
	uint64_t ns;
};

static inline struct monotime monotime_add_ms(struct monotime t, uint64_t ms)
{
	return (struct monotime){t.ns + ms * 1000000u};
}

static inline bool monotime_reached(struct monotime now, struct monotime deadline)
{
	return now.ns >= deadline.ns;
}

/* Milliseconds from now until then, rounded up; 0 when it is past. */
static inline uint64_t monotime_ms_until(struct monotime now, struct monotime then)
{
	return then.ns > now.ns ? (then.ns - now.ns + 999999u) / 1000000u : 0;
}

#endif
