// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_KUBE_TOKEN_H
#define HERALD_LIB_KUBE_TOKEN_H

#include <stdbool.h>
#include <sys/stat.h>

#include "herald/base/err.h"
#include "herald/base/monotime.h"
#include "herald/kube/kubeconfig.h"

/*
 * The bearer token of a client: fixed, or from a file that the kubelet rotates. The file
 * is looked at once a second at most, and read when it changed or a minute has passed.
 */
struct token {
	const char *file; /* borrowed from the kubeconfig; NULL: fixed, or none */
	char *header;	  /* "Bearer ..."; NULL: none (yet) */
	bool tried;
	struct monotime looked, read;
	struct stat seen;
};

void token_init(struct token *token, const struct kubeconfig *config);
void token_done(struct token *token);

/* Makes `header` current. A file that can't be read is
   an error, and what was read before stays in use. `again`: read it whatever its age. */
int token_refresh(struct token *token, struct monotime now, bool again, struct err *e);
/* Whether reading again can give another token at all. */
bool token_can_rotate(const struct token *token);

#endif
