// SPDX-License-Identifier: Apache-2.0
/*
 * A registry of Prometheus metrics and its text exposition (format 0.0.4). Families and
 * series stand in the order in which they were asked for first. Whoever updates a series
 * often keeps its pointer; finding one is a walk over at most METRICS_SERIES_MAX.
 * Misuse (one name, two types) is a bug in the caller and dies.
 */
#include "herald/io/metrics.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/base/utf8.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric {
	enum metric_type type;
	char *labels;	   /* a="b",c="d", escaped; "" for none */
	double value;	   /* the sum, of a histogram */
	uint64_t *buckets; /* observations by bound, not cumulative; the last is +Inf */
	const double *bounds;
	size_t bound_count;
	struct metric *next;
};

struct family {
	char *name, *help;
	enum metric_type type;
	struct metric *first, **end;
	size_t count;
	struct family *next;
};

struct metrics {
	struct family *first, **end;
	void (*before_render)(void *context);
	void *context;
	const struct metrics_alias *aliases;
	size_t alias_count;
};

struct metrics *metrics_new(void)
{
	struct metrics *m = xcalloc(1, sizeof(*m));

	m->end = &m->first;
	return m;
}

static void series_free(struct family *family)
{
	struct metric *next;

	for (struct metric *metric = family->first; metric; metric = next) {
		next = metric->next;
		free(metric->labels);
		free(metric->buckets);
		free(metric);
	}
	family->first = NULL;
	family->end = &family->first;
	family->count = 0;
}

static void family_free(struct family *family)
{
	series_free(family);
	free(family->name);
	free(family->help);
	free(family);
}

void metrics_forget(struct metrics *m, const char *name)
{
	for (struct family *family = m->first; family; family = family->next) {
		if (strcmp(family->name, name) == 0)
			series_free(family);
	}
}

void metrics_free(struct metrics *metrics)
{
	struct family *next;

	if (!metrics)
		return;
	for (struct family *family = metrics->first; family; family = next) {
		next = family->next;
		family_free(family);
	}
	free(metrics);
}

static struct family *family_get(
	struct metrics *m, enum metric_type type, const char *name, const char *help)
{
	struct family *family;

	for (family = m->first; family; family = family->next) {
		if (strcmp(family->name, name) != 0)
			continue;
		if (family->type != type)
			DIE("a metric's name is used with two types");
		return family;
	}
	family = xcalloc(1, sizeof(*family));
	family->name = xstrdup(name);
	family->help = xstrdup(help);
	family->type = type;
	family->end = &family->first;
	*m->end = family;
	m->end = &family->next;
	return family;
}

static struct metric *series_find(const struct family *family, const char *labels)
{
	for (struct metric *metric = family->first; metric; metric = metric->next) {
		if (strcmp(metric->labels, labels) == 0)
			return metric;
	}
	return NULL;
}

/* Takes `labels`. */
static struct metric *series_add(struct family *family, char *labels)
{
	struct metric *metric = xcalloc(1, sizeof(*metric));

	metric->type = family->type;
	metric->labels = labels;
	*family->end = metric;
	family->end = &metric->next;
	family->count++;
	return metric;
}

/* What the format cannot hold becomes an escape, or U+FFFD where it is not UTF-8. */
static void write_escaped(FILE *out, const char *text, bool quotes)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length;) {
		uint32_t code;
		size_t size = utf8_next(text + i, length - i, &code);

		if (size == 0)
			fputs("\xef\xbf\xbd", out);
		else if (code == '\n')
			fputs("\\n", out);
		else if (code == '\\' || (quotes && code == '"'))
			fprintf(out, "\\%c", (char)code);
		else
			fwrite(text + i, 1, size, out);
		i += size ? size : 1;
	}
}

/* The pairs as they stand between the braces, with `instead` for every value if given. */
static char *labels_text(va_list pairs, const char *instead)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	const char *key;

	if (!out)
		DIE("out of memory");
	for (bool first = true; (key = va_arg(pairs, const char *)); first = false) {
		const char *value = va_arg(pairs, const char *);

		fprintf(out, "%s%s=\"", first ? "" : ",", key);
		write_escaped(out, instead ? instead : value ? value : "", true);
		fputc('"', out);
	}
	if (fclose(out) != 0)
		DIE("out of memory");
	return text;
}

static struct metric *series_get(struct family *family, va_list pairs)
{
	char *labels;
	struct metric *metric;
	va_list again;

	va_copy(again, pairs);
	labels = labels_text(pairs, NULL);
	metric = series_find(family, labels);
	if (!metric && family->count >= METRICS_SERIES_MAX) {
		free(labels);
		labels = labels_text(again, "other");
		metric = series_find(family, labels);
	}
	va_end(again);
	if (!metric)
		return series_add(family, labels);
	free(labels);
	return metric;
}

struct metric *metric_counter(struct metrics *m, const char *name, const char *help, ...)
{
	struct metric *metric;
	va_list pairs;

	va_start(pairs, help);
	metric = series_get(family_get(m, METRIC_COUNTER, name, help), pairs);
	va_end(pairs);
	return metric;
}

struct metric *metric_gauge(struct metrics *m, const char *name, const char *help, ...)
{
	struct metric *metric;
	va_list pairs;

	va_start(pairs, help);
	metric = series_get(family_get(m, METRIC_GAUGE, name, help), pairs);
	va_end(pairs);
	return metric;
}

struct metric *metric_histogram(struct metrics *m, const char *name, const char *help,
	const double *bounds, size_t bound_count)
{
	struct family *family = family_get(m, METRIC_HISTOGRAM, name, help);
	struct metric *metric = family->first;

	if (metric)
		return metric;
	metric = series_add(family, xstrdup(""));
	metric->bounds = bounds;
	metric->bound_count = bound_count;
	metric->buckets = xcalloc(bound_count + 1, sizeof(*metric->buckets));
	return metric;
}

void metric_add(struct metric *metric, double by)
{
	if (metric->type == METRIC_HISTOGRAM || (metric->type == METRIC_COUNTER && by < 0))
		DIE("a counter can only rise, and a histogram is observed");
	metric->value += by;
}

void metric_set(struct metric *metric, double value)
{
	if (metric->type == METRIC_HISTOGRAM)
		DIE("a histogram is observed, not set");
	metric->value = value;
}

void metric_observe(struct metric *metric, double value)
{
	size_t i = 0;

	if (metric->type != METRIC_HISTOGRAM)
		DIE("only a histogram is observed");
	while (i < metric->bound_count && value > metric->bounds[i])
		i++;
	metric->buckets[i]++;
	metric->value += value;
}

double metric_value(const struct metric *metric)
{
	return metric->value;
}

void metrics_before_render(struct metrics *m, void (*fn)(void *context), void *context)
{
	m->before_render = fn;
	m->context = context;
}

/* The shortest text that reads back as the same value. */
static void write_number(FILE *out, double value)
{
	char text[32];

	if (isnan(value)) {
		fputs("NaN", out);
		return;
	}
	if (isinf(value)) {
		fputs(value > 0 ? "+Inf" : "-Inf", out);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (!(strtod(text, NULL) < value) && !(strtod(text, NULL) > value))
			break;
	}
	fputs(text, out);
}

static void write_histogram(FILE *out, const char *name, const struct metric *metric)
{
	uint64_t total = 0;

	for (size_t i = 0; i <= metric->bound_count; i++) {
		total += metric->buckets[i];
		fprintf(out, "%s_bucket{le=\"", name);
		write_number(out, i < metric->bound_count ? metric->bounds[i] : HUGE_VAL);
		fprintf(out, "\"} %llu\n", (unsigned long long)total);
	}
	fprintf(out, "%s_sum ", name);
	write_number(out, metric->value);
	fprintf(out, "\n%s_count %llu\n", name, (unsigned long long)total);
}

static void write_family(FILE *out, const struct family *family)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};

	fprintf(out, "# HELP %s ", family->name);
	write_escaped(out, family->help, false);
	fprintf(out, "\n# TYPE %s %s\n", family->name, types[family->type]);
	for (const struct metric *metric = family->first; metric; metric = metric->next) {
		if (family->type == METRIC_HISTOGRAM) {
			write_histogram(out, family->name, metric);
			continue;
		}
		fputs(family->name, out);
		if (metric->labels[0] != '\0')
			fprintf(out, "{%s}", metric->labels);
		fputc(' ', out);
		write_number(out, metric->value);
		fputc('\n', out);
	}
}

/* ---- aliases ---- */

void metrics_set_aliases(struct metrics *m, const struct metrics_alias *aliases, size_t count)
{
	m->aliases = aliases;
	m->alias_count = count;
}

static const struct family *family_find(const struct metrics *m, const char *name)
{
	const struct family *family = m->first;

	while (family && (!name || strcmp(family->name, name) != 0))
		family = family->next;
	return family;
}

/* The length of a="b" at the beginning of labels; 0: there is none. */
static size_t first_label(const char *labels)
{
	const char *end = strchr(labels, '"');

	if (!end)
		return 0;
	for (end++; *end != '"'; end++)
		end += *end == '\\';
	return (size_t)(end + 1 - labels);
}

/* Of those series whose labels begin so. */
static double sum_of(const struct family *family, const char *labels, size_t length)
{
	double sum = 0;

	for (const struct metric *metric = family ? family->first : NULL; metric;
		metric = metric->next) {
		if (length == 0 || strncmp(metric->labels, labels, length) == 0)
			sum += metric->value;
	}
	return sum;
}

/* Whether one before it in its family begins with the same label. */
static bool is_repeated(const struct family *family, const struct metric *metric, size_t length)
{
	for (const struct metric *m = family->first; m != metric; m = m->next) {
		if (strncmp(m->labels, metric->labels, length) == 0)
			return true;
	}
	return false;
}

static void write_alias(FILE *out, const struct metrics *m, const struct metrics_alias *alias)
{
	const struct family *of = family_find(m, alias->of),
			    *and_of = family_find(m, alias->and_of);

	if (!of || !of->first)
		return;
	fprintf(out, "# HELP %s The same as %s%s%s%s.\n# TYPE %s %s\n", alias->name,
		alias->negated ? "1 less " : "", alias->of, and_of ? " and " : "",
		and_of ? alias->and_of : "", alias->name,
		of->type == METRIC_COUNTER ? "counter" : "gauge");
	for (const struct metric *metric = of->first; metric; metric = metric->next) {
		size_t length = alias->by_first_label ? first_label(metric->labels) : 0;
		double sum =
			sum_of(of, metric->labels, length) + sum_of(and_of, metric->labels, length);

		if (is_repeated(of, metric, length))
			continue;
		fputs(alias->name, out);
		if (length > 0)
			fprintf(out, "{%.*s}", (int)length, metric->labels);
		fputc(' ', out);
		write_number(out, alias->negated ? !(sum > 0) : sum);
		fputc('\n', out);
	}
}

char *metrics_render(const struct metrics *metrics, size_t *ret_length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_length);

	if (!out)
		DIE("out of memory");
	if (metrics->before_render)
		metrics->before_render(metrics->context);
	for (const struct family *family = metrics->first; family; family = family->next)
		write_family(out, family);
	for (size_t i = 0; i < metrics->alias_count; i++)
		write_alias(out, metrics, &metrics->aliases[i]);
	if (fclose(out) != 0)
		DIE("out of memory");
	return text;
}
