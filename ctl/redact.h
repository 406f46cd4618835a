// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_REDACT_H
#define HERALDCTL_REDACT_H

#include <jansson.h>
#include <stddef.h>

/*
 * Taking secrets out of what is shown to others (B07). Pure. Three rules, each of which
 * would do alone in most cases:
 *
 * 1. Of a configuration the values are left out whose key speaks of a password or the like,
 *    and texts for BIRD in which one is set. One that is no YAML is left out as a whole.
 * 2. Of objects all is left out that may hold anything: values of environment variables,
 *    annotations of others, what kubectl and field managers remember, data of other kinds.
 * 3. Every password that was seen by 1 is blotted out wherever else it stands.
 */
#define REDACTED "REDACTED"

struct redaction {
	char **secrets; /* seen so far */
	size_t count;
};
void redaction_done(struct redaction *redaction);

/* A configuration's text, without secrets; malloc'ed. Remarks go, too. */
char *redact_config(struct redaction *redaction, const char *text, size_t length);
/* An object of the API, in place. */
void redact_object(struct redaction *redaction, json_t *object);
/* Any text, with the secrets seen so far blotted out; malloc'ed. */
char *redact_text(const struct redaction *redaction, const char *text);

#endif
