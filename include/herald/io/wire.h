// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_WIRE_H
#define HERALD_IO_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "herald/base/err.h"
#include "herald/base/ip.h"
#include "herald/io/loop.h"

/*
 * Sending and receiving frames of ARP and neighbour discovery on one interface, over
 * libpcap with a filter in the kernel, so that nothing but these wakes us. Needs
 * CAP_NET_RAW.
 */
struct wire;

/* One received frame from its Ethernet header on, at most 256 bytes of it; borrowed. */
typedef void wire_frame_fn(void *context, const uint8_t *bytes, size_t length);
/* The interface is gone or down: nothing more will come; wire_close it. */
typedef void wire_down_fn(void *context, const struct err *why);

struct wire_sink {
	wire_frame_fn *frame;
	wire_down_fn *down;
	void *context;
};

int wire_open(struct loop *loop, const char *interface, const struct wire_sink *sink,
	struct wire **ret, struct err *e);
int wire_send(struct wire *wire, const uint8_t *bytes, size_t length, struct err *e);
/* From now on only frames that ask for, or come from, an address in these networks wake us, at
   most WIRE_FILTER_NETWORKS of each family; at first all do. Where it fails, all do. */
int wire_heed(struct wire *wire, const struct ip_prefix *networks, size_t count, struct err *e);
void wire_close(struct wire *wire); /* NULL is allowed */

/* The seam for tests: what the speaker uses, and what a fake replaces. */
struct wire_driver {
	int (*open)(struct loop *loop, const char *interface, const struct wire_sink *sink,
		struct wire **ret, struct err *e);
	int (*send)(struct wire *wire, const uint8_t *bytes, size_t length, struct err *e);
	int (*heed)(
		struct wire *wire, const struct ip_prefix *networks, size_t count, struct err *e);
	void (*close)(struct wire *wire);
};
extern const struct wire_driver wire_pcap;

#endif
