// SPDX-License-Identifier: Apache-2.0
/* Ethernet addresses: stations and groups, and their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "herald/base/mac.h"

static void knows_stations(void **state)
{
	(void)state;
	assert_true(mac_is_station((const uint8_t[]){2, 0, 0, 0, 0, 9}));
	assert_true(mac_is_station((const uint8_t[]){0, 0, 0, 0, 0, 1}));
	assert_false(mac_is_station((const uint8_t[]){0, 0, 0, 0, 0, 0}));
	assert_false(mac_is_station((const uint8_t[]){0x33, 0x33, 0xff, 0, 0, 1}));
	assert_false(mac_is_station((const uint8_t[]){255, 255, 255, 255, 255, 255}));
}

static void writes_them(void **state)
{
	(void)state;
	assert_string_equal(
		mac_text((const uint8_t[]){2, 0, 0xab, 0xcd, 0, 0xff}).s, "02:00:ab:cd:00:ff");
}

static void reads_them(void **state)
{
	static const char *const bad[] = {"", "02:00:00:aa:bb", "02:00:00:aa:bb:cc:dd",
		"02:00:00:aa:bb:c", "02:00:00:aa:bb:cg", "02-00-00-aa-bb-cc", "02:00:00:aa:bb:cc ",
		"0200:00:aa:bb:cc:"};
	uint8_t mac[MAC_SIZE] = {1, 2, 3, 4, 5, 6};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(mac_parse(bad[i], mac));
	assert_int_equal(mac[5], 6);
	assert_true(mac_parse("02:00:aB:cd:00:FF", mac));
	assert_string_equal(mac_text(mac).s, "02:00:ab:cd:00:ff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_stations),
		cmocka_unit_test(writes_them),
		cmocka_unit_test(reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
