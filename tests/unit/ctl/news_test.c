// SPDX-License-Identifier: Apache-2.0
/* What `heraldctl watch` tells of two pictures of a cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/base/err.h"
#include "news.h"

struct news_case {
	const char *what;
	struct picture_item before, after; /* key NULL: not there */
	const char *expect;		   /* "WHAT KEY TEXT\n"; "" nothing */
};

#define ITEM(kind, key, value, about)                                                              \
	{                                                                                          \
		kind, (char *)(uintptr_t)(key), (char *)(uintptr_t)(value),                        \
			(char *)(uintptr_t)(about)                                                 \
	}

static const struct news_case cases[] = {
	{"all is the same", ITEM(NEWS_SERVICE, "d/a", "192.0.2.1", ""),
		ITEM(NEWS_SERVICE, "d/a", "192.0.2.1", ""), ""},
	{"a Service with an address", {0}, ITEM(NEWS_SERVICE, "d/a", "192.0.2.1", ""),
		"assigned d/a has 192.0.2.1\n"},
	{"one that waits", {0}, ITEM(NEWS_SERVICE, "d/a", "", "Full: x"),
		"waits d/a waits: Full: x\n"},
	{"and gets one", ITEM(NEWS_SERVICE, "d/a", "", "Full: x"),
		ITEM(NEWS_SERVICE, "d/a", "192.0.2.1", ""), "assigned d/a has 192.0.2.1\n"},
	{"and waits for another reason", ITEM(NEWS_SERVICE, "d/a", "", "Full: x"),
		ITEM(NEWS_SERVICE, "d/a", "", "NoPool: y"), "waits d/a waits: NoPool: y\n"},
	{"another address", ITEM(NEWS_SERVICE, "d/a", "192.0.2.1", ""),
		ITEM(NEWS_SERVICE, "d/a", "192.0.2.2", ""),
		"changed d/a has 192.0.2.2, no longer 192.0.2.1\n"},
	{"none any more", ITEM(NEWS_SERVICE, "d/a", "192.0.2.1", ""),
		ITEM(NEWS_SERVICE, "d/a", "", "Full: x"), "lost d/a lost 192.0.2.1: Full: x\n"},
	{"the Service is gone", ITEM(NEWS_SERVICE, "d/a", "192.0.2.1", ""), {0},
		"released d/a gave back 192.0.2.1\n"},
	{"one that waited is gone", ITEM(NEWS_SERVICE, "d/a", "", "x"), {0},
		"gone d/a it waits no longer\n"},
	{"somebody announces it", {0}, ITEM(NEWS_OWNER, "192.0.2.1", "node1", "d/a"),
		"announced 192.0.2.1 of d/a: by node1\n"},
	{"it moves from a node that is gone", ITEM(NEWS_OWNER, "192.0.2.1", "node1", "d/a"),
		ITEM(NEWS_OWNER, "192.0.2.1", "node2", "d/a"),
		"moved 192.0.2.1 of d/a: from node1 to node2 (the node is gone)\n"},
	{"nobody does", ITEM(NEWS_OWNER, "192.0.2.1", "node1", "d/a"),
		ITEM(NEWS_OWNER, "192.0.2.1", "", "d/a"),
		"silent 192.0.2.1 of d/a: announced by nobody (the node is gone)\n"},
	{"its Service's line says it", ITEM(NEWS_OWNER, "192.0.2.1", "node1", "d/a"), {0}, ""},
	{"a conflict", {0}, ITEM(NEWS_CONFLICT, "192.0.2.1", "02:00:00:aa:bb:cc", "node1"),
		"conflict 192.0.2.1 station 02:00:00:aa:bb:cc has it, as node node1 found\n"},
	{"that ends", ITEM(NEWS_CONFLICT, "192.0.2.1", "02:00:00:aa:bb:cc", "node1"), {0},
		"resolved 192.0.2.1 station 02:00:00:aa:bb:cc has it no longer\n"},
	{"a speaker dies", ITEM(NEWS_SPEAKER, "node1", "alive", ""),
		ITEM(NEWS_SPEAKER, "node1", "dead", ""), "speaker node1 was alive, is dead\n"},
	{"a first speaker", {0}, ITEM(NEWS_SPEAKER, "node1", "alive", ""),
		"speaker node1 was unknown, is alive\n"},
	{"a bad configuration", ITEM(NEWS_CONFIG, "configuration", "good", ""),
		ITEM(NEWS_CONFIG, "configuration", "line 2: x", ""),
		"config configuration line 2: x\n"},
};

static void append(void *context, const char *what, const char *key, const char *text)
{
	fprintf(context, "%s %s %s\n", what, key, text);
}

static void each_change_is_told_in_its_words(void **state)
{
	struct plan plan = {0};
	const struct view view = {.plan = &plan};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct picture_item old = cases[i].before, new = cases[i].after;
		const struct picture before = {&old, old.key != NULL},
				     after = {&new, new.key != NULL};
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		news_tell(&before, &after, &view, append, out);
		fclose(out);
		if (strcmp(text, cases[i].expect) != 0)
			fail_msg("%s: %s", cases[i].what, text);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_change_is_told_in_its_words)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
