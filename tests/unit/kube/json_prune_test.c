// SPDX-License-Identifier: Apache-2.0
/* What is cut out of an object's text, and that all else is left as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "json_prune.h"

struct row {
	const char *what, *text, *left;
};

static const struct row rows[] = {
	{"nothing to cut", "{\"a\":[1,2]}", "{\"a\":[1,2]}"},
	{"nothing at all", "", ""},
	{"of an object",
		"{\"metadata\":{\"name\":\"a\",\"managedFields\":[{\"f\":{\"g\":[1]}}]},\"b\":2}",
		"{\"metadata\":{\"name\":\"a\",\"managedFields\":[]},\"b\":2}"},
	{"empty already", "{\"managedFields\":[]}", "{\"managedFields\":[]}"},
	{"brackets and quotes in strings",
		"{\"managedFields\":[\"]\",\"\\\"]\",\"\\\\\",[\"{\"]],\"b\":2}",
		"{\"managedFields\":[],\"b\":2}"},
	{"twice, and one in another",
		"{\"managedFields\":[{\"managedFields\":[1]}],\"b\":{\"managedFields\":[2]}}",
		"{\"managedFields\":[],\"b\":{\"managedFields\":[]}}"},
	{"in a string", "{\"a\":\"\\\"managedFields\\\":[1]\"}",
		"{\"a\":\"\\\"managedFields\\\":[1]\"}"},
	{"the end of a key", "{\"x\\\"managedFields\":[1],\"b\":2}",
		"{\"x\\\"managedFields\":[],\"b\":2}"},
	{"no array", "{\"managedFields\":{\"a\":1}}", "{\"managedFields\":{\"a\":1}}"},
	{"with blanks it is left", "{\"managedFields\": [1]}", "{\"managedFields\": [1]}"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = strdup(rows[i].text);
		size_t length = json_prune(text, strlen(text));

		text[length] = '\0';
		if (strcmp(text, rows[i].left) != 0)
			fail_msg("%s: left is %s", rows[i].what, text);
		free(text);
	}
}

/* Where the brackets do not close, it ends with the text: no byte behind it is touched. */
static void test_text_that_ends_early(void **state)
{
	static const char whole[] = "{\"managedFields\":[{\"a\":\"b\\\\\"}]}";

	(void)state;
	for (size_t length = 0; length < sizeof(whole); length++) {
		char *text = malloc(length ? length : 1); /* so that a sanitizer sees its end */

		memcpy(text, whole, length);
		assert_true(json_prune(text, length) <= length);
		free(text);
	}
}

static void test_what_is_left_is_json(void **state)
{
	char text[] = "{\"metadata\":{\"managedFields\":[{\"manager\":\"a\"},{}],\"uid\":\"u\"}}";
	json_t *object = json_loadb(text, json_prune(text, strlen(text)), 0, NULL);
	json_t *metadata = json_object_get(object, "metadata");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(metadata, "uid")), "u");
	assert_int_equal(json_array_size(json_object_get(metadata, "managedFields")), 0);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_text_that_ends_early),
		cmocka_unit_test(test_what_is_left_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
