// SPDX-License-Identifier: Apache-2.0
/*
 * Ethernet addresses as values: what kind one is, and how it is written. In: bytes. Out:
 * an answer or text.
 */
#include "herald/base/mac.h"

#include <stdio.h>
#include <string.h>

bool mac_is_station(const uint8_t mac[static MAC_SIZE])
{
	static const uint8_t zero[MAC_SIZE];

	return (mac[0] & 1u) == 0 && memcmp(mac, zero, MAC_SIZE) != 0;
}

struct mac_text mac_text(const uint8_t mac[static MAC_SIZE])
{
	struct mac_text text;

	snprintf(text.s, sizeof(text.s), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
	return text;
}
