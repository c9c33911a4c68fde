/* test_log.c - lines as they reach stderr: whole, clean, without secrets. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* stderr goes to a file while lines are caught. */
static int kept_stderr = -1;
static FILE *caught;

static void catch_lines(void)
{
	caught = tmpfile();
	assert_non_null(caught);
	fflush(stderr);
	kept_stderr = dup(STDERR_FILENO);
	dup2(fileno(caught), STDERR_FILENO);
}

static size_t caught_lines(char *out, size_t out_bytes)
{
	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
	rewind(caught);

	size_t n = fread(out, 1, out_bytes - 1, caught);

	out[n] = '\0';
	fclose(caught);
	return n;
}

static void redacts_to(const char *text, const char *expected)
{
	char out[400];

	log_redact(text, strlen(text), out, sizeof out);
	assert_string_equal(out, expected);
}

static void control_characters_are_escaped(void **state)
{
	(void)state;
	redacts_to("plain \xC3\xA9 text\\", "plain \xC3\xA9 text\\");
	redacts_to("a\nb\rc\td", "a\\nb\\rc\\td");
	redacts_to("\x1b[31mred", "\\x1b[31mred");
	redacts_to("\x7f\xC2\x9b", "\\x7f\\x9b");
	redacts_to("bad \xff\xC3 utf", "bad \\xff\\xc3 utf");
	redacts_to("\xE2\x80\xAE"
		   "drow",
		"\\u202edrow");
	redacts_to("\xE2\x80\xA8", "\\u2028");

	char out[40];

	log_redact("a\0b", 3, out, sizeof out);
	assert_string_equal(out, "a\\x00b");
}

static void output_never_overflows(void **state)
{
	char out[64];

	(void)state;
	for (size_t room = 0; room < 20; room++) {
		memset(out, '#', sizeof out);
		log_redact("ab\n\xE2\x82\xAC\x1bz", 8, out, room);
		if (room > 0)
			assert_true(strlen(out) < room);
		assert_int_equal(out[room], '#');
		/* An escape is there in whole or not at all. */
		assert_null(room > 0 && strstr(out, "\\x1") && !strstr(out, "\\x1b") ? out : NULL);
	}
}

static void secrets_are_replaced(void **state)
{
	static const struct {
		const char *text, *expected, *comment;
	} cases[] = {
		{"key=s3cr/t+K:9 end", "key=*** end", "raw"},
		{"u?apikey=s3cr%2Ft%2BK%3A9&o=1", "u?apikey=***&o=1", "percent-encoded"},
		{"u?apikey=s3cr%2ft%2bK%3a9&o=1", "u?apikey=***&o=1", "in small letters"},
		{"u?apikey=%733cr/t%2BK:9", "u?apikey=***", "more encoded than need be"},
		{"s3cr/t+K:9s3cr/t+K:9", "******", "twice"},
		{"s3cr/t", "***", "cut by the text's end"},
		{"s3cr%2Ft%2", "***", "cut within an escape"},
		{"s3c", "s3c", "too short to tell"},
		{"s3cret", "s3cret", "another word"},
		{"01234567-89ab-cde...: no", "***...: no", "a cut key amidst the text"},
		{"abc", "abc", "short secrets are ignored"},
	};

	(void)state;
	log_secret("s3cr/t+K:9");
	log_secret("s3cr/t+K:9");
	log_secret("01234567-89ab-cdef-0123-456789abcdef");
	log_secret("abc");
	log_secret("");
	log_secret(NULL);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char out[400];

		log_redact(cases[i].text, strlen(cases[i].text), out, sizeof out);
		if (strcmp(out, cases[i].expected) != 0)
			fail_msg("%s: '%s'", cases[i].comment, out);
	}
}

static void long_secrets_go_whole(void **state)
{
	char secret[900], text[1000], out[1200];

	(void)state;
	for (size_t i = 0; i < sizeof secret - 1; i++)
		secret[i] = (char)('A' + (i * 7 + i / 26) % 26);
	secret[sizeof secret - 1] = '\0';
	log_secret(secret);
	snprintf(text, sizeof text, "token %s, next", secret);
	log_redact(text, strlen(text), out, sizeof out);
	assert_string_equal(out, "token ***, next");
}

static void sixteen_secrets_are_kept(void **state)
{
	char secret[40];

	(void)state;
	for (int i = 0; i < 16; i++) {
		snprintf(secret, sizeof secret, "%c-many-secrets", 'a' + i);
		log_secret(secret);
	}
	for (int i = 0; i < 16; i++) {
		snprintf(secret, sizeof secret, "%c-many-secrets", 'a' + i);
		redacts_to(secret, "***");
	}
	log_secret("the seventeenth");
	redacts_to("the seventeenth", "***");
}

static void a_line_as_text(void **state)
{
	char out[4000];

	(void)state;
	unsetenv("JOURNAL_STREAM");
	catch_lines();
	log_setup(LOG_INFO, LOG_TEXT);
	log_warn("kafka.down", "broker %s unreachable\nnothing lost", "k1:9092");
	log_debug("not.shown", "x");
	caught_lines(out, sizeof out);
	/* 2025-04-16T14:02:11.123Z and a blank stand before it. */
	assert_int_equal(out[10], 'T');
	assert_int_equal(out[23], 'Z');
	assert_string_equal(
		out + 25, "warn kafka.down: broker k1:9092 unreachable\\nnothing lost\n");
	assert_true(log_shows(LOG_WARN));
	assert_false(log_shows(LOG_DEBUG));
}

static void a_line_for_the_journal(void **state)
{
	char out[4000], stream[80];
	struct stat st;

	(void)state;
	catch_lines();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_setup(LOG_DEBUG, LOG_TEXT);
	log_error("a.b", "1");
	log_warn("a.b", "2");
	log_info("a.b", "3");
	log_debug("a.b", "4");
	caught_lines(out, sizeof out);
	assert_string_equal(
		out, "<3>error a.b: 1\n<4>warn a.b: 2\n<6>info a.b: 3\n<7>debug a.b: 4\n");
	/* Another stream than our stderr: a person is reading. */
	setenv("JOURNAL_STREAM", "1:1", 1);
	catch_lines();
	log_setup(LOG_INFO, LOG_TEXT);
	log_info("a.b", "5");
	caught_lines(out, sizeof out);
	assert_int_equal(out[0], '2');
	unsetenv("JOURNAL_STREAM");
}

static void a_line_as_json(void **state)
{
	char out[4000];

	(void)state;
	catch_lines();
	log_setup(LOG_INFO, LOG_JSON);
	log_info("a.b", "say \"hi\" \\ \xC3\xA9\n");
	caught_lines(out, sizeof out);
	assert_memory_equal(out, "{\"time\":\"2", 10);
	assert_non_null(strstr(out,
		"\",\"level\":\"info\",\"code\":\"a.b\",\"message\":\"say \\\"hi\\\" \\\\ \xC3\xA9\\\\n\"}\n"));
}

/* The last bytes of a line that is cut are a whole character, quotes closed. */
static void long_lines_are_cut(void **state)
{
	char text[3000], out[4000];

	(void)state;
	for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
		for (size_t shift = 0; shift < 8; shift++) {
			size_t used = shift;

			memset(text, '"', shift);
			while (used < 2400) {
				memcpy(text + used, "\xE2\x82\xAC", 3);
				used += 3;
			}
			text[used] = '\0';
			catch_lines();
			log_setup(LOG_INFO, (enum log_format)format);
			log_info("long.line", "%s", text);

			size_t n = caught_lines(out, sizeof out);

			assert_in_range(n, 1490, 1500);
			assert_int_equal(out[n - 1], '\n');
			const char *last = format == LOG_JSON ? "\xE2\x82\xAC\"}\n"
							      : "\xE2\x82\xAC\n";

			assert_string_equal(out + n - strlen(last), last);
			assert_null(strstr(out, "\\x"));
		}
	}
}

enum { THREADS = 4, LINES = 500 };

static void *write_lines(void *context)
{
	for (int i = 0; i < LINES; i++) {
		log_info("thread.line", "%s %d said with secret-of-threads", (const char *)context,
			i);
		if (i % 100 == 0)
			log_secret("secret-of-threads");
	}
	return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
	static char out[THREADS * LINES * 120];
	pthread_t threads[THREADS];
	size_t lines = 0;

	(void)state;
	log_secret("secret-of-threads");
	catch_lines();
	log_setup(LOG_INFO, LOG_TEXT);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, write_lines, (void *)(uintptr_t) "x"), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	caught_lines(out, sizeof out);
	assert_null(strstr(out, "secret-of-threads"));
	for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n")) {
		lines++;
		assert_non_null(strstr(line, "info thread.line: x "));
		assert_string_equal(line + strlen(line) - 14, " said with ***");
	}
	assert_int_equal(lines, THREADS * LINES);
}

static void a_gate_holds_back(void **state)
{
	struct log_gate gate = {0};
	unsigned long held = 77;

	(void)state;
	assert_true(log_gate_pass(&gate, 1000, 600, &held));
	assert_int_equal(held, 0);
	assert_false(log_gate_pass(&gate, 1599, 600, &held));
	assert_false(log_gate_pass(&gate, 1599, 600, &held));
	assert_true(log_gate_pass(&gate, 1600, 600, &held));
	assert_int_equal(held, 2);
	log_gate_reset(&gate);
	assert_true(log_gate_pass(&gate, 1601, 600, &held));
	assert_int_equal(held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_are_escaped),
		cmocka_unit_test(output_never_overflows),
		cmocka_unit_test(secrets_are_replaced),
		cmocka_unit_test(long_secrets_go_whole),
		cmocka_unit_test(a_line_as_text),
		cmocka_unit_test(a_line_for_the_journal),
		cmocka_unit_test(a_line_as_json),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(threads_do_not_mix_lines),
		cmocka_unit_test(sixteen_secrets_are_kept),
		cmocka_unit_test(a_gate_holds_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
