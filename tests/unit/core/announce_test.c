// SPDX-License-Identifier: Apache-2.0
/* The schedule of gratuitous ARP (L04, C17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/announce.h"

#define SECOND UINT64_C(1000000000)

static const struct ip vip = {IP_V4, {192, 0, 2, 200}};

static struct monotime at_ms(uint64_t ms)
{
	return (struct monotime){.ns = ms * 1000000};
}

static struct announce *make(uint32_t repeat, uint32_t spacing_ms, uint32_t refresh_s)
{
	struct announce *a = announce_new(42);
	struct announce_timing timing = {repeat, spacing_ms, refresh_s};

	announce_set_timing(a, &timing);
	return a;
}

static void L04_repeats_with_spacing_then_silence(void **state)
{
	struct announce *a = make(3, 200, 0);
	struct ip due[ANNOUNCE_BATCH];
	struct monotime next;

	(void)state;
	announce_start(a, &vip, at_ms(1000));
	for (uint64_t ms = 1000; ms <= 1400; ms += 200) {
		assert_true(announce_next(a, &next));
		assert_int_equal(next.ns, at_ms(ms).ns);
		assert_int_equal(announce_due(a, at_ms(ms - 1), due), 0);
		assert_int_equal(announce_due(a, at_ms(ms), due), 1);
		assert_true(ip_equal(&due[0], &vip));
	}
	assert_false(announce_next(a, &next));
	announce_free(a);
}

static void L04_nothing_is_announced_after_stop(void **state)
{
	struct announce *a = make(3, 200, 60);
	struct ip due[ANNOUNCE_BATCH];

	(void)state;
	announce_start(a, &vip, at_ms(0));
	assert_int_equal(announce_due(a, at_ms(0), due), 1);
	announce_stop(a, &vip);
	assert_int_equal(announce_due(a, at_ms(3600000), due), 0);
	assert_int_equal(announce_count(a), 0);
	announce_free(a);
}

static void D8_adopted_is_only_refreshed(void **state)
{
	struct announce *a = make(5, 200, 60);
	struct ip due[ANNOUNCE_BATCH];
	struct monotime next;

	(void)state;
	announce_adopt(a, &vip, at_ms(0));
	assert_true(announce_next(a, &next));
	assert_true(next.ns >= 30 * SECOND && next.ns <= 61 * SECOND);
	assert_int_equal(announce_due(a, at_ms(29999), due), 0);
	announce_free(a);
}

/* 5,000 addresses: all within a second at first, then evenly and few wake-ups. */
static void C17_many_addresses_without_bursts(void **state)
{
	struct announce *a = make(1, 200, 60);
	struct ip due[ANNOUNCE_BATCH];
	struct monotime next = at_ms(0);
	size_t sent = 0, wakes = 0, most = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		struct ip ip = {IP_V4, {10, 0, (uint8_t)(i >> 8), (uint8_t)i}};

		announce_start(a, &ip, at_ms(0));
	}
	while (sent < 5000) {
		assert_true(announce_next(a, &next));
		sent += announce_due(a, next, due);
	}
	assert_true(next.ns < SECOND);
	for (sent = 0; next.ns < 120 * SECOND; wakes++) {
		size_t count;

		assert_true(announce_next(a, &next));
		count = announce_due(a, next, due);
		most = count > most ? count : most;
		sent += count;
	}
	/* Each address once in 30 to 60 seconds. */
	assert_in_range(sent, 8000, 21000);
	assert_true(most <= ANNOUNCE_BATCH);
	assert_true(wakes < 120 * 10);
	announce_free(a);
}

static void all_get_their_turn(void **state)
{
	struct announce *a = make(60, 10, 0);
	struct ip due[ANNOUNCE_BATCH];
	bool seen[1000] = {false};
	struct monotime next;
	size_t missing = 1000;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct ip ip = {IP_V4, {10, 0, (uint8_t)(i >> 8), (uint8_t)i}};

		announce_start(a, &ip, at_ms(0));
	}
	/* Repeats fall due sooner than one round takes: nobody may starve. */
	for (unsigned turn = 0; turn < 1000 / ANNOUNCE_BATCH + 1; turn++) {
		size_t count;

		assert_true(announce_next(a, &next));
		count = announce_due(a, next, due);
		for (size_t i = 0; i < count; i++) {
			unsigned n = (unsigned)due[i].bytes[2] << 8 | due[i].bytes[3];

			missing -= !seen[n];
			seen[n] = true;
		}
	}
	assert_int_equal(missing, 0);
	announce_free(a);
}

/* Looked into after the first repeats and with each refresh, not with a defence (L08). */
static void L08_settled_after_the_repeats(void **state)
{
	struct announce *a = make(2, 200, 60);
	const struct ip ip = {IP_V4, {10, 0, 0, 1}};
	struct ip due[ANNOUNCE_BATCH];
	struct monotime next;

	(void)state;
	announce_start(a, &ip, at_ms(0));
	assert_int_equal(announce_due(a, at_ms(0), due), 1);
	assert_false(announce_is_settled(a, &ip));
	assert_int_equal(announce_due(a, at_ms(200), due), 1);
	assert_true(announce_is_settled(a, &ip));
	announce_once(a, &ip, at_ms(1000));
	assert_int_equal(announce_due(a, at_ms(1000), due), 1);
	assert_false(announce_is_settled(a, &ip));
	assert_true(announce_next(a, &next));
	assert_int_equal(announce_due(a, next, due), 1);
	assert_true(announce_is_settled(a, &ip));
	announce_stop(a, &ip);
	assert_false(announce_is_settled(a, &ip));
	announce_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(L04_repeats_with_spacing_then_silence),
		cmocka_unit_test(L04_nothing_is_announced_after_stop),
		cmocka_unit_test(D8_adopted_is_only_refreshed),
		cmocka_unit_test(C17_many_addresses_without_bursts),
		cmocka_unit_test(all_get_their_turn),
		cmocka_unit_test(L08_settled_after_the_repeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
