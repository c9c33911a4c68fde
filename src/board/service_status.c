/* service_status.c - one table of members, filled while the scanner passes over them. */
#include "board/service_status.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum kind { FLAG, NUMBER, WHEN, TEXT };

struct member {
	const char *section, *name; /* section "": of the document itself */
	enum kind kind;
	size_t offset, bytes;
};

#define AT(field) offsetof(struct service_status, field), sizeof((struct service_status *)0)->field

static const struct member members[] = {
	{"", "version", TEXT, AT(version)},
	{"", "mode", TEXT, AT(mode)},
	{"", "running", FLAG, AT(running)},
	{"", "pid", NUMBER, AT(pid)},
	{"", "started", WHEN, AT(started_us)},
	{"poll", "failing", FLAG, AT(poll.failing)},
	{"poll", "last", WHEN, AT(poll.last_us)},
	{"poll", "last_complete_sweep", WHEN, AT(poll.last_sweep_us)},
	{"poll", "next", WHEN, AT(poll.next_us)},
	{"poll", "outcome", TEXT, AT(poll.outcome)},
	{"poll", "next_why", TEXT, AT(poll.next_why)},
	{"spool", "rows", NUMBER, AT(spool.rows)},
	{"spool", "bytes", NUMBER, AT(spool.bytes)},
	{"spool", "max_bytes", NUMBER, AT(spool.max_bytes)},
	{"spool", "superseded_states_dropped", NUMBER, AT(spool.dropped)},
	{"kafka", "connected", FLAG, AT(kafka.connected)},
	{"kafka", "waiting", FLAG, AT(kafka.waiting)},
	{"kafka", "reason", TEXT, AT(kafka.reason)},
	{"consumer", "reading", FLAG, AT(consumer.reading)},
	{"consumer", "reason", TEXT, AT(consumer.reason)},
	{"consumer", "last_record", WHEN, AT(consumer.last_record_us)},
	{"journal", "records", NUMBER, AT(journal.records)},
	{"journal", "matches", NUMBER, AT(journal.matches)},
	{"journal", "workbooks_waiting", NUMBER, AT(journal.waiting)},
	{"journal", "bytes", NUMBER, AT(journal.bytes)},
	{"journal", "max_bytes", NUMBER, AT(journal.max_bytes)},
	{"stick", "state", TEXT, AT(stick.state)},
	{"stick", "text", TEXT, AT(stick.text)},
	{"workbooks", "last", TEXT, AT(books.last)},
	{"workbooks", "last_written", WHEN, AT(books.last_us)},
	{"workbooks", "written", NUMBER, AT(books.written)},
	{"workbooks", "failed", NUMBER, AT(books.failed)},
};

struct reading {
	struct service_status *out;
	struct json json;
	char section[24], name[32]; /* the object we are in, the key before a value */
};

static void copy_key(struct view key, char *out, size_t out_bytes)
{
	size_t n = key.length < out_bytes ? key.length : 0; /* a longer one is none of ours */

	memcpy(out, key.bytes, n);
	out[n] = '\0';
}

/* As much of the text as has room, cut at a character's border. */
static void take_text(struct view raw, char *out, size_t out_bytes)
{
	char decoded[1024];

	if (raw.length > sizeof decoded)
		return;

	size_t n = json_decode(raw, decoded, NULL);

	if (n >= out_bytes)
		for (n = out_bytes - 1; n && ((unsigned char)decoded[n] & 0xC0) == 0x80;)
			n--;
	memcpy(out, decoded, n);
	out[n] = '\0';
}

static void take_number(struct view raw, int64_t *out)
{
	char digits[24];

	if (raw.length >= sizeof digits)
		return;
	memcpy(digits, raw.bytes, raw.length);
	digits[raw.length] = '\0';
	*out = strtoll(digits, NULL, 10);
}

static void take(struct reading *r, const struct member *m, enum json_event event)
{
	char *field = (char *)r->out + m->offset;
	bool flag = event == JSON_TRUE;
	int64_t value = 0;

	if (m->kind == FLAG && (event == JSON_TRUE || event == JSON_FALSE)) {
		memcpy(field, &flag, sizeof flag);
	} else if (m->kind == TEXT && event == JSON_STRING) {
		take_text(r->json.text, field, m->bytes);
	} else if (m->kind == NUMBER && event == JSON_NUMBER) {
		take_number(r->json.text, &value);
		memcpy(field, &value, sizeof value);
	} else if (m->kind == WHEN && event == JSON_STRING &&
		   clock_parse(r->json.text.bytes, r->json.text.length, &value) == STATUS_OK) {
		memcpy(field, &value, sizeof value);
	}
}

static void value(struct reading *r, enum json_event event)
{
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (!strcmp(members[i].section, r->section) && !strcmp(members[i].name, r->name)) {
			take(r, &members[i], event);
			return;
		}
}

static void opened(struct reading *r)
{
	if (r->json.depth != 2)
		return;
	memcpy(r->section, r->name, sizeof r->section - 1); /* no section of ours is longer */
	r->out->polls |= !strcmp(r->section, "poll");
	r->out->reads |= !strcmp(r->section, "consumer");
}

static void step(struct reading *r, enum json_event event)
{
	switch (event) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		opened(r);
		break;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		if (r->json.depth == 1)
			*r->section = '\0';
		break;
	case JSON_KEY:
		copy_key(r->json.text, r->name, sizeof r->name);
		break;
	case JSON_STRING:
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
		if (r->json.depth <= 2)
			value(r, event);
		break;
	case JSON_NULL:
	case JSON_MORE:
	case JSON_BAD:
	case JSON_END:
	case JSON_KEY_PART:
	case JSON_VALUE_PART:
		break;
	}
}

enum status service_status_parse(
	struct service_status *out, const char *text, size_t length, struct why *why)
{
	struct service_status made = {0};
	struct reading r = {.out = &made};
	enum json_event event;

	json_start(&r.json);
	json_feed(&r.json, text, length);
	while ((event = json_next(&r.json)) != JSON_MORE && event != JSON_BAD)
		step(&r, event);
	json_finish(&r.json);
	while (event != JSON_BAD && (event = json_next(&r.json)) != JSON_END)
		continue;
	if (event == JSON_BAD)
		return fail(why, STATUS_BAD_DATA, "the daemon's status is no JSON: %s",
			r.json.wrong ? r.json.wrong : "it is cut");
	*out = made;
	return STATUS_OK;
}
