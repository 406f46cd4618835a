// SPDX-License-Identifier: Apache-2.0
/*
 * An answer that is one object, decoded by the same rules as the objects of a watch, so
 * that whatever can be watched can be read: what no field of ours can be in is let go
 * before jansson, which is strict, sees it (json_stream.h).
 */
#include "herald/kube/json_object.h"

#include <errno.h>

#include "json_stream.h"

struct loading {
	json_t *object;
	struct err why; /* code 0: nothing is wrong yet */
};

static bool on_object(void *context, const char *text, size_t length)
{
	struct loading *loading = context;
	json_error_t why;

	if (loading->object) {
		err_set(&loading->why, -EBADMSG, "more than one object");
		return false;
	}
	loading->object = json_loadb(text, length, KUBE_JSON_FLAGS, &why);
	if (!loading->object)
		err_set(&loading->why, -EBADMSG, "no valid JSON: %s", why.text);
	return loading->object != NULL;
}

static void on_skipped(void *context, const struct err *why)
{
	struct loading *loading = context;

	loading->why = *why;
}

int kube_json_object_load(const char *text, size_t length, json_t **ret, struct err *e)
{
	static const struct json_stream_sink sink = {.object = on_object, .skipped = on_skipped};
	struct loading loading = {0};
	struct json_stream *stream = json_stream_new(JSON_STREAM_OBJECTS, 0, &sink, &loading);
	struct err why = {0};
	int r = json_stream_feed(stream, text, length, &why);

	if (r == 0)
		r = json_stream_end(stream, &why);
	json_stream_free(stream);
	if (r == 0 && loading.why.code == 0 && loading.object) {
		*ret = loading.object;
		return 0;
	}
	json_decref(loading.object);
	if (loading.why.code != 0)
		why = loading.why;
	return err_set(e, -EBADMSG, "%s", why.code != 0 ? why.text : "no object");
}
