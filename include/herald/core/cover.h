// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_COVER_H
#define HERALD_CORE_COVER_H

#include <stddef.h>

#include "herald/base/ip.h"

/*
 * Many addresses as few networks that have them all, and little else: what the kernel can be
 * told in a filter of bounded length.
 */

/* `ips`: sorted, of one family. Returns how many networks, at most `room` (which is not 0). */
size_t cover_make(const struct ip *ips, size_t count, struct ip_prefix *ret, size_t room);

#endif
