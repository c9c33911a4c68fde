#include "service/event.h"

#include "base/clock.h"
#include "tls/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct event *e, const char *name, const char *value, size_t length)
{
	e->header[e->count++] = (struct kafka_header){name, view_of(value, length)};
}

static void put_text(struct event *e, const char *name, const char *value)
{
	put(e, name, value, strlen(value));
}

void event_identity_text(const struct identity *i, char out[64])
{
	out[0] = '\0';
	if (!identity_known(i))
		return;
	digest_hex(i->run, RUN_BYTES, out);
	snprintf(out + 2 * RUN_BYTES, 64 - 2 * RUN_BYTES, "-%llu", (unsigned long long)i->seq);
}

void event_write(struct event *e, const struct spool_row *row, const char *source)
{
	e->count = 0;
	event_identity_text(&row->self, e->id);
	event_identity_text(&row->prev, e->prev);
	digest_hex(row->self.run, RUN_BYTES, e->run);
	snprintf(e->seq, sizeof e->seq, "%llu", (unsigned long long)row->self.seq);
	clock_format(row->fetched_us, 6, e->time);
	put_text(e, "ce_specversion", "1.0");
	put_text(e, "ce_id", e->id);
	put_text(e, "ce_source", source);
	put_text(e, "ce_type", "scorebox.match.v1");
	put_text(e, "ce_time", e->time);
	put(e, "ce_subject", row->match.bytes, row->match.length);
	put_text(e, "content-type", "application/json");
	put_text(e, "scorebox-run", e->run);
	put_text(e, "scorebox-seq", e->seq);
	put_text(e, "scorebox-prev", e->prev);
	if (row->dropped) {
		snprintf(e->dropped, sizeof e->dropped, "%u", row->dropped);
		put_text(e, "scorebox-dropped", e->dropped);
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool parse_run(struct view text, uint8_t run[RUN_BYTES])
{
	if (text.length != 2 * RUN_BYTES)
		return false;
	for (size_t i = 0; i < RUN_BYTES; i++) {
		int high = hex_value(text.bytes[2 * i]), low = hex_value(text.bytes[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		run[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* A whole number of 1 to 19 digits; 0 for anything else. */
static uint64_t parse_number(struct view text)
{
	uint64_t n = 0;
	if (!text.length || text.length > 19)
		return 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(text.bytes[i] - '0');
	}
	return n > INT64_MAX ? 0 : n; /* the journal keeps signed 64 bit */
}

bool event_identity_parse(struct view text, struct identity *out)
{
	const size_t hex = 2 * RUN_BYTES;
	struct identity i = {.seq = 0};
	if (text.length < hex + 2 || text.bytes[hex] != '-')
		return false;
	i.seq = parse_number(view_of(text.bytes + hex + 1, text.length - hex - 1));
	if (!i.seq || !parse_run(view_of(text.bytes, hex), i.run))
		return false;
	*out = i;
	return true;
}

void event_read(const struct subscriber_event *from, struct journal_record *out)
{
	struct view v, run;
	memset(&out->self, 0, sizeof out->self);
	memset(&out->prev, 0, sizeof out->prev);
	out->event_id = view_of("", 0);
	out->ce_us = 0;
	out->dropped = 0;
	if (subscriber_header(from, "ce_id", &v))
		out->event_id = v;
	if (subscriber_header(from, "ce_time", &v) &&
		clock_parse(v.bytes, v.length, &out->ce_us) != STATUS_OK)
		out->ce_us = 0;
	if (subscriber_header(from, "scorebox-run", &run) &&
		subscriber_header(from, "scorebox-seq", &v)) {
		struct identity self = {.seq = parse_number(v)};
		if (self.seq && parse_run(run, self.run))
			out->self = self;
	}
	if (subscriber_header(from, "scorebox-prev", &v) && !event_identity_parse(v, &out->prev))
		memset(&out->prev, 0, sizeof out->prev);
	if (subscriber_header(from, "scorebox-dropped", &v)) {
		uint64_t n = parse_number(v);
		out->dropped = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	}
}
