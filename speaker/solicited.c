// SPDX-License-Identifier: Apache-2.0
/*
 * From the responder's table to multicast groups (L03). In: what is answered where. Out:
 * memberships, in steps; a warning where they can't be had or can't be told to switches.
 */
#include "solicited.h"

#include <stdlib.h>
#include <string.h>

#include "herald/io/groups.h"

#define STEP_PAUSE_MS 2u /* between steps: frames get their turn */
#define RETRY_MS 5000u

struct solicited {
	struct program *program;
	struct groups *groups;
	const struct responder_table *table;
	const struct ports *ports;
	struct timer *timer;
	struct metric *joined;
	bool failing;
	uint64_t unheard; /* slots that were told to lack a link-local address */
};

static bool is_wanted(const struct responder_address *address)
{
	return address->ip.family == IP_V6 && !address->noted;
}

/* Every group once; malloc'ed. */
static struct group *wanted_groups(const struct solicited *s, size_t *ret_count)
{
	const struct responder_table *table = s->table;
	struct group *list;
	size_t room = 0, count = 0, unique = 0;

	for (size_t i = 0; i < table->address_count; i++) {
		if (is_wanted(&table->addresses[i]))
			room += (size_t)__builtin_popcountll(table->addresses[i].slots);
	}
	list = xcalloc(room, sizeof(*list));
	for (size_t i = 0; i < table->address_count; i++) {
		const struct responder_address *address = &table->addresses[i];

		for (uint64_t left = is_wanted(address) ? address->slots : 0; left;
			left &= left - 1) {
			unsigned slot = (unsigned)__builtin_ctzll(left);

			list[count++] = (struct group){.index = ports_at(s->ports, slot)->index,
				.ip = ndp_solicited_node(&address->ip)};
		}
	}
	qsort(list, count, sizeof(*list), group_compare);
	for (size_t i = 0; i < count; i++) {
		if (unique == 0 || group_compare(&list[unique - 1], &list[i]) != 0)
			list[unique++] = list[i];
	}
	*ret_count = unique;
	return list;
}

static uint64_t slots_in_use(const struct responder_table *table)
{
	uint64_t slots = 0;

	for (size_t i = 0; i < table->address_count; i++) {
		if (is_wanted(&table->addresses[i]))
			slots |= table->addresses[i].slots;
	}
	return slots;
}

/* Without a link-local address the kernel's reports come from "::", which switches may
   leave unheard (RFC 3810 5.2.13). */
static void tell_unheard(struct solicited *s)
{
	uint64_t used = slots_in_use(s->table);

	for (unsigned slot = 0; slot < RESPONDER_SLOTS; slot++) {
		const uint64_t bit = UINT64_C(1) << slot;
		const struct port *port = ports_at(s->ports, slot);

		if ((used & bit) == 0 || port->link_local) {
			s->unheard &= ~bit;
			continue;
		}
		if ((s->unheard & bit) == 0)
			log_warn(s->program->log,
				"interface has no IPv6 link-local address: switches that snoop "
				"MLD may keep neighbour solicitations from it",
				"interface", port->interface.name, "mend",
				"sysctl -w net.ipv6.conf.<interface>.disable_ipv6=0", NULL);
		s->unheard |= bit;
	}
}

static void step(void *context)
{
	struct solicited *s = context;
	size_t count;
	AUTO_FREE struct group *wanted = wanted_groups(s, &count);
	struct err e;
	struct groups_outcome outcome = groups_set(s->groups, wanted, count, &e);

	metric_set(s->joined, (double)groups_count(s->groups));
	if (outcome.failed > 0 && !s->failing)
		log_error(s->program->log,
			"multicast group not joined, trying again: neighbour solicitations may "
			"not arrive",
			"error", e.text, NULL);
	s->failing = outcome.failed > 0;
	if (outcome.unfinished)
		timer_start(s->timer, STEP_PAUSE_MS);
	else if (s->failing)
		timer_start(s->timer, RETRY_MS);
	else
		timer_stop(s->timer);
}

struct solicited *solicited_new(struct program *program)
{
	struct solicited *s = xcalloc(1, sizeof(*s));

	s->program = program;
	s->groups = groups_new();
	s->timer = timer_new(program->loop, step, s);
	s->joined = metric_gauge(program->metrics, "herald_speaker_ndp_groups",
		"Solicited-node multicast groups that are joined.", NULL);
	return s;
}

void solicited_free(struct solicited *solicited)
{
	if (!solicited)
		return;
	timer_free(solicited->timer);
	groups_free(solicited->groups);
	free(solicited);
}

void solicited_follow(
	struct solicited *solicited, const struct responder_table *table, const struct ports *ports)
{
	solicited->table = table;
	solicited->ports = ports;
	tell_unheard(solicited);
	step(solicited);
}
