// SPDX-License-Identifier: Apache-2.0
/*
 * Well-formed UTF-8 by Unicode 15, table 3-7: the bounds of each row, and each kind of
 * malformed sequence.
 */
#include "herald/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct {
	const char *what, *bytes;
	size_t size;
	uint32_t code;
} cases[] = {
	{"ASCII", "a", 1, 'a'},
	{"last of one byte", "\x7f", 1, 0x7f},
	{"first of two", "\xc2\x80", 2, 0x80},
	{"last of two", "\xdf\xbf", 2, 0x7ff},
	{"first of three", "\xe0\xa0\x80", 3, 0x800},
	{"last before the surrogates", "\xed\x9f\xbf", 3, 0xd7ff},
	{"first after the surrogates", "\xee\x80\x80", 3, 0xe000},
	{"last of three", "\xef\xbf\xbf", 3, 0xffff},
	{"first of four", "\xf0\x90\x80\x80", 4, 0x10000},
	{"last of all", "\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	{"overlong slash", "\xc0\xaf", 0, 0},
	{"overlong of three", "\xe0\x9f\xbf", 0, 0},
	{"overlong of four", "\xf0\x8f\xbf\xbf", 0, 0},
	{"surrogate", "\xed\xa0\x80", 0, 0},
	{"above the last", "\xf4\x90\x80\x80", 0, 0},
	{"five bytes", "\xf8\x88\x80\x80\x80", 0, 0},
	{"lone continuation", "\x80", 0, 0},
	{"cut off", "\xe2\x82", 0, 0},
	{"continuation missing", "\xe2\x28\xa1", 0, 0},
	{"0xff", "\xff", 0, 0},
	{"nothing", "", 0, 0},
};

static void reads_what_is_well_formed_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t code = 0;

		if (utf8_next(cases[i].bytes, strlen(cases[i].bytes), &code) != cases[i].size)
			fail_msg("%s: wrong size", cases[i].what);
		if (code != cases[i].code)
			fail_msg("%s: wrong code point", cases[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_well_formed_and_nothing_else),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
