#include "board/screen.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_COLUMNS = 11, TEXT_COLUMNS = SCREEN_COLUMNS - LABEL_COLUMNS };

/* ---- lines ---- */

/* Bytes of the longest beginning of `text` that takes at most `columns`, one a character. */
static size_t fitting(const char *text, unsigned columns)
{
	size_t n = 0;

	for (unsigned used = 0; text[n]; used++) {
		if (used == columns)
			break;
		do
			n++;
		while (((unsigned char)text[n] & 0xC0) == 0x80);
	}
	return n;
}

static void put_line(struct screen *o, const char *label, const char *text, size_t length)
{
	size_t room = sizeof o->text - o->length;
	int n;

	if (o->lines == SCREEN_LINES)
		return;
	n = snprintf(o->text + o->length, room, "%s%.*s\n", label, (int)length, text);
	if (n < 0 || (size_t)n >= room) {
		o->text[o->length] = '\0';
		return;
	}
	o->length += (size_t)n;
	o->lines++;
}

/* Up to `most` lines, broken at blanks; what is more than that is left out. */
static void put(struct screen *o, unsigned most, const char *label, const char *text)
{
	char head[LABEL_COLUMNS + 1];

	for (unsigned line = 0; line < most && (*text || !line); line++) {
		size_t n = fitting(text, TEXT_COLUMNS), cut = n;

		if (text[n] && line + 1 < most)
			while (cut && text[cut] != ' ')
				cut--;
		if (!cut)
			cut = n;
		snprintf(head, sizeof head, "%-*s", LABEL_COLUMNS, line ? "" : label);
		put_line(o, head, text, cut);
		text += cut + strspn(text + cut, " ");
	}
}

static void row(struct screen *o, unsigned most, const char *label, const char *format, ...)
	PRINTF_LIKE(4, 5);
static void row(struct screen *o, unsigned most, const char *label, const char *format, ...)
{
	char text[600];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	put(o, most, label, text);
}

/* ---- words ---- */

enum { WHEN_BYTES = 40 };

/* "14:02:11", with the date on another day than `now`. */
static const char *when(int64_t us, int64_t now_us, char out[WHEN_BYTES])
{
	char there[CLOCK_TEXT_BYTES], here[CLOCK_TEXT_BYTES];

	if (!us) {
		snprintf(out, WHEN_BYTES, "never");
		return out;
	}
	clock_format(us, 0, there);
	clock_format(now_us, 0, here);
	there[10] = ' ';
	there[19] = '\0';
	snprintf(out, WHEN_BYTES, "%s", memcmp(there, here, 10) ? there : there + 11);
	return out;
}

static const char *span(int64_t ms, char out[WHEN_BYTES])
{
	clock_span_text(ms, out, WHEN_BYTES);
	return out;
}

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

/* Of a cap; 0 where there is none. */
static int percent(int64_t bytes, int64_t max_bytes)
{
	if (bytes >= max_bytes)
		return max_bytes > 0 ? 100 : 0;

	int64_t part = max_bytes < 100 ? 1 : max_bytes / 100;

	return bytes / part > 100 ? 100 : (int)(bytes / part);
}

/* ---- rows ---- */

static void title(struct screen *o, const struct situation *s)
{
	char left[64], time[CLOCK_TEXT_BYTES], line[SCREEN_COLUMNS + 1];

	snprintf(left, sizeof left, "scorebox %s, slot %c%s", s->version, s->slot,
		s->trial_boot ? " (on trial)" : "");
	clock_format(s->wall_us, 0, time);
	time[10] = ' ';
	time[19] = '\0';
	snprintf(line, sizeof line, "%-*s%s UTC", SCREEN_COLUMNS - 23, left, time);
	put_line(o, "", line, strlen(line));
}

static void exit_words(int code, char *out, size_t out_bytes)
{
	if (code == SERVICE_EXIT_SETTINGS)
		snprintf(out, out_bytes, "its settings are wrong (exit 78)");
	else if (code > 128)
		snprintf(out, out_bytes, "it was ended by signal %d", code - 128);
	else
		snprintf(out, out_bytes, "it ended with code %d", code);
}

static void service_row(struct screen *o, const struct situation *s)
{
	char how[64], t[WHEN_BYTES], u[WHEN_BYTES];

	if (s->hung_ms) {
		row(o, 1, "Service", "hangs: no sign of life for %s", span(s->hung_ms, t));
	} else if (s->phase == SERVICE_RUNS) {
		row(o, 1, "Service", "%s, %s for %s, started %u time%s; box up for %s",
			s->status_known ? s->status.mode : "scorebox", s->ready ? "up" : "starting",
			span(s->ran_ms, t), s->runs, plural(s->runs), span(s->up_ms, u));
	} else if (s->phase == SERVICE_ENDS) {
		row(o, 1, "Service", "ends; box up for %s", span(s->up_ms, u));
	} else if (s->waits_for_clock) {
		row(o, 1, "Service", "waits for the clock, at most %s more; box up for %s",
			span(s->next_start_ms, t), span(s->up_ms, u));
	} else if (!s->runs) {
		row(o, 1, "Service", "is about to start; box up for %s", span(s->up_ms, u));
	} else {
		exit_words(s->exit_code, how, sizeof how);
		row(o, 1, "Service", "%s; started again in %s", how, span(s->next_start_ms, t));
	}
}

static void api_rows(struct screen *o, const struct situation *s)
{
	const struct service_status *t = &s->status;
	char a[WHEN_BYTES], b[WHEN_BYTES];

	if (!t->polls)
		return;
	if (!t->poll.last_us)
		row(o, 1, "API", "not asked yet");
	else
		row(o, 2, "API", "%s %s", when(t->poll.last_us, s->wall_us, a), t->poll.outcome);
	if (t->poll.next_us)
		row(o, 1, "", "next poll %s: %s", when(t->poll.next_us, s->wall_us, b),
			t->poll.next_why);
}

static void kafka_rows(struct screen *o, const struct situation *s)
{
	const struct service_status *t = &s->status;
	char a[WHEN_BYTES];

	if (t->polls) {
		row(o, 1, "Spool", "%" PRId64 " row%s for Kafka, %d%% full%s", t->spool.rows,
			plural(t->spool.rows), percent(t->spool.bytes, t->spool.max_bytes),
			t->spool.dropped ? "; superseded states were dropped" : "");
		row(o, 2, "Kafka", "%s%s%s", t->kafka.connected ? "connected" : "not connected",
			*t->kafka.reason ? ": " : "", t->kafka.reason);
	}
	if (!t->reads)
		return;
	row(o, 2, t->polls ? "Reading" : "Kafka", "%s, last record %s%s%s",
		t->consumer.reading ? "reads" : "does not read",
		when(t->consumer.last_record_us, s->wall_us, a), *t->consumer.reason ? ": " : "",
		t->consumer.reason);
	row(o, 1, "Journal", "%" PRId64 " record%s of %" PRId64 " match%s, %d%% full",
		t->journal.records, plural(t->journal.records), t->journal.matches,
		t->journal.matches == 1 ? "" : "es",
		percent(t->journal.bytes, t->journal.max_bytes));
}

static void stick_rows(struct screen *o, const struct situation *s)
{
	const struct service_status *t = &s->status;
	char a[WHEN_BYTES];
	bool told = s->status_known && t->reads && *t->stick.state;

	if (*s->stick_word || told)
		row(o, 1, "Stick", "%s%s%s%s%s", *s->stick_word ? s->stick_word : t->stick.state,
			*s->stick ? " " : "", s->stick,
			told && strcmp(t->stick.state, "ok") != 0 ? "; service: " : "",
			told && strcmp(t->stick.state, "ok") != 0 ? t->stick.state : "");
	if (!s->status_known || !t->reads)
		return;
	if (*t->books.last)
		row(o, 1, "Workbooks", "%" PRId64 " wait; last %s %s", t->journal.waiting,
			when(t->books.last_us, s->wall_us, a), t->books.last);
	else
		row(o, 1, "Workbooks", "%" PRId64 " wait; none was written since the start",
			t->journal.waiting);
}

static void update_row(struct screen *o, const struct situation *s)
{
	char a[WHEN_BYTES], b[WHEN_BYTES];

	switch (s->trial) {
	case TRIAL_NONE:
		if (*s->update)
			row(o, 1, "Update", "%s", s->update);
		break;
	case TRIAL_WAITS:
		row(o, 1, "Update", "on trial: it is not healthy yet");
		break;
	case TRIAL_HEALTHY:
		row(o, 1, "Update", "on trial: healthy for %s, confirmed after %s",
			span(s->healthy_ms, a), span(s->confirm_ms, b));
		break;
	case TRIAL_CONFIRMED:
		row(o, 1, "Update", "the trial is confirmed: this slot is used from now on");
		break;
	case TRIAL_FAILED:
		row(o, 1, "Update", "the trial has failed: back to the other slot");
		break;
	}
}

static void error_rows(struct screen *o, const struct situation *s)
{
	if (!s->settings_wrong && *s->last_error)
		row(o, 1, "Last error", "%s", s->last_error);
	/* Then there is little else to show. */
	for (unsigned i = 0; s->settings_wrong && !s->status_known && i < s->errors; i++)
		row(o, 2, i ? "" : "Wrong", "%s", s->error[i]);
}

static void rule(struct screen *o)
{
	char line[SCREEN_COLUMNS];

	memset(line, '-', sizeof line);
	put_line(o, "", line, sizeof line);
}

void screen_compose(struct screen *out, const struct situation *s)
{
	const struct led_pattern *p = &led_patterns[situation_state(s)];

	*out = (struct screen){.length = 0};
	title(out, s);
	rule(out);
	service_row(out, s);
	row(out, 1, "Network", "%s", *s->net ? s->net : "no address");
	row(out, 1, "Clock", "%s", *s->clock ? s->clock : "not set: no time server has answered");
	if (s->status_known) {
		api_rows(out, s);
		kafka_rows(out, s);
	}
	stick_rows(out, s);
	update_row(out, s);
	if (*s->trouble)
		row(out, 1, "Card", "%s", s->trouble);
	if (s->bad_lines)
		row(out, 1, "Settings", "%u bad line%s in scorebox.env: %s", s->bad_lines,
			plural(s->bad_lines), s->bad_line);
	if (s->memory_kib)
		row(out, 1, "Memory", "%lu of %lu MiB used", s->memory_used_kib >> 10,
			s->memory_kib >> 10);
	error_rows(out, s);
	rule(out);
	row(out, 1, "LED", "%s: %s", p->name, p->looks);
	put(out, 2, "To do", p->todo);
}
