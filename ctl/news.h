// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_NEWS_H
#define HERALDCTL_NEWS_H

#include "view.h"

/*
 * What has happened between two views of a cluster: addresses assigned, changed and
 * released, moved from node to node, found to be other machines', and speakers that came
 * and went. Pure: a picture is a sorted list of what each thing's value is; news are the
 * differences, in words.
 */
enum news_kind { NEWS_CONFIG, NEWS_SPEAKER, NEWS_SERVICE, NEWS_CONFLICT, NEWS_OWNER };

struct picture_item {
	enum news_kind kind;
	char *key;   /* "default/web", "node1", an address */
	char *value; /* "192.0.2.1", "alive", the owner's name; "" none */
	char *about; /* more for people: whose address it is, why there is none; "" nothing */
};

struct picture {
	struct picture_item *items; /* sorted by kind and key */
	size_t count;
};
void picture_make(const struct view *view, struct picture *ret);
void picture_done(struct picture *picture);

/* `what`: "assigned", "moved", ...; the texts are of this call only. */
typedef void news_fn(void *context, const char *what, const char *key, const char *text);
void news_tell(const struct picture *before, const struct picture *after, const struct view *view,
	news_fn *tell, void *context);

#endif
