// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_BASE_LOG_H
#define HERALD_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "herald/base/err.h"

/*
 * Structured logging: one line an event, logfmt or JSON. A logger is a value that its
 * owner passes on; there is no global one. Fields are pairs of key and value given as
 *     log_info(log, "assigned", "service", key, "address", text, NULL)
 * with every value a string; a NULL value is written as empty. Control characters,
 * quotes and invalid UTF-8 in values are escaped, so a hostile object can't forge lines.
 * Secrets never go in.
 */
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log; /* opaque; made by log_new, freed by log_free */

/* `out` is borrowed. `area` of the root logger is the program's name. */
struct log *log_new(FILE *out, enum log_format format, enum log_level level, const char *area);
void log_free(struct log *log);

/* A logger of the same sink with another area ("l2", "kube", ...); freed by its taker. */
struct log *log_area(const struct log *log, const char *area);

void log_at(struct log *log, enum log_level level, const char *message, ...)
	__attribute__((sentinel));
#define log_debug(log, ...) log_at((log), LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(log, ...) log_at((log), LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(log, ...) log_at((log), LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(log, ...) log_at((log), LOG_LEVEL_ERROR, __VA_ARGS__)

bool log_level_parse(const char *text, enum log_level *ret);   /* debug|info|warn|error */
bool log_format_parse(const char *text, enum log_format *ret); /* logfmt|json */

/*
 * A limiter for one kind of message: at most `burst` lines per `interval_ms`; what was
 * kept back is counted and told with the next line that passes (in *ret_suppressed).
 */
struct log_limit {
	uint32_t burst, interval_ms;
	uint32_t used;
	uint64_t suppressed;
	uint64_t window_start_ns;
};
bool log_limit_pass(struct log_limit *limit, uint64_t now_ns, uint64_t *ret_suppressed);

#endif
