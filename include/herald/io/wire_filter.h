// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_WIRE_FILTER_H
#define HERALD_IO_WIRE_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#include "herald/base/ip.h"

/*
 * What the kernel lets through to a wire, as a program that it runs over each frame: ARP
 * and neighbour discovery that asks for, or comes from, an address in one of some networks.
 * All else costs neither a copy nor a wake-up, so that a flood of questions for others is
 * borne by the kernel. What is too short to tell is let through, to be counted.
 */
#define WIRE_FILTER_NETWORKS 8u /* of each family */
#define WIRE_FILTER_MAX 512u
#define WIRE_SNAP_LENGTH 256u /* bytes kept of a frame: NDP_FRAME_MAX in core/ndp.h */

/* Returns its length. At most 2 * WIRE_FILTER_NETWORKS; none: nothing passes. A network of
   length 0 lets all of its family pass. */
size_t wire_filter_build(const struct ip_prefix *networks, size_t count,
	struct sock_filter ret[static WIRE_FILTER_MAX]);

#endif
