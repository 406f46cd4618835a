// SPDX-License-Identifier: Apache-2.0
/*
 * The JSON scanner: a table of documents, each fed whole, byte by byte and in pieces of
 * three, which must all give the same.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_stream.h"

#define OBJECT_MAX 200u
#define DEEP8 "[[[[[[[["
#define DEEP8_END "]]]]]]]]"
#define DEEP64 DEEP8 DEEP8 DEEP8 DEEP8 DEEP8 DEEP8 DEEP8 DEEP8
#define DEEP64_END DEEP8_END DEEP8_END DEEP8_END DEEP8_END DEEP8_END DEEP8_END DEEP8_END DEEP8_END

#define DEEP63 DEEP8 DEEP8 DEEP8 DEEP8 DEEP8 DEEP8 DEEP8 "[[[[[[["
#define DEEP63_END DEEP8_END DEEP8_END DEEP8_END DEEP8_END DEEP8_END DEEP8_END DEEP8_END "]]]]]]]"

struct seen {
	char text[2048]; /* objects, each followed by '|' */
	unsigned skipped;
	unsigned stop_after; /* 0: never */
	unsigned count;
};

struct row {
	const char *what;
	enum json_stream_mode mode;
	const char *input;
	const char *objects;	    /* as in struct seen */
	const char *error;	    /* part of its text; NULL: none */
	const char *version, *next; /* NULL: "" */
	unsigned skipped;
	bool no_items; /* of a list */
};

#define LIST JSON_STREAM_LIST
#define OBJECTS JSON_STREAM_OBJECTS

static const struct row rows[] = {
	{"metadata before items", LIST,
		"{\"kind\":\"L\",\"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"abc\"},"
		"\"items\":[{\"a\":1},{\"b\":[2]}]}",
		"{\"a\":1}|{\"b\":[2]}|", NULL, "7", "abc", 0, false},
	{"metadata after items, blanks all over", LIST,
		" \n{ \"items\" : [ { \"a\" : 1 } , {} ] , \"metadata\" : { \"resourceVersion\" : "
		"\"7\" } } \n",
		"{ \"a\" : 1 }|{}|", NULL, "7", NULL, 0, false},
	{"items null", LIST, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":null}", "", NULL,
		"7", NULL, 0, false},
	{"items empty", LIST, "{\"items\":[]}", "", NULL, NULL, NULL, 0, false},
	{"no items", LIST, "{}", "", NULL, NULL, NULL, 0, true},
	{"items deeper down are not the list's", LIST,
		"{\"x\":{\"items\":[{\"no\":1}]},\"items\":[{\"items\":[{}]}]}",
		"{\"items\":[{}]}|", NULL, NULL, NULL, 0, false},
	{"brackets and quotes in strings", LIST,
		"{\"items\":[{\"a\":\"}]\\\"{[\\\\\"},{\"b\":\"\\\\\"}]}",
		"{\"a\":\"}]\\\"{[\\\\\"}|{\"b\":\"\\\\\"}|", NULL, NULL, NULL, 0, false},
	{"an escaped name is not items", LIST, "{\"\\u0069tems\":[1],\"items\":[{}]}", "{}|", NULL,
		NULL, NULL, 0, false},
	{"a long name", LIST, "{\"itemsitemsitemsitemsitemsitemsitemsitems\":[1],\"items\":[{}]}",
		"{}|", NULL, NULL, NULL, 0, false},
	{"other members of all kinds", LIST,
		"{\"a\":1.5e3,\"b\":true,\"c\":null,\"d\":\"x\",\"e\":[1,[2]],\"f\":{\"g\":{}}}",
		"", NULL, NULL, NULL, 0, true},
	{"not JSON", LIST, "<html>", "", "byte 0: '<'", NULL, NULL, 0, true},
	{"an array", LIST, "[]", "", "byte 0: '['", NULL, NULL, 0, true},
	{"items is an object", LIST, "{\"items\":{}}", "", "byte 9: '{'", NULL, NULL, 0, true},
	{"an item is a number", LIST, "{\"items\":[{},1]}", "{}|", "byte 13: '1'", NULL, NULL, 0,
		false},
	{"items twice", LIST, "{\"items\":[{}],\"items\":[]}", "{}|", "twice", NULL, NULL, 0,
		false},
	{"metadata twice", LIST,
		"{\"metadata\":{\"resourceVersion\":\"7\"},\"metadata\":{\"resourceVersion\":\"8\"}"
		"}",
		"", "twice", "7", NULL, 0, true},
	{"metadata is no object", LIST, "{\"metadata\":[]}", "", "byte 12", NULL, NULL, 0, true},
	{"metadata is no JSON", LIST, "{\"metadata\":{1}}", "", "cannot decode", NULL, NULL, 0,
		true},
	{"a comma at the end", LIST, "{\"items\":[{},]}", "{}|", "byte 13: ']'", NULL, NULL, 0,
		false},
	{"no colon", LIST, "{\"items\" [", "", "a colon", NULL, NULL, 0, true},
	{"something after the end", LIST, "{}x", "", "byte 2: 'x'", NULL, NULL, 0, true},
	{"wrong bracket inside an item", LIST, "{\"items\":[{\"a\":[1}}]}", "", "byte 17: '}'",
		NULL, NULL, 0, false},
	{"a control byte", LIST, "{\"a\":\1}", "", "byte 0x01", NULL, NULL, 0, true},
	{"ends inside items", LIST, "{\"items\":[{}", "{}|", "the answer ends", NULL, NULL, 0,
		false},
	{"ends inside a string", LIST, "{\"items\":[{\"a\":\"", "", "the answer ends", NULL, NULL,
		0, false},
	{"nothing at all", LIST, "", "", "the answer ends", NULL, NULL, 0, true},
	{"64 levels are read", LIST, "{\"items\":[{\"a\":" DEEP8 DEEP8 DEEP8_END DEEP8_END "}]}",
		"{\"a\":" DEEP8 DEEP8 DEEP8_END DEEP8_END "}|", NULL, NULL, NULL, 0, false},
	{"of 65 levels the last is null", LIST,
		"{\"items\":[{\"a\":" DEEP64 DEEP64_END ",\"c\":2},{\"b\":1}]}",
		"{\"a\":" DEEP63 "null" DEEP63_END ",\"c\":2}|{\"b\":1}|", NULL, NULL, NULL, 0,
		false},
	{"130 levels, strings in them, and two of a kind", LIST,
		"{\"items\":[{\"a\":" DEEP64 DEEP64 "\"]}\"" DEEP64_END DEEP64_END ",\"c\":" DEEP64
		"{\"x\":{}}" DEEP64_END "},{\"b\":1}]}",
		"{\"a\":" DEEP63 "null" DEEP63_END ",\"c\":" DEEP63 "null" DEEP63_END
		"}|{\"b\":1}|",
		NULL, NULL, NULL, 0, false},
	{"objects with and without line feeds", OBJECTS, "{\"a\":1}\n{\"b\":2}{\"c\":3}\n",
		"{\"a\":1}|{\"b\":2}|{\"c\":3}|", NULL, NULL, NULL, 0, true},
	{"no object", OBJECTS, "", "", NULL, NULL, NULL, 0, true},
	{"garbage after objects", OBJECTS, "{}\nxyz", "{}|", "byte 3: 'x'", NULL, NULL, 0, true},
	{"ends inside an object", OBJECTS, "{}{\"a\"", "{}|", "the answer ends", NULL, NULL, 0,
		true},
	{"a closing bracket", OBJECTS, "}", "", "byte 0: '}'", NULL, NULL, 0, true},
};

static bool on_object(void *context, const char *text, size_t length)
{
	struct seen *seen = context;
	size_t used = strlen(seen->text);

	assert_true(used + length + 2 < sizeof(seen->text));
	memcpy(seen->text + used, text, length);
	memcpy(seen->text + used + length, "|", 2);
	return ++seen->count != seen->stop_after;
}

static void on_skipped(void *context, const struct err *why)
{
	struct seen *seen = context;

	assert_non_null(strstr(why->text, "left out an object"));
	seen->skipped++;
}

static const struct json_stream_sink sink = {.object = on_object, .skipped = on_skipped};

/* Each piece is a copy of its own size, so that reading past it is found. */
static int feed(
	struct json_stream *stream, const char *text, size_t length, size_t piece, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < length && r == 0; i += piece) {
		size_t size = length - i < piece ? length - i : piece;
		char *copy = malloc(size);

		assert_non_null(copy);
		memcpy(copy, text + i, size);
		r = json_stream_feed(stream, copy, size, e);
		free(copy);
	}
	return r;
}

static void check_row(const struct row *row, size_t piece)
{
	struct seen seen = {0};
	struct err e = {0};
	struct json_stream *stream = json_stream_new(row->mode, 0, &sink, &seen);
	int r = feed(stream, row->input, strlen(row->input), piece, &e);

	if (r == 0)
		r = json_stream_end(stream, &e);
	if ((r != 0) != (row->error != NULL) || (row->error && !strstr(e.text, row->error)))
		fail_msg("%s (by %zu): %d \"%s\", expected \"%s\"", row->what, piece, r, e.text,
			row->error ? row->error : "");
	if (strcmp(seen.text, row->objects) != 0 || seen.skipped != row->skipped)
		fail_msg("%s (by %zu): objects \"%s\", %u skipped", row->what, piece, seen.text,
			seen.skipped);
	assert_string_equal(json_stream_resource_version(stream), row->version ? row->version : "");
	assert_string_equal(json_stream_continue(stream), row->next ? row->next : "");
	if (row->mode == LIST && json_stream_has_items(stream) == row->no_items)
		fail_msg("%s: has_items", row->what);
	json_stream_free(stream);
}

static void table(void **state)
{
	static const size_t pieces[] = {100000, 1, 3};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++)
			check_row(&rows[i], pieces[j]);
	}
}

static void an_object_too_large_is_left_out_alone(void **state)
{
	struct seen seen = {0};
	struct err e = {0};
	struct json_stream *stream = json_stream_new(LIST, OBJECT_MAX, &sink, &seen);
	AUTO_FREE char *text =
		xasprintf("{\"items\":[{\"a\":1},{\"pad\":\"%0300d\"},{\"b\":2}]}", 0);

	(void)state;
	assert_int_equal(feed(stream, text, strlen(text), 7, &e), 0);
	assert_int_equal(json_stream_end(stream, &e), 0);
	assert_string_equal(seen.text, "{\"a\":1}|{\"b\":2}|");
	assert_int_equal(seen.skipped, 1);
	json_stream_free(stream);
}

static void the_sink_can_end_it(void **state)
{
	struct seen seen = {.stop_after = 2};
	struct err e = {0};
	struct json_stream *stream = json_stream_new(OBJECTS, 0, &sink, &seen);

	(void)state;
	assert_int_equal(feed(stream, "{}{}{}", 6, 6, &e), -ECANCELED);
	assert_int_equal(seen.count, 2);
	json_stream_free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(an_object_too_large_is_left_out_alone),
		cmocka_unit_test(the_sink_can_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
