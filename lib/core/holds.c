// SPDX-License-Identifier: Apache-2.0
/*
 * What a speaker holds against the election, and when it lets go. In: plans as they are
 * made, the time. Out: an annotation for its own Lease. The rules stand in the header;
 * what a hold means for the plan is in plan_elect.c. One record for each held hash,
 * sorted; each plan makes the list anew from the one before.
 */
#include "herald/core/holds.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "herald/base/err.h"

#define HASH_BITS 24u
#define LETTERS_PER_HASH 4u
#define PARTS 256u /* of takeBackTime */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct hold {
	uint32_t hash;
	bool has_heir, let_go;
	struct monotime since; /* has_heir */
};

struct holds {
	struct hold *items; /* sorted by hash */
	size_t count;
	char *text; /* NULL: not established, or nobody is to hold anything */
	bool started, established;
	struct monotime founding_end; /* started: established at the latest */
	bool waits;
	struct monotime next; /* waits */
};

uint32_t holds_hash(const struct ip *address)
{
	uint8_t key[1 + sizeof(address->bytes)];

	key[0] = address->family;
	memcpy(key + 1, address->bytes, sizeof(address->bytes));
	return (uint32_t)(XXH64(key, sizeof(key), 0) >> (64 - HASH_BITS));
}

static bool parse_hash(const char *text, uint32_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < LETTERS_PER_HASH; i++) {
		const char *letter = text[i] ? strchr(letters, text[i]) : NULL;

		if (!letter)
			return false;
		*ret = *ret << 6 | (uint32_t)(letter - letters);
	}
	return true;
}

size_t holds_parse(const char *text, uint32_t *ret, size_t room)
{
	size_t count = 0;
	uint32_t hash;

	while (count < room && parse_hash(text, &hash) && (count == 0 || hash > ret[count - 1])) {
		ret[count++] = hash;
		text += LETTERS_PER_HASH;
	}
	return count;
}

struct holds *holds_new(void)
{
	return xcalloc(1, sizeof(struct holds));
}

void holds_free(struct holds *holds)
{
	if (!holds)
		return;
	free(holds->items);
	free(holds->text);
	free(holds);
}

void holds_adopt(struct holds *holds, const char *text)
{
	if (!text)
		return;
	free(holds->text);
	holds->text = xstrdup(text);
	holds->established = true;
}

static bool sees_established(const struct plan_input *input)
{
	for (size_t i = 0; i < members_count(input->members); i++) {
		const struct member *member = members_at(input->members, i);

		if (member->state == MEMBER_ALIVE && member->proven && member->holds &&
			strcmp(member->node, input->self) != 0)
			return true;
	}
	return false;
}

static void wait_until(struct holds *holds, struct monotime when)
{
	if (!holds->waits || when.ns < holds->next.ns)
		holds->next = when;
	holds->waits = true;
}

static void judge_established(
	struct holds *holds, const struct plan_input *input, struct monotime now)
{
	if (!holds->started)
		holds->founding_end = monotime_add_ms(now, input->config->membership.take_back_ms);
	holds->started = true;
	if (holds->established)
		return;
	holds->established = monotime_reached(now, holds->founding_end) || sees_established(input);
	if (!holds->established)
		wait_until(holds, holds->founding_end);
}

static int compare_holds(const void *a, const void *b)
{
	const struct hold *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (int)y->has_heir - (int)x->has_heir;
}

/* The addresses that are ours though another node would have them, sorted, unique. */
static struct hold *collect(const struct plan *plan, size_t *ret_count)
{
	struct hold *items = xcalloc(plan->vip_count, sizeof(*items));
	size_t found = 0, count = 0;

	for (size_t i = 0; i < plan->vip_count; i++) {
		const struct plan_vip *vip = &plan->vips[i];

		if (vip->ours && vip->astray)
			items[found++] = (struct hold){
				.hash = holds_hash(&vip->address),
				.has_heir = vip->heir != NULL,
			};
	}
	qsort(items, found, sizeof(*items), compare_holds);
	for (size_t i = 0; i < found; i++) {
		if (count == 0 || items[i].hash != items[count - 1].hash)
			items[count++] = items[i];
	}
	*ret_count = count;
	return items;
}

static struct monotime end_of(const struct hold *hold, uint32_t take_back_ms)
{
	uint64_t part = hold->hash % PARTS + 1;

	return monotime_add_ms(hold->since, part * take_back_ms / PARTS);
}

/* `old`: the record of the same hash until now, or NULL. */
static void follow_hold(struct holds *holds, struct hold *hold, const struct hold *old,
	const struct config_membership *rules, struct monotime now)
{
	struct monotime end;

	if (!hold->has_heir)
		return;
	hold->since = old && old->has_heir ? old->since : now;
	if (rules->take_back != CONFIG_TAKE_BACK_STAGGERED)
		return;
	end = end_of(hold, rules->take_back_ms);
	hold->let_go = monotime_reached(now, end);
	if (!hold->let_go)
		wait_until(holds, end);
}

/* malloc'ed. */
static char *text_of(const struct hold *items, size_t count)
{
	char *text = xcalloc(count < HOLDS_MAX ? count + 1 : HOLDS_MAX + 1, LETTERS_PER_HASH);
	size_t told = 0, length = 0;

	for (size_t i = 0; i < count && told < HOLDS_MAX; i++) {
		if (items[i].let_go)
			continue;
		told++;
		for (unsigned shift = HASH_BITS; shift > 0; shift -= 6)
			text[length++] = letters[items[i].hash >> (shift - 6) & 63u];
	}
	return text;
}

static bool tell(struct holds *holds, char *text)
{
	bool same = holds->text && text ? strcmp(holds->text, text) == 0 : holds->text == text;

	free(holds->text);
	holds->text = text;
	return !same;
}

bool holds_follow(struct holds *holds, const struct plan *plan, const struct plan_input *input,
	struct monotime now)
{
	const struct config_membership *rules = &input->config->membership;
	size_t count, old = 0;
	struct hold *items = collect(plan, &count);

	holds->waits = false;
	judge_established(holds, input, now);
	for (size_t i = 0; i < count; i++) {
		bool is_known;

		while (old < holds->count && holds->items[old].hash < items[i].hash)
			old++;
		is_known = old < holds->count && holds->items[old].hash == items[i].hash;
		follow_hold(holds, &items[i], is_known ? &holds->items[old] : NULL, rules, now);
	}
	free(holds->items);
	holds->items = items;
	holds->count = count;
	if (!holds->established || rules->take_back == CONFIG_TAKE_BACK_NOW)
		return tell(holds, NULL);
	return tell(holds, text_of(items, count));
}

uint64_t holds_publish_ms(size_t moved, uint64_t random)
{
	return random % (moved * 1000 / HOLDS_WRITES_PER_SECOND + 1);
}

const char *holds_text(const struct holds *holds)
{
	return holds->text;
}

bool holds_next(const struct holds *holds, struct monotime *ret)
{
	*ret = holds->next;
	return holds->waits;
}
