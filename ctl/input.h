// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_INPUT_H
#define HERALDCTL_INPUT_H

#include <stddef.h>

#include "herald/base/err.h"

/* One FILE of the command line, whole. "-" is standard input. */
#define INPUT_MAX (512u * 1024u * 1024u) /* 100,000 Services as kubectl writes them */

struct input {
	const char *name; /* for messages: as given, or "standard input"; borrowed */
	char *text;	  /* NUL-terminated beyond `length`; may hold NULs */
	size_t length;
};

int input_read(const char *name, struct input *ret, struct err *e);
void input_done(struct input *input);

#endif
