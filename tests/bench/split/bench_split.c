/* bench_split.c - MB/s of the splitter, with and without reading its rows, against cJSON parsing
 * the same body whole. bench_split [ROWS]; each way in a process of its own, so that its peak
 * memory is its own. Processor time is measured, so that a busy machine does not change the
 * picture. */
#include "cricket/row.h"
#include "feed/split.h"

#include <cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 16384, RUNS = 5 };

static char *body;
static size_t length;

/* A row of about 750 bytes in the API's shape, written compactly as the wire has it. */
static int put_row(char *out, size_t room, unsigned i)
{
	return snprintf(out, room,
		"%s{\"id\":\"%08x-5b1d-4c7e-9a42-0123456789ab\",\"name\":\"Northern Harbour Women vs Southern Valley Women, "
		"%uth Match, Cup 2026\",\"matchType\":\"t20\",\"status\":\"Northern Harbour Women need "
		"%u runs in %u balls\",\"venue\":\"Harbour Oval\",\"date\":\"2026-05-17\",\"dateTimeGMT\":"
		"\"2026-05-17T14:30:00\",\"teams\":[\"Northern Harbour Women\",\"Southern Valley Women\"],\"teamInfo\":"
		"[{\"name\":\"Northern Harbour Women\",\"shortname\":\"NH\",\"img\":\"https://img.example/%u.webp\"},"
		"{\"name\":\"Southern Valley Women\",\"shortname\":\"SVW\",\"img\":\"https://img.example/%u.webp\"}],"
		"\"score\":[{\"r\":%u,\"w\":%u,\"o\":20,\"inning\":\"Southern Valley Women Inning 1\"}],\"series_id\":"
		"\"4f97072a-a926-4822-8571-e6ddb2f9f2ae\",\"fantasyEnabled\":true,\"bbbEnabled\":false,\"hasSquad\":true,"
		"\"matchStarted\":true,\"matchEnded\":false}",
		i ? "," : "", i, i % 60, i % 90, i % 120, i, i + 1, i % 250, i % 11);
}

static void make_body(unsigned rows)
{
	size_t room = (size_t)rows * 900 + 1000;

	body = malloc(room);
	if (!body)
		exit(1);
	length = (size_t)sprintf(body, "{\"apikey\":\"00000000\",\"data\":[");
	for (unsigned i = 0; i < rows; i++)
		length += (size_t)put_row(body + length, room - length, i);
	length += (size_t)sprintf(body + length,
		"],\"status\":\"success\",\"info\":{\"hitsToday\":1,\"hitsLimit\":100,"
		"\"totalRows\":%u}}",
		rows);
}

static int64_t processor_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static long memory_kib(const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, name, strlen(name)) == 0)
			sscanf(line + strlen(name), " %ld", &kib);
	}
	if (f)
		fclose(f);
	return kib;
}

struct counts {
	uint64_t rows, bytes;
	struct row_reader *reader; /* NULL: the rows are not read */
};

static enum status take(void *context, const struct split_row *row, struct why *why)
{
	struct counts *c = context;
	struct row read;

	c->rows++;
	c->bytes += row->bytes.length;
	return c->reader ? row_read(c->reader, row->bytes, &read, why) : STATUS_OK;
}

static uint64_t split_all(bool reading)
{
	struct counts c = {.rows = 0};
	struct source source;
	struct split_envelope e;
	struct split *s;
	struct why why;
	enum status status = source_profile("cricapi", &source);

	if (status == STATUS_OK && reading)
		status = row_reader_open(&c.reader, 256 * 1024, &why);
	if (status == STATUS_OK)
		status = split_open(&s, &source, 256 * 1024, take, &c, &why);
	for (size_t at = 0; at < length && status == STATUS_OK; at += PIECE)
		status = split_feed(s, body + at, length - at < PIECE ? length - at : PIECE, &why);
	if (status == STATUS_OK)
		status = split_end(s, &e, &why);
	if (status != STATUS_OK) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	split_close(s);
	row_reader_close(c.reader);
	return c.rows;
}

static uint64_t split_only(void)
{
	return split_all(false);
}

static uint64_t split_and_read(void)
{
	return split_all(true);
}

static uint64_t parse_whole(void)
{
	cJSON *root = cJSON_ParseWithLength(body, length);
	uint64_t rows = (uint64_t)cJSON_GetArraySize(
		cJSON_GetObjectItemCaseSensitive(root, "data"));

	cJSON_Delete(root);
	return rows;
}

struct outcome {
	uint64_t rows;
	int64_t median_us;
	long grown_kib;
};

static int smaller_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The median of some runs, in a child; what it grew by is what the way needs beyond the body. */
static struct outcome measure(uint64_t (*way)(void))
{
	struct outcome o = {.rows = 0};
	int ends[2], status;

	if (pipe(ends) != 0)
		exit(1);
	if (fork() == 0) {
		int64_t took_us[RUNS];
		long before_kib = memory_kib("VmRSS:");

		for (int i = 0; i < RUNS; i++) {
			int64_t start_us = processor_us();

			o.rows = way();
			took_us[i] = processor_us() - start_us;
		}
		qsort(took_us, RUNS, sizeof *took_us, smaller_first);
		o.median_us = took_us[RUNS / 2];
		o.grown_kib = memory_kib("VmHWM:") - before_kib;
		_exit(write(ends[1], &o, sizeof o) != sizeof o);
	}
	if (read(ends[0], &o, sizeof o) != sizeof o)
		exit(1);
	wait(&status);
	close(ends[0]);
	close(ends[1]);
	return o;
}

static double tell(const char *what, struct outcome o)
{
	double rate = (double)length / (double)(o.median_us > 0 ? o.median_us : 1);

	printf("%-34s %6.0f MB/s  %9.0f rows/s  %8.1f MiB beyond the body\n", what, rate,
		(double)o.rows * 1e6 / (double)o.median_us, (double)o.grown_kib / 1024);
	return rate;
}

int main(int argc, char **argv)
{
	unsigned rows = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
	double split, whole;

	make_body(rows);
	printf("%u rows of %zu bytes, %.1f MB, in pieces of %d bytes; median of %d runs, processor time\n",
		rows, length / rows, (double)length / 1e6, PIECE, RUNS);
	fflush(stdout);
	split = tell("split", measure(split_only));
	tell("split, each row read (cJSON, arena)", measure(split_and_read));
	whole = tell("cJSON, the whole body", measure(parse_whole));
	printf("split is %.1f times as fast as parsing the body whole\n", split / whole);
	free(body);
	return 0;
}
