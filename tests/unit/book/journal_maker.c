#include "journal_maker.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void must(enum status s, const struct why *why, const char *what)
{
	if (s == STATUS_OK)
		return;
	fprintf(stderr, "%s: %s: %s\n", what, status_name(s), why->text);
	abort();
}

void maker_open(struct maker *m, const char *path)
{
	struct journal_opening opening;
	struct why why = {""};
	bool fresh;

	memset(m, 0, sizeof(*m));
	m->partitions = 3;
	m->run = 1;
	must(journal_open(&m->journal, path, 4ull << 30, &opening, &why), &why, "journal_open");
	must(journal_generation(m->journal, "cluster", "topic", "id", &m->generation, &fresh, &why),
		&why, "generation");
}

void maker_flush(struct maker *m)
{
	struct why why = {""};

	if (m->staged)
		must(journal_commit(m->journal, &why), &why, "journal_commit");
	m->staged = 0;
}

void maker_close(struct maker *m)
{
	maker_flush(m);
	journal_close(m->journal);
	m->journal = NULL;
}

struct identity maker_add(struct maker *m, const char *key, const char *body, size_t length,
	int64_t at_us, const struct identity *prev, bool ended)
{
	struct identity self = {.seq = ++m->seq};
	struct why why = {""};
	char event[80];
	bool duplicate;
	int partition = (int)(crc32(0, (const unsigned char *)key, (unsigned)strlen(key)) %
			      (unsigned)m->partitions);

	memset(self.run, 0x11, sizeof(self.run));
	self.run[0] = m->run;
	snprintf(event, sizeof(event), "%02x11111111111111-%llu", m->run,
		(unsigned long long)self.seq);
	struct journal_record r = {
		.generation = m->generation,
		.partition = partition,
		.offset = m->next_offset[partition]++,
		.kafka_us = at_us + 250000,
		.ce_us = at_us,
		.match = view_of(key, strlen(key)),
		.event_id = view_of(event, strlen(event)),
		.self = self,
		.ended = ended,
		.body = view_of(body, length),
	};
	if (prev)
		r.prev = *prev;
	if (m->staged++ == 0)
		must(journal_begin(m->journal, &why), &why, "journal_begin");
	must(journal_add(m->journal, &r, &duplicate, &why), &why, "journal_add");
	if (!m->held || m->staged >= 256)
		maker_flush(m);
	m->last = self;
	return self;
}

unsigned maker_add_file(struct maker *m, const char *path, int64_t from_us)
{
	char *line = malloc(MAKER_LINE_BYTES), last[MAKER_LINE_BYTES / 16] = "";
	struct identity prev = {.seq = 0};
	unsigned count = 0;
	FILE *f = fopen(path, "r");

	if (!f || !line) {
		fprintf(stderr, "SKIPPED: no lines at %s\n", path);
		free(line);
		return 0;
	}
	while (fgets(line, MAKER_LINE_BYTES, f)) {
		char *body = strstr(line, "\"match\":"), *end = strrchr(line, '}'), key[64];
		const char *id = body ? strstr(body, "\"id\":\"") : NULL;

		if (!id || !end)
			continue;
		body += 8;
		*end = '\0';
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(id + 6, "\""), id + 6);
		if (!strcmp(last, body)) /* unchanged: the producer sends changes only */
			continue;
		snprintf(last, sizeof(last), "%s", body);
		prev = maker_add(m, key, body, strlen(body),
			from_us + strtoll(strstr(line, "\"t\":") + 4, NULL, 10) * 1000000,
			count ? &prev : NULL, strstr(body, "\"matchEnded\":true") != NULL);
		count++;
	}
	fclose(f);
	free(line);
	return count;
}
