// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_KUBE_API_ERROR_H
#define HERALD_LIB_KUBE_API_ERROR_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/err.h"

/* What a meta/v1 Status object says; all "" or 0 when the body is none. */
struct api_status {
	char reason[64];
	char message[256];
	uint32_t retry_after_ms;
	int code;
};

void api_status_parse(const char *body, size_t length, struct api_status *ret);
void api_status_decode(const json_t *object, struct api_status *ret);

/* The sentence for an HTTP status that is no success; returns the matching errno. */
int api_error_refused(const char *method, const char *path, long http_status,
	const struct api_status *status, struct err *e);

/* The standard phrase ("Forbidden"), or "" for one not in use here. */
const char *api_error_phrase(long http_status);

#endif
