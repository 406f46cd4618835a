// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_KUBE_KUBECONFIG_FILE_H
#define HERALD_LIB_KUBE_KUBECONFIG_FILE_H

#include <stddef.h>

#include "herald/kube/kubeconfig.h"

/* At most 1 MiB of a file as malloc'ed, NUL-terminated text; `what` names it in errors. */
int kubeconfig_read_file(
	const char *what, const char *path, char **ret, size_t *ret_length, struct err *e);

/*
 * Fills *config from a kubeconfig's text. `path` names it in errors, and relative paths
 * in it are relative to its folder. `context` NULL: current-context. On failure *config
 * may be filled in part.
 */
int kubeconfig_parse(const char *path, const char *text, size_t length, const char *context,
	struct kubeconfig *config, struct err *e);

#endif
