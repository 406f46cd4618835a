// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_STATUS_PAGE_H
#define HERALD_SPEAKER_STATUS_PAGE_H

/* GET /status: JSON about this node, its interfaces, the members, and each address with
   its owner and, where this node is refused or nobody owns it, why. A page_fn. */
char *status_page(void *speaker, const char **ret_content_type);

#endif
