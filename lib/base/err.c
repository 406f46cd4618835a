// SPDX-License-Identifier: Apache-2.0
/*
 * Errors as values, and allocation that dies. An error is a code for the program and a
 * sentence for the person; the text is cut, never overflown.
 */
#include "herald/base/err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list args;

	if (!e)
		return code;
	e->code = code;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	return code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char before[sizeof(e->text)];
	char whole[2 * sizeof(e->text) + 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(before, sizeof(before), fmt, args);
	va_end(args);
	snprintf(whole, sizeof(whole), "%s: %s", before, e->text);
	whole[sizeof(e->text) - 1] = '\0';
	memcpy(e->text, whole, sizeof(e->text));
	return e->code;
}

_Noreturn void die(const char *file, int line, const char *why)
{
	fprintf(stderr, "fatal: %s:%d: %s\n", file, line, why);
	abort();
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		DIE("out of memory");
	return p;
}

void *xrealloc(void *old, size_t count, size_t size)
{
	void *p = reallocarray(old, count ? count : 1, size ? size : 1);

	if (!p)
		DIE("out of memory");
	return p;
}

char *xstrndup(const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		DIE("out of memory");
	return copy;
}

char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *xvasprintf(const char *fmt, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		DIE("out of memory");
	return text;
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	return text;
}

void free_pointer(void *pointer_to_pointer)
{
	void *p;

	memcpy(&p, pointer_to_pointer, sizeof(p));
	free(p);
}
