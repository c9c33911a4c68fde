/* test_memory.c - malloc fails at call 1, 2, 3, ... to the end: each opening either refuses for
 * want of memory or is complete; a set of roots with gaps is never handed out. Leaks are the
 * sanitizer's to find. */
#include "tls/server.h"
#include "tls/setup.h"
#include "tls/trust.h"

#include "failing_malloc.h"

#include "paper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[200], ca_file[256], cert_file[256], key_file[256];
enum { ROOTS = 3 };

static int make_files(void **state)
{
	const char *base = getenv("TMPDIR");
	struct paper papers[ROOTS], client;
	char all[3 * 4096];

	(void)state;
	snprintf(folder, sizeof folder, "%s/scorebox-memory-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder) || tls_setup(NULL) != STATUS_OK)
		return -1;
	snprintf(ca_file, sizeof ca_file, "%s/ca.pem", folder);
	snprintf(cert_file, sizeof cert_file, "%s/client.pem", folder);
	snprintf(key_file, sizeof key_file, "%s/client.key", folder);
	for (int i = 0; i < ROOTS; i++)
		paper_make(&papers[i], &(struct paper_plan){.is_ca = 1,
					       .name = "CN=test CA,O=cricket",
					       .rsa_bits = i == 1 ? 2048 : 0});
	paper_make(&client, &(struct paper_plan){.issuer = &papers[0], .name = "CN=box"});
	snprintf(all, sizeof all, "%s%s%s", papers[0].pem, papers[1].pem, papers[2].pem);
	paper_write(ca_file, all);
	paper_write(cert_file, client.pem);
	paper_write(key_file, client.key_pem);
	for (int i = 0; i < ROOTS; i++)
		paper_free(&papers[i]);
	paper_free(&client);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	unlink(ca_file);
	unlink(cert_file);
	unlink(key_file);
	return rmdir(folder);
}

static void a_set_is_complete_or_refused(void **state)
{
	long n = 0;

	(void)state;
	do {
		struct trust *t = NULL;
		struct why why = {""};

		malloc_fail_at((unsigned)++n, false);

		enum status s = trust_open(&t, ca_file, cert_file, key_file, &why);

		malloc_fail_at(0, false);
		if (s == STATUS_OK) {
			assert_int_equal(trust_roots(t), ROOTS);
			trust_close(t);
		} else {
			assert_null(t);
			assert_true(malloc_failures());
			if (s != STATUS_NO_MEMORY)
				fail_msg("allocation %ld: %s: %s", n, status_name(s), why.text);
		}
	} while (malloc_failures());
	printf("%ld allocations failed in turn\n", n - 1);
	assert_true(n > 50);
}

static void a_server_is_complete_or_refused(void **state)
{
	long n = 0;

	(void)state;
	do {
		struct tls_server *server = NULL;

		malloc_fail_at((unsigned)n + 1, false);
		/* Most of the later ones are big numbers of one multiplication. */
		n += n < 200 ? 1 : 37;

		enum status s = tls_server_open(&server, "localhost,127.0.0.1", NULL, NULL);

		malloc_fail_at(0, false);
		assert_int_equal(s == STATUS_OK, server != NULL);
		assert_true(s == STATUS_OK || malloc_failures());
		tls_server_close(server);
	} while (malloc_failures());
	printf("%ld allocations\n", n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_complete_or_refused),
		cmocka_unit_test(a_server_is_complete_or_refused),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
