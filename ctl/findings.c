// SPDX-License-Identifier: Apache-2.0
/*
 * The list of what is wrong in the files of a command line, printed in the form that
 * editors and CI systems jump by (FILE:LINE:COLUMN), or as JSON.
 */
#include "findings.h"

#include <stdio.h>
#include <stdlib.h>

#include "herald/base/err.h"
#include "verb.h"

void findings_add(struct findings *findings, const char *file, struct place place,
	const char *field, const char *text)
{
	if ((findings->count & (findings->count - 1)) == 0)
		findings->items = xrealloc(findings->items,
			findings->count ? 2 * findings->count : 1, sizeof(*findings->items));
	findings->items[findings->count++] = (struct finding){text_clean(xstrdup(file)), place,
		text_clean(xstrdup(field)), text_clean(xstrdup(text))};
}

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].file);
		free(findings->items[i].field);
		free(findings->items[i].text);
	}
	free(findings->items);
	*findings = (struct findings){0};
}

void findings_print(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		fputs(finding->file, stderr);
		if (finding->place.line)
			fprintf(stderr, ":%u:%u", finding->place.line, finding->place.column);
		fprintf(stderr, ": %s%s%s\n", finding->field, *finding->field ? ": " : "",
			finding->text);
	}
	if (findings->omitted)
		fprintf(stderr, "heraldctl: and %zu more problems\n", findings->omitted);
}

json_t *findings_json(const struct findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		json_t *item = json_pack("{s:s, s:s, s:s}", "file", finding->file, "field",
			finding->field, "problem", finding->text);

		if (finding->place.line) {
			json_object_set_new(item, "line", json_integer(finding->place.line));
			json_object_set_new(item, "column", json_integer(finding->place.column));
		}
		json_array_append_new(list, item);
	}
	return list;
}
