// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_FINDINGS_H
#define HERALDCTL_FINDINGS_H

#include <jansson.h>
#include <stddef.h>

#include "herald/core/config.h"
#include "place.h"

/* What is wrong in files, each with its place, in the order found. */
struct finding {
	char *file;	    /* as given on the command line */
	struct place place; /* line 0: the file as a whole */
	char *field;	    /* "pools[0].addresses[1]"; "" none */
	char *text;	    /* what is wrong, and how to mend it */
};

struct findings {
	struct finding *items;
	size_t count;
	size_t omitted; /* more that the parser did not keep */
};

void findings_add(struct findings *findings, const char *file, struct place place,
	const char *field, const char *text);
void findings_done(struct findings *findings);

/* FILE:LINE:COLUMN: FIELD: TEXT, one a line, on stderr. */
void findings_print(const struct findings *findings);
/* A JSON array of them. */
json_t *findings_json(const struct findings *findings);

#endif
