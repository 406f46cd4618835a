// SPDX-License-Identifier: Apache-2.0
/*
 * The only file that knows libnl. In: nothing. Out: a list of links with their
 * addresses, kept current. Judges no interface and changes none.
 */
#include "herald/io/netlink.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MS 5u   /* a change comes as several notifications */
#define RETRY_MS 1000u /* after a dump that failed */

struct netlink {
	struct nl_sock *events, *dump;
	struct fd_watch *watch;
	struct timer *timer;
	struct netlink_link *links;
	size_t count;
	netlink_changed_fn *changed;
	void *context;
};

static int fail(struct err *e, const char *what, int nl_error)
{
	return err_set(e, -EIO, "cannot %s over netlink: %s", what, nl_geterror(nl_error));
}

/* Broadcasts come to these and to the interface below: unless that one is in another
   namespace, as in a container, both would answer. */
static bool is_twin(struct rtnl_link *from)
{
	static const char *const kinds[] = {"macvlan", "macvtap", "ipvlan", "ipvtap"};
	const char *kind = rtnl_link_get_type(from);
	int elsewhere = 0;

	if (!kind || rtnl_link_get_link(from) == 0 ||
		rtnl_link_get_link_netnsid(from, &elsewhere) == 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	}
	return false;
}

static void read_link(struct rtnl_link *from, struct netlink_link *ret)
{
	struct nl_addr *mac = rtnl_link_get_addr(from);
	unsigned flags = rtnl_link_get_flags(from);

	/* Field by field over zeroed memory, so that two dumps compare equal. */
	ret->index = rtnl_link_get_ifindex(from);
	ret->ethernet = rtnl_link_get_arptype(from) == ARPHRD_ETHER && mac &&
			nl_addr_get_len(mac) == sizeof(ret->mac);
	ret->loopback = (flags & IFF_LOOPBACK) != 0;
	ret->up = (flags & IFF_UP) != 0;
	ret->carrier = (flags & IFF_LOWER_UP) != 0;
	ret->enslaved = rtnl_link_get_master(from) != 0;
	ret->twin = is_twin(from);
	strncpy(ret->name, rtnl_link_get_name(from), sizeof(ret->name) - 1);
	if (ret->ethernet)
		memcpy(ret->mac, nl_addr_get_binary_addr(mac), sizeof(ret->mac));
}

static bool ip_from(struct nl_addr *from, struct ip *ret)
{
	if (!from)
		return false;
	if (nl_addr_get_family(from) == AF_INET && nl_addr_get_len(from) == 4)
		*ret = ip_from_v4(nl_addr_get_binary_addr(from));
	else if (nl_addr_get_family(from) == AF_INET6 && nl_addr_get_len(from) == 16)
		*ret = ip_from_v6(nl_addr_get_binary_addr(from));
	else
		return false;
	return true;
}

static int compare_networks(const struct ip_prefix *a, const struct ip_prefix *b)
{
	int order = ip_compare(&a->address, &b->address);

	return order ? order : (int)a->length - (int)b->length;
}

/* Sorted, so that a list means the same in whatever order the kernel tells it. A host may
   have many addresses of one network (RFC 8981). */
static void add_network(struct netlink_link *link, const struct ip_prefix *network)
{
	size_t place = 0;

	while (place < link->network_count && compare_networks(&link->networks[place], network) < 0)
		place++;
	if (link->network_count == NETLINK_NETWORKS_MAX ||
		(place < link->network_count &&
			compare_networks(&link->networks[place], network) == 0))
		return;
	memmove(&link->networks[place + 1], &link->networks[place],
		(link->network_count - place) * sizeof(*network));
	link->networks[place] = *network;
	link->network_count++;
}

static void add_address(struct netlink_link *link, const struct ip *ip, uint8_t prefix_length)
{
	const struct ip_prefix network = ip_prefix_of(ip, prefix_length);

	if (ip->family == IP_V6 && ip_is_link_local(ip))
		link->link_local = true;
	else
		add_network(link, &network);
}

static void read_address(struct rtnl_addr *from, struct netlink_link *links, size_t count)
{
	struct ip ip;

	if (!ip_from(rtnl_addr_get_local(from), &ip))
		return;
	for (size_t i = 0; i < count; i++) {
		if (links[i].index == rtnl_addr_get_ifindex(from))
			add_address(&links[i], &ip, (uint8_t)rtnl_addr_get_prefixlen(from));
	}
}

static int compare_links(const void *a, const void *b)
{
	return strcmp(
		((const struct netlink_link *)a)->name, ((const struct netlink_link *)b)->name);
}

static int dump(struct netlink *n, struct netlink_link **ret, size_t *ret_count, struct err *e)
{
	struct nl_cache *links = NULL, *addresses = NULL;
	struct netlink_link *list;
	size_t count = 0;
	int r = rtnl_link_alloc_cache(n->dump, AF_UNSPEC, &links);

	if (r < 0)
		return fail(e, "list the links", r);
	r = rtnl_addr_alloc_cache(n->dump, &addresses);
	if (r < 0) {
		nl_cache_free(links);
		return fail(e, "list the addresses", r);
	}
	list = xcalloc((size_t)nl_cache_nitems(links), sizeof(*list));
	for (struct nl_object *o = nl_cache_get_first(links); o; o = nl_cache_get_next(o))
		read_link((struct rtnl_link *)(void *)o, &list[count++]);
	for (struct nl_object *o = nl_cache_get_first(addresses); o; o = nl_cache_get_next(o))
		read_address((struct rtnl_addr *)(void *)o, list, count);
	nl_cache_free(addresses);
	nl_cache_free(links);
	qsort(list, count, sizeof(*list), compare_links);
	*ret = list;
	*ret_count = count;
	return 0;
}

/* True where what a reader of the links sees has changed. */
static bool refresh(struct netlink *n, struct err *e, int *ret_error)
{
	struct netlink_link *links = NULL;
	size_t count = 0;
	bool same;

	*ret_error = dump(n, &links, &count, e);
	if (*ret_error != 0)
		return false;
	same = count == n->count &&
	       (count == 0 || memcmp(links, n->links, count * sizeof(*links)) == 0);
	free(n->links);
	n->links = links;
	n->count = count;
	return !same;
}

static void on_settled(void *context)
{
	struct netlink *n = context;
	int r = 0;
	bool changed = refresh(n, NULL, &r);

	if (r != 0)
		timer_start(n->timer, RETRY_MS);
	if (changed)
		n->changed(n->context);
}

static void on_event(void *context, unsigned events)
{
	struct netlink *n = context;

	(void)events;
	/* What they say does not matter, nor that some were lost (-NLE_NOMEM). */
	while (nl_recvmsgs_default(n->events) == 0)
		;
	if (!timer_is_running(n->timer))
		timer_start(n->timer, SETTLE_MS);
}

static int ignore_message(struct nl_msg *message, void *context)
{
	(void)message;
	(void)context;
	return NL_OK;
}

static int subscribe(struct netlink *n, struct err *e)
{
	int r;

	nl_socket_disable_seq_check(n->events);
	nl_socket_modify_cb(n->events, NL_CB_VALID, NL_CB_CUSTOM, ignore_message, NULL);
	r = nl_connect(n->events, NETLINK_ROUTE);
	if (r < 0)
		return fail(e, "connect", r);
	r = nl_socket_add_memberships(
		n->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0);
	if (r < 0)
		return fail(e, "subscribe to links and addresses", r);
	r = nl_socket_set_nonblocking(n->events);
	if (r < 0)
		return fail(e, "set non-blocking", r);
	r = nl_connect(n->dump, NETLINK_ROUTE);
	return r < 0 ? fail(e, "connect", r) : 0;
}

int netlink_new(struct loop *loop, netlink_changed_fn *changed, void *context, struct netlink **ret,
	struct err *e)
{
	struct netlink *n = xcalloc(1, sizeof(*n));
	int r;

	n->changed = changed;
	n->context = context;
	n->events = nl_socket_alloc();
	n->dump = nl_socket_alloc();
	if (!n->events || !n->dump)
		DIE("out of memory");
	r = subscribe(n, e);
	if (r == 0)
		refresh(n, e, &r);
	if (r != 0) {
		netlink_free(n);
		return r;
	}
	n->timer = timer_new(loop, on_settled, n);
	n->watch = fd_watch_new(loop, nl_socket_get_fd(n->events), on_event, n);
	fd_watch_set(n->watch, FD_READABLE);
	*ret = n;
	return 0;
}

const struct netlink_link *netlink_links(const struct netlink *netlink, size_t *ret_count)
{
	*ret_count = netlink->count;
	return netlink->links;
}

void netlink_free(struct netlink *netlink)
{
	if (!netlink)
		return;
	fd_watch_free(netlink->watch);
	timer_free(netlink->timer);
	nl_socket_free(netlink->events);
	nl_socket_free(netlink->dump);
	free(netlink->links);
	free(netlink);
}
