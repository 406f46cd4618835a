// SPDX-License-Identifier: Apache-2.0
/*
 * From plan, ownership, probe, sharing and ports to the responder's table. In: these as they are.
 * Out: the table, whole. Sends nothing and decides nothing.
 */
#include "answers.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

struct answers_place {
	struct ip ip;
	struct plan_where where; /* its texts belong to the plan */
};

void answers_done(struct answers *answers)
{
	free(answers->places);
	free(answers->addresses);
	free(answers->gained);
	*answers = (struct answers){0};
}

void answers_set_plan(struct answers *answers, const struct plan *plan)
{
	free(answers->places);
	answers->places = xcalloc(plan->vip_count, sizeof(*answers->places));
	answers->place_count = plan->vip_count;
	for (size_t i = 0; i < plan->vip_count; i++)
		answers->places[i] = (struct answers_place){
			.ip = plan->vips[i].address, .where = plan->vips[i].where};
}

static int compare_plain(const void *a, const void *b)
{
	return ip_compare(a, b);
}

static int compare_ip(const void *key, const void *place)
{
	return ip_compare(key, &((const struct answers_place *)place)->ip);
}

/* Of those that have the narrowest network around the address, the oldest: a segment hears
   one MAC address. 0: none has such a network. */
static uint64_t on_link(const struct ports *ports, uint64_t slots, const struct ip *ip)
{
	uint64_t chosen = 0;
	int best = -1, index = 0;

	for (uint64_t left = slots; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);
		const struct port *port = ports_at(ports, slot);
		int length = interface_network_length(&port->interface, ip);

		if (length < 0 || length < best || (length == best && port->index > index))
			continue;
		best = length;
		index = port->index;
		chosen = UINT64_C(1) << slot;
	}
	return chosen;
}

static bool has_older_beside_it(const struct ports *ports, uint64_t slots, unsigned slot)
{
	const struct port *port = ports_at(ports, slot);

	for (uint64_t left = slots; left; left &= left - 1) {
		const struct port *other = ports_at(ports, (unsigned)__builtin_ctzll(left));

		if (other->index < port->index &&
			interface_shares_network(&other->interface, &port->interface))
			return true;
	}
	return false;
}

/* Where the address's own segment is known, there alone, else in each segment once. */
static uint64_t one_in_each_segment(const struct ports *ports, uint64_t slots, const struct ip *ip)
{
	uint64_t chosen = on_link(ports, slots, ip);

	for (uint64_t left = chosen ? 0 : slots; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);

		if (!has_older_beside_it(ports, slots, slot))
			chosen |= UINT64_C(1) << slot;
	}
	return chosen;
}

uint64_t answers_slots_of(const struct answers *answers, const struct ip *ip)
{
	const struct answers_place *place =
		answers->place_count ? bsearch(ip, answers->places, answers->place_count,
					       sizeof(*answers->places), compare_ip)
				     : NULL;
	uint64_t slots = 0;

	for (uint64_t left = place ? ports_open(answers->ports) : 0; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);

		if (plan_where_allows(&place->where, &ports_at(answers->ports, slot)->interface))
			slots |= UINT64_C(1) << slot;
	}
	return one_in_each_segment(answers->ports, slots, ip);
}

/* Where it was answered or asked for until now. */
static uint64_t slots_before(const struct answers *a, const struct ip *ip)
{
	const struct responder_address *before = responder_find(&a->table, ip);

	return before && !before->noted ? before->slots & ports_open(a->ports) : 0;
}

/* An address that is being handed over stays where it was answered, even where no rule
   selects this node any more. */
static uint64_t slots_to_answer(const struct answers *a, const struct ip *ip)
{
	uint64_t slots = answers_slots_of(a, ip);

	if (slots == 0 && ownership_state_of(a->ownership, ip) == OWNERSHIP_HANDING_OVER)
		return slots_before(a, ip);
	return slots;
}

/* Also of an address that is in the plan no more, or was before we started. */
static uint64_t slots_to_ask(const struct answers *a, const struct ip *ip)
{
	uint64_t slots = answers_slots_of(a, ip);

	if (slots == 0)
		slots = slots_before(a, ip);
	for (uint64_t left = slots ? 0 : ports_open(a->ports); left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);

		if (!ports_at(a->ports, slot)->interface.only_by_name)
			slots |= UINT64_C(1) << slot;
	}
	return slots;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct responder_address *left = a, *right = b;

	return ip_compare(&left->ip, &right->ip);
}

/* Those that are asked for, behind the `count` that are answered; returns how many in all. */
static size_t add_asked(const struct answers *a, const struct ip *asked, size_t asked_count,
	struct responder_address *list, size_t count)
{
	for (size_t i = 0; i < asked_count; i++)
		list[count++] = (struct responder_address){
			.ip = asked[i], .slots = slots_to_ask(a, &asked[i]), .asked = true};
	if (asked_count > 0)
		qsort(list, count, sizeof(*list), compare_addresses);
	return count;
}

/* Those that were answered before, and are now on ports where they were not. */
static void find_gained(
	struct answers *answers, const struct responder_address *fresh, size_t count)
{
	free(answers->gained);
	answers->gained = NULL;
	answers->gained_count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct responder_address *before =
			responder_find(&answers->table, &fresh[i].ip);

		if (fresh[i].asked || fresh[i].noted || !before || before->asked || before->noted ||
			(fresh[i].slots & ~before->slots) == 0)
			continue;
		answers->gained = xrealloc(
			answers->gained, answers->gained_count + 1, sizeof(*answers->gained));
		answers->gained[answers->gained_count++] = fresh[i].ip;
	}
}

static bool is_watched(const struct ip *asked, size_t count, const struct ip *ip)
{
	return count > 0 && bsearch(ip, asked, count, sizeof(*asked), compare_plain) != NULL;
}

/* Whom we answer; NULL: all who ask. While it is handed over those whom we did. */
static const struct spread *spread_for(const struct sharing_place *place)
{
	if (place->before)
		return place->before;
	return place->per_client ? place->set : NULL;
}

static struct responder_address address_for(const struct answers *a, const struct ip *ip)
{
	const struct sharing_place *place = sharing_find(a->sharing, ip);
	enum ownership_state state = ownership_state_of(a->ownership, ip);

	if (state != OWNERSHIP_HELD && state != OWNERSHIP_HANDING_OVER)
		return (struct responder_address){
			.ip = *ip, .slots = ports_open(a->ports), .noted = true};
	return (struct responder_address){.ip = *ip,
		.slots = slots_to_answer(a, ip),
		.spread = place ? spread_for(place) : NULL,
		.defends = place && place->defends};
}

void answers_rebuild(struct answers *answers)
{
	size_t count = 0, asked_count;
	AUTO_FREE struct ip *asked = probe_watched(answers->probe, &asked_count);
	struct responder_address *fresh =
		xcalloc(answers->place_count + asked_count, sizeof(*fresh));

	for (size_t i = 0; i < answers->place_count; i++) {
		const struct ip *ip = &answers->places[i].ip;

		if (!is_watched(asked, asked_count, ip))
			fresh[count++] = address_for(answers, ip);
	}
	count = add_asked(answers, asked, asked_count, fresh, count);
	find_gained(answers, fresh, count);
	free(answers->addresses);
	answers->addresses = fresh;
	answers->table = (struct responder_table){.addresses = fresh, .address_count = count};
	answers->table.used_slots = ports_open(answers->ports);
	for (uint64_t left = answers->table.used_slots; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);

		memcpy(answers->table.macs[slot], ports_at(answers->ports, slot)->mac, MAC_SIZE);
	}
}
