// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_FORECAST_H
#define HERALDCTL_FORECAST_H

#include "facts.h"
#include "herald/core/assign.h"
#include "herald/core/config.h"

/*
 * What a new configuration would do to each Service: pure, by the same rooms as the
 * controller (core/alloc, core/assign) asked in the same order.
 */
enum forecast_change {
	FORECAST_SAME,
	FORECAST_LOSES,	  /* ends without an address that it has, and without another */
	FORECAST_CHANGES, /* has another address of that family */
	FORECAST_GETS,	  /* keeps what it has, and gets one more or its first */
	FORECAST_KEEPS,	  /* keeps what it has, though it would not be assigned now */
	FORECAST_WAITS,	  /* has none and gets none */
	FORECAST_CHANGE_COUNT
};
const char *forecast_change_name(enum forecast_change change); /* "loses", ... */

struct forecast_row {
	const struct service *service;
	char *name; /* namespace/name */
	enum forecast_change change;
	struct ip before[2], after[2]; /* IP_NONE: none */
	char *why;		       /* NULL for FORECAST_SAME */
};

struct forecast {
	struct forecast_row *rows; /* our Services, by namespace and name */
	size_t count;
	size_t totals[FORECAST_CHANGE_COUNT];
};

/* `current` NULL: none is in force. The facts are borrowed as long as the rows are used. */
void forecast_make(const struct facts *facts, const struct assign_rules *rules,
	const struct config *current, const struct config *next, struct forecast *ret);
void forecast_done(struct forecast *forecast);

#endif
