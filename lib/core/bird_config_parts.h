// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BIRD_CONFIG_PARTS_H
#define HERALD_CORE_BIRD_CONFIG_PARTS_H

#include <stdbool.h>
#include <stdio.h>

#include "herald/core/bird_config.h"

/* What the files of BIRD's configuration share. Private to lib/core/bird_config*.c. */

/* The kernel lets an interface be called almost anything. */
bool bird_can_read_name(const char *interface);

/* Where the extra text of a session, or BIRD_BLAME_GLOBAL, stands in the text. */
struct bird_span {
	size_t owner;
	long begin, end;
};

struct bird_writer {
	FILE *out;
	const struct bird_wants *wants;
	struct bird_span *spans; /* in the text's order */
	size_t span_count;
};

/* What routes tell the export filters, beside their prefix. */
enum bird_attribute_kind {
	BIRD_LOCAL_PREF,
	BIRD_COMMUNITY,
	BIRD_LARGE_COMMUNITY,
	BIRD_MED,
	BIRD_PREPEND,
	BIRD_BANDWIDTH,
	BIRD_NEXT_HOP
};
struct bird_attribute {
	const char *type, *name;
	const char *builtin; /* BGP's own that holds it for all; NULL: "herald_" and the name */
};
extern const struct bird_attribute bird_attributes[]; /* by kind */
extern const size_t bird_attribute_count;

/* On lines of its own. */
void bird_write_extra(struct bird_writer *w, size_t owner, const char *text);
void bird_write_bgp(struct bird_writer *w);
void bird_write_routes(FILE *out, const struct bgp_plan *plan);

#endif
