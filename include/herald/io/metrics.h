// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_METRICS_H
#define HERALD_IO_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Prometheus metrics (text exposition format 0.0.4). A registry owns families; a family
 * owns its series. Names follow Prometheus' conventions: herald_ prefix, unit in the
 * name, _total on counters. Label values come from bounded sets only (O02); the number
 * of series of one family is capped and the excess is folded into label value "other".
 */
#define METRICS_SERIES_MAX 200
struct metrics;
struct metric; /* one series; valid as long as its registry, if it is not forgotten */

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* The same name and label values give the same series. Label pairs end with NULL. */
struct metric *metric_counter(struct metrics *m, const char *name, const char *help, ...)
	__attribute__((sentinel));
struct metric *metric_gauge(struct metrics *m, const char *name, const char *help, ...)
	__attribute__((sentinel));
/* `bounds`: ascending upper bounds in the metric's unit, borrowed for ever (static). */
struct metric *metric_histogram(struct metrics *m, const char *name, const char *help,
	const double *bounds, size_t bound_count);

void metric_add(struct metric *metric, double by);    /* counter (by >= 0) or gauge */
void metric_set(struct metric *metric, double value); /* counter: only if kept elsewhere */
void metric_observe(struct metric *metric, double value);
double metric_value(const struct metric *metric); /* counter or gauge; for tests */

/* Drops all series of a family: of what they told of there is no more. */
void metrics_forget(struct metrics *m, const char *name);

/*
 * Another name for what a family tells, or two of them together: their series summed up, for
 * each value of their first label where `by_first_label`, else all of them. A family that
 * does not exist is left out, and so is an alias of nothing.
 */
struct metrics_alias {
	const char *name, *of, *and_of; /* `and_of` may be NULL */
	bool by_first_label;
	bool negated; /* 1 for 0, and 0 for all else */
};
/* `aliases` are borrowed for ever (static). Once. */
void metrics_set_aliases(struct metrics *m, const struct metrics_alias *aliases, size_t count);

/* Called before each rendering, to read what is kept elsewhere (/proc, for one). One only. */
void metrics_before_render(struct metrics *m, void (*fn)(void *context), void *context);

/* Whole exposition, malloc'ed, to be freed by the caller. */
char *metrics_render(const struct metrics *metrics, size_t *ret_length);

#endif
