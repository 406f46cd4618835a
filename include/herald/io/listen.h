// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_LISTEN_H
#define HERALD_IO_LISTEN_H

#include <stdint.h>

#include "herald/base/err.h"
#include "herald/base/ip.h"

/* Where to accept TCP connections, as --listen gives it. */
struct listen_address {
	struct ip ip;  /* IP_NONE: every address of both families */
	uint16_t port; /* 0: the kernel picks one */
};

/* "127.0.0.1:7472", "[::1]:7472" or ":7472". */
int listen_parse(const char *text, struct listen_address *ret, struct err *e);

/* A listening, non-blocking socket that the caller closes. The error of a taken port or a
   foreign address says so and points at --listen. */
int listen_open(const struct listen_address *address, int *ret_fd, struct err *e);

#endif
