/* bench_store.c - spool append, spool drain and topic → journal with rows of 750 B, in records a second, and
 * the peak memory. Usage: bench_store [folder [records [matches]]]; commits are synced, so the folder's disk counts. */
#include "base/clock.h"
#include "store/journal.h"
#include "store/spool.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROW_BYTES = 750, PAGE_ROWS = 25 };

static char body[ROW_BYTES];
static const uint8_t run[RUN_BYTES] = {1, 2, 3};

static void stop_if(enum status s, const struct why *why)
{
	if (s != STATUS_OK) {
		fprintf(stderr, "bench: %s: %s\n", status_name(s), why->text);
		exit(1);
	}
}

static long peak_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

struct since {
	int64_t wall_us;
	clock_t cpu;
};

static struct since now(void)
{
	return (struct since){clock_mono_us(), clock()};
}

/* Beside the pace by the clock that by processor time: what the card costs is the difference. */
static void report(const char *what, long records, struct since since)
{
	double seconds = (double)(clock_mono_us() - since.wall_us) / 1e6;
	double cpu = (double)(clock() - since.cpu) / CLOCKS_PER_SEC;

	printf("%-22s %7ld records of %d B  %8.0f records/s  (%8.0f a second of processor)  VmHWM %ld KiB\n",
		what, records, ROW_BYTES, (double)records / seconds,
		(double)records / (cpu > 0 ? cpu : 1e-6), peak_kib());
	fflush(stdout);
}

static struct view match_name(char out[64], long i)
{
	return view_of(out, (size_t)snprintf(out, 64, "%08lx-0000-4000-8000-%012lx", i, i));
}

static void append(struct spool *s, long records, long matches)
{
	struct spool_last last;
	struct why why;
	char name[64];
	uint8_t digest[SEEN_DIGEST_BYTES] = {0};
	struct since from = now();

	for (long i = 0; i < records; i += PAGE_ROWS * 40) {
		stop_if(spool_page_begin(s, &why), &why);
		for (long n = i; n < i + PAGE_ROWS * 40 && n < records; n++) {
			struct view match = match_name(name, n % matches);

			memcpy(digest, &n, sizeof n);
			stop_if(spool_last(s, match, &last, &why), &why);
			stop_if(spool_add(s, match, digest, clock_wall_us(),
					view_of(body, sizeof body), &why),
				&why);
		}
		stop_if(spool_page_commit(s, &why), &why);
	}
	report("spool append", records, from);
}

static void drain(struct spool *s)
{
	struct spool_row row;
	struct why why;
	struct since from = now();
	int64_t after = 0;
	long records = 0;
	enum status st;

	while ((st = spool_next(s, after, &row, &why)) == STATUS_OK) {
		after = row.id;
		records++;
		if (spool_delivered(s, row.id) == STATUS_FULL) {
			stop_if(spool_free(s, &why), &why);
			st = spool_delivered(s, row.id);
			stop_if(st, &why);
		}
	}
	stop_if(st == STATUS_NOT_FOUND ? STATUS_OK : st, &why);
	stop_if(spool_free(s, &why), &why);
	report("spool drain", records, from);
}

static void sweep_unchanged(struct spool *s, long matches)
{
	struct spool_last last;
	struct why why;
	char name[64];
	struct since from = now();

	spool_sweep_begin(s);
	for (long i = 0; i < matches; i++)
		stop_if(spool_last(s, match_name(name, i), &last, &why), &why);
	report("spool unchanged sweep", matches, from);
}

static void journal_records(struct journal *j, long records, long matches)
{
	struct why why;
	struct journal_record r = {.body = view_of(body, sizeof body)};
	char name[64], event[64];
	bool new_one, duplicate;
	struct since from = now();

	stop_if(journal_generation(j, "cluster", "topic", "", &r.generation, &new_one, &why), &why);
	memcpy(r.self.run, run, RUN_BYTES);
	memcpy(r.prev.run, run, RUN_BYTES);
	stop_if(journal_begin(j, &why), &why);
	for (long i = 0; i < records; i++) {
		r.offset = i;
		r.kafka_us = r.ce_us = 1700000000000000 + i * 1000;
		r.self.seq = (uint64_t)i + 1;
		r.prev.seq = i < matches ? 0 : (uint64_t)(i - matches) + 1;
		r.match = match_name(name, i % matches);
		r.event_id = view_of(event, (size_t)snprintf(event, sizeof event,
						    "01020300000000000000000000000000-%ld", i));
		stop_if(journal_add(j, &r, &duplicate, &why), &why);
		if (journal_staged_bytes(j) > 240 * 1024) {
			stop_if(journal_commit(j, &why), &why);
			stop_if(journal_begin(j, &why), &why);
		}
	}
	stop_if(journal_commit(j, &why), &why);
	report("topic -> journal", records, from);
}

struct reading {
	struct journal *j;
	long records;
};

static enum status read_match(void *context, const struct journal_match *m, struct why *why)
{
	struct reading *r = context;
	struct journal_cursor *c;
	struct journal_record record;
	enum status st = journal_cursor_open(&c, r->j, m->id, JOURNAL_BY_TIME, why);

	if (st != STATUS_OK)
		return st;
	while ((st = journal_cursor_next(c, &record, why)) == STATUS_OK)
		r->records++;
	journal_cursor_close(c);
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

static void bench_journal(const char *folder, long records, long matches)
{
	struct journal_opening opening;
	struct journal *j;
	struct why why;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/bench-journal.db", folder);
	unlink(path);
	stop_if(journal_open(&j, path, 1ull << 30, &opening, &why), &why);
	journal_records(j, records, matches);
	struct reading reading = {.j = j};
	struct since from = now();
	stop_if(journal_each_match(j, read_match, &reading, &why), &why);
	report("journal read by time", reading.records, from);
	journal_close(j);
	unlink(path);
	snprintf(path, sizeof path, "%s/bench-journal.db.ballast", folder);
	unlink(path);
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : ".";
	long records = argc > 2 ? atol(argv[2]) : 50000, matches = argc > 3 ? atol(argv[3]) : 100;
	struct spool_opening opening;
	struct spool *s;
	struct why why;
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)('a' + i % 26);
	snprintf(path, sizeof path, "%s/bench-spool.db", folder);
	unlink(path);
	stop_if(spool_open(&s, path, 512ull << 20, SPOOL_LATEST, run, &opening, &why), &why);
	append(s, records, matches);
	drain(s);
	sweep_unchanged(s, matches);
	spool_close(s);
	unlink(path);
	snprintf(path, sizeof path, "%s/bench-spool.db.ballast", folder);
	unlink(path);
	bench_journal(folder, records, matches);
	return 0;
}
