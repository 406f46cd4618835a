// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_INTERFACES_H
#define HERALD_CORE_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/base/ip.h"
#include "herald/base/mac.h"

/*
 * The interfaces of a node that could serve addresses now (up, with carrier), as its
 * speaker tells the others in the annotation herald.io/interfaces of its Lease:
 *     eth0=02:00:00:aa:bb:cc,192.0.2.0/24,2001:db8::/64 eth1=02:00:00:aa:bb:cd ~dummy0
 * that is, names with their MAC address and the networks that are on link there. A tilde
 * marks one that only a rule that names it may use. Text of another node is untrusted: what is
 * malformed or beyond the bounds is left out.
 */
#define INTERFACES_MAX 64u
#define INTERFACE_NETWORKS_MAX 16u
#define INTERFACE_NAME_MAX 16u /* IFNAMSIZ, with the NUL */

struct interface {
	char name[INTERFACE_NAME_MAX];
	bool only_by_name;
	uint8_t mac[MAC_SIZE]; /* all zero: not told */
	struct ip_prefix networks[INTERFACE_NETWORKS_MAX];
	size_t network_count;
};

struct interface_list {
	struct interface *items; /* malloc'ed; interface_list_done */
	size_t count;
};

void interface_list_parse(const char *text, struct interface_list *ret);
char *interface_list_text(const struct interface_list *list); /* malloc'ed */
void interface_list_done(struct interface_list *list);
/* Whether such a text says that one of its interfaces has this MAC address. */
bool interface_text_has_mac(const char *text, const uint8_t mac[static MAC_SIZE]);

bool interface_has_network_of(const struct interface *interface, const struct ip *address);
/* The length of the narrowest of its networks that has the address; -1: none has it. */
int interface_network_length(const struct interface *interface, const struct ip *address);
bool interface_shares_network(const struct interface *a, const struct interface *b);

/* Which rules' patterns allow an interface. No pattern: all but those only by name. */
bool interface_is_allowed(
	const struct interface *interface, const char *const *patterns, size_t pattern_count);

/* Container-side and virtual interfaces that are never used unless a rule names them. */
bool interface_name_is_internal(const char *name);

#endif
