// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_KUBE_API_PATH_H
#define HERALD_LIB_KUBE_API_PATH_H

#include <stdbool.h>

/*
 * What a request means to the API server's authorizer (Kubernetes' "resource request"):
 * /api/v1/... or /apis/GROUP/VERSION/..., then [namespaces/NS/]RESOURCE[/NAME[/SUB]].
 */
#define API_PATH_PART_MAX 128

struct api_path {
	char group[API_PATH_PART_MAX];	  /* "" for the core group */
	char resource[API_PATH_PART_MAX]; /* with its subresource: "services/status" */
	char namespace[API_PATH_PART_MAX];
	const char *verb; /* "get", "list", "watch", ... */
};

/* False: no resource request (/livez, /version, ...). */
bool api_path_parse(const char *method, const char *path, struct api_path *ret);

#endif
