// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a frame: no read past the end, what is accepted says the same when it is
   built and read again, and so does what it is answered with. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "herald/core/responder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Built, read and built again: the same bytes. What a parse leaves out is the same then. */
static void check_round(const struct ndp_message *message)
{
	uint8_t first[NDP_FRAME_SIZE], second[NDP_FRAME_SIZE];
	size_t length = ndp_build(message, first);
	struct ndp_message again;

	if (ndp_parse(first, length, &again) != NDP_OK || ndp_build(&again, second) != length ||
		memcmp(first, second, length) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct responder_address addresses[] = {
		{.ip = {IP_V6, {0xfd, [15] = 0x64}}, .slots = 1}};
	const struct responder_table table = {.addresses = addresses,
		.address_count = 1,
		.macs = {{2, 0, 0, 0, 0, 1}},
		.used_slots = 1};
	uint8_t *exact = malloc(size ? size : 1); /* so that reading on is seen */
	struct responder_result result;
	struct ndp_message message;

	if (size > 0)
		memcpy(exact, data, size);
	if (ndp_parse(exact, size, &message) == NDP_OK)
		check_round(&message);
	responder_handle(&table, 0, exact, size, &result);
	if (result.verdict == RESPONDER_REPLY && result.family == IP_V6 &&
		ndp_parse(result.reply, result.reply_length, &message) != NDP_OK)
		abort();
	free(exact);
	return 0;
}
