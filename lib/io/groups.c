// SPDX-License-Identifier: Apache-2.0
/*
 * Multicast memberships. In: the groups wanted. Out: memberships of the kernel, brought
 * to that by one pass over two sorted lists. Receives nothing: the sockets only hold what
 * was joined.
 *
 * A socket's memberships are charged to it (net.core.optmem_max, 20 KiB before Linux 6.7,
 * 56 bytes each) and found by walking a list, so that each holds few of them. A socket that
 * was opened stays so: closing a packet socket makes the caller wait some 10 ms.
 */
#include "herald/io/groups.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "herald/base/mac.h"

#define PER_HOLDER 256u
#define HOLDERS (GROUPS_MAX / PER_HOLDER)

struct holder {
	bool open;
	int ipv6, packet; /* sockets */
	unsigned count;
};

struct joined {
	struct group group;
	unsigned holder;
};

struct groups {
	struct joined *joined; /* sorted */
	size_t count;
	struct holder holders[HOLDERS];
};

int group_compare(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return ip_compare(&x->ip, &y->ip);
}

struct groups *groups_new(void)
{
	return xcalloc(1, sizeof(struct groups));
}

/* 0, or the negative errno; the holder is as before then. */
static int holder_open(struct holder *holder)
{
	int ipv6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), packet, code;

	if (ipv6 < 0)
		return -errno;
	/* Protocol 0: no frame is delivered to it. */
	packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (packet < 0) {
		code = -errno;
		close(ipv6);
		return code;
	}
	*holder = (struct holder){.open = true, .ipv6 = ipv6, .packet = packet};
	return 0;
}

static void holder_close(const struct holder *holder)
{
	close(holder->ipv6);
	close(holder->packet);
}

/* The first with room; HOLDERS where there is none. */
static unsigned holder_with_room(const struct groups *g)
{
	unsigned n = 0;

	while (n < HOLDERS && g->holders[n].count == PER_HOLDER)
		n++;
	return n;
}

static int set_ipv6(const struct holder *holder, const struct group *group, int option)
{
	struct ipv6_mreq request = {.ipv6mr_interface = (unsigned)group->index};

	memcpy(&request.ipv6mr_multiaddr, group->ip.bytes, sizeof(group->ip.bytes));
	return setsockopt(holder->ipv6, IPPROTO_IPV6, option, &request, sizeof(request));
}

/* RFC 2464 7: the last four bytes of the group behind 33:33. */
static int set_packet(const struct holder *holder, const struct group *group, int option)
{
	struct packet_mreq request = {
		.mr_ifindex = group->index,
		.mr_type = PACKET_MR_MULTICAST,
		.mr_alen = MAC_SIZE,
		.mr_address = {0x33, 0x33},
	};

	memcpy(request.mr_address + 2, group->ip.bytes + 12, 4);
	return setsockopt(holder->packet, SOL_PACKET, option, &request, sizeof(request));
}

static int join(struct groups *g, const struct group *group, struct joined *ret, struct err *e)
{
	unsigned n = holder_with_room(g);
	int code = 0;

	if (n == HOLDERS)
		return err_set(e, -ENOSPC,
			"cannot join %s: %u groups are joined already, more are not kept",
			ip_text(&group->ip).s, GROUPS_MAX);
	if (!g->holders[n].open && (code = holder_open(&g->holders[n])) != 0)
		return err_set(e, code, "cannot join %s: cannot open a socket for it: %s",
			ip_text(&group->ip).s, strerror(-code));
	if (set_packet(&g->holders[n], group, PACKET_ADD_MEMBERSHIP) != 0)
		code = errno;
	if (set_ipv6(&g->holders[n], group, IPV6_ADD_MEMBERSHIP) != 0)
		code = errno;
	if (code == 0) {
		g->holders[n].count++;
		*ret = (struct joined){.group = *group, .holder = n};
		return 0;
	}
	set_packet(&g->holders[n], group, PACKET_DROP_MEMBERSHIP);
	return err_set(e, -code, "cannot join %s on interface %d: %s", ip_text(&group->ip).s,
		group->index, strerror(code));
}

/* Fails only where the interface is gone, and the membership with it. */
static void leave(struct groups *g, const struct joined *joined)
{
	struct holder *holder = &g->holders[joined->holder];

	set_packet(holder, &joined->group, PACKET_DROP_MEMBERSHIP);
	set_ipv6(holder, &joined->group, IPV6_DROP_MEMBERSHIP);
	holder->count--;
}

void groups_free(struct groups *groups)
{
	if (!groups)
		return;
	for (unsigned n = 0; n < HOLDERS; n++) {
		if (groups->holders[n].open)
			holder_close(&groups->holders[n]);
	}
	free(groups->joined);
	free(groups);
}

/* Whether the next one joined is before (< 0) or behind the next one wanted. */
static int order_of(const struct groups *g, size_t old, const struct group *wanted)
{
	if (old == g->count)
		return 1;
	return wanted ? group_compare(&g->joined[old].group, wanted) : -1;
}

struct groups_outcome groups_set(
	struct groups *groups, const struct group *wanted, size_t count, struct err *e)
{
	struct joined *fresh = xcalloc(groups->count + count, sizeof(*fresh));
	struct groups_outcome outcome = {0};
	size_t kept = 0, old = 0, next = 0, changes = 0;

	while (old < groups->count || next < count) {
		int order = order_of(groups, old, next < count ? &wanted[next] : NULL);

		if (order == 0) {
			fresh[kept++] = groups->joined[old++];
			next++;
		} else if (changes == GROUPS_STEP) {
			outcome.unfinished = true;
			if (order < 0)
				fresh[kept++] = groups->joined[old++];
			else
				next++;
		} else if (order < 0) {
			leave(groups, &groups->joined[old++]);
			changes++;
		} else if (join(groups, &wanted[next++], &fresh[kept], e) == 0) {
			kept++;
			changes++;
		} else {
			outcome.failed++;
		}
	}
	free(groups->joined);
	groups->joined = fresh;
	groups->count = kept;
	return outcome;
}

size_t groups_count(const struct groups *groups)
{
	return groups->count;
}
