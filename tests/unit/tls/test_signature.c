/* test_signature.c - a signature that `openssl dgst -sha256 -sign` made, and what is none. */
#include "tls/signature.h"

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

#define PEM(text) "-----BEGIN PUBLIC KEY-----\n" text "-----END PUBLIC KEY-----\n"
static const char key[] = PEM("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXZp5lqFIPJ9lGkvToWRtTdkWxl/4\n"
			      "PTbRPhtEa9AHYjnUrn+ls0QThpQUrb74PYV03eu7S4468pX90q+y6TrF2w==\n");
static const char message[] = "scorebox update";
static const char signature[] = "MEUCIACrBRYXBZiaRI4w6gldceZeLcQnQV7HgdXun4yrjQP0AiEAvuiZxBRy6e/"
				"EcRjWqQm4pqjogrnwuVMxnf6twWSgOrY=";

static char path[PATH_MAX];

static void put_key(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
}

static enum status check(const char *text, const char *by, struct why *why)
{
	return signature_check(path, text, strlen(text), by, strlen(by), why);
}

static void a_good_one_is_taken(void **state)
{
	struct why why;

	(void)state;
	put_key(key);
	if (check(message, signature, &why) != STATUS_OK)
		fail_msg("%s", why.text);
}

static void any_other_is_refused(void **state)
{
	static const struct {
		const char *message, *signature, *reason;
	} cases[] = {
		{"scorebox updata", signature, "not by the key"},
		{"", signature, "not by the key"},
		{message, "", "not by the key"},
		{message, "MAA=", "not by the key"},
		{message, "MAYCAQACAQA=", "not by the key"}, /* r = 0, s = 0 */
		{message, "MAYCAQECAQE=", "not by the key"}, /* r = 1, s = 1 */
		{message, "!", "malformed"},
		/* The same bytes, written otherwise. */
		{message,
			"MEUCIACrBRYXBZiaRI4w6gldceZeLcQnQV7HgdXun4yrjQP0AiEAvuiZxBRy6e/"
			"EcRjWqQm4pqjogrnwuVMxnf6twWSgOrY=\n",
			"malformed"},
		{message,
			"MEUCIACrBRYXBZiaRI4w6gldceZeLcQnQV7HgdXun4yrjQP0AiEAvuiZxBRy6e/"
			"EcRjWqQm4pqjogrnwuVMxnf6twWSgOrZ=",
			"malformed"},
		/* A byte more than the DER needs. */
		{message,
			"MEUCIACrBRYXBZiaRI4w6gldceZeLcQnQV7HgdXun4yrjQP0AiEAvuiZxBRy6e/"
			"EcRjWqQm4pqjogrnwuVMxnf6twWSgOrYA",
			"not by the key"},
		{message,
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			"malformed"},
	};

	(void)state;
	put_key(key);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct why why;

		assert_int_equal(
			check(cases[i].message, cases[i].signature, &why), STATUS_BAD_DATA);
		if (!strstr(why.text, cases[i].reason))
			fail_msg("case %zu: %s", i, why.text);
	}
}

static void any_other_key_is_no_key(void **state)
{
	static const char *const keys[] = {"", "rubbish",
		PEM("MCowBQYDK2VwAyEAFtZYkjXOCuTk2+06zY/dOquzHL6FsGFdYDd51y+/jNM=\n"),
		PEM("MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDBIF0Su0DtsqldjoDURYInRNxI\n"
		    "4TxiyssxceJJ6d2a/2L1i12+nyvcPNGoyp/aOq+wHF5kNWk4G/CiFwwGk5rgGeLz\n"
		    "ZK+qr71CpsbvTzu2TV1y/JlW4swd/u+8fYS+/Atyp8059nttpevKPf4vBWG7G9RI\n"
		    "bXXKzxjm9l0IbpCx5wIDAQAB\n")};
	static char large[9000];
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		put_key(keys[i]);
		assert_int_equal(check(message, signature, &why), STATUS_FATAL);
		assert_non_null(strstr(why.text, "no public key on P-256"));
	}
	memset(large, 'A', sizeof large - 1);
	put_key(large);
	assert_int_equal(check(message, signature, &why), STATUS_FATAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(check(message, signature, &why), STATUS_NOT_FOUND);
}

static int open_file(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(path, sizeof path, "%s/scorebox-key-XXXXXX", base ? base : "/tmp");

	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one_is_taken),
		cmocka_unit_test(any_other_is_refused),
		cmocka_unit_test(any_other_key_is_no_key),
	};

	return cmocka_run_group_tests(tests, open_file, NULL);
}
