// SPDX-License-Identifier: Apache-2.0
/* BIRD's replies: as BIRD 2.0.12 wrote them, in pieces of any size, and malformed ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/base/err.h"
#include "herald/core/bird_reply.h"

static const char sessions_text[] =
	"1020-herald_bfd:\n"
	" IP address                Interface  State      Since         Interval  Timeout\n"
	" 192.0.2.12                eth0       Up         10:14:18.578    0.050    0.150\n"
	"+<TRACE> something else that BIRD wrote meanwhile\n"
	" 192.0.2.77                eth0       Down       10:14:21.963    1.000    0.000\n"
	" 2001:db8::7               eth0       AdminDown  2026-11-24      1.000    0.000\n"
	" 192.0.2.78                eth0       Init       10:14:21.963    1.000    3.000\n"
	" 192.0.2.79                eth0       Sideways   10:14:21.963    1.000    3.000\n"
	"0000 \n";

static enum bird_progress feed_in_pieces(
	struct bird_reply *reply, const char *text, size_t length, size_t piece)
{
	enum bird_progress progress = BIRD_MORE;

	for (size_t at = 0, used = 0; at < length && progress == BIRD_MORE; at += used) {
		size_t size = length - at < piece ? length - at : piece;

		progress = bird_reply_feed(reply, text + at, size, &used);
	}
	return progress;
}

static void sessions_are_read(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= sizeof(sessions_text); piece++) {
		struct bird_reply reply = {0};
		struct bird_session found[10];

		assert_int_equal(
			feed_in_pieces(&reply, sessions_text, sizeof(sessions_text) - 1, piece),
			BIRD_COMPLETE);
		assert_false(bird_reply_is_error(&reply));
		assert_int_equal(bird_reply_sessions(&reply, found, 10), 4);
		assert_string_equal(ip_text(&found[0].address).s, "192.0.2.12");
		assert_int_equal(found[0].state, BIRD_BFD_UP);
		assert_int_equal(found[1].state, BIRD_BFD_DOWN);
		assert_string_equal(ip_text(&found[2].address).s, "2001:db8::7");
		assert_int_equal(found[2].state, BIRD_BFD_ADMIN_DOWN);
		assert_int_equal(found[3].state, BIRD_BFD_INIT);
		assert_int_equal(bird_reply_sessions(&reply, found, 2), 2);
		bird_reply_done(&reply);
	}
}

struct reply_case {
	const char *what, *bytes;
	enum bird_progress progress;
	int code;
	const char *text;
};

static const struct reply_case cases[] = {
	{"hello", "0001 BIRD 2.0.12 ready.\n", BIRD_COMPLETE, 1, "BIRD 2.0.12 ready."},
	{"configured", "0002-Reading configuration from bird.conf\n0003 Reconfigured\n",
		BIRD_COMPLETE, 3, "Reconfigured"},
	{"refused",
		"0002-Reading configuration from bird.conf\n"
		"8002 ./inc/z.conf:1:10 syntax error, unexpected CF_SYM_UNDEFINED\n",
		BIRD_COMPLETE, 8002, "./inc/z.conf:1:10 syntax error, unexpected CF_SYM_UNDEFINED"},
	{"without text", "0013 \n", BIRD_COMPLETE, 13, ""},
	{"not ended", "0002-Reading\n", BIRD_MORE, 0, "Reading"},
	{"no code", "hello\n", BIRD_MALFORMED, 0, ""},
	{"a short code", "001 x\n", BIRD_MALFORMED, 0, ""},
	{"a code that is no number", "00a1 x\n", BIRD_MALFORMED, 0, ""},
	{"nothing after the code", "0013\n", BIRD_MALFORMED, 0, ""},
	{"goes on from nothing", " x\n", BIRD_MALFORMED, 0, ""},
	{"an empty line", "0002-x\n\n", BIRD_MALFORMED, 0, "x"},
	{"another's log only", "+<INFO> x\n", BIRD_MORE, 0, ""},
};

static void replies_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct reply_case *c = &cases[i];
		struct bird_reply reply = {0};
		size_t used;

		print_message("%s\n", c->what);
		assert_int_equal(
			bird_reply_feed(&reply, c->bytes, strlen(c->bytes), &used), c->progress);
		assert_int_equal(reply.code, c->code);
		assert_int_equal(bird_reply_is_error(&reply), c->code >= 8000);
		assert_string_equal(bird_reply_text(&reply), c->text);
		bird_reply_done(&reply);
	}
}

static void what_follows_is_the_next_reply(void **state)
{
	static const char bytes[] = "0013 one\n0014 two\n";
	struct bird_reply reply = {0};
	size_t used;

	(void)state;
	assert_int_equal(bird_reply_feed(&reply, bytes, strlen(bytes), &used), BIRD_COMPLETE);
	assert_int_equal(used, 9);
	bird_reply_done(&reply);
	assert_int_equal(
		bird_reply_feed(&reply, bytes + used, strlen(bytes) - used, &used), BIRD_COMPLETE);
	assert_string_equal(bird_reply_text(&reply), "two");
	bird_reply_done(&reply);
}

static void size_is_bounded(void **state)
{
	AUTO_FREE char *line = xcalloc(1, BIRD_LINE_MAX);
	struct bird_reply reply = {0};
	size_t used, lines = 0;
	static const char nul[] = "0013-a\0b\n";

	(void)state;
	memset(line, 'x', BIRD_LINE_MAX);
	assert_int_equal(bird_reply_feed(&reply, line, BIRD_LINE_MAX, &used), BIRD_MORE);
	assert_int_equal(bird_reply_feed(&reply, line, 1, &used), BIRD_MALFORMED);
	bird_reply_done(&reply);

	memcpy(line, "0013-", 5);
	line[BIRD_LINE_MAX - 1] = '\n';
	while (bird_reply_feed(&reply, line, BIRD_LINE_MAX, &used) == BIRD_MORE)
		assert_true(++lines <= BIRD_REPLY_MAX / (BIRD_LINE_MAX - 6));
	assert_true(reply.size <= BIRD_REPLY_MAX);
	bird_reply_done(&reply);

	assert_int_equal(bird_reply_feed(&reply, nul, sizeof(nul) - 1, &used), BIRD_MALFORMED);
	bird_reply_done(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_read),
		cmocka_unit_test(replies_are_judged),
		cmocka_unit_test(what_follows_is_the_next_reply),
		cmocka_unit_test(size_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
