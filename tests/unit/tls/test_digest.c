/* test_digest.c - known digests, hex, randomness. */
#include "tls/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void known_digests(void **state)
{
	/* FIPS 180-2, appendix B, and the empty message. */
	static const struct {
		const char *message, *hex;
	} cases[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb924"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct digest d;
		char hex[2 * DIGEST_BYTES + 1];

		digest_of(cases[i].message, strlen(cases[i].message), &d);
		digest_hex(d.bytes, DIGEST_BYTES, hex);
		assert_string_equal(hex, cases[i].hex);
	}
	struct digest none;

	digest_of(NULL, 0, &none);
	assert_int_equal(none.bytes[0], 0xe3);
}

static void a_stream_has_the_same_digest(void **state)
{
	/* FIPS 180-2, appendix B.3: a million of "a". */
	static const char wanted[] =
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
	static char bytes[1000];
	uint8_t whole[DIGEST_WHOLE_BYTES];
	char hex[2 * DIGEST_WHOLE_BYTES + 1];
	struct digest_stream *d;

	(void)state;
	memset(bytes, 'a', sizeof bytes);
	assert_int_equal(digest_stream_open(&d, NULL), STATUS_OK);
	/* Twice: after its end it begins anew. */
	for (int turn = 0; turn < 2; turn++) {
		size_t added = 0;

		for (size_t n = turn; added < 1000000; added += n) {
			n = n < sizeof bytes ? n + 1 : sizeof bytes;
			n = n < 1000000 - added ? n : 1000000 - added;
			digest_stream_add(d, bytes, n);
		}
		digest_stream_end(d, whole);
		digest_hex(whole, sizeof whole, hex);
		assert_string_equal(hex, wanted);
	}
	digest_stream_add(d, NULL, 0);
	digest_stream_end(d, whole);
	digest_hex(whole, 4, hex);
	assert_string_equal(hex, "e3b0c442");
	digest_stream_close(d);
	digest_stream_close(NULL);
}

static void random_bytes_differ(void **state)
{
	unsigned char a[300] = {0}, b[300] = {0};
	size_t zeros = 0;

	(void)state;
	digest_random(a, sizeof a);
	digest_random(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	for (size_t i = 0; i < sizeof a; i++)
		zeros += a[i] == 0;
	assert_true(zeros < 30);
	digest_random(a, 0);
}

static void hex_is_terminated(void **state)
{
	char out[8] = "#######";

	(void)state;
	digest_hex("\x00\xff\x1a", 3, out);
	assert_string_equal(out, "00ff1a");
	digest_hex("", 0, out);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests),
		cmocka_unit_test(a_stream_has_the_same_digest),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(hex_is_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
