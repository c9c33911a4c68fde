/* test_bundle.c - the head of a bundle, its signature, its length and its payload. */
#include "board/bundle.h"

#include "maker.h"
#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GOOD                                                                     \
	"scorebox update\nformat=1\nboard=rpi-arm64\nversion=1.2.3\nsize=8192\n" \
	"sha256=" HASH "\nsignature=AAAA\n"

enum { PAYLOAD_BYTES = 3 * 65536 + 4096 };
static uint8_t payload[PAYLOAD_BYTES];

static void put_head(const char *text, char head[BUNDLE_HEAD_BYTES])
{
	memset(head, '\n', BUNDLE_HEAD_BYTES);
	memcpy(head, text, strlen(text));
}

static void a_head_is_read(void **state)
{
	char head[BUNDLE_HEAD_BYTES];
	struct manifest m;
	struct why why;

	(void)state;
	put_head(GOOD, head);
	assert_int_equal(manifest_parse(head, &m, &why), STATUS_OK);
	assert_string_equal(m.board, "rpi-arm64");
	assert_string_equal(m.version, "1.2.3");
	assert_int_equal(m.bytes, 8192);
	assert_string_equal(m.hash, HASH);
	assert_memory_equal(m.sha256, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
	assert_ptr_equal(m.signed_part.bytes, head);
	assert_int_equal(m.signed_part.length, strlen(GOOD) - strlen("signature=AAAA\n"));
	assert_int_equal(m.signature.length, 4);
	assert_memory_equal(m.signature.bytes, "AAAA", 4);
}

static void a_wrong_head_is_refused(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{"", "no update bundle"},
		{"scorebox updates\n", "no update bundle"},
		{"scorebox update\n", "no line format="},
		{"scorebox update\nformat=2\nnew=line\n", "its format is 2"},
		{"scorebox update\nformat=1\nversion=1\n", "no line board="},
		{"scorebox update\nformat=1\nboard=\n", "board= is malformed"},
		{"scorebox update\nformat=1\nboard=a b\n", "board= is malformed"},
		{"scorebox update\nformat=1\nboard=a\r\n", "board= is malformed"},
		{"scorebox update\nformat=1\nboard=a\x1b[1m\n", "board= is malformed"},
		{"scorebox update\nformat=1\nboard=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
			"board= is malformed"},
		{"scorebox update\nformat=1\nboard=a\n\nversion=1\n", "no line version="},
		{"scorebox update\nformat=1\nboard=a\nversion=v1\nsize=4096\nsha256=" HASH "\n",
			"version 'v1' is malformed"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=0\nsha256=" HASH "\n",
			"size"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=-4096\nsha256=" HASH "\n",
			"size"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=04096\nsha256=" HASH "\n",
			"size"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=4097\nsha256=" HASH "\n",
			"size"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=0x1000\nsha256=" HASH "\n",
			"size"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=1073745920\nsha256=" HASH
		 "\n",
			"size"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=18446744073709555712\nsha256=" HASH
		 "\n",
			"size= is malformed"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=4096\nsha256=00\n",
			"SHA-256 is malformed"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=4096\nsha256="
		 "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n",
			"SHA-256 is malformed"},
		{"scorebox update\nformat=1\nboard=a\nversion=1\nsize=4096\nsha256=" HASH "\n",
			"no line signature="},
		{GOOD "x", "behind its signature"},
		{GOOD "signature=AAAA\n", "behind its signature"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char head[BUNDLE_HEAD_BYTES];
		struct manifest m = {.bytes = 7};
		struct why why;

		put_head(cases[i].text, head);
		assert_int_equal(manifest_parse(head, &m, &why), STATUS_BAD_DATA);
		assert_int_equal(m.bytes, 7);
		if (!strstr(why.text, cases[i].reason))
			fail_msg("case %zu: '%s', not '%s'", i, why.text, cases[i].reason);
	}
}

/* A line that goes on to the head's end, and beyond. */
static void a_line_without_end_is_refused(void **state)
{
	char head[BUNDLE_HEAD_BYTES];
	struct manifest m;

	(void)state;
	put_head(GOOD, head);
	memset(head + strlen(GOOD) - 1, 'A', sizeof head - strlen(GOOD) + 1);
	assert_int_equal(manifest_parse(head, &m, NULL), STATUS_BAD_DATA);
	put_head("scorebox update\nformat=1\nboard=", head);
	memset(head + 31, 'A', sizeof head - 31);
	assert_int_equal(manifest_parse(head, &m, NULL), STATUS_BAD_DATA);
}

static enum status look(const char *path, const char *key, struct why *why)
{
	struct bundle b;
	enum status s = bundle_open(&b, path, key, why);

	if (s != STATUS_OK) {
		assert_int_equal(b.fd, -1);
		return s;
	}
	s = bundle_check_payload(&b, why);
	bundle_close(&b);
	return s;
}

static void a_good_bundle_is_whole(void **state)
{
	uint8_t part[5000];
	struct bundle b;
	struct why why;

	(void)state;
	maker_bundle(in_place("good"), &(struct maker_plan){0}, payload, sizeof payload);
	if (look(in_place("good"), in_place("key"), &why) != STATUS_OK)
		fail_msg("%s", why.text);
	assert_int_equal(bundle_open(&b, in_place("good"), in_place("key"), &why), STATUS_OK);
	assert_int_equal(bundle_read(&b, 70000, part, sizeof part, &why), STATUS_OK);
	assert_memory_equal(part, payload + 70000, sizeof part);
	assert_int_equal(bundle_read(&b, PAYLOAD_BYTES - 1, part, 2, &why), STATUS_BAD_DATA);
	bundle_close(&b);
	bundle_close(&b);
}

/* Not one byte may differ: all of the head, some of the payload. */
static void a_flipped_bit_is_found(void **state)
{
	static char file[BUNDLE_HEAD_BYTES + 8192];
	struct why why;
	FILE *f;

	(void)state;
	maker_bundle(in_place("flip"), &(struct maker_plan){0}, payload, 8192);
	f = fopen(in_place("flip"), "r");
	assert_non_null(f);
	assert_int_equal(fread(file, 1, sizeof file, f), sizeof file);
	fclose(f);
	for (size_t i = 0; i < sizeof file; i += i < 400 ? 1 : 97) {
		file[i] ^= (char)(1 << i % 8);
		put_bytes(in_place("flip"), file, sizeof file);
		if (look(in_place("flip"), in_place("key"), &why) != STATUS_BAD_DATA)
			fail_msg("byte %zu", i);
		file[i] ^= (char)(1 << i % 8);
	}
	put_bytes(in_place("flip"), file, sizeof file);
	assert_int_equal(look(in_place("flip"), in_place("key"), &why), STATUS_OK);
}

static void another_length_is_found(void **state)
{
	static const long lengths[] = {0, 1, 15, 16, 100, 300, 4095, 4096, 4097, 8191, 8192, 70000,
		BUNDLE_HEAD_BYTES + PAYLOAD_BYTES - 1, BUNDLE_HEAD_BYTES + PAYLOAD_BYTES + 1};
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		maker_bundle(in_place("cut"), &(struct maker_plan){0}, payload, sizeof payload);
		assert_int_equal(truncate(in_place("cut"), lengths[i]), 0);
		if (look(in_place("cut"), in_place("key"), &why) != STATUS_BAD_DATA)
			fail_msg("length %ld", lengths[i]);
		assert_non_null(strstr(why.text, "not copied whole"));
	}
}

static void the_key_decides(void **state)
{
	struct why why;

	(void)state;
	maker_bundle(in_place("good"), &(struct maker_plan){0}, payload, 4096);
	assert_int_equal(look(in_place("good"), in_place("other"), &why), STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, "not by the key we trust"));
	assert_int_equal(look(in_place("good"), in_place("none"), &why), STATUS_NOT_FOUND);
	put_text(in_place("rubbish"),
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
	assert_int_equal(look(in_place("good"), in_place("rubbish"), &why), STATUS_FATAL);
	maker_write_other_curve(in_place("p384"));
	assert_int_equal(look(in_place("good"), in_place("p384"), &why), STATUS_FATAL);
	assert_non_null(strstr(why.text, "no public key on P-256"));
}

static void what_is_no_file_is_refused(void **state)
{
	struct why why;

	(void)state;
	assert_int_equal(look(in_place("nowhere"), in_place("key"), &why), STATUS_NOT_FOUND);
	assert_int_equal(look(place(), in_place("key"), &why), STATUS_BAD_DATA);
	assert_int_equal(mkfifo(in_place("pipe"), 0600), 0);
	assert_int_equal(look(in_place("pipe"), in_place("key"), &why), STATUS_BAD_DATA);
}

static int open_all(void **state)
{
	if (place_make(state))
		return -1;
	maker_open(in_place("other"));
	maker_close();
	maker_open(in_place("key"));
	maker_payload(payload, sizeof payload, 1);
	return 0;
}

static int close_all(void **state)
{
	maker_close();
	return place_remove(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_read),
		cmocka_unit_test(a_wrong_head_is_refused),
		cmocka_unit_test(a_line_without_end_is_refused),
		cmocka_unit_test(a_good_bundle_is_whole),
		cmocka_unit_test(a_flipped_bit_is_found),
		cmocka_unit_test(another_length_is_found),
		cmocka_unit_test(the_key_decides),
		cmocka_unit_test(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
