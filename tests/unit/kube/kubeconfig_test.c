// SPDX-License-Identifier: Apache-2.0
/* Reading kubeconfig files: what is taken from them, and the error for what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "herald/base/base64.h"
#include "herald/kube/kubeconfig.h"

static char folder[] = "/tmp/herald-kubeconfig-XXXXXX";
static char *path;

#define HEAD                                                                                       \
	"apiVersion: v1\nkind: Config\ncurrent-context: one\n"                                     \
	"contexts:\n- {name: one, context: {cluster: c, user: u, namespace: ns}}\n"                \
	"- {name: two, context: {cluster: d, user: u}}\n"                                          \
	"- {name: none, context: {cluster: nosuch}}\n"
#define CLUSTERS                                                                                   \
	"clusters:\n- {name: c, cluster: {server: 'https://h:1/', certificate-authority: "         \
	"ca.crt}}\n"                                                                               \
	"- name: d\n  cluster: {server: 'https://[fd00::1]:2', tls-server-name: n, "               \
	"certificate-authority-data: UEVN}\n"
#define USERS "users:\n- {name: u, user: {token: secret}}\n"
#define USER(fields) "users:\n- {name: u, user: {" fields "}}\n"
#define CLUSTER(fields) "clusters:\n- {name: c, cluster: {server: 'https://h', " fields "}}\n"

static int load(const char *text, const char *context, struct kubeconfig **ret, struct err *e)
{
	const struct kubeconfig_options options = {.path = path, .context = context};
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	fclose(file);
	return kubeconfig_load(&options, ret, e);
}

static void takes_the_current_context(void **state)
{
	struct kubeconfig *config;
	struct err e;
	char ca[64];

	(void)state;
	assert_int_equal(load(HEAD CLUSTERS USERS, NULL, &config, &e), 0);
	assert_string_equal(config->server, "https://h:1");
	snprintf(ca, sizeof(ca), "%s/ca.crt", folder);
	assert_string_equal(config->ca_file, ca);
	assert_string_equal(config->token, "secret");
	assert_string_equal(config->namespace, "ns");
	assert_null(config->ca_pem);
	kubeconfig_free(config);
}

static void takes_the_context_asked_for(void **state)
{
	struct kubeconfig *config;
	struct err e;

	(void)state;
	assert_int_equal(
		load(HEAD CLUSTERS USER(
			     "client-certificate-data: UEVN, client-key-data: 'UEVN\n  UEVN', "
			     "token: null, tokenFile: /t"),
			"two", &config, &e),
		0);
	assert_string_equal(config->server, "https://[fd00::1]:2");
	assert_string_equal(config->tls_server_name, "n");
	assert_string_equal(config->ca_pem, "PEM");
	assert_string_equal(config->key_pem, "PEMPEM");
	assert_string_equal(config->token_file, "/t");
	assert_string_equal(config->namespace, "default");
	assert_null(config->token);
	kubeconfig_free(config);
}

static void json_aliases_and_overrides_are_fine(void **state)
{
	struct kubeconfig_options options = {.path = path, .server = "https://other:3//"};
	struct kubeconfig *config;
	struct err e;

	(void)state;
	assert_int_equal(
		load("{\"current-context\":\"x\",\"contexts\":[{\"name\":\"x\",\"context\":"
		     "{\"cluster\":\"c\"}}],\"clusters\":[{\"name\":\"c\",\"cluster\":"
		     "{\"server\":&s \"https://h\",\"tls-server-name\":*s}}]}",
			NULL, &config, &e),
		0);
	assert_string_equal(config->tls_server_name, "https://h");
	kubeconfig_free(config);
	assert_int_equal(kubeconfig_load(&options, &config, &e), 0);
	assert_string_equal(config->server, "https://other:3");
	kubeconfig_free(config);
}

struct bad {
	const char *text, *context, *says;
};

static const struct bad bads[] = {
	{"", NULL, "it is no kubeconfig"},
	{"[]", NULL, "it is no kubeconfig"},
	{"a: b\nc: [d: ]}", NULL, "line 2: "},
	{"a: b", NULL, "no \"current-context\""},
	{"current-context: x", NULL, "no list \"contexts\""},
	{HEAD CLUSTERS USERS, "three", "there is no context \"three\" in \"contexts\""},
	{HEAD CLUSTERS USERS, "none", "there is no cluster \"nosuch\" in \"clusters\""},
	{HEAD CLUSTERS "users: []\n", NULL, "there is no user \"u\" in \"users\""},
	{HEAD CLUSTER("insecure-skip-tls-verify: true") USERS, NULL, "TLS is always verified"},
	{HEAD CLUSTER("proxy-url: 'http://p'") USERS, NULL, "proxies are not supported"},
	{HEAD CLUSTER("certificate-authority-data: '!'") USERS, NULL,
		"\"certificate-authority-data\" of cluster \"c\" is not base64"},
	{HEAD CLUSTER("certificate-authority: [a]") USERS, NULL, "is no text"},
	{HEAD "clusters:\n- {name: c, cluster: {}}\n" USERS, NULL,
		"cluster \"c\" has no \"server\""},
	{HEAD "clusters:\n- {name: c, cluster: {server: 'http://h'}}\n" USERS, NULL,
		"must begin with https://"},
	{HEAD CLUSTERS USER("exec: {command: x}"), NULL, "user \"u\" has \"exec\": credential"},
	{HEAD CLUSTERS USER("auth-provider: {name: x}"), NULL, "auth providers"},
	{HEAD CLUSTERS USER("client-certificate: a"), NULL, "needs both"},
	{HEAD CLUSTERS USER("client-key: a"), NULL, "needs both"},
};

static void refusals_name_file_and_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct kubeconfig *config;
		struct err e = {0};

		if (load(bads[i].text, bads[i].context, &config, &e) >= 0)
			fail_msg("accepted: %s", bads[i].text);
		if (!strstr(e.text, bads[i].says))
			fail_msg("\"%s\" lacks \"%s\"", e.text, bads[i].says);
	}
}

static void a_missing_or_large_file_is_named(void **state)
{
	const struct kubeconfig_options options = {.path = path};
	AUTO_FREE char *large = xcalloc(1024 * 1024 + 2, 1);
	struct kubeconfig *config;
	struct err e = {0};

	(void)state;
	memset(large, ' ', 1024 * 1024 + 1);
	assert_true(load(large, NULL, &config, &e) < 0);
	assert_non_null(strstr(e.text, "larger than 1 MiB"));
	unlink(path);
	assert_true(kubeconfig_load(&options, &config, &e) < 0);
	assert_non_null(strstr(e.text, path));
}

static void decodes_base64(void **state)
{
	static const char *const good[][2] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"},
		{"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {" Zm\n9v\r\n", "foo"}};
	static const char *const bad[] = {"Z", "Zg",
		"Zg=", "Zg===", "Z===", "====", "Zg==Zg==", "Zm9v!", "AAAA", "=", "Zm9-"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char *text = base64_decode_text(good[i][0]);

		assert_non_null(text);
		assert_string_equal(text, good[i][1]);
		free(text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (base64_decode_text(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	}
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	path = xasprintf("%s/kubeconfig", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	free(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_current_context),
		cmocka_unit_test(takes_the_context_asked_for),
		cmocka_unit_test(json_aliases_and_overrides_are_fine),
		cmocka_unit_test(refusals_name_file_and_field),
		cmocka_unit_test(a_missing_or_large_file_is_named),
		cmocka_unit_test(decodes_base64),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
