// SPDX-License-Identifier: Apache-2.0
/*
 * Bytes through the JSON scanner, in both modes, whole and in small pieces, which must
 * agree on the number of objects, on what they are and on success. The first byte of the
 * input chooses mode and piece.
 */
#include <stdlib.h>
#include <string.h>

#include "json_stream.h"

#define OBJECT_MAX 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned objects, skipped;
	uint64_t sum; /* of all bytes handed out, in order */
	int result;
};

static bool on_object(void *context, const char *text, size_t length)
{
	struct seen *seen = context;

	if (length < 2 || length > OBJECT_MAX || text[0] != '{' || text[length - 1] != '}')
		abort();
	seen->objects++;
	for (size_t i = 0; i < length; i++)
		seen->sum = seen->sum * 31 + (unsigned char)text[i];
	return true;
}

static void on_skipped(void *context, const struct err *why)
{
	struct seen *seen = context;

	(void)why;
	seen->skipped++;
}

static struct seen scan(enum json_stream_mode mode, const char *bytes, size_t size, size_t piece)
{
	static const struct json_stream_sink sink = {.object = on_object, .skipped = on_skipped};
	struct seen seen = {0};
	struct json_stream *stream = json_stream_new(mode, OBJECT_MAX, &sink, &seen);
	struct err e;

	for (size_t i = 0; i < size && seen.result == 0; i += piece)
		seen.result = json_stream_feed(
			stream, bytes + i, size - i < piece ? size - i : piece, &e);
	if (seen.result == 0)
		seen.result = json_stream_end(stream, &e);
	json_stream_free(stream);
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum json_stream_mode mode;
	struct seen whole, parts;

	if (size < 2)
		return 0;
	mode = data[0] & 1 ? JSON_STREAM_OBJECTS : JSON_STREAM_LIST;
	whole = scan(mode, (const char *)data + 1, size - 1, size);
	parts = scan(mode, (const char *)data + 1, size - 1, 1 + (data[0] >> 1) % 16);
	if (whole.objects != parts.objects || whole.skipped != parts.skipped ||
		whole.sum != parts.sum || whole.result != parts.result)
		abort();
	return 0;
}
