// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_GROUPS_H
#define HERALD_IO_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/base/err.h"
#include "herald/base/ip.h"

/*
 * IPv6 multicast groups that this node is a member of, on interfaces by their index. Each
 * is joined twice: as IPv6 does it, so that the kernel reports it to switches that snoop
 * MLD, and for packet sockets, so that the NIC's filter goes on letting it through
 * whatever becomes of IPv6 on the interface meanwhile. Needs CAP_NET_RAW. Memberships end with the
 * process.
 */
#define GROUPS_MAX 16384u /* joined at one time */

struct group {
	int index; /* of the interface */
	struct ip ip;
};
/* By interface, then by group; for qsort. */
int group_compare(const void *a, const void *b);

struct groups;

struct groups *groups_new(void);
void groups_free(struct groups *groups); /* leaves them all; NULL is allowed */

/*
 * Joins what is wanted and leaves what is not, in steps: a join takes some 15 us and more
 * where a NIC's filter is slow, and frames wait meanwhile. `wanted`: sorted, unique. Where
 * some could not be joined, *e says what was wrong with the last; the next call tries
 * these again.
 */
#define GROUPS_STEP 256u
struct groups_outcome {
	bool unfinished; /* call again, after a turn of the loop */
	size_t failed;
};
struct groups_outcome groups_set(
	struct groups *groups, const struct group *wanted, size_t count, struct err *e);
size_t groups_count(const struct groups *groups); /* joined */

#endif
