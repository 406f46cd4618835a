// SPDX-License-Identifier: Apache-2.0
/*
 * Life and death of speakers, judged from their Leases. In: Leases as they are seen and
 * the time. Out: a state for each node. Reads no clock, asks no server; the rule and
 * its reasons are in the header.
 */
#include "herald/core/members.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

struct record {
	struct member member; /* its strings are owned here */
	char *resource_version, *renew_time;
	struct monotime since; /* its duration runs from here: renewal, or grace */
};

struct members {
	struct record *records; /* sorted by node */
	size_t count, capacity;
	uint32_t duration_ms, renew_ms;
	struct monotime evidence; /* when any Lease was last seen to change */
	bool has_evidence;
	bool was_cut_off; /* judged while out of contact: grace is due when it returns */
};

const char *member_state_text(enum member_state state)
{
	static const char *const texts[] = {"unknown", "alive", "leaving", "dead"};

	return texts[state];
}

struct members *members_new(void)
{
	struct members *m = xcalloc(1, sizeof(*m));

	members_set_timing(m, 3000, 1000);
	return m;
}

void members_free(struct members *members)
{
	if (!members)
		return;
	for (size_t i = 0; i < members->count; i++) {
		struct record *r = &members->records[i];

		free_pointer(&r->member.node);
		free_pointer(&r->member.interfaces);
		free(r->resource_version);
		free(r->renew_time);
	}
	free(members->records);
	free(members);
}

void members_set_timing(
	struct members *members, uint32_t lease_duration_ms, uint32_t renew_interval_ms)
{
	members->duration_ms = lease_duration_ms;
	members->renew_ms = renew_interval_ms;
}

static struct monotime contact_until(const struct members *m)
{
	uint64_t margin = m->renew_ms + m->renew_ms / 4;

	return monotime_add_ms(m->evidence, m->duration_ms > margin ? m->duration_ms - margin : 1);
}

bool members_in_contact(const struct members *members, struct monotime now)
{
	return members->has_evidence && !monotime_reached(now, contact_until(members));
}

static size_t place_of(const struct members *m, const char *node, bool *ret_found)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(m->records[middle].member.node, node);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

static struct record *insert(struct members *m, size_t place, const char *node)
{
	if (m->count == m->capacity) {
		m->capacity = m->capacity ? 2 * m->capacity : 8;
		m->records = xrealloc(m->records, m->capacity, sizeof(*m->records));
	}
	memmove(&m->records[place + 1], &m->records[place],
		(m->count - place) * sizeof(*m->records));
	m->count++;
	m->records[place] = (struct record){
		.member = {.node = xstrdup(node), .interfaces = xstrdup("")},
		.resource_version = xstrdup(""),
		.renew_time = xstrdup(""),
	};
	return &m->records[place];
}

/* Replaces an owned text; true where it differs. */
static bool replace(char **text, const char *by)
{
	if (strcmp(*text, by) == 0)
		return false;
	free(*text);
	*text = xstrdup(by);
	return true;
}

static bool replace_interfaces(struct record *r, const char *by)
{
	if (strcmp(r->member.interfaces, by) == 0)
		return false;
	free_pointer(&r->member.interfaces);
	r->member.interfaces = xstrdup(by);
	return true;
}

/* What we missed while cut off may have been renewals: all start a new duration. */
static void give_grace(struct members *m, struct monotime now)
{
	for (size_t i = 0; i < m->count; i++)
		m->records[i].since = now;
	m->was_cut_off = false;
}

static void note_evidence(struct members *m, struct monotime now)
{
	if (m->was_cut_off || (m->has_evidence && !members_in_contact(m, now)))
		give_grace(m, now);
	m->evidence = now;
	m->has_evidence = true;
}

static const char *node_of(const struct lease *lease)
{
	size_t prefix = strlen(MEMBER_LEASE_PREFIX);

	if (strncmp(lease->meta.name, MEMBER_LEASE_PREFIX, prefix) != 0)
		return NULL;
	return lease->meta.name[prefix] != '\0' ? lease->meta.name + prefix : NULL;
}

bool members_put(struct members *members, const struct lease *lease, struct monotime now)
{
	const char *node = node_of(lease);
	const char *interfaces = string_map_get(&lease->annotations, MEMBER_INTERFACES_ANNOTATION);
	struct record *r;
	enum member_state state;
	size_t place;
	bool found, visible;

	if (!node)
		return false;
	place = place_of(members, node, &found);
	r = found ? &members->records[place] : insert(members, place, node);
	if (!replace(&r->resource_version, lease->meta.resource_version))
		return false; /* a relist shows the same object again: no sign of life */
	visible = replace_interfaces(r, interfaces ? interfaces : "");
	note_evidence(members, now);
	/* A write that did not renew (a label, an annotation by hand) revives nobody. */
	if (!replace(&r->renew_time, lease->renew_time) && found && lease->holder[0] != '\0')
		return visible;
	state = lease->holder[0] != '\0' ? MEMBER_ALIVE : MEMBER_LEAVING;
	visible = visible || r->member.state != state;
	r->member.state = state;
	r->member.renewed = now;
	r->since = now;
	return visible;
}

static struct monotime deadline_of(const struct members *m, const struct record *r)
{
	return monotime_add_ms(r->since, m->duration_ms);
}

bool members_judge(struct members *members, struct monotime now)
{
	bool changed = false;

	if (!members_in_contact(members, now)) {
		members->was_cut_off = members->has_evidence;
		return false;
	}
	for (size_t i = 0; i < members->count; i++) {
		struct record *r = &members->records[i];

		if (r->member.state == MEMBER_ALIVE &&
			monotime_reached(now, deadline_of(members, r))) {
			r->member.state = MEMBER_DEAD;
			changed = true;
		}
	}
	return changed;
}

bool members_next(const struct members *members, struct monotime now, struct monotime *ret)
{
	struct monotime first = {UINT64_MAX};

	if (!members_in_contact(members, now))
		return false;
	for (size_t i = 0; i < members->count; i++) {
		const struct record *r = &members->records[i];

		if (r->member.state == MEMBER_ALIVE && deadline_of(members, r).ns < first.ns)
			first = deadline_of(members, r);
	}
	*ret = first;
	return first.ns != UINT64_MAX;
}

size_t members_count(const struct members *members)
{
	return members->count;
}

const struct member *members_at(const struct members *members, size_t index)
{
	return &members->records[index].member;
}

const struct member *members_find(const struct members *members, const char *node)
{
	bool found;
	size_t place = place_of(members, node, &found);

	return found ? &members->records[place].member : NULL;
}
