// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_YAML_WRITE_H
#define HERALDCTL_YAML_WRITE_H

#include <jansson.h>

/* YAML in block style, of what jansson holds: an object. malloc'ed. */
char *yaml_write(json_t *value, unsigned indent);

#endif
