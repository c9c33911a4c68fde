/* test_trust_files.c - a trust set follows its files, and roots are parsed once for everybody. */
#include "base/clock.h"
#include "paper.h"
#include "tls/setup.h"
#include "tls/trust_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256], ca_file[300], cert_file[300], key_file[300];
static struct paper one, two, client, renewed;
static int64_t mono_us;

static int64_t test_mono_us(void)
{
	return mono_us;
}

/* The files are looked at again. */
static void later(void)
{
	mono_us += 6 * 1000000;
}

static int set_up(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof folder, "%s/scorebox-trust-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder) || tls_setup(NULL) != STATUS_OK)
		return -1;
	snprintf(ca_file, sizeof ca_file, "%s/ca.pem", folder);
	snprintf(cert_file, sizeof cert_file, "%s/client.pem", folder);
	snprintf(key_file, sizeof key_file, "%s/client.key", folder);
	paper_make(&one, &(struct paper_plan){.is_ca = 1, .name = "CN=one"});
	paper_make(&two, &(struct paper_plan){.is_ca = 1, .name = "CN=two"});
	paper_make(&client, &(struct paper_plan){.name = "CN=client", .issuer = &one});
	paper_make(&renewed, &(struct paper_plan){.name = "CN=client", .issuer = &one});
	mono_us = 1000000000;
	clock_replace(NULL, test_mono_us);
	return 0;
}

static int tear_down(void **state)
{
	char command[400];

	(void)state;
	clock_replace(NULL, NULL);
	paper_free(&one);
	paper_free(&two);
	paper_free(&client);
	paper_free(&renewed);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

/* As a careful renewer does: beside, then renamed into place. */
static void replace(const char *path, const char *pem)
{
	char beside[320];

	snprintf(beside, sizeof beside, "%s.new", path);
	paper_write(beside, pem);
	assert_int_equal(rename(beside, path), 0);
}

static struct trust_files *open_files(void)
{
	struct trust_files *f = NULL;
	struct why why = {""};

	replace(ca_file, one.pem);
	replace(cert_file, client.pem);
	replace(key_file, client.key_pem);
	if (trust_files_open(&f, ca_file, cert_file, key_file, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	return f;
}

/* The first root that a set believes, as parsed. */
static const mbedtls_x509_crt *roots_of(struct trust *t)
{
	mbedtls_ssl_config config;
	const mbedtls_x509_crt *roots;

	mbedtls_ssl_config_init(&config);
	trust_apply(t, &config);
	roots = config.MBEDTLS_PRIVATE(ca_chain);
	mbedtls_ssl_config_free(&config);
	return roots;
}

static bool believes(struct trust_files *f, const struct paper *p)
{
	struct trust *t = trust_files_current(f);
	const mbedtls_x509_crt *root = roots_of(t);
	bool same = root->raw.len == p->crt.raw.len &&
		    memcmp(root->raw.p, p->crt.raw.p, root->raw.len) == 0;

	trust_close(t);
	return same;
}

static void a_renewed_ca_is_picked_up(void **state)
{
	struct trust_files *f = open_files();
	struct trust *old = trust_files_current(f);

	(void)state;
	assert_true(believes(f, &one));
	assert_int_equal(trust_files_version(f), 0);
	replace(ca_file, two.pem);
	assert_int_equal(trust_files_version(f), 0); /* not looked at yet */
	later();
	assert_int_equal(trust_files_version(f), 1);
	assert_true(believes(f, &two));
	later();
	assert_int_equal(trust_files_version(f), 1);
	/* who has the old set keeps it */
	assert_int_equal(roots_of(old)->raw.len, one.crt.raw.len);
	trust_close(old);
	trust_files_close(f);
}

static void written_in_place_too(void **state)
{
	struct trust_files *f = open_files();

	(void)state;
	paper_write(ca_file, two.pem);
	later();
	assert_true(believes(f, &two));
	trust_files_close(f);
}

/* Half-way through a renewal nothing changes, and nothing is refused. */
static void certificate_and_key_change_together(void **state)
{
	struct trust_files *f = open_files();

	(void)state;
	replace(cert_file, renewed.pem);
	later();
	assert_int_equal(trust_files_version(f), 0);
	later();
	assert_int_equal(trust_files_version(f), 0);
	replace(key_file, renewed.key_pem);
	later();
	assert_int_equal(trust_files_version(f), 1);
	trust_files_close(f);
}

static void what_cannot_be_read_changes_nothing(void **state)
{
	struct trust_files *f = open_files();

	(void)state;
	replace(ca_file, "no certificate\n");
	later();
	assert_true(believes(f, &one));
	assert_int_equal(unlink(ca_file), 0);
	later();
	assert_true(believes(f, &one));
	assert_int_equal(trust_files_version(f), 0);
	replace(ca_file, two.pem);
	later();
	assert_int_equal(trust_files_version(f), 1);
	assert_true(believes(f, &two));
	trust_files_close(f);
}

static void wrong_files_at_the_start_are_an_error(void **state)
{
	struct trust_files *f = NULL;
	struct why why;

	(void)state;
	assert_int_equal(
		trust_files_open(&f, "/nowhere/ca.pem", NULL, NULL, &why), STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, "/nowhere/ca.pem"));
	replace(ca_file, one.pem);
	replace(cert_file, client.pem);
	replace(key_file, renewed.key_pem);
	assert_int_equal(trust_files_open(&f, ca_file, cert_file, key_file, &why), STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, key_file));
	assert_null(f);
}

static void roots_of_one_file_are_parsed_once(void **state)
{
	struct trust_files *f = open_files();
	struct trust *a = trust_files_current(f), *b, *c;

	(void)state;
	assert_int_equal(trust_open(&b, ca_file, NULL, NULL, NULL), STATUS_OK);
	assert_ptr_equal(roots_of(a), roots_of(b));
	replace(ca_file, one.pem); /* the same bytes, but who knows without reading */
	assert_int_equal(trust_open(&c, ca_file, NULL, NULL, NULL), STATUS_OK);
	assert_ptr_not_equal(roots_of(a), roots_of(c));
	trust_close(a);
	trust_files_close(f);
	assert_int_equal(trust_roots(b), 1); /* outlives who opened it first */
	trust_close(b);
	trust_close(c);
}

static void the_last_user_closes(void **state)
{
	struct trust_files *f = open_files();

	(void)state;
	assert_ptr_equal(trust_files_share(f), f);
	trust_files_close(f);
	assert_true(believes(f, &one));
	trust_files_close(f);
	trust_files_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_renewed_ca_is_picked_up),
		cmocka_unit_test(written_in_place_too),
		cmocka_unit_test(certificate_and_key_change_together),
		cmocka_unit_test(what_cannot_be_read_changes_nothing),
		cmocka_unit_test(wrong_files_at_the_start_are_an_error),
		cmocka_unit_test(roots_of_one_file_are_parsed_once),
		cmocka_unit_test(the_last_user_closes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
