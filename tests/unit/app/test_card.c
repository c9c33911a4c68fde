/* test_card.c - the SD image's settings file as people leave it: what comes out, and what is said. */
#include "app/card.h"

#include "base/file.h"

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

static char folder[64], card_file[96], secrets[96], out[96], said[128], flag[128];

static void write_text(const char *path, const char *text)
{
	struct why why;

	assert_int_equal(file_replace(path, text, strlen(text), 0600, &why), STATUS_OK);
}

static char *text_of(const char *path)
{
	char *bytes;
	size_t length;
	struct why why;

	if (file_read(path, 1 << 18, &bytes, &length, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	return bytes;
}

static void expect_text(const char *path, const char *text)
{
	char *bytes = text_of(path);

	assert_string_equal(bytes, text);
	free(bytes);
}

static const char *in_secrets(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", secrets, name);
	return path;
}

/* What verb `board settings` does; NULL: without --seal. */
static bool take(const char *sealed)
{
	const struct card_request request = {.file = card_file, .out = out, .folder = sealed};
	struct why why;
	bool usable = false;

	if (card_settings(&request, &usable, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	return usable;
}

static void lines(void **state)
{
	static const struct {
		const char *text, *lines; /* "": nothing usable */
		const char *said;	  /* NULL: nothing; "*": anything */
	} cases[] = {
		{"SCOREBOX_BOOKS=all\n", "SCOREBOX_BOOKS=all\n", NULL},
		{"\xEF\xBB\xBF# hello\r\n\r\n  export SCOREBOX_BOOKS = all \t# yes\r\n",
			"SCOREBOX_BOOKS=all\n", NULL},
		{"SCOREBOX_MATCHES=\" a=b \\\"c\\\" # $d 'e' \"\r\n",
			"SCOREBOX_MATCHES=a=b \"c\" # $d 'e'\n", NULL},
		{"SCOREBOX_API_KEY='it''s'\nSCOREBOX_BOOKS=all\n", "SCOREBOX_BOOKS=all\n",
			"line 1: text stands behind the closing quote; the line is left out\n"},
		{"SCOREBOX_BOOKS=all\nwhat\nSCOREBOX_SPOOL_FULL=maybe\n- - -\n",
			"SCOREBOX_BOOKS=all\n",
			"line 2: expected NAME=value; the line is left out\n"
			"line 3: SCOREBOX_SPOOL_FULL=\"maybe\": expected one of: latest block; the line is "
			"left out; the default counts: latest\n"
			"line 4: expected NAME=value; the line is left out\n"},
		{"SCOREBOX_BOOKS=all\nSCOREBOX_POLL_INTERVALL=5s\nPATH=/x\nSCOREBX_BOOKS=all\n",
			"SCOREBOX_BOOKS=all\n",
			"line 2: SCOREBOX_POLL_INTERVALL is no setting and is left out; did you mean "
			"SCOREBOX_POLL_INTERVAL?\n"
			"line 3: this is no setting and is left out; all begin with SCOREBOX_\n"
			"line 4: SCOREBX_BOOKS is no setting and is left out; did you mean SCOREBOX_BOOKS?\n"},
		{"SCOREBOX_BOOKS=none\nSCOREBOX_BOOKS=all\n", "SCOREBOX_BOOKS=all\n",
			"line 1: SCOREBOX_BOOKS is set again in line 2, which counts\n"},
		{"SCOREBOX_BOOKS=all\nSCOREBOX_MATCHES=\nSCOREBOX_NTP='  '\n",
			"SCOREBOX_BOOKS=all\n", NULL},
		{"SCOREBOX_BOOKS=all\nSCOREBOX_API_KEY=sesame open\n", "SCOREBOX_BOOKS=all\n",
			"line 2: SCOREBOX_API_KEY: a key holds no blanks and only ASCII characters; the "
			"line is left out\n"},
		{"SCOREBOX_BOOKS=all\nSCOREBOX_API_URL=https://a:sesame@b/\n",
			"SCOREBOX_BOOKS=all\n", "*"},
		{"SCOREBOX_BOOKS=all\nSCOREBOX_API_KEY_FILE=sesame\n", "SCOREBOX_BOOKS=all\n",
			"line 2: SCOREBOX_API_KEY_FILE: expected the path of a file that can be read and "
			"holds the secret, such as /boot/api.key; the line is left out\n"},
		{"SCOREBOX_API_KEY=0123-456\nSCOREBOX_API_KEY_FILE=/dev/null\n",
			"SCOREBOX_API_KEY=0123-456\n",
			"line 2: SCOREBOX_API_KEY_FILE: SCOREBOX_API_KEY is set too, in line 1, and "
			"counts; the line is left out\n"},
		{"SCOREBOX_NET_ADDRESS=192.168.1.20\nSCOREBOX_HOSTNAME=hut\n",
			"SCOREBOX_HOSTNAME=hut\n", "*"},
		{"SCOREBOX_MATCHES=a\x01z\nSCOREBOX_BOOKS=all\n", "SCOREBOX_BOOKS=all\n",
			"line 1: SCOREBOX_MATCHES: it holds a control character; the line is left out; "
			"the default counts: all\n"},
		{"SCOREBOX_SEAL=1\n", "SCOREBOX_SEAL=1\n", NULL},
		{"", "", NULL},
		{"# SCOREBOX_BOOKS=all\r\n", "", NULL},
		{"SCOREBOX_BOOKS=\nSCOREBOX_BOOK=all\n", "", "*"},
		{"\xFF\xFE"
		 "A\n",
			"", "*"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *bytes, *complaints;
		bool usable;

		write_text(card_file, cases[i].text);
		usable = take(NULL);
		bytes = text_of(out);
		complaints = text_of(said);
		if (usable != !!*cases[i].lines || strcmp(bytes, cases[i].lines) != 0)
			fail_msg("<%s>: <%s>", cases[i].text, bytes);
		if (!cases[i].said != !*complaints ||
			(cases[i].said && *cases[i].said != '*' &&
				strcmp(complaints, cases[i].said) != 0))
			fail_msg("<%s>: <%s>", cases[i].text, complaints);
		assert_null(strstr(complaints, "sesame"));
		free(bytes);
		free(complaints);
	}
}

static void whose_eyes_are_they_for(void **state)
{
	struct stat st;

	(void)state;
	write_text(card_file, "SCOREBOX_API_KEY=0123-456\n");
	assert_true(take(NULL));
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	expect_text(out, "SCOREBOX_API_KEY=0123-456\n");
	expect_text(card_file, "SCOREBOX_API_KEY=0123-456\n");
}

static void no_file(void **state)
{
	char *complaints;

	(void)state;
	write_text(card_file, "SCOREBOX_BOOKS=all\n");
	assert_true(take(NULL));
	unlink(card_file);
	assert_false(take(secrets));
	expect_text(out, "");
	complaints = text_of(said);
	assert_non_null(strstr(complaints, "cannot be used: open '"));
	free(complaints);
}

/* A file of something else gives a handful of complaints, not one for each of its lines. */
static void a_file_of_something_else(void **state)
{
	static char text[4000];
	char *complaints;
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "?\n", 2);
	write_text(card_file, text);
	assert_false(take(NULL));
	complaints = text_of(said);
	for (char *p = complaints; (p = strchr(p, '\n')); p++)
		count++;
	assert_int_equal(count, 31);
	assert_non_null(strstr(complaints, "has 1969 further lines that are no settings\n"));
	free(complaints);
}

static void forget_secrets(void)
{
	unlink(in_secrets("SCOREBOX_API_KEY"));
	unlink(in_secrets("SCOREBOX_KAFKA_SASL_PASSWORD"));
}

#define BY_FILE "SCOREBOX_API_KEY_FILE="

static void sealed_secrets(void **state)
{
	static const struct {
		const char *text, *sealed;	       /* NULL: none before */
		const char *lines;		       /* F stands for the sealed key's line */
		const char *sealed_after, *text_after; /* NULL: as before */
		const char *comment;
	} cases[] = {
		{"SCOREBOX_API_KEY=abcd-efgh\n", NULL, "SCOREBOX_API_KEY=abcd-efgh\n", NULL, NULL,
			"not asked for"},
		{"SCOREBOX_API_KEY=abcd-efgh\nSCOREBOX_SEAL=0\n", NULL,
			"SCOREBOX_API_KEY=abcd-efgh\nSCOREBOX_SEAL=0\n", NULL, NULL, "not wanted"},
		{"SCOREBOX_SEAL=1\nSCOREBOX_API_KEY=abcd-efgh", NULL, "SCOREBOX_SEAL=1\nF",
			"abcd-efgh", "SCOREBOX_SEAL=1\n# SCOREBOX_API_KEY is seal", "moved"},
		{"SCOREBOX_SEAL=1\nSCOREBOX_API_KEY=abcd-efgh\r\n", "old", "SCOREBOX_SEAL=1\nF",
			"abcd-efgh", "SCOREBOX_SEAL=1\n# SCOREBOX_API_KEY is seal\r\n",
			"replaces the sealed one"},
		{"SCOREBOX_SEAL=1\nSCOREBOX_API_KEY=a b\n", "old-one", "SCOREBOX_SEAL=1\nF", NULL,
			NULL, "a wrong one replaces nothing"},
		{"SCOREBOX_BOOKS=all\n", "old-one", "SCOREBOX_BOOKS=all\nF", NULL, NULL,
			"used without being named"},
		{"SCOREBOX_BOOKS=all\nSCOREBOX_API_KEY=\n", "old-one",
			"SCOREBOX_BOOKS=all\nSCOREBOX_API_KEY=\n", NULL, NULL,
			"an empty line: not to be used"},
		{"SCOREBOX_API_KEY=new-one\n", "old-one", "SCOREBOX_API_KEY=new-one\n", NULL, NULL,
			"the file's counts"},
		{"SCOREBOX_BOOKS=all\n", "a b", "SCOREBOX_BOOKS=all\nSCOREBOX_API_KEY=\n", NULL,
			NULL, "what is sealed is damaged"},
		{"SCOREBOX_BOOKS=all\nSCOREBOX_API_KEY=\n", NULL,
			"SCOREBOX_BOOKS=all\nSCOREBOX_API_KEY=\n", NULL, NULL,
			"an empty line, nothing sealed"},
		{"# nothing\n", "old-one", "", NULL, NULL, "the file sets nothing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char expected[400], *at;
		const char *sealed = cases[i].sealed_after ? cases[i].sealed_after
							   : cases[i].sealed;
		size_t length;

		forget_secrets();
		write_text(card_file, cases[i].text);
		if (cases[i].sealed)
			write_text(in_secrets("SCOREBOX_API_KEY"), cases[i].sealed);
		assert_int_equal(take(secrets), !!*cases[i].lines);
		length = (size_t)snprintf(expected, sizeof expected, "%s", cases[i].lines);
		at = length && expected[length - 1] == 'F' ? expected + length - 1 : NULL;
		if (at)
			snprintf(at, 200, BY_FILE "%s/SCOREBOX_API_KEY\n", secrets);
		at = text_of(out);
		if (strcmp(at, expected))
			fail_msg("%s: <%s>", cases[i].comment, at);
		free(at);
		expect_text(card_file, cases[i].text_after ? cases[i].text_after : cases[i].text);
		if (sealed)
			expect_text(in_secrets("SCOREBOX_API_KEY"), sealed);
		else
			assert_int_not_equal(access(in_secrets("SCOREBOX_API_KEY"), F_OK), 0);
		assert_int_not_equal(access(flag, F_OK), 0);
	}
}

/* The words of those who named a file count, also over what is sealed. */
static void a_file_of_ones_own_over_the_sealed(void **state)
{
	char text[300];

	(void)state;
	forget_secrets();
	write_text(in_secrets("SCOREBOX_API_KEY"), "old-one");
	write_text(in_secrets("own.key"), "my-own-key\r\n");
	snprintf(text, sizeof text, BY_FILE "%s/own.key\n", secrets);
	write_text(card_file, text);
	assert_true(take(secrets));
	expect_text(out, text);
	unlink(in_secrets("own.key"));
	assert_false(take(secrets));
}

/* Where the folder is not there nothing is lost. */
static void no_folder(void **state)
{
	char *complaints;

	(void)state;
	write_text(card_file, "SCOREBOX_SEAL=1\nSCOREBOX_API_KEY=abcd-efgh\n");
	assert_true(take("/nonexistent/secrets"));
	expect_text(out, "SCOREBOX_SEAL=1\nSCOREBOX_API_KEY=abcd-efgh\n");
	expect_text(card_file, "SCOREBOX_SEAL=1\nSCOREBOX_API_KEY=abcd-efgh\n");
	complaints = text_of(said);
	assert_non_null(strstr(complaints, "/nonexistent/secrets"));
	free(complaints);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/card-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(card_file, sizeof card_file, "%s/scorebox.env", folder);
	snprintf(out, sizeof out, "%s/settings", folder);
	snprintf(said, sizeof said, "%s.log", out);
	snprintf(flag, sizeof flag, "%s.seal", out);
	snprintf(secrets, sizeof secrets, "%s/secrets", folder);
	return mkdir(secrets, 0700);
}

static int remove_folder(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(whose_eyes_are_they_for),
		cmocka_unit_test(no_file),
		cmocka_unit_test(a_file_of_something_else),
		cmocka_unit_test(sealed_secrets),
		cmocka_unit_test(a_file_of_ones_own_over_the_sealed),
		cmocka_unit_test(no_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
