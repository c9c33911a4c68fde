/* test_service_status.c - status.json read. */
#include "board/service_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

/* As service/health.c writes it. */
static const char whole[] =
	"{\"version\":\"0.1.0\",\"mode\":\"both\",\"running\":true,\"pid\":4242,"
	"\"started\":\"2026-11-29T00:40:59Z\",\"written\":\"2026-11-29T00:41:00Z\","
	"\"poll\":{\"failing\":true,\"last\":\"2026-11-29T00:41:00Z\",\"outcome\":\"api.auth: \\\"no\\\" \\u00fc\","
	"\"last_complete_sweep\":null,\"next\":\"2026-11-29T00:56:00Z\",\"next_why\":\"trying again\","
	"\"hits_today\":3,\"hits_limit\":100,\"pages_per_sweep\":1,\"blocked_until\":null,\"blocked_why\":\"\"}\n"
	",\"spool\":{\"rows\":12,\"bytes\":4096,\"max_bytes\":67108864,\"oldest\":null,"
	"\"superseded_states_dropped\":0,\"dead_letters\":0,\"refused_by_broker\":0,\"databases_set_aside\":0,"
	"\"last_loss\":null}\n"
	",\"kafka\":{\"connected\":false,\"waiting\":true,\"reason\":\"no broker\",\"delivered\":5}\n"
	",\"schema\":{\"subject\":\"x-value\",\"id\":null,\"reason\":\"registry away\"}\n"
	",\"consumer\":{\"reading\":true,\"reason\":\"\",\"partitions\":4,\"last_record\":\"2026-11-29T00:40:00Z\"}\n"
	",\"journal\":{\"records\":61,\"matches\":2,\"workbooks_waiting\":1,\"bytes\":8192,\"max_bytes\":939524096}\n"
	",\"stick\":{\"state\":\"not mounted\",\"text\":\"nothing is mounted\"}\n"
	",\"workbooks\":{\"last\":\"2026-11-28_India-vs-England_0123abcd.xlsx\",\"last_written\":null,\"written\":3,"
	"\"failed\":0,\"child_peak_kib\":2000}\n}\n";

static void all_members(void **state)
{
	struct service_status s;
	struct why why;

	(void)state;
	assert_int_equal(service_status_parse(&s, whole, sizeof whole - 1, &why), STATUS_OK);
	assert_string_equal(s.version, "0.1.0");
	assert_string_equal(s.mode, "both");
	assert_true(s.running && s.polls && s.reads);
	assert_int_equal(s.pid, 4242);
	assert_int_equal(s.started_us, 1795912859000000);
	assert_true(s.poll.failing);
	assert_int_equal(s.poll.last_sweep_us, 0);
	assert_int_equal(s.poll.next_us - s.poll.last_us, 900000000);
	assert_string_equal(s.poll.outcome, "api.auth: \"no\" ü");
	assert_string_equal(s.poll.next_why, "trying again");
	assert_int_equal(s.spool.rows, 12);
	assert_int_equal(s.spool.max_bytes, 67108864);
	assert_true(!s.kafka.connected && s.kafka.waiting);
	assert_string_equal(s.kafka.reason, "no broker"); /* not the schema's */
	assert_true(s.consumer.reading);
	assert_string_equal(s.consumer.reason, "");
	assert_int_equal(s.journal.records, 61);
	assert_int_equal(s.journal.waiting, 1);
	assert_string_equal(s.stick.state, "not mounted");
	assert_int_equal(s.books.written, 3);
	assert_int_equal(s.books.last_us, 0);
}

/* At each cut, and with each byte spoilt, it is refused or read: never more than that. */
static void damaged_texts(void **state)
{
	struct service_status s;
	char text[sizeof whole];

	(void)state;
	for (size_t n = 0; n + 2 < sizeof whole; n++)
		assert_int_equal(service_status_parse(&s, whole, n, NULL), STATUS_BAD_DATA);
	for (size_t i = 0; i < sizeof whole - 1; i++) {
		memcpy(text, whole, sizeof whole);
		text[i] ^= 0x11;
		if (service_status_parse(&s, text, sizeof whole - 1, NULL) == STATUS_OK)
			assert_int_equal(strnlen(s.poll.outcome, sizeof s.poll.outcome) <
						 sizeof s.poll.outcome,
				1);
	}
}

static void strange_texts(void **state)
{
	static char long_text[2000] = "{\"mode\":\"";
	struct service_status s;
	struct why why;
	static const char other[] =
		"{\"mode\":[\"both\"],\"pid\":\"x\",\"poll\":7,\"kafka\":{\"connected\":{\"connected\":true},"
		"\"reason\":5},\"running\":null,\"stick\":[{\"state\":\"ok\"}]}";
	size_t n = strlen(long_text);

	(void)state;
	assert_int_equal(service_status_parse(&s, other, sizeof other - 1, &why), STATUS_OK);
	assert_false(s.kafka.connected || s.running || s.polls);
	assert_string_equal(s.stick.state, "");
	assert_int_equal(s.pid, 0);
	for (; n < 100; n += 2)
		memcpy(long_text + n, "ü", 2);
	memcpy(long_text + n, "\"}", 3);
	assert_int_equal(service_status_parse(&s, long_text, strlen(long_text), &why), STATUS_OK);
	assert_string_equal(s.mode, "üüüüü"); /* 11 bytes have room; no half character */
	assert_int_equal(service_status_parse(&s, "", 0, &why), STATUS_BAD_DATA);
	assert_true(*why.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_members),
		cmocka_unit_test(damaged_texts),
		cmocka_unit_test(strange_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
