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

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool mac_parse(const char *text, uint8_t ret[static MAC_SIZE])
{
	uint8_t mac[MAC_SIZE];

	if (strlen(text) != 3 * MAC_SIZE - 1)
		return false;
	for (size_t i = 0; i < MAC_SIZE; i++) {
		int high = hex_value(text[3 * i]), low = hex_value(text[3 * i + 1]);

		if (high < 0 || low < 0 || (i + 1 < MAC_SIZE && text[3 * i + 2] != ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, mac, MAC_SIZE);
	return true;
}
