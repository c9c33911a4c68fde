/* registry_answer.c - the few members of a schema registry's answers that matter. */
#include "feed/registry_answer.h"
#include "feed/split_text.h"

#include <string.h>

void registry_answer_begin(struct registry_answer *a)
{
	memset(a, 0, sizeof *a);
	a->id = a->version = a->error_code = -1;
	json_start(&a->json);
}

/* Keeps what fits of a raw text that may come in parts. */
static void keep(char *to, size_t *length, size_t room, struct view text)
{
	size_t n = text.length < room - *length ? text.length : room - *length;

	memcpy(to + *length, text.bytes, n);
	*length += n;
}

static void take_text(const struct registry_answer *a, char *out, size_t out_bytes)
{
	char decoded[sizeof a->value];
	struct view raw = view_of(a->value, a->value_length);

	/* Cut in the middle of an escape it would not be decoded. */
	raw.length = split_fitting(raw, raw.length);
	raw = view_of(decoded, json_decode(raw, decoded, NULL));
	split_cut_text(raw, out, out_bytes);
}

static void take_member(struct registry_answer *a, bool number)
{
	static const struct {
		const char *name;
		size_t offset;
	} figures[] = {
		{"id", offsetof(struct registry_answer, id)},
		{"version", offsetof(struct registry_answer, version)},
		{"error_code", offsetof(struct registry_answer, error_code)},
	};
	struct view key = view_of(a->key, a->key_length);
	struct view value = view_of(a->value, a->value_length);

	if (!number && view_equals(key, "schemaType"))
		take_text(a, a->type, sizeof a->type);
	else if (!number && view_equals(key, "message"))
		take_text(a, a->message, sizeof a->message);
	for (size_t i = 0; number && i < sizeof figures / sizeof *figures; i++) {
		int64_t figure = split_figure(value);

		if (view_equals(key, figures[i].name))
			memcpy((char *)a + figures[i].offset, &figure, sizeof figure);
	}
}

static void meet(struct registry_answer *a, enum json_event event)
{
	switch (event) {
	case JSON_KEY_PART:
	case JSON_KEY:
		keep(a->key, &a->key_length, sizeof a->key, a->json.text);
		if (event == JSON_KEY)
			a->value_length = 0;
		return;
	case JSON_VALUE_PART:
		keep(a->value, &a->value_length, sizeof a->value, a->json.text);
		return;
	case JSON_STRING:
	case JSON_NUMBER:
		keep(a->value, &a->value_length, sizeof a->value, a->json.text);
		take_member(a, event == JSON_NUMBER);
		break;
	case JSON_MORE:
	case JSON_BAD:
	case JSON_END:
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	a->key_length = a->value_length = 0;
}

static void read_on(struct registry_answer *a)
{
	enum json_event event;

	while ((event = json_next(&a->json)) != JSON_MORE && event != JSON_BAD &&
		event != JSON_END) {
		/* Only the members of the outermost object. */
		if (a->json.depth == 1 && json_in_object(&a->json))
			meet(a, event);
		if (event == JSON_OBJECT && a->json.depth == 1)
			a->well = true;
	}
	if (event == JSON_BAD)
		a->well = false;
}

void registry_answer_feed(struct registry_answer *a, const char *bytes, size_t length)
{
	json_feed(&a->json, bytes, length);
	read_on(a);
}

void registry_answer_end(struct registry_answer *a)
{
	json_finish(&a->json);
	read_on(a);
}
