// SPDX-License-Identifier: Apache-2.0
/* Any text as what a Lease of another node tells of conflicts and interfaces: bounded, and
   what was understood is written and understood again as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "herald/core/conflicts.h"
#include "herald/core/interfaces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *conflicts_again(const char *text)
{
	struct conflict_list list;
	char *again;

	conflicts_parse(text, NULL, &list);
	if (list.count > CONFLICTS_MAX)
		abort();
	again = conflicts_text(&list);
	conflict_list_done(&list);
	return again;
}

static char *interfaces_again(const char *text)
{
	struct interface_list list;
	char *again;

	interface_list_parse(text, &list);
	if (list.count > INTERFACES_MAX)
		abort();
	again = interface_list_text(&list);
	interface_list_done(&list);
	return again;
}

static void check(const char *text, char *(*again)(const char *))
{
	char *first = again(text), *second = first ? again(first) : NULL;

	if (first && (!second || strcmp(first, second) != 0))
		abort();
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(size + 1, 1);

	if (size > 0)
		memcpy(text, data, size);
	check(text, conflicts_again);
	check(text, interfaces_again);
	free(text);
	return 0;
}
