// SPDX-License-Identifier: Apache-2.0
/* What a request means to RBAC, the sentences for refusals, and a reflector's paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_error.h"
#include "api_path.h"
#include "herald/kube/watch.h"
#include "watch_query.h"

struct row {
	const char *method, *path, *verb, *group, *resource, *namespace; /* verb NULL: none */
};

static const struct row rows[] = {
	{"GET", "/api/v1/services", "list", "", "services", ""},
	{"GET", "/api/v1/services?limit=5", "list", "", "services", ""},
	{"GET", "/api/v1/services?a=b&watch=true", "watch", "", "services", ""},
	{"GET", "/api/v1/nodes/n1", "get", "", "nodes", ""},
	{"GET", "/api/v1/namespaces", "list", "", "namespaces", ""},
	{"GET", "/api/v1/namespaces/ns", "get", "", "namespaces", ""},
	{"PUT", "/api/v1/namespaces/ns/status", "update", "", "namespaces/status", ""},
	{"GET", "/api/v1/namespaces/ns/services", "list", "", "services", "ns"},
	{"POST", "/api/v1/namespaces/ns/events", "create", "", "events", "ns"},
	{"PATCH", "/api/v1/namespaces/ns/services/web/status", "patch", "", "services/status",
		"ns"},
	{"PUT", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l", "update",
		"coordination.k8s.io", "leases", "ns"},
	{"DELETE", "/apis/apps/v1/namespaces/ns/deployments/d", "delete", "apps", "deployments",
		"ns"},
	{"DELETE", "/apis/apps/v1/namespaces/ns/deployments", "deletecollection", "apps",
		"deployments", "ns"},
	{"GET", "/livez", NULL, NULL, NULL, NULL},
	{"GET", "/api/v1", NULL, NULL, NULL, NULL},
	{"GET", "/apis/apps/v1", NULL, NULL, NULL, NULL},
	{"GET", "", NULL, NULL, NULL, NULL},
	{"GET", "/api//x", NULL, NULL, NULL, NULL},
};

static void paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct api_path got;
		bool is = api_path_parse(rows[i].method, rows[i].path, &got);

		if (is != (rows[i].verb != NULL))
			fail_msg("%s", rows[i].path);
		if (!is)
			continue;
		assert_string_equal(got.verb, rows[i].verb);
		assert_string_equal(got.group, rows[i].group);
		assert_string_equal(got.resource, rows[i].resource);
		assert_string_equal(got.namespace, rows[i].namespace);
	}
}

static void parts_too_long_are_no_resource(void **state)
{
	char path[300] = "/api/v1/";
	struct api_path got;

	(void)state;
	memset(path + 8, 'a', 200);
	assert_false(api_path_parse("GET", path, &got));
	strcpy(path, "/api/v1/services/x/");
	memset(path + strlen(path), 'b', 125);
	assert_false(api_path_parse("GET", path, &got));
}

static void a_refusal_says_what_mends_it(void **state)
{
	static const char body[] =
		"{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\","
		"\"details\":{\"retryAfterSeconds\":3}}";
	struct api_status status;
	struct err e;

	(void)state;
	api_status_parse(body, strlen(body), &status);
	assert_string_equal(status.reason, "Forbidden");
	assert_int_equal(status.retry_after_ms, 3000);
	api_error_refused("PATCH", "/api/v1/namespaces/a/services/b/status", 403, &status, &e);
	assert_string_equal(e.text,
		"cannot PATCH /api/v1/namespaces/a/services/b/status: 403 Forbidden: no; grant "
		"verb "
		"`patch` on `services/status` to this service account (see config/rbac)");
}

static void a_long_message_gives_way(void **state)
{
	struct api_status status = {0};
	char path[400] = "/apis/coordination.k8s.io/v1/namespaces/";
	struct err e;

	(void)state;
	memset(status.message, 'm', sizeof(status.message) - 1);
	memset(path + strlen(path), 'n', 120);
	strcat(path, "/leases/l");
	api_error_refused("GET", path, 403, &status, &e);
	assert_non_null(strstr(e.text, "(see config/rbac)"));
}

static void bodies_that_are_no_status(void **state)
{
	static const char *const bodies[] = {"", "nonsense", "{}", "[1]", "{\"kind\":\"Pod\"}",
		"{\"kind\":\"Status\",\"reason\":5,\"details\":[]}"};
	struct api_status status;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		api_status_parse(bodies[i], strlen(bodies[i]), &status);
		assert_string_equal(status.reason, "");
		assert_string_equal(status.message, "");
	}
}

static void expect_text(char *made, const char *expected)
{
	assert_string_equal(made, expected);
	free(made);
}

static void queries(void **state)
{
	struct watch_query query = {.path = "/api/v1/pods", .page_size = 5, .seconds = 300};

	(void)state;
	expect_text(watch_query_list(&query), "/api/v1/pods?limit=5");
	query.version = "7";
	expect_text(watch_query_list(&query),
		"/api/v1/pods?limit=5&resourceVersion=7&resourceVersionMatch=NotOlderThan");
	query.next = "a/b=";
	query.field_selector = "metadata.name=x";
	expect_text(watch_query_list(&query),
		"/api/v1/pods?fieldSelector=metadata.name%3Dx&limit=5&continue=a%2Fb%3D");
	query.label_selector = "a in (b)";
	query.field_selector = NULL;
	expect_text(watch_query_watch(&query),
		"/api/v1/pods?labelSelector=a%20in%20%28b%29&watch=true&allowWatchBookmarks=true&"
		"timeoutSeconds=300&resourceVersion=7");
	query.label_selector = query.version = NULL;
	query.initial = true;
	expect_text(watch_query_watch(&query),
		"/api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&"
		"sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
}

static void versions_k57(void **state)
{
	(void)state;
	assert_true(kube_version_is_older("9", "10"));
	assert_true(kube_version_is_older("99999999999999999999998", "99999999999999999999999"));
	assert_false(kube_version_is_older("10", "10"));
	assert_false(kube_version_is_older("11", "10"));
	assert_false(kube_version_is_older("a9", "10"));
	assert_false(kube_version_is_older("9", "b10"));
	assert_false(kube_version_is_older("9", NULL));
	assert_false(kube_version_is_older("", "10"));
	assert_false(kube_version_is_older("09", "10"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(parts_too_long_are_no_resource),
		cmocka_unit_test(a_refusal_says_what_mends_it),
		cmocka_unit_test(a_long_message_gives_way),
		cmocka_unit_test(bodies_that_are_no_status),
		cmocka_unit_test(queries),
		cmocka_unit_test(versions_k57),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
