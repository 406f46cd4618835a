// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_BASE_MAC_H
#define HERALD_BASE_MAC_H

#include <stdbool.h>
#include <stdint.h>

/* Ethernet addresses: six bytes as they stand in a frame. */
#define MAC_SIZE 6u

/* Of one station: neither a group's (nor all stations') nor all zero. */
bool mac_is_station(const uint8_t mac[static MAC_SIZE]);

struct mac_text {
	char s[3 * MAC_SIZE]; /* with the NUL */
};
/* "02:00:00:aa:bb:cc". By value: mac_text(m).s in a call. */
struct mac_text mac_text(const uint8_t mac[static MAC_SIZE]);
/* Exactly such a text, in small or capital letters; false leaves *ret alone. */
bool mac_parse(const char *text, uint8_t ret[static MAC_SIZE]);

#endif
