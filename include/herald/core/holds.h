// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_HOLDS_H
#define HERALD_CORE_HOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/monotime.h"
#include "herald/core/plan.h"

/*
 * A node that returns takes its addresses back gently (C20). The rules:
 *
 * 1. Who owns an address that another node would own if all nodes were well says so in
 *    its own Lease: it holds it. Among the nodes with the best verdict those that hold an
 *    address go before all others (plan.h), so that it stays where it is when the other
 *    node returns. Everybody reads it from the Leases: all come to the same owner (C30).
 * 2. When the other node is as good again, the hold has an heir. `staggered`: the holder
 *    lets go after a part of takeBackTime that the address's hash decides, so that the
 *    heir gets its addresses back one by one. `never`: it does not let go. `immediate`:
 *    nobody holds anything.
 * 3. When the heir is gone again before it has the address, the hold stands as at first.
 * 4. First start: a speaker that is not established holds nothing, so that nodes which
 *    start together share the addresses as they come. It is established, and says so by
 *    having the annotation at all, when it sees an established one renew its Lease, when
 *    it lived for takeBackTime, or when it takes up what it held before a restart within
 *    its Lease.
 *
 * What is held goes out with the next renewal. Where addresses moved just now it goes out sooner,
 * within 100 ms for each of them in the whole cluster, so that these writes together are no
 * more than HOLDS_WRITES_PER_SECOND: who is back before that takes its addresses at once.
 * A hold is 24 bits of the address's hash:
 * where two addresses have the same, one of them may be held without need. At most
 * HOLDS_MAX are told; addresses beyond are taken back at once.
 */
#define HOLDS_WRITES_PER_SECOND 10u /* beside the renewals */
#define HOLDS_MAX 4096u
#define HOLDS_TEXT_MAX (4u * HOLDS_MAX) /* the annotation's value */

uint32_t holds_hash(const struct ip *address);
/* The hashes in an annotation's value, ascending and unique, up to what is malformed. */
size_t holds_parse(const char *text, uint32_t *ret, size_t room);

struct holds; /* opaque: of one speaker */

struct holds *holds_new(void);
void holds_free(struct holds *holds); /* NULL is allowed */

/* What our Lease, still valid when we started, says; NULL: nothing. Before any plan. */
void holds_adopt(struct holds *holds, const char *text);
/* After each plan, and at holds_next. True: what is to be told has changed. */
bool holds_follow(struct holds *holds, const struct plan *plan, const struct plan_input *input,
	struct monotime now);
/* How long to wait with telling what is held when so many addresses have moved. */
uint64_t holds_publish_ms(size_t moved, uint64_t random);
/* The annotation's value; NULL: none. Valid until the next call. */
const char *holds_text(const struct holds *holds);
bool holds_next(const struct holds *holds, struct monotime *ret); /* false: no need */

#endif
