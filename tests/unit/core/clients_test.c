// SPDX-License-Identifier: Apache-2.0
/* The memory of who asked (C03): bounded, the oldest forgotten first, and the queue of who is
   to be told, also against a naive model under random operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/clients.h"

static struct ip vip(uint8_t n)
{
	return ip_from_v4((const uint8_t[4]){192, 0, 2, n});
}

static struct client client(uint8_t address, uint16_t station)
{
	return (struct client){
		.vip = vip(address),
		.ip = ip_from_v4(
			(const uint8_t[4]){10, 0, (uint8_t)(station >> 8), (uint8_t)station}),
		.mac = {2, 0, 0, 0, (uint8_t)(station >> 8), (uint8_t)station},
	};
}

static void note(struct clients *clients, uint8_t address, uint16_t station)
{
	struct client item = client(address, station);

	clients_note(clients, &item, true);
}

static bool everybody(void *context, const struct client *item)
{
	(void)context;
	(void)item;
	return true;
}

static bool even_stations(void *context, const struct client *item)
{
	(void)context;
	return item->mac[5] % 2 == 0;
}

static void tell(struct clients *clients, uint8_t address, clients_judge_fn *judge, uint32_t repeat)
{
	struct ip ip = vip(address);

	clients_tell(clients, &ip, judge, NULL, repeat);
}

/* The stations that are due, as one number each, until nobody is; returns how many. */
static size_t due(struct clients *clients, uint64_t ms, uint8_t ret[static CLIENTS_BATCH])
{
	struct client items[CLIENTS_BATCH];
	size_t count = clients_due(clients, (struct monotime){ms * 1000000}, 200, items);

	for (size_t i = 0; i < count; i++)
		ret[i] = items[i].mac[5];
	return count;
}

static void C03_who_asked_is_told_as_often_as_wanted(void **state)
{
	struct clients *clients = clients_new(8, 1);
	uint8_t told[CLIENTS_BATCH];
	struct monotime next;

	(void)state;
	note(clients, 1, 1);
	note(clients, 1, 2);
	note(clients, 2, 3);
	assert_false(clients_next(clients, &next));
	tell(clients, 1, everybody, 2);
	assert_true(clients_next(clients, &next));
	assert_int_equal(due(clients, 1000, told), 2);
	assert_memory_equal(told, ((uint8_t[]){1, 2}), 2);
	assert_int_equal(due(clients, 1199, told), 0);
	assert_true(clients_next(clients, &next));
	assert_int_equal(next.ns, 1200000000);
	assert_int_equal(due(clients, 1200, told), 2);
	assert_false(clients_next(clients, &next));
	clients_free(clients);
}

static void only_those_chosen_are_told(void **state)
{
	struct clients *clients = clients_new(8, 1);
	uint8_t told[CLIENTS_BATCH];

	(void)state;
	for (uint16_t n = 1; n <= 5; n++)
		note(clients, 1, n);
	tell(clients, 1, even_stations, 1);
	assert_int_equal(due(clients, 0, told), 2);
	assert_memory_equal(told, ((uint8_t[]){2, 4}), 2);
	clients_free(clients);
}

static void first_time_goes_before_repeats(void **state)
{
	struct clients *clients = clients_new(8, 1);
	uint8_t told[CLIENTS_BATCH];

	(void)state;
	note(clients, 1, 1);
	note(clients, 2, 2);
	tell(clients, 1, everybody, 3);
	assert_int_equal(due(clients, 0, told), 1);
	tell(clients, 2, everybody, 1);
	assert_int_equal(due(clients, 1, told), 1);
	assert_int_equal(told[0], 2);
	assert_int_equal(due(clients, 200, told), 1);
	assert_int_equal(told[0], 1);
	clients_free(clients);
}

static void who_asks_again_is_known_once_and_with_its_last_address(void **state)
{
	struct clients *clients = clients_new(8, 1);
	struct client item = client(1, 1), told[CLIENTS_BATCH];

	(void)state;
	clients_note(clients, &item, true);
	item.ip = ip_from_v4((const uint8_t[4]){10, 9, 9, 9});
	item.slot = 3;
	clients_note(clients, &item, true);
	assert_int_equal(clients_count(clients), 1);
	tell(clients, 1, everybody, 1);
	assert_int_equal(clients_due(clients, (struct monotime){0}, 200, told), 1);
	assert_true(ip_equal(&told[0].ip, &item.ip));
	assert_int_equal(told[0].slot, 3);
	clients_free(clients);
}

static void who_asked_longest_ago_is_forgotten_also_while_told(void **state)
{
	struct clients *clients = clients_new(3, 1);
	uint8_t told[CLIENTS_BATCH];

	(void)state;
	for (uint16_t n = 1; n <= 3; n++)
		note(clients, 1, n);
	tell(clients, 1, everybody, 1);
	note(clients, 1, 1);
	note(clients, 1, 4); /* in the place of 2 */
	assert_int_equal(clients_count(clients), 3);
	assert_int_equal(due(clients, 0, told), 2);
	assert_memory_equal(told, ((uint8_t[]){1, 3}), 2);
	clients_free(clients);
}

static void burst_is_bounded(void **state)
{
	struct clients *clients = clients_new(1000, 1);
	uint8_t told[CLIENTS_BATCH];
	struct monotime next;

	(void)state;
	for (uint16_t n = 0; n < CLIENTS_BATCH + 10; n++)
		note(clients, 1, n);
	tell(clients, 1, everybody, 1);
	assert_int_equal(due(clients, 0, told), CLIENTS_BATCH);
	assert_int_equal(due(clients, CLIENTS_PAUSE_MS - 1, told), 0);
	assert_true(clients_next(clients, &next));
	assert_int_equal(next.ns, CLIENTS_PAUSE_MS * 1000000);
	assert_int_equal(due(clients, CLIENTS_PAUSE_MS, told), 10);
	clients_free(clients);
}

static bool is_guest(const struct clients *clients, uint16_t station)
{
	struct client item = client(1, station);

	return clients_is_guest(clients, &item.vip, item.mac);
}

static void C20_guests_are_let_go_one_by_one(void **state)
{
	struct clients *clients = clients_new(1000, 1);
	struct ip address = vip(1);
	size_t told = 0, guests = 0, turns = 0;
	struct monotime now = {0}, next;
	struct client items[CLIENTS_BATCH];

	(void)state;
	for (uint16_t n = 0; n < 100; n++)
		note(clients, 1, n);
	clients_host(clients, &address, even_stations, NULL, 60000, now);
	for (uint16_t n = 0; n < 100; n++)
		guests += is_guest(clients, n);
	assert_int_equal(guests, 50);
	/* Until all are: at most a few each time. */
	while (clients_next(clients, &next)) {
		size_t count;

		now = next;
		clients_let_go(clients, 1, now);
		count = clients_due(clients, now, 200, items);
		assert_in_range(count, 0, 8);
		told += count;
		turns++;
	}
	assert_int_equal(told, 50);
	assert_true(turns > 100);
	assert_in_range(now.ns, 50 * UINT64_C(1000000000), 61 * UINT64_C(1000000000));
	for (uint16_t n = 0; n < 100; n++)
		assert_false(is_guest(clients, n));
	clients_free(clients);
}

static void C20_guest_that_asks_all_or_is_told_is_none(void **state)
{
	struct clients *clients = clients_new(3, 1);
	struct ip address = vip(1);
	struct client item = client(1, 2);
	struct monotime next;

	(void)state;
	for (uint16_t n = 1; n <= 3; n++)
		note(clients, 1, n);
	clients_host(clients, &address, everybody, NULL, UINT64_MAX, (struct monotime){0});
	assert_false(clients_next(clients, &next)); /* for good */
	clients_note(clients, &item, true);
	assert_true(is_guest(clients, 2));
	clients_note(clients, &item, false);
	assert_false(is_guest(clients, 2));
	/* Forgotten, and known anew. */
	note(clients, 1, 4);
	note(clients, 1, 1);
	assert_false(is_guest(clients, 1));
	tell(clients, 1, everybody, 1);
	assert_false(is_guest(clients, 3));
	clients_free(clients);
}

/* The same by lists that are gone through. */
#define ROOM 16
#define STEPS 200000

struct model {
	struct client items[ROOM]; /* the one that asked longest ago first */
	uint32_t left[ROOM];
	size_t count;
};

static void model_note(struct model *m, const struct client *item)
{
	size_t at = 0;
	uint32_t left = 0;

	while (at < m->count && (memcmp(m->items[at].mac, item->mac, MAC_SIZE) != 0 ||
					!ip_equal(&m->items[at].vip, &item->vip)))
		at++;
	if (at < m->count)
		left = m->left[at];
	else if (m->count == ROOM)
		at = 0;
	if (at < m->count) {
		m->count--;
		memmove(&m->items[at], &m->items[at + 1], (m->count - at) * sizeof(*m->items));
		memmove(&m->left[at], &m->left[at + 1], (m->count - at) * sizeof(*m->left));
	}
	m->items[m->count] = *item;
	m->left[m->count++] = left;
}

static void model_told(struct model *m, const struct client *item)
{
	for (size_t i = 0; i < m->count; i++) {
		if (memcmp(m->items[i].mac, item->mac, MAC_SIZE) == 0 &&
			ip_equal(&m->items[i].vip, &item->vip)) {
			assert_true(m->left[i] > 0);
			assert_true(ip_equal(&m->items[i].ip, &item->ip));
			m->left[i]--;
			return;
		}
	}
	fail_msg("%s was told and is not known", mac_text(item->mac).s);
}

static uint32_t draw(uint64_t *random, uint32_t below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (uint32_t)(*random >> 20) % below;
}

static void random_operations_agree_with_the_model(void **state)
{
	struct clients *clients = clients_new(ROOM, 7);
	struct model m = {0};
	uint64_t random = 88172645463325252u, ms = 0;

	(void)state;
	for (unsigned step = 0; step < STEPS; step++) {
		uint32_t what = draw(&random, 8);
		struct client items[CLIENTS_BATCH];
		struct monotime next;
		uint32_t left = 0;

		if (what < 4) {
			struct client item =
				client((uint8_t)draw(&random, 3), (uint16_t)draw(&random, 10));

			item.ip.bytes[1] = (uint8_t)draw(&random, 200);
			clients_note(clients, &item, true);
			model_note(&m, &item);
		} else if (what < 5) {
			uint8_t address = (uint8_t)draw(&random, 3);
			struct ip ip = vip(address);

			tell(clients, address, even_stations, 2);
			for (size_t i = 0; i < m.count; i++) {
				if (ip_equal(&m.items[i].vip, &ip) && m.items[i].mac[5] % 2 == 0)
					m.left[i] = 2;
			}
		} else {
			size_t count;

			ms += draw(&random, 150);
			count = clients_due(clients, (struct monotime){ms * 1000000}, 200, items);
			for (size_t i = 0; i < count; i++)
				model_told(&m, &items[i]);
		}
		assert_int_equal(clients_count(clients), m.count);
		for (size_t i = 0; i < m.count; i++)
			left += m.left[i];
		assert_int_equal(clients_next(clients, &next), left > 0);
	}
	clients_free(clients);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C03_who_asked_is_told_as_often_as_wanted),
		cmocka_unit_test(only_those_chosen_are_told),
		cmocka_unit_test(first_time_goes_before_repeats),
		cmocka_unit_test(who_asks_again_is_known_once_and_with_its_last_address),
		cmocka_unit_test(who_asked_longest_ago_is_forgotten_also_while_told),
		cmocka_unit_test(burst_is_bounded),
		cmocka_unit_test(C20_guests_are_let_go_one_by_one),
		cmocka_unit_test(C20_guest_that_asks_all_or_is_told_is_none),
		cmocka_unit_test(random_operations_agree_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
