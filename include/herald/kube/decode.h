// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_DECODE_H
#define HERALD_KUBE_DECODE_H

#include <jansson.h>

#include "herald/base/err.h"
#include "herald/core/objects.h"

/*
 * From one API object as JSON to the small struct of core/objects.h. Hostile until
 * parsed: wrong types are treated as absent where Kubernetes allows absence; an object
 * without name is an error that says what and which. Each result is one malloc'ed block,
 * freed with free().
 */
int kube_decode_service(const json_t *object, struct service **ret, struct err *e);
int kube_decode_node(const json_t *object, struct node **ret, struct err *e);
int kube_decode_endpoint_slice(const json_t *object, struct endpoint_slice **ret, struct err *e);
int kube_decode_lease(const json_t *object, struct lease **ret, struct err *e);
int kube_decode_namespace(const json_t *object, struct namespace **ret, struct err *e);
/* `key` is the entry of .data that is kept. */
int kube_decode_config_map(
	const json_t *object, const char *key, struct config_map **ret, struct err *e);

#endif
