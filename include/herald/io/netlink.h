// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_NETLINK_H
#define HERALD_IO_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/err.h"
#include "herald/base/ip.h"
#include "herald/io/loop.h"

/*
 * The links of this network namespace and their addresses, followed by rtnetlink
 * notifications. Any notification leads to one new dump a little later: level-triggered,
 * so that lost notifications (ENOBUFS) and bursts of them do no harm.
 */
#define NETLINK_NETWORKS_MAX 16u

struct netlink_link {
	int index;
	char name[16]; /* IFNAMSIZ */
	uint8_t mac[6];
	bool ethernet, loopback;
	bool up, carrier; /* administratively, and the medium (IFF_UP, IFF_LOWER_UP) */
	bool enslaved;	  /* port of a bridge, bond, ...: its master is the interface to use */
	bool twin;	  /* hears what the interface below it here hears, too: macvlan, ipvlan */
	bool link_local;  /* has an IPv6 link-local address: groups can be joined with it */
	/* That its addresses lie in, each once; link-local ones, which lead nowhere, are not
	   among them. */
	struct ip_prefix networks[NETLINK_NETWORKS_MAX];
	size_t network_count;
};

struct netlink;

/* Something changed since the last call; see netlink_links. */
typedef void netlink_changed_fn(void *context);

/* The links are there when this returns. */
int netlink_new(struct loop *loop, netlink_changed_fn *changed, void *context, struct netlink **ret,
	struct err *e);
/* Sorted by name; valid until the next `changed` and until netlink_free. */
const struct netlink_link *netlink_links(const struct netlink *netlink, size_t *ret_count);
void netlink_free(struct netlink *netlink); /* NULL is allowed */

#endif
