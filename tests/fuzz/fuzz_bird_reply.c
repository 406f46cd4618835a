// SPDX-License-Identifier: Apache-2.0
/* Any bytes as BIRD's replies: bounded, and the same however they are cut into pieces. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/bird_bgp.h"
#include "herald/core/bird_reply.h"

enum { SESSIONS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns what of the bytes was used for the first reply. */
static size_t read_whole(
	const char *bytes, size_t size, size_t piece, struct bird_reply *reply, int *ret_progress)
{
	enum bird_progress progress = BIRD_MORE;
	size_t at = 0, used;

	while (at < size && progress == BIRD_MORE) {
		progress = bird_reply_feed(
			reply, bytes + at, size - at < piece ? size - at : piece, &used);
		at += used;
	}
	*ret_progress = (int)progress;
	return at;
}

static void read_bgp(const struct bird_reply *reply)
{
	struct bird_bgp sessions[SESSIONS];
	size_t count = bird_bgp_sessions(reply, sessions, SESSIONS), prefix_count;
	AUTO_FREE struct ip_prefix *prefixes = bird_bgp_prefixes(reply, &prefix_count);

	for (size_t i = 0; i < count; i++) {
		if (!*sessions[i].name || strlen(sessions[i].error) >= sizeof(sessions[i].error))
			abort();
	}
	for (size_t i = 0; i < prefix_count; i++) {
		if (prefixes[i].length > (prefixes[i].address.family == IP_V4 ? 32 : 128))
			abort();
	}
}

static void compare(const struct bird_reply *a, const struct bird_reply *b)
{
	struct bird_session x[SESSIONS], y[SESSIONS];
	size_t count = bird_reply_sessions(a, x, SESSIONS);

	if (count != bird_reply_sessions(b, y, SESSIONS) || a->code != b->code ||
		bird_reply_count(a) != bird_reply_count(b))
		abort();
	for (size_t i = 0; i < bird_reply_count(a); i++) {
		if (strcmp(bird_reply_at(a, i).text, bird_reply_at(b, i).text) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size ? size : 1); /* so that reading on is seen */
	struct bird_reply whole = {0}, pieces = {0};
	int progress, other;

	if (size > 0)
		memcpy(exact, data, size);
	if (read_whole(exact, size, size, &whole, &progress) !=
			read_whole(exact, size, 1, &pieces, &other) &&
		progress == BIRD_COMPLETE)
		abort();
	if (progress != other)
		abort();
	if (progress != BIRD_MALFORMED)
		compare(&whole, &pieces);
	if (progress == BIRD_COMPLETE)
		read_bgp(&whole);
	bird_reply_done(&whole);
	bird_reply_done(&pieces);
	free(exact);
	return 0;
}
