/* test_trust.c - files that are believed and files that are not. */
#include "tls/trust.h"

#include "paper.h"
#include "tls/roots.h"
#include "tls/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];
static struct paper ca, other, client;

static const char *at(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

static int make_papers(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof folder, "%s/scorebox-trust-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder) || tls_setup(NULL) != STATUS_OK)
		return -1;
	paper_make(&ca,
		&(struct paper_plan){.is_ca = 1, .name = "CN=test CA", .to = "20310102030405"});
	paper_make(&other, &(struct paper_plan){.is_ca = 1, .name = "CN=other CA"});
	paper_make(&client,
		&(struct paper_plan){.issuer = &ca, .name = "CN=box", .to = "20300102030405"});
	paper_write(at("ca.pem"), ca.pem);
	paper_write(at("client.pem"), client.pem);
	paper_write(at("client.key"), client.key_pem);
	paper_write(at("other.key"), other.key_pem);
	return 0;
}

static int remove_papers(void **state)
{
	char command[400];

	(void)state;
	paper_free(&ca);
	paper_free(&other);
	paper_free(&client);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static struct trust *opened(const char *ca_file, const char *cert, const char *key)
{
	struct trust *t = NULL;
	struct why why = {""};

	if (trust_open(&t, ca_file, cert, key, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	return t;
}

static void refused(const char *ca_file, const char *cert, const char *key, const char *reason)
{
	struct trust *t = NULL;
	struct why why = {""};

	assert_int_equal(trust_open(&t, ca_file, cert, key, &why), STATUS_BAD_DATA);
	assert_null(t);
	if (!strstr(why.text, reason))
		fail_msg("'%s' does not say '%s'", why.text, reason);
}

static void a_named_file_is_counted(void **state)
{
	struct trust *t = opened(at("ca.pem"), NULL, NULL);

	(void)state;
	assert_int_equal(trust_roots(t), 1);
	assert_string_equal(trust_origin(t), at("ca.pem"));
	/* 2031-01-02T03:04:05Z */
	assert_true(trust_expiry_us(t) == 1925089445ll * 1000000);
	trust_close(t);
}

static void a_set_goes_with_its_last_user(void **state)
{
	struct trust *t = opened(at("ca.pem"), "", "");
	struct trust *again = trust_share(t);

	(void)state;
	assert_ptr_equal(t, again);
	trust_close(t);
	assert_int_equal(trust_roots(again), 1);
	trust_close(again);
	trust_close(NULL);
}

static void what_cannot_be_read_is_passed_over(void **state)
{
	char text[20000];
	struct trust *t;

	(void)state;
	snprintf(text, sizeof text,
		"a comment\n%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
		"-----BEGIN CERTIFICATE-----\nno end\n%s-----BEGIN CERTIFICATE-----\nAAAA",
		ca.pem, other.pem);
	paper_write(at("mixed.pem"), text);
	t = opened(at("mixed.pem"), NULL, NULL);
	assert_int_equal(trust_roots(t), 2);
	trust_close(t);
	/* Lines as Windows ends them. */
	size_t used = 0;

	for (const char *p = ca.pem; *p; p++) {
		if (*p == '\n')
			text[used++] = '\r';
		text[used++] = *p;
	}
	text[used] = '\0';
	paper_write(at("windows.pem"), text);
	t = opened(at("windows.pem"), NULL, NULL);
	assert_int_equal(trust_roots(t), 1);
	trust_close(t);
}

static void files_without_certificates_are_refused(void **state)
{
	char *large = malloc(200000);

	(void)state;
	refused(at("nowhere.pem"), NULL, NULL, "nowhere.pem");
	refused(folder, NULL, NULL, folder);
	paper_write(at("empty.pem"), "");
	refused(at("empty.pem"), NULL, NULL, "no certificate");
	refused(at("client.key"), NULL, NULL, "no certificate");
	paper_write(at("garbage.pem"),
		"-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----\n");
	refused(at("garbage.pem"), NULL, NULL, "no certificate");
	/* One that never ends is not held whole. */
	assert_non_null(large);
	memset(large, 'A', 199999);
	large[199999] = '\0';
	memcpy(large, "-----BEGIN CERTIFICATE-----\n", 28);
	paper_write(at("endless.pem"), large);
	refused(at("endless.pem"), NULL, NULL, "no certificate");
	free(large);
}

/* What mbedTLS cannot send in one piece would fail in every handshake, and name the peer as the culprit. */
static void a_chain_that_cannot_be_sent(void **state)
{
	char chain[16 * sizeof client.pem] = "";

	(void)state;
	for (int i = 0; i < 4; i++)
		strcat(chain, client.pem);
	paper_write(at("chain.pem"), chain);
	trust_close(opened(at("ca.pem"), at("chain.pem"), at("client.key")));
	for (int i = 0; i < 12; i++)
		strcat(chain, client.pem);
	paper_write(at("chain.pem"), chain);
	refused(at("ca.pem"), at("chain.pem"), at("client.key"), "too long");
}

static void a_client_needs_its_own_key(void **state)
{
	struct trust *t = opened(at("ca.pem"), at("client.pem"), at("client.key"));

	(void)state;
	/* 2030-01-02T03:04:05Z: the client's certificate runs out first. */
	assert_true(trust_expiry_us(t) == 1893553445ll * 1000000);
	trust_close(t);
	refused(at("ca.pem"), at("client.pem"), NULL, "both");
	refused(at("ca.pem"), NULL, at("client.key"), "both");
	refused(at("ca.pem"), at("client.pem"), at("other.key"), "does not belong");
	refused(at("ca.pem"), at("client.pem"), at("client.pem"), "client key");
	refused(at("ca.pem"), at("client.key"), at("client.key"), "client certificate");
	refused(at("ca.pem"), at("gone"), at("client.key"), "gone");
	paper_write(at("locked.key"),
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
		"DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n"
		"-----END RSA PRIVATE KEY-----\n");
	refused(at("ca.pem"), at("client.pem"), at("locked.key"), "passphrase");
}

static void the_systems_set_or_the_one_compiled_in(void **state)
{
	const char *pem;
	struct trust *t = NULL;
	enum status s = trust_open(&t, NULL, NULL, NULL, NULL);
	bool on_system = access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0;

	(void)state;
	if (!on_system && roots_compiled_in(&pem) == 0) {
		printf("SKIPPED: no CA bundle on this machine and none compiled in\n");
		skip();
	}
	assert_int_equal(s, STATUS_OK);
	assert_true(trust_roots(t) > 50);
	if (on_system)
		assert_string_equal(trust_origin(t), "/etc/ssl/certs/ca-certificates.crt");
	assert_true(trust_expiry_us(t) == INT64_MAX);
	printf("%u roots from %s\n", trust_roots(t), trust_origin(t));
	trust_close(t);
}

static void the_compiled_set_is_pem(void **state)
{
	const char *pem;
	size_t length = roots_compiled_in(&pem);

	(void)state;
	if (length == 0) {
		printf("SKIPPED: no CA set compiled in\n");
		skip();
	}
	char *copy = malloc(length + 1);

	assert_non_null(copy);
	memcpy(copy, pem, length);
	copy[length] = '\0';
	paper_write(at("compiled.pem"), copy);
	free(copy);

	struct trust *t = opened(at("compiled.pem"), NULL, NULL);

	assert_true(trust_roots(t) > 0);
	trust_close(t);
}

static void says(int error, uint32_t flags, const char *phrase)
{
	char out[300];

	trust_explain(error, flags, "api.x", out, sizeof out);
	if (!strstr(out, phrase) || !strstr(out, "api.x"))
		fail_msg("'%s' does not say '%s'", out, phrase);
}

static void words_for_errors(void **state)
{
	char out[300];

	(void)state;
	says(-0x2700, MBEDTLS_X509_BADCERT_EXPIRED, "has expired (this board's clock says 20");
	says(-0x2700, MBEDTLS_X509_BADCERT_FUTURE, "is it set?");
	says(-0x2700, MBEDTLS_X509_BADCERT_NOT_TRUSTED, "unknown CA");
	says(-0x2700, MBEDTLS_X509_BADCERT_CN_MISMATCH | MBEDTLS_X509_BADCERT_NOT_TRUSTED,
		"; is for another host");
	says(-0x2700, 0, "could not be verified");
	says(-0x2700, UINT32_MAX, "could not be verified");
	says(-0x6E80, 0, "TLS version");
	says(-0x7780, 0, "refused the handshake");
	says(-0x7200, 0, "does not speak TLS");
	says(-0x1234, 0, "-0x1234");
	for (size_t room = 0; room < 120; room++) {
		memset(out, '#', sizeof out);
		trust_explain(-0x2700, MBEDTLS_X509_BADCERT_EXPIRED, "api.x", out, room);
		assert_int_equal(out[room], '#');
		assert_true(room == 0 || strlen(out) < room);
	}
	assert_int_equal(
		trust_error_in("ssl_handshake returned: (-0x7780) SSL - A fatal alert"), -0x7780);
	assert_int_equal(trust_error_in("Could not resolve host"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_named_file_is_counted),
		cmocka_unit_test(a_set_goes_with_its_last_user),
		cmocka_unit_test(what_cannot_be_read_is_passed_over),
		cmocka_unit_test(files_without_certificates_are_refused),
		cmocka_unit_test(a_client_needs_its_own_key),
		cmocka_unit_test(a_chain_that_cannot_be_sent),
		cmocka_unit_test(the_systems_set_or_the_one_compiled_in),
		cmocka_unit_test(the_compiled_set_is_pem),
		cmocka_unit_test(words_for_errors),
	};

	return cmocka_run_group_tests(tests, make_papers, remove_papers);
}
