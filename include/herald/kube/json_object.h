// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_JSON_OBJECT_H
#define HERALD_KUBE_JSON_OBJECT_H

#include <jansson.h>
#include <stddef.h>

#include "herald/base/err.h"

/*
 * The API's JSON is Go's: strings may hold NUL, which nothing here has a use for, so that
 * they end there for us.
 */
#define KUBE_JSON_FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)

/* The one object of an answer, as a watch would hand it out; -EBADMSG. */
int kube_json_object_load(const char *text, size_t length, json_t **ret, struct err *e);

#endif
