// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_KUBE_JSON_PRUNE_H
#define HERALD_LIB_KUBE_JSON_PRUNE_H

#include <stddef.h>

/*
 * Empties each array "managedFields" in an object's text, in place, and returns the new
 * length. `text` has its brackets and strings in order; it need not be JSON otherwise,
 * and what is left is as much JSON as it was.
 */
size_t json_prune(char *text, size_t length);

#endif
