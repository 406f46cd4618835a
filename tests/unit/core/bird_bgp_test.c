// SPDX-License-Identifier: Apache-2.0
/* BIRD's tables of sessions and routes, as BIRD 2.0.12 wrote them, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/base/err.h"
#include "herald/core/bird_bgp.h"

static const char protocols_text[] =
	"2002-Name       Proto      Table      State  Since         Info\n"
	"1002-herald_bfd BFD        ---        up     14:26:10.351  \n"
	"1006-\n"
	"1002-herald4    Static     master4    up     14:26:10.351  \n"
	"1006-  Channel ipv4\n"
	"     Routes:         2 imported, 9 exported, 2 preferred\n"
	"     \n"
	"1002-herald_a   BGP        ---        up     14:26:10.351  Established   \n"
	"1006-  BGP state:          Established\n"
	"     Neighbor address: 192.0.2.61\n"
	"       Channel ipv4\n"
	"         State:          UP\n"
	"         Routes:         0 imported, 12 exported, 0 preferred\n"
	"       Channel ipv6\n"
	"         Routes:         0 imported, 3 exported, 0 preferred\n"
	"     \n"
	"1002-herald_c   BGP        ---        start  14:26:10.351  Active        Socket: "
	"Connection "
	"refused\n"
	"1006-  BGP state:          Active\n"
	"         Last error:       Socket: Connection refused\n"
	"       Channel ipv4\n"
	"         State:          DOWN\n"
	"     \n"
	"0000 \n";

static const char routes_text[] =
	"1007-Table master4:\n"
	" 192.0.2.200/32       blackhole [herald4 14:22:16.274] * (200)\n"
	"                      blackhole [other 14:22:16.274] (100)\n"
	" 192.0.2.201/33       blackhole [herald4 14:22:16.274] * (200)\n"
	" 198.51.100.0/24      blackhole [herald4 14:22:16.274] * (200)\n"
	" \n"
	" Table master6:\n"
	" fd00:192:0:2::200/128 blackhole [herald6 14:22:16.274] * (200)\n"
	"0000 \n";

static struct bird_reply reply_of(const char *text)
{
	struct bird_reply reply = {0};
	size_t used;

	assert_int_equal(bird_reply_feed(&reply, text, strlen(text), &used), BIRD_COMPLETE);
	return reply;
}

static void sessions_are_read(void **state)
{
	struct bird_reply reply = reply_of(protocols_text);
	struct bird_bgp found[4];

	(void)state;
	assert_int_equal(bird_bgp_sessions(&reply, found, 4), 2);
	assert_string_equal(found[0].name, "herald_a");
	assert_string_equal(found[0].state, "Established");
	assert_true(found[0].up);
	assert_int_equal(found[0].exported, 15);
	assert_string_equal(found[0].error, "");
	assert_string_equal(found[1].name, "herald_c");
	assert_string_equal(found[1].state, "Active");
	assert_false(found[1].up);
	assert_int_equal(found[1].exported, 0);
	assert_string_equal(found[1].error, "Socket: Connection refused");
	assert_int_equal(bird_bgp_sessions(&reply, found, 1), 1);
	assert_int_equal(bird_bgp_sessions(&reply, found, 0), 0);
	bird_reply_done(&reply);
}

static void prefixes_are_read(void **state)
{
	struct bird_reply reply = reply_of(routes_text);
	size_t count;
	AUTO_FREE struct ip_prefix *prefixes = bird_bgp_prefixes(&reply, &count);

	(void)state;
	assert_int_equal(count, 3);
	assert_string_equal(ip_text(&prefixes[0].address).s, "192.0.2.200");
	assert_int_equal(prefixes[1].length, 24);
	assert_string_equal(ip_text(&prefixes[2].address).s, "fd00:192:0:2::200");
	bird_reply_done(&reply);
}

struct hostile_case {
	const char *what, *bytes;
	const char *state, *error;
	uint32_t exported;
};

static const struct hostile_case hostile[] = {
	{"a count that no number holds",
		"1002-x BGP\n1006-  Routes: 1 imported, 99999999999999999999999 exported\n0000 \n",
		"", "", UINT32_MAX},
	{"counts whose sum no number holds",
		"1002-x BGP\n1006-  Routes: 4294967295 exported\n Routes: 7 exported\n0000 \n", "",
		"", UINT32_MAX},
	{"no count", "1002-x BGP\n1006-  Routes:  exported\n0000 \n", "", "", 0},
	{"a state without end", "1002-x BGP\n1006-  BGP state: EstablishedEstablished\n0000 \n",
		"EstablishedEsta", "", 0},
	{"bytes that are no text", "1002-x BGP\n1006-  Last error: a\x1b[31m\xff\xfe\tb\n0000 \n",
		"", "a[31mb", 0},
};

static void hostile_replies_do_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct bird_reply reply = reply_of(hostile[i].bytes);
		struct bird_bgp found;

		print_message("%s\n", hostile[i].what);
		assert_int_equal(bird_bgp_sessions(&reply, &found, 1), 1);
		assert_string_equal(found.state, hostile[i].state);
		assert_string_equal(found.error, hostile[i].error);
		assert_int_equal(found.exported, hostile[i].exported);
		assert_false(found.up);
		bird_reply_done(&reply);
	}
}

static void names_that_are_none_are_left_out(void **state)
{
	char text[400];
	struct bird_reply reply;
	struct bird_bgp found;

	(void)state;
	snprintf(text, sizeof(text), "1002-%0100d BGP\n1006-  BGP state: Established\n0000 \n", 1);
	reply = reply_of(text);
	assert_int_equal(bird_bgp_sessions(&reply, &found, 1), 0);
	bird_reply_done(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_read),
		cmocka_unit_test(prefixes_are_read),
		cmocka_unit_test(hostile_replies_do_no_harm),
		cmocka_unit_test(names_that_are_none_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
