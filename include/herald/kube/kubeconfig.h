// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_KUBECONFIG_H
#define HERALD_KUBE_KUBECONFIG_H

#include "herald/base/err.h"

/*
 * Where the API server is and who we are: from a kubeconfig file (clusters, users,
 * contexts; CA, client certificate and key as file or inline data, token, tokenFile), or
 * from the pod's service account (KUBERNETES_SERVICE_HOST/_PORT and the mounted token,
 * CA and namespace). exec and auth-provider users are refused with a clear error.
 * insecure-skip-tls-verify is refused: TLS is always verified (K61).
 */
struct kubeconfig {
	char *server;  /* "https://host:port", no trailing slash */
	char *ca_file; /* NULL when ca_pem is set or the system's CAs serve */
	char *ca_pem;
	char *cert_file, *cert_pem; /* client certificate, or NULL */
	char *key_file, *key_pem;
	char *token;	       /* fixed bearer token, or NULL */
	char *token_file;      /* read again as it rotates, or NULL */
	char *tls_server_name; /* or NULL */
	char *namespace;       /* of the context or the service account; "default" */
};

struct kubeconfig_options {
	const char
		*path; /* NULL: in-cluster if it applies, else $KUBECONFIG, else ~/.kube/config */
	const char *context; /* NULL: current-context */
	const char *server;  /* NULL: as the file says */
};

int kubeconfig_load(
	const struct kubeconfig_options *options, struct kubeconfig **ret, struct err *e);
void kubeconfig_free(struct kubeconfig *config); /* wipes secrets; NULL is allowed */

#endif
