// SPDX-License-Identifier: Apache-2.0
/*
 * Answers of the API server that are no success, as one sentence with what would mend
 * it: for 403 that is the RBAC rule. Pure: bytes and numbers in, text out.
 */
#include "api_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api_path.h"

#define STATUS_BODY_MAX (64u * 1024u)
#define PATH_SHOWN 120

struct phrase {
	long status;
	int code;
	const char *text;
};

static const struct phrase phrases[] = {
	{400, -EINVAL, "Bad Request"},
	{401, -EACCES, "Unauthorized"},
	{403, -EPERM, "Forbidden"},
	{404, -ENOENT, "Not Found"},
	{405, -EOPNOTSUPP, "Method Not Allowed"},
	{409, -EEXIST, "Conflict"},
	{410, -ESTALE, "Gone"},
	{413, -EMSGSIZE, "Payload Too Large"},
	{415, -EOPNOTSUPP, "Unsupported Media Type"},
	{422, -EINVAL, "Unprocessable Entity"},
	{429, -EAGAIN, "Too Many Requests"},
	{500, -EIO, "Internal Server Error"},
	{502, -EIO, "Bad Gateway"},
	{503, -EAGAIN, "Service Unavailable"},
	{504, -ETIMEDOUT, "Gateway Timeout"},
};

static const struct phrase *phrase_of(long http_status)
{
	static const struct phrase unknown = {0, -EIO, ""};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == http_status)
			return &phrases[i];
	}
	return &unknown;
}

const char *api_error_phrase(long http_status)
{
	return phrase_of(http_status)->text;
}

static void copy_text(char *to, size_t size, const json_t *text)
{
	const char *value = json_string_value(text);

	snprintf(to, size, "%s", value ? value : "");
	/* Not cut in the middle of a character. */
	if (value && strlen(value) >= size) {
		size_t end = size - 1;

		while (end > 0 && ((unsigned char)value[end] & 0xc0) == 0x80)
			end--;
		to[end] = '\0';
	}
}

void api_status_decode(const json_t *object, struct api_status *ret)
{
	json_int_t seconds, code;

	*ret = (struct api_status){0};
	copy_text(ret->reason, sizeof(ret->reason), json_object_get(object, "reason"));
	copy_text(ret->message, sizeof(ret->message), json_object_get(object, "message"));
	code = json_integer_value(json_object_get(object, "code"));
	if (code > 0 && code < 1000)
		ret->code = (int)code;
	seconds = json_integer_value(
		json_object_get(json_object_get(object, "details"), "retryAfterSeconds"));
	if (seconds > 0)
		ret->retry_after_ms = seconds < 3600 ? (uint32_t)seconds * 1000 : 3600000;
}

void api_status_parse(const char *body, size_t length, struct api_status *ret)
{
	json_t *object =
		length <= STATUS_BODY_MAX ? json_loadb(body, length, JSON_ALLOW_NUL, NULL) : NULL;
	const char *kind = json_string_value(json_object_get(object, "kind"));

	if (kind && strcmp(kind, "Status") == 0)
		api_status_decode(object, ret);
	else
		*ret = (struct api_status){0};
	json_decref(object);
}

static void mending(const char *method, const char *path, long http_status, char *to, size_t size)
{
	struct api_path meant;

	to[0] = '\0';
	if (http_status == 401)
		snprintf(to, size, "; check that the token or client certificate is valid");
	if (http_status != 403 || !api_path_parse(method, path, &meant))
		return;
	snprintf(to, size,
		"; grant verb `%s` on `%s`%s%s%s to this service account (see config/rbac)",
		meant.verb, meant.resource, meant.group[0] ? " of API group `" : "", meant.group,
		meant.group[0] ? "`" : "");
}

int api_error_refused(const char *method, const char *path, long http_status,
	const struct api_status *status, struct err *e)
{
	const struct phrase *phrase = phrase_of(http_status);
	char mend[2 * API_PATH_PART_MAX + 96];
	int path_length = (int)strcspn(path, "?");
	/* What would mend it must not be cut off: the message gives way. */
	int message_length = 496 - 40;

	mending(method, path, http_status, mend, sizeof(mend));
	if (path_length > PATH_SHOWN)
		path_length = PATH_SHOWN;
	message_length -= (int)strlen(mend) + path_length + (int)strlen(phrase->text);
	if (message_length < 0)
		message_length = 0;
	return err_set(e, phrase->code, "cannot %s %.*s: %ld%s%s%s%.*s%s", method, path_length,
		path, http_status, phrase->text[0] ? " " : "", phrase->text,
		status->message[0] ? ": " : "", message_length, status->message, mend);
}
