// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_VERBS_H
#define HERALDCTL_VERBS_H

#include <stddef.h>

#include "verb.h"

/* A verb of the table in main.c. */
struct verb {
	const char *name, *what;
	verb_fn *run;
	const struct argp *argp;
	const char *words; /* what its first argument may be, with blanks between; NULL: other */
};

/* The whole table; main.c has it. */
const struct verb *verbs_at(size_t index); /* NULL: behind the last one */

#endif
