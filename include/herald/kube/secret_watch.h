// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_SECRET_WATCH_H
#define HERALD_KUBE_SECRET_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/kube/program.h"

/*
 * The passwords in Secrets of our own namespace, of type kubernetes.io/basic-auth. Each is
 * watched by its name, so that no other Secret is ever asked for, and a right on these
 * names alone is enough. A password is wiped here when it goes, and is never logged (B07). It
 * goes when another one comes, or when the Secret is not wanted any more.
 */
#define SECRET_TYPE "kubernetes.io/basic-auth"
#define SECRET_KEY "password"

struct secret_watches;

/* `changed`: a password or a problem is another one, or all are known now. */
struct secret_watches *secret_watches_new(
	struct program *program, void (*changed)(void *context), void *context);
void secret_watches_free(struct secret_watches *watches); /* NULL is allowed */

/* Watches these from now on, and no others. Duplicates are allowed. */
void secret_watches_want(struct secret_watches *watches, const char *const *names, size_t count);
/* Of each that is wanted it is known what is in it, or that we may not know. While the API
   server does not answer, nothing is. */
bool secret_watches_are_known(const struct secret_watches *watches);
/* NULL: there is none. *ret_problem says why, or what is wrong where there was one before, as
   "which does not exist", and is left alone where all is well. Both are valid until the loop
   turns. */
const char *secret_watches_password(
	const struct secret_watches *watches, const char *name, const char **ret_problem);

#endif
