// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_ARP_H
#define HERALD_CORE_ARP_H

#include <stddef.h>
#include <stdint.h>

#include "herald/base/mac.h"

/*
 * ARP for IPv4 over Ethernet (RFC 826, RFC 5227), whole frames with their Ethernet II
 * header. Parsing never reads past `length` and gives one reason for each refusal.
 */
#define ARP_FRAME_SIZE 42u /* 14 bytes of Ethernet, 28 of ARP; padding is the driver's */

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 }; /* ar$op */

enum arp_reason {
	ARP_OK,
	ARP_SHORT,	     /* fewer than ARP_FRAME_SIZE bytes */
	ARP_TAGGED,	     /* 802.1Q or 802.1ad: belongs to the VLAN's own interface */
	ARP_NOT_ARP,	     /* another EtherType */
	ARP_BAD_HARDWARE,    /* ar$hrd is not Ethernet, or ar$hln not 6 */
	ARP_BAD_PROTOCOL,    /* ar$pro is not IPv4, or ar$pln not 4 */
	ARP_BAD_OPERATION,   /* neither request nor reply */
	ARP_SENDER_MISMATCH, /* Ethernet source and ar$sha differ: spoofed or proxied */
	ARP_SENDER_GROUP,    /* ar$sha is a multicast, broadcast or all-zero address */
	ARP_SENDER_ADDRESS,  /* ar$spa is multicast, broadcast, loopback */
	ARP_NOT_FOR_US,	     /* unicast to another station (the interface is promiscuous) */
	ARP_REASON_COUNT
};
/* "short", "tagged", ...: stable, for metrics. */
const char *arp_reason_text(enum arp_reason reason);

struct arp_frame {
	uint8_t destination[MAC_SIZE], source[MAC_SIZE]; /* Ethernet header */
	enum arp_operation operation;
	uint8_t sender_mac[MAC_SIZE], sender_ip[4]; /* ar$sha, ar$spa */
	uint8_t target_mac[MAC_SIZE], target_ip[4]; /* ar$tha, ar$tpa */
};

/* ARP_OK and *ret filled, or the reason for the refusal and *ret untouched. Never
   ARP_NOT_FOR_US: only the receiver knows its own MAC address. */
enum arp_reason arp_parse(const uint8_t *bytes, size_t length, struct arp_frame *ret);

void arp_build(const struct arp_frame *frame, uint8_t ret_bytes[static ARP_FRAME_SIZE]);

/* The answer of `mac`, who has `asked->target_ip` (RFC 826; for a probe RFC 5227 2.1.1). */
struct arp_frame arp_reply_to(const struct arp_frame *asked, const uint8_t mac[static MAC_SIZE]);

/* An ARP announcement (RFC 5227 2.3) in request form, or its reply form for stations
   that update their cache on replies only. Broadcast. */
struct arp_frame arp_gratuitous(
	enum arp_operation form, const uint8_t ip[static 4], const uint8_t mac[static MAC_SIZE]);

/* Asks whether anybody has the address, without a claim to it: the sender's is 0.0.0.0, so
   that no table is changed (RFC 5227 2.1.1). Broadcast. */
struct arp_frame arp_probe(const uint8_t ip[static 4], const uint8_t mac[static MAC_SIZE]);

#endif
