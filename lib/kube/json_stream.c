// SPDX-License-Identifier: Apache-2.0
/*
 * An incremental scanner over a List or a stream of objects: bytes in, whole objects out.
 * The outside of the document follows the JSON grammar step by step (`enum place`); a
 * value is passed over by counting brackets outside of strings (`struct value`) and is
 * either kept for the sink, kept for its metadata, or let go. Memory is bounded by one
 * object. No I/O; objects are not decoded here, but for the List's own metadata.
 */
#include "json_stream.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json_prune.h"

#define KEY_MAX 32u
#define METADATA_MAX (64u * 1024u)
#define KEEP_CAPACITY (64u * 1024u) /* a larger buffer is given back after its object */

enum place {
	PLACE_START,	  /* before the document, or between objects */
	PLACE_KEY_OR_END, /* after '{' */
	PLACE_KEY,	  /* after ',' */
	PLACE_IN_KEY,
	PLACE_COLON,
	PLACE_VALUE,
	PLACE_COMMA_OR_END, /* after a member */
	PLACE_ITEM_OR_END,  /* after '[' of "items" */
	PLACE_ITEM,	    /* after ',' in "items" */
	PLACE_ITEM_COMMA_OR_END,
	PLACE_IN_VALUE,
	PLACE_DONE
};

enum use { USE_NONE, USE_OBJECT, USE_METADATA };

/* A value being passed over; `kinds` has a bit a level: 1 for an object, 0 for an array. */
struct value {
	enum use use;
	enum place after;
	bool bare; /* number, true, false, null: ends before the next delimiter */
	bool in_string, escaped;
	const char *left_out; /* NULL: it is kept */
	uint64_t kinds;
	size_t depth, size;
};

struct json_stream {
	enum json_stream_mode mode;
	enum place place;
	struct json_stream_sink sink;
	void *context;
	size_t object_max;
	uint64_t offset; /* of the byte at hand */
	struct value value;
	char key[KEY_MAX + 1];
	size_t key_length;
	bool key_escaped;
	char *buffer;
	size_t length, capacity;
	char *resource_version, *next;
	bool has_items, has_metadata;
};

struct json_stream *json_stream_new(enum json_stream_mode mode, size_t object_max,
	const struct json_stream_sink *sink, void *context)
{
	struct json_stream *stream = xcalloc(1, sizeof(*stream));

	stream->mode = mode;
	stream->sink = *sink;
	stream->context = context;
	stream->object_max = object_max ? object_max : JSON_STREAM_OBJECT_MAX;
	return stream;
}

void json_stream_free(struct json_stream *stream)
{
	if (!stream)
		return;
	free(stream->buffer);
	free(stream->resource_version);
	free(stream->next);
	free(stream);
}

const char *json_stream_resource_version(const struct json_stream *stream)
{
	return stream->resource_version ? stream->resource_version : "";
}

const char *json_stream_continue(const struct json_stream *stream)
{
	return stream->next ? stream->next : "";
}

bool json_stream_has_items(const struct json_stream *stream)
{
	return stream->has_items;
}

static int garbage(
	const struct json_stream *stream, unsigned char byte, const char *wanted, struct err *e)
{
	if (byte > ' ' && byte < 0x7f)
		return err_set(e, -EBADMSG, "no valid JSON at byte %llu: '%c' where %s is due",
			(unsigned long long)stream->offset, byte, wanted);
	return err_set(e, -EBADMSG, "no valid JSON at byte %llu: byte 0x%02x where %s is due",
		(unsigned long long)stream->offset, byte, wanted);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '+' || c == '.';
}

static void keep(struct json_stream *stream, const char *bytes, size_t length)
{
	if (stream->length + length > stream->capacity) {
		size_t capacity = stream->capacity ? stream->capacity : 4096;

		while (capacity < stream->length + length)
			capacity *= 2;
		stream->buffer = xrealloc(stream->buffer, capacity, 1);
		stream->capacity = capacity;
	}
	memcpy(stream->buffer + stream->length, bytes, length);
	stream->length += length;
}

static void forget_buffer(struct json_stream *stream)
{
	stream->length = 0;
	if (stream->capacity <= KEEP_CAPACITY)
		return;
	free(stream->buffer);
	stream->buffer = NULL;
	stream->capacity = 0;
}

static char *member_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? xstrdup(text) : NULL;
}

static int read_metadata(struct json_stream *stream, struct err *e)
{
	json_error_t why;
	json_t *metadata;

	if (stream->has_metadata)
		return err_set(e, -EBADMSG, "the list has \"metadata\" twice");
	metadata = json_loadb(stream->buffer, stream->length, 0, &why);
	if (!metadata)
		return err_set(e, -EBADMSG, "cannot decode the list's \"metadata\": %s", why.text);
	stream->has_metadata = true;
	stream->resource_version = member_text(metadata, "resourceVersion");
	stream->next = member_text(metadata, "continue");
	json_decref(metadata);
	return 0;
}

static int value_done(struct json_stream *stream, struct err *e)
{
	const struct value *value = &stream->value;
	struct err why;
	int r = 0;

	stream->place = value->after;
	if (value->left_out && value->use == USE_METADATA)
		return err_set(e, -EBADMSG, "the list's \"metadata\" is %s", value->left_out);
	if (value->left_out && value->use == USE_OBJECT) {
		err_set(&why, -EMSGSIZE,
			"left out an object of %zu bytes that ends at byte %llu: %s", value->size,
			(unsigned long long)stream->offset, value->left_out);
		stream->sink.skipped(stream->context, &why);
	} else if (value->use == USE_METADATA) {
		r = read_metadata(stream, e);
	} else if (value->use == USE_OBJECT) {
		stream->length = json_prune(stream->buffer, stream->length);
		if (!stream->sink.object(stream->context, stream->buffer, stream->length))
			r = err_set(e, -ECANCELED, "reading was ended at byte %llu",
				(unsigned long long)stream->offset);
	}
	forget_buffer(stream);
	return r;
}

static void leave_out(struct json_stream *stream, const char *why)
{
	stream->value.left_out = why;
	forget_buffer(stream);
}

/* One byte outside of strings. *ret_end: the value ends with it. */
static int value_byte(struct json_stream *stream, char c, bool *ret_end, struct err *e)
{
	struct value *value = &stream->value;

	switch (c) {
	case '"':
		value->in_string = true;
		return 0;
	case '{':
	case '[':
		if (value->depth < JSON_STREAM_DEPTH_MAX)
			value->kinds = value->kinds << 1 | (c == '{');
		value->depth++;
		return 0;
	case '}':
	case ']':
		if (value->depth <= JSON_STREAM_DEPTH_MAX) {
			if ((value->kinds & 1) != (c == '}'))
				return garbage(stream, (unsigned char)c, "the other bracket", e);
			value->kinds >>= 1;
		}
		value->depth--;
		*ret_end = value->depth == 0;
		return 0;
	default:
		if (is_bare(c) || is_space(c) || c == ',' || c == ':')
			return 0;
		return garbage(stream, (unsigned char)c, "a value", e);
	}
}

static size_t string_length(struct value *value, const char *bytes, size_t length, bool *ret_end)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (value->escaped) {
			value->escaped = false;
		} else if (bytes[i] == '\\') {
			value->escaped = true;
		} else if (bytes[i] == '"') {
			value->in_string = false;
			*ret_end = value->depth == 0;
			return i + 1;
		}
	}
	return i;
}

static void keep_part(struct json_stream *stream, const char *bytes, size_t length)
{
	const struct value *value = &stream->value;
	size_t most = value->use == USE_METADATA ? METADATA_MAX : stream->object_max;

	if (value->use == USE_NONE || value->left_out)
		return;
	if (length > most - stream->length)
		leave_out(stream, "it is larger than allowed");
	else
		keep(stream, bytes, length);
}

static bool is_too_deep(const struct value *value)
{
	return value->depth > JSON_STREAM_DEPTH_MAX;
}

/*
 * Keeps the bytes that belong to the value; *ret_end: it ends with the last of them. What
 * is nested too deeply is passed over, and null stands for it.
 */
static int scan_value(struct json_stream *stream, const char *bytes, size_t length,
	size_t *ret_used, bool *ret_end, struct err *e)
{
	struct value *value = &stream->value;
	uint64_t base = stream->offset;
	size_t i = 0, from = 0;
	int r;

	while (i < length && !*ret_end) {
		bool was_too_deep = is_too_deep(value);

		stream->offset = base + i;
		if (value->in_string) {
			i += string_length(value, bytes + i, length - i, ret_end);
			continue;
		}
		if (value->bare && !is_bare(bytes[i])) {
			*ret_end = true;
			break;
		}
		r = value->bare ? 0 : value_byte(stream, bytes[i], ret_end, e);
		if (r < 0)
			return r;
		if (!was_too_deep && is_too_deep(value)) {
			keep_part(stream, bytes + from, i - from);
			keep_part(stream, "null", 4);
		}
		i++;
		if (was_too_deep && !is_too_deep(value))
			from = i;
	}
	if (!is_too_deep(value))
		keep_part(stream, bytes + from, i - from);
	stream->offset = base + i;
	*ret_used = i;
	return 0;
}

static int take_value(struct json_stream *stream, const char *bytes, size_t length,
	size_t *ret_used, struct err *e)
{
	bool end = false;
	int r = scan_value(stream, bytes, length, ret_used, &end, e);

	if (r < 0)
		return r;
	stream->value.size += *ret_used;
	return end ? value_done(stream, e) : 0;
}

static void start_value(struct json_stream *stream, char first, enum use use, enum place after)
{
	stream->value = (struct value){
		.use = use, .after = after, .bare = first != '{' && first != '[' && first != '"'};
	stream->length = 0;
	stream->place = PLACE_IN_VALUE;
}

static bool key_is(const struct json_stream *stream, const char *name)
{
	return !stream->key_escaped && strcmp(stream->key, name) == 0;
}

/* A member's value begins with `c`. *ret_used 0: the byte is the value's own. */
static int member_value(struct json_stream *stream, char c, size_t *ret_used, struct err *e)
{
	if (key_is(stream, "items") && c != 'n') {
		if (c != '[')
			return garbage(stream, (unsigned char)c, "the array \"items\"", e);
		if (stream->has_items)
			return err_set(e, -EBADMSG, "the list has \"items\" twice");
		stream->has_items = true;
		stream->place = PLACE_ITEM_OR_END;
		return 0;
	}
	if (c != '{' && c != '[' && c != '"' && !is_bare(c))
		return garbage(stream, (unsigned char)c, "a value", e);
	if (key_is(stream, "metadata") && c != '{')
		return garbage(stream, (unsigned char)c, "the object \"metadata\"", e);
	stream->has_items |= key_is(stream, "items"); /* null: Go's empty slice */
	start_value(stream, c, key_is(stream, "metadata") ? USE_METADATA : USE_NONE,
		PLACE_COMMA_OR_END);
	*ret_used = 0;
	return 0;
}

static int item(struct json_stream *stream, char c, size_t *ret_used, struct err *e)
{
	if (c != '{')
		return garbage(stream, (unsigned char)c, "an object of \"items\"", e);
	start_value(stream, c, USE_OBJECT, PLACE_ITEM_COMMA_OR_END);
	*ret_used = 0;
	return 0;
}

static void key_byte(struct json_stream *stream, char c)
{
	struct value *value = &stream->value;

	if (!value->escaped && c == '"') {
		stream->key[stream->key_length] = '\0';
		stream->place = PLACE_COLON;
		return;
	}
	value->escaped = !value->escaped && c == '\\';
	stream->key_escaped |= c == '\\';
	if (stream->key_length < KEY_MAX)
		stream->key[stream->key_length++] = c;
}

static int key_start(struct json_stream *stream, char c, struct err *e)
{
	if (c == '}' && stream->place == PLACE_KEY_OR_END) {
		stream->place = PLACE_DONE;
		return 0;
	}
	if (c != '"')
		return garbage(stream, (unsigned char)c, "a member's name", e);
	stream->key_length = 0;
	stream->key_escaped = false;
	stream->value.escaped = false;
	stream->place = PLACE_IN_KEY;
	return 0;
}

static int start(struct json_stream *stream, char c, size_t *ret_used, struct err *e)
{
	if (c != '{')
		return garbage(stream, (unsigned char)c, "an object", e);
	if (stream->mode == JSON_STREAM_LIST) {
		stream->place = PLACE_KEY_OR_END;
		return 0;
	}
	start_value(stream, c, USE_OBJECT, PLACE_START);
	*ret_used = 0;
	return 0;
}

/* After a member or an item: ',' or the closing bracket. */
static int separator(struct json_stream *stream, char c, struct err *e)
{
	bool member = stream->place == PLACE_COMMA_OR_END;

	if (c == ',') {
		stream->place = member ? PLACE_KEY : PLACE_ITEM;
		return 0;
	}
	if (c != (member ? '}' : ']'))
		return garbage(stream, (unsigned char)c, "a comma or the end", e);
	stream->place = member ? PLACE_DONE : PLACE_COMMA_OR_END;
	return 0;
}

/* One byte of the document's outside. *ret_used 0: it is to be looked at again. */
static int step(struct json_stream *stream, char c, size_t *ret_used, struct err *e)
{
	if (stream->place == PLACE_IN_KEY) {
		key_byte(stream, c);
		return 0;
	}
	if (is_space(c))
		return 0;
	switch (stream->place) {
	case PLACE_START:
		return start(stream, c, ret_used, e);
	case PLACE_KEY_OR_END:
	case PLACE_KEY:
		return key_start(stream, c, e);
	case PLACE_COLON:
		stream->place = PLACE_VALUE;
		return c == ':' ? 0 : garbage(stream, (unsigned char)c, "a colon", e);
	case PLACE_VALUE:
		return member_value(stream, c, ret_used, e);
	case PLACE_ITEM_OR_END:
		if (c != ']')
			return item(stream, c, ret_used, e);
		stream->place = PLACE_COMMA_OR_END;
		return 0;
	case PLACE_ITEM:
		return item(stream, c, ret_used, e);
	case PLACE_COMMA_OR_END:
	case PLACE_ITEM_COMMA_OR_END:
		return separator(stream, c, e);
	default:
		return garbage(stream, (unsigned char)c, "the end", e);
	}
}

int json_stream_feed(struct json_stream *stream, const char *bytes, size_t length, struct err *e)
{
	size_t i = 0;
	int r;

	while (i < length) {
		size_t used = 1;

		if (stream->place == PLACE_IN_VALUE) {
			r = take_value(stream, bytes + i, length - i, &used, e);
		} else {
			r = step(stream, bytes[i], &used, e);
			stream->offset += used;
		}
		if (r < 0)
			return r;
		i += used;
	}
	return 0;
}

int json_stream_end(const struct json_stream *stream, struct err *e)
{
	enum place whole = stream->mode == JSON_STREAM_LIST ? PLACE_DONE : PLACE_START;

	if (stream->place == whole)
		return 0;
	return err_set(e, -EBADMSG, "the answer ends in the middle of a value, at byte %llu",
		(unsigned long long)stream->offset);
}
