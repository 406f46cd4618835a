// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_BASE_ERR_H
#define HERALD_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

/*
 * The one error convention: a function that can fail returns 0 or a negative errno and
 * says in *e what was attempted, on what and why it failed, as one sentence without a
 * full stop. *e is untouched on success. A layer wraps only if it knows more than the
 * layer below. The caller logs or returns the error, never both.
 */
struct err {
	int code; /* negative errno, as returned */
	char text[496];
};

/* Sets *e (which may be NULL) and returns code, so that a failure is one statement. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "fmt: " before what *e says already; returns e->code. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A broken invariant or no memory: says where and why on stderr and aborts. */
_Noreturn void die(const char *file, int line, const char *why);
#define DIE(why) die(__FILE__, __LINE__, (why))

/* Allocation that dies rather than fails: with overcommit there is no better answer. */
void *xcalloc(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));
void *xrealloc(void *old, size_t count, size_t size);
char *xstrdup(const char *text) __attribute__((malloc));
char *xstrndup(const char *text, size_t length) __attribute__((malloc));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), malloc));
char *xvasprintf(const char *fmt, va_list args) __attribute__((format(printf, 1, 0), malloc));

/* Cleanup attribute for a local that holds malloc'ed memory. */
void free_pointer(void *pointer_to_pointer);
#define AUTO_FREE __attribute__((cleanup(free_pointer)))

/* Hands over what a local with a cleanup attribute holds. */
#define STEAL(p)                                                                                   \
	__extension__({                                                                            \
		__typeof__(p) steal_taken_ = (p);                                                  \
		(p) = NULL;                                                                        \
		steal_taken_;                                                                      \
	})

#endif
