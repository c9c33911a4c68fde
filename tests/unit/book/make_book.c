/* make_book.c - a tool for looking at workbooks: make_book FOLDER [-t TZ] LINES.jsonl... makes a
 * journal of the states in FOLDER/state, and their workbooks in FOLDER. Not a test. */
#include "base/clock.h"
#include "book/book.h"
#include "journal_maker.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct book_job job = {
	.kind = BOOK_MATCH, .timeout_ms = 60000, .memory_bytes = 6 << 20, .started_only = true};

static int run(void)
{
	struct book_child *c;
	struct book_result r;
	struct why why;

	if (book_child_start(&c, &job, &why) != STATUS_OK) {
		printf("start: %s\n", why.text);
		return 1;
	}
	while (book_child_turn(c, clock_mono_ms(), &r, NULL, NULL) == STATUS_AGAIN) {
		struct pollfd p = {.fd = book_child_fd(c), .events = POLLIN};
		poll(&p, 1, 10);
	}
	book_child_close(c);
	printf("%s%s %s: %llu records, %llu bytes, %lld ms, %llu KiB%s%s %s\n",
		status_name(r.status), r.skipped ? " skipped" : "", r.file,
		(unsigned long long)r.records, (unsigned long long)r.bytes, (long long)r.took_ms,
		(unsigned long long)r.peak_kib, r.kept[0] ? ", kept " : "", r.kept,
		r.status ? r.why.text : "");
	if (r.status == STATUS_OK && job.kind == BOOK_MATCH) {
		struct journal *j;
		struct journal_opening opening;

		if (journal_open(&j, job.journal_path, 4ull << 30, &opening, &why) == STATUS_OK) {
			if (journal_rendered(j, job.match, r.file, r.records, &why) != STATUS_OK)
				printf("rendered: %s\n", why.text);
			journal_close(j);
		}
	}
	return r.status != STATUS_OK;
}

int main(int argc, char **argv)
{
	char state[4096], path[4200];
	struct maker m;
	unsigned matches;
	int failed = 0, at = 2, first;

	if (argc > 1 && !strcmp(argv[1], "--book"))
		return book_child_main(argc, argv);
	if (argc < 3)
		return 64;
	snprintf(state, sizeof(state), "%s/state", argv[1]);
	mkdir(argv[1], 0755);
	mkdir(state, 0755);
	snprintf(path, sizeof(path), "%s/journal.db", state);
	job.journal_path = path;
	job.folder = argv[1];
	job.state_dir = state;
	job.timezone = "UTC";
	if (!strcmp(argv[at], "-t")) {
		job.timezone = argv[at + 1];
		at += 2;
	}
	maker_open(&m, path);
	for (first = at; at < argc; at++)
		printf("%s: %u states\n", argv[at],
			maker_add_file(
				&m, argv[at], 1745000000000000 + (at - first) * 86400000000));
	struct journal_figures f;
	journal_figures(m.journal, &f);
	matches = (unsigned)f.matches;
	maker_close(&m);
	for (unsigned id = 1; id <= matches; id++) {
		job.match = id;
		failed += run();
	}
	job.kind = BOOK_INDEX;
	return failed + run() > 0;
}
