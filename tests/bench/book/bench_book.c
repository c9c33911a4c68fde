/* bench_book.c - journal to workbooks: records a second and the child's peak memory, for 100,000
 * records in one match and in 200 matches. Bodies have the API's shape, about 750 bytes, 28 cells
 * a record in Records. */
#include "base/clock.h"
#include "book/book.h"
#include "../../unit/book/journal_maker.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDS = 100000 };

static size_t make_body(char *out, size_t out_bytes, const char *id, unsigned n)
{
	unsigned balls = n % 120 + 1, inning = n / 120 % 2;
	char second[160] = "";

	if (inning)
		snprintf(second, sizeof(second),
			",{\"r\":%u,\"w\":%u,\"o\":%u.%u,\"inning\":\"Rajasthan Royals Inning 1\"}",
			n / 3 % 240, balls / 15, balls / 6, balls % 6);
	return (size_t)snprintf(out, out_bytes,
		"{\"id\":\"%s\",\"name\":\"Delhi Capitals vs Rajasthan Royals, 32nd Match, Indian Premier League 2025\","
		"\"matchType\":\"t20\",\"status\":\"Rajasthan Royals need %u runs in %u balls\","
		"\"venue\":\"Arun Jaitley Stadium, Delhi\",\"date\":\"2025-04-16\",\"dateTimeGMT\":\"2025-04-16T14:00:00\","
		"\"teams\":[\"Delhi Capitals\",\"Rajasthan Royals\"],\"teamInfo\":[{\"name\":\"Delhi Capitals\",\"shortname\":\"DC\","
		"\"img\":\"https://g.cricapi.com/iapi/148-637874596301457910.webp?w=48\"},{\"name\":\"Rajasthan Royals\","
		"\"shortname\":\"RR\",\"img\":\"https://g.cricapi.com/iapi/251-637852956607161886.webp?w=48\"}],"
		"\"score\":[{\"r\":%u,\"w\":%u,\"o\":%u.%u,\"inning\":\"Delhi Capitals Inning 1\"}%s],"
		"\"series_id\":\"d5a498c8-7596-4b93-8ab0-e0efc3345312\",\"fantasyEnabled\":true,\"bbbEnabled\":true,"
		"\"hasSquad\":true,\"matchStarted\":true,\"matchEnded\":false}",
		id, n % 190, n % 120, inning ? 188 : n / 3 % 240, balls / 15,
		inning ? 20 : balls / 6, inning ? 0 : balls % 6, second);
}

static int render(const struct book_job *job, struct book_result *r)
{
	struct book_child *c;
	struct why why;

	if (book_child_start(&c, job, &why) != STATUS_OK) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	while (book_child_turn(c, clock_mono_ms(), r, NULL, NULL) == STATUS_AGAIN) {
		struct pollfd p = {.fd = book_child_fd(c), .events = POLLIN};
		poll(&p, 1, 1);
	}
	book_child_close(c);
	if (r->status != STATUS_OK)
		fprintf(stderr, "%s: %s\n", status_name(r->status), r->why.text);
	return r->status != STATUS_OK;
}

/* Processor time of the children so far: what the records a second would be on an idle machine. */
static double children_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6 +
	       (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
}

static int measure(const char *folder, unsigned matches)
{
	char state[256], path[300], id[40], body[2048];
	struct book_result r;
	struct maker m;
	uint64_t bytes = 0, file_bytes = 0, peak = 0;
	int64_t began;
	double processor;

	snprintf(state, sizeof(state), "%s/%u", folder, matches);
	mkdir(state, 0755);
	snprintf(path, sizeof(path), "%s/journal.db", state);
	maker_open(&m, path);
	m.held = true;
	for (unsigned n = 0; n < RECORDS; n++) {
		size_t length;

		snprintf(id, sizeof(id), "%08x-e869-5cf2-85d4-2be5186c3ba8", n % matches + 1);
		length = make_body(body, sizeof(body), id, n / matches);
		bytes += length;
		maker_add(&m, id, body, length, 1745000000000000 + n * 1000000ll, NULL, false);
	}
	maker_close(&m);

	struct book_job job = {.kind = BOOK_MATCH,
		.journal_path = path,
		.folder = state,
		.state_dir = state,
		.timezone = "UTC",
		.memory_bytes = 6 << 20,
		.timeout_ms = 300000};

	began = clock_mono_us();
	processor = children_seconds();
	for (unsigned i = 1; i <= matches; i++) {
		job.match = i;
		if (render(&job, &r))
			return 1;
		file_bytes += r.bytes;
		peak = r.peak_kib > peak ? r.peak_kib : peak;
	}
	double s = (double)(clock_mono_us() - began) / 1e6;

	processor = children_seconds() - processor;

	printf("journal -> workbook, %u records of %llu B in %u match%s: %.2f s, %.0f records/s (%.2f s of processor, %.0f records/s), %.1f MB xlsx, child peak %llu KiB\n",
		RECORDS, (unsigned long long)bytes / RECORDS, matches, matches == 1 ? "" : "es", s,
		RECORDS / s, processor, RECORDS / processor, (double)file_bytes / 1e6,
		(unsigned long long)peak);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/bench-book-XXXXXX", remove[64];
	int failed;

	if (argc > 1 && !strcmp(argv[1], "--book"))
		return book_child_main(argc, argv);
	if (!mkdtemp(folder))
		return 1;
	failed = measure(folder, 1) || measure(folder, 200);
	snprintf(remove, sizeof(remove), "rm -rf %s", folder);
	return system(remove) != 0 || failed;
}
