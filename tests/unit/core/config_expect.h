// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_CONFIG_EXPECT_H
#define HERALD_TESTS_CONFIG_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "herald/core/config.h"

/*
 * A document and every problem that the parser must tell of it, whole and in order: one
 * "LINE:COLUMN FIELD: TEXT\n" each; "" when it must be taken.
 */
struct config_case {
	const char *what, *text, *problems;
};

/* Each case's text stands after `before`. Says which case failed and how. */
void config_expect(const char *before, const struct config_case *cases, size_t count);

/* The config of a text that must be taken; the caller frees it. */
struct config *config_of(const char *before, const char *text);

#define CONFIG_HEAD "apiVersion: herald.io/v1\n"
#define CONFIG_EXPECT(before, table)                                                               \
	config_expect((before), (table), sizeof(table) / sizeof((table)[0]))

#endif
