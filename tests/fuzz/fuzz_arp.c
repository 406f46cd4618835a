// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a frame: no read past the end, and what is accepted is built back alike. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "herald/core/responder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct responder_address addresses[] = {
		{.ip = {IP_V4, {192, 0, 2, 200}}, .slots = 1}};
	const struct responder_table table = {.addresses = addresses,
		.address_count = 1,
		.macs = {{2, 0, 0, 0, 0, 1}},
		.used_slots = 1};
	uint8_t *exact = malloc(size ? size : 1); /* so that reading on is seen */
	uint8_t again[ARP_FRAME_SIZE];
	struct responder_result result;
	struct arp_frame frame;

	if (size > 0)
		memcpy(exact, data, size);
	if (arp_parse(exact, size, &frame) == ARP_OK) {
		arp_build(&frame, again);
		if (memcmp(again, exact, sizeof(again)) != 0)
			abort();
	}
	responder_handle(&table, 0, exact, size, &result);
	if (result.verdict == RESPONDER_REPLY && result.family == IP_V4 &&
		arp_parse(result.reply, result.reply_length, &frame) != ARP_OK)
		abort();
	free(exact);
	return 0;
}
