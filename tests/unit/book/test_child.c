/* test_child.c - the rendering child, run as the daemon runs it, on journals made here. */
#include "base/clock.h"
#include "base/file.h"
#include "book/book.h"
#include "book/verify.h"
#include "book/zip.h"
#include "journal_maker.h"
#include "memory_limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], state[80], journal[100];
static struct maker maker;
static const int64_t start_us = 1744812000000000; /* 2025-04-16 14:00 UTC */

#define KEY	  "18534a4e-e869-5cf2-85d4-2be5186c3ba8"
#define FILE_NAME "2025-04-16_India-vs-Australia_18534a4e.xlsx"

static int open_folder(void **unused)
{
	(void)unused;
	strcpy(folder, "/tmp/test-book-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(state, sizeof(state), "%s/state", folder);
	assert_int_equal(mkdir(state, 0755), 0);
	snprintf(journal, sizeof(journal), "%s/journal.db", state);
	maker_open(&maker, journal);
	return 0;
}

static int close_folder(void **unused)
{
	char command[100];

	(void)unused;
	maker_close(&maker);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* A state of the API's shape. `score` is the inside of the array. */
static void add_state(const char *key, const char *team, const char *status, const char *score,
	int seconds, bool started, bool ended)
{
	char body[2000];
	int n = snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"name\":\"%s vs Australia, 2nd T20I\",\"matchType\":\"t20\",\"status\":\"%s\","
		"\"venue\":\"Eden Gardens, Kolkata\",\"date\":\"2025-04-16\",\"dateTimeGMT\":\"2025-04-16T14:00:00\","
		"\"teams\":[\"%s\",\"Australia\"],\"score\":[%s],\"matchStarted\":%s,\"matchEnded\":%s}",
		key, team, status, team, score, started ? "true" : "false",
		ended ? "true" : "false");

	maker_add(&maker, key, body, (size_t)n, start_us + seconds * 1000000ll, NULL, ended);
}

static struct book_job job_of(enum book_job_kind kind)
{
	return (struct book_job){.kind = kind,
		.journal_path = journal,
		.folder = folder,
		.state_dir = state,
		.timezone = "UTC",
		.match = 1,
		.memory_bytes = 6 << 20,
		.timeout_ms = 60000};
}

static int64_t missing[16];
static int missing_count;

static void take_missing(void *context, int64_t match)
{
	(void)context;
	missing[missing_count++] = match;
}

static struct book_result run(const struct book_job *job)
{
	struct book_result r;
	struct book_child *c;
	struct why why;

	missing_count = 0;
	if (book_child_start(&c, job, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	while (book_child_turn(c, clock_mono_ms(), &r, take_missing, NULL) == STATUS_AGAIN) {
		struct pollfd p = {.fd = book_child_fd(c), .events = POLLIN};

		poll(&p, 1, 20);
	}
	book_child_close(c);
	return r;
}

/* Runs the job and tells the journal, as the service does. */
static struct book_result render(void)
{
	struct book_job job = job_of(BOOK_MATCH);
	struct book_result r = run(&job);
	struct why why = {""};

	if (r.status != STATUS_OK)
		fail_msg("%s: %s", status_name(r.status), r.why.text);
	assert_int_equal(journal_rendered(maker.journal, 1, r.file, r.records, &why), STATUS_OK);
	return r;
}

static const char *at(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* How many entries the output folder has whose name begins so. */
static int files(const char *prefix)
{
	DIR *d = opendir(folder);
	int n = 0;

	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += !strncmp(e->d_name, prefix, strlen(prefix));
	closedir(d);
	return n;
}

struct sheet_text {
	char *bytes;
	size_t length;
};

static void keep(void *context, const char *bytes, size_t length)
{
	struct sheet_text *t = context;

	t->bytes = realloc(t->bytes, t->length + length + 1);
	memcpy(t->bytes + t->length, bytes, length);
	t->length += length;
	t->bytes[t->length] = '\0';
}

/* A part's XML; the caller frees it. */
static char *part(const char *name, const char *entry)
{
	struct sheet_text t = {NULL, 0};
	struct zip *z;
	struct zip_entry e;

	assert_int_equal(zip_open(&z, at(name), NULL), STATUS_OK);
	assert_int_equal(zip_find(z, entry, &e, NULL), STATUS_OK);
	assert_int_equal(zip_read(z, &e, keep, &t, NULL), STATUS_OK);
	zip_close(z);
	return t.bytes;
}

static int count(const char *text, const char *what)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

static void a_match(void)
{
	add_state(KEY, "India", "Match not started", "", 0, false, false);
	add_state(KEY, "India", "Australia opt to bowl", "", 60, true, false);
	add_state(KEY, "India", "Australia opt to bowl",
		"{\"r\":4,\"w\":0,\"o\":0.1,\"inning\":\"India Inning 1\"}", 120, true, false);
	add_state(KEY, "India", "Australia opt to bowl",
		"{\"r\":4,\"w\":1,\"o\":0.2,\"inning\":\"India Inning 1\"}", 160, true, false);
}

static void renders(void **unused)
{
	struct verify_properties p;
	struct book_result r;
	char *xml;

	(void)unused;
	a_match();
	r = render();
	assert_string_equal(r.file, FILE_NAME);
	assert_false(r.skipped);
	assert_int_equal(r.records, 4);
	assert_in_range(r.bytes, 5000, 50000);
	assert_in_range(r.peak_kib, 500, 400000);
	assert_int_equal(book_read_properties(at(FILE_NAME), &p, NULL), STATUS_OK);
	assert_string_equal(p.journal, journal_name(maker.journal));
	assert_string_equal(p.match, KEY);
	assert_int_equal(p.records, 4);
	assert_int_equal(p.last_us, start_us + 160000000);
	xml = part(FILE_NAME, "xl/worksheets/sheet2.xml");
	assert_int_equal(count(xml, "<row "), 5);
	assert_non_null(strstr(xml, "<t>WICKET</t>"));
	assert_non_null(strstr(xml, "<t>toss</t>"));
	free(xml);
	xml = part(FILE_NAME, "xl/workbook.xml");
	assert_non_null(strstr(xml, "name=\"Match\""));
	assert_true(strstr(xml, "name=\"Timeline\"") < strstr(xml, "name=\"Overs\""));
	assert_true(strstr(xml, "name=\"Overs\"") < strstr(xml, "name=\"Records\""));
	free(xml);
	assert_int_equal(files(".scorebox"), 0);
}

static void leaves_the_unchanged_alone(void **unused)
{
	struct stat before, after;
	struct book_result r;
	struct book_job job = job_of(BOOK_INDEX);

	(void)unused;
	a_match();
	render();
	stat(at(FILE_NAME), &before);
	r = render();
	assert_true(r.skipped);
	assert_string_equal(r.file, FILE_NAME);
	assert_int_equal(r.records, 4);
	stat(at(FILE_NAME), &after);
	assert_int_equal(before.st_ino, after.st_ino);
	r = run(&job);
	assert_int_equal(r.status, STATUS_OK);
	assert_false(r.skipped);
	assert_string_equal(r.file, "Matches.xlsx");
	r = run(&job);
	assert_true(r.skipped);
	job.kind = BOOK_MATCH;
	job.timezone = "IST-5:30"; /* another layout: written again, nothing kept aside */
	r = run(&job);
	assert_false(r.skipped);
	assert_string_equal(r.kept, "");
	stat(at(FILE_NAME), &after);
	assert_int_not_equal(before.st_ino, after.st_ino);
}

static void equal_journals_give_equal_bytes(void **unused)
{
	char command[300];

	(void)unused;
	a_match();
	render();
	snprintf(command, sizeof(command), "mv %s/%s %s/first", folder, FILE_NAME, state);
	assert_int_equal(system(command), 0);
	sleep(1);
	render();
	snprintf(command, sizeof(command), "cmp %s/%s %s/first", folder, FILE_NAME, state);
	assert_int_equal(system(command), 0);
}

static void keeps_what_is_richer_or_foreign(void **unused)
{
	struct book_result r;
	char command[300];

	(void)unused;
	a_match();
	render();
	snprintf(command, sizeof(command), "cp %s/%s %s/rich.xlsx", folder, FILE_NAME, state);
	assert_int_equal(system(command), 0);
	maker_close(&maker); /* a journal lost: another one begins, with fewer records */
	assert_int_equal(unlink(journal), 0);
	maker_open(&maker, journal);
	add_state(KEY, "India", "Australia opt to bowl", "", 60, true, false);
	r = render();
	assert_false(r.skipped);
	assert_string_equal(
		r.kept, "2025-04-16_India-vs-Australia_18534a4e (before 2025-04-16).xlsx");
	snprintf(command, sizeof(command), "cmp '%s/%s' %s/rich.xlsx", folder, r.kept, state);
	assert_int_equal(system(command), 0);
	/* something else under our name */
	snprintf(command, sizeof(command), "echo mine > %s/%s", folder, FILE_NAME);
	assert_int_equal(system(command), 0);
	r = render();
	assert_true(strstr(r.kept, " (before ") != NULL);
	assert_int_equal(files("2025-04-16_India-vs-Australia_18534a4e"), 3);
}

static void renames(void **unused)
{
	struct book_result r;

	(void)unused;
	add_state(KEY, "Tbc", "Australia opt to bowl", "", 60, true, false);
	r = render();
	assert_string_equal(r.file, "2025-04-16_Tbc-vs-Australia_18534a4e.xlsx");
	add_state(KEY, "India", "Australia opt to bowl", "", 70, true, false);
	r = render();
	assert_string_equal(r.file, FILE_NAME);
	assert_int_equal(files("2025-04-16_"), 1);
}

static void gives_way_to_a_taken_name(void **unused)
{
	struct book_job job = job_of(BOOK_MATCH);
	struct book_result r;

	(void)unused;
	a_match();
	render();
	add_state("18534a4e-ffff", "India", "Australia opt to bowl", "", 60, true, false);
	job.match = 2;
	r = run(&job);
	assert_int_equal(r.status, STATUS_OK);
	assert_string_equal(r.file, "2025-04-16_India-vs-Australia_18534a4e-ffff.xlsx");
	assert_string_equal(r.kept, "");
	assert_int_equal(files("2025-04-16_"), 2);
}

static void passes_fixtures_over(void **unused)
{
	struct book_job job = job_of(BOOK_MATCH);
	struct book_result r;

	(void)unused;
	add_state(KEY, "India", "Match not started", "", 0, false, false);
	job.started_only = true;
	r = run(&job);
	assert_int_equal(r.status, STATUS_OK);
	assert_true(r.skipped);
	assert_string_equal(r.file, "");
	assert_int_equal(r.records, 1);
	assert_int_equal(files("2025"), 0);
	job.started_only = false;
	r = run(&job);
	assert_false(r.skipped);
	assert_int_equal(files("2025"), 1);
}

static void finds_what_is_missing(void **unused)
{
	struct book_job job = job_of(BOOK_AUDIT);
	struct book_result r;

	(void)unused;
	a_match();
	render();
	r = run(&job);
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(missing_count, 0);
	assert_int_equal(truncate(at(FILE_NAME), 3000), 0);
	run(&job);
	assert_int_equal(missing_count, 1);
	assert_int_equal(missing[0], 1);
	unlink(at(FILE_NAME));
	run(&job);
	assert_int_equal(missing_count, 1);
}

/* Disks that fill up at any byte: never a file under the final name, never a temp file left. */
static void survives_a_full_disk(void **unused)
{
	struct rlimit all, limit;
	struct book_job job = job_of(BOOK_MATCH);
	struct book_result r;
	int failures = 0;

	(void)unused;
	for (int i = 0; i < 300; i++)
		add_state(KEY, "India", i % 2 ? "x" : "y",
			"{\"r\":4,\"w\":0,\"o\":0.1,\"inning\":\"India Inning 1\"}", i, true,
			false);
	getrlimit(RLIMIT_FSIZE, &all);
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t bytes = 2000; bytes < 700000; bytes = bytes * 5 / 4 + 777) {
		limit = all;
		limit.rlim_cur = bytes;
		setrlimit(RLIMIT_FSIZE, &limit);
		r = run(&job);
		setrlimit(RLIMIT_FSIZE, &all);
		assert_int_equal(files(".scorebox"), 0);
		if (r.status != STATUS_OK) {
			failures++;
			assert_true(r.why.text[0] != '\0');
			assert_int_equal(files("2025"), 0);
		} else {
			char *xml = part(FILE_NAME, "xl/worksheets/sheet4.xml");

			assert_int_equal(count(xml, "<row "), 301);
			free(xml);
			unlink(at(FILE_NAME));
		}
	}
	signal(SIGXFSZ, SIG_DFL);
	assert_in_range(failures, 3, 24);
}

static void says_what_is_wrong(void **unused)
{
	struct book_job job = job_of(BOOK_MATCH);
	struct book_result r;

	(void)unused;
	a_match();
	job.min_free_bytes = UINT64_MAX / 4;
	r = run(&job);
	assert_int_equal(r.status, STATUS_FULL);
	job = job_of(BOOK_MATCH);
	job.folder = "/nonexistent/place";
	r = run(&job);
	assert_int_not_equal(r.status, STATUS_OK);
	job = job_of(BOOK_MATCH);
	job.match = 77;
	r = run(&job);
	assert_int_equal(r.status, STATUS_NOT_FOUND);
	job = job_of(BOOK_MATCH);
	job.journal_path = "/nonexistent/journal.db";
	r = run(&job);
	assert_int_not_equal(r.status, STATUS_OK);
	assert_int_equal(files("2025"), 0);
}

/* The address sanitizer's memory is not counted. */
static bool memory_is_limited(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	return memory_limits_hold();
#endif
}

static void ends_what_takes_too_long_or_too_much(void **unused)
{
	struct book_job job = job_of(BOOK_MATCH);
	struct book_result r;

	(void)unused;
	maker.held = true;
	for (int i = 0; i < 20000; i++)
		add_state(KEY, "India", i % 2 ? "x" : "y",
			"{\"r\":4,\"w\":0,\"o\":0.1,\"inning\":\"India Inning 1\"}", i, true,
			false);
	maker_flush(&maker);
	job.timeout_ms = 30;
	r = run(&job);
	assert_int_equal(r.status, STATUS_FATAL);
	assert_non_null(strstr(r.why.text, "took over"));
	assert_int_equal(files("."), 2); /* . and .. */
	if (memory_is_limited()) {
		job = job_of(BOOK_MATCH);
		job.memory_bytes = 600 * 1024;
		r = run(&job);
		assert_int_equal(r.status, STATUS_NO_MEMORY);
	}
	assert_int_equal(files("2025"), 0);
}

/* Whatever the memory, the answer is a whole workbook or "out of memory", never a crash or half a file. */
static void lives_within_any_memory(void **unused)
{
	struct book_job job = job_of(BOOK_MATCH);
	int fine = 0, refused = 0;

	(void)unused;
	a_match();
	for (uint64_t kib = 100; kib <= 5000; kib += kib < 2000 ? 60 : 500) {
		struct book_result r;

		job.memory_bytes = kib << 10;
		r = run(&job);
		if (r.status == STATUS_OK) {
			fine++;
			assert_int_equal(unlink(at(FILE_NAME)), 0);
		} else {
			if (r.status != STATUS_NO_MEMORY)
				fail_msg("%llu KiB: %s: %s", (unsigned long long)kib,
					status_name(r.status), r.why.text);
			refused++;
		}
		assert_int_equal(files("2025") + files(".scorebox"), 0);
	}
	assert_true(fine > 0);
	if (memory_is_limited())
		assert_true(refused > 0);
}

static void takes_any_record(void **unused)
{
	static const char *const bodies[] = {
		"{\"id\":\"x\",\"a\":1}",
		"[1,2,3]",
		"null",
		"\"text\"",
		"{\"a\":1,\"a\":2,\"b\":{\"a\":[]}}",
		"not JSON at all",
		"",
		"{\"big\":1234567890123456789,\"small\":7.10,\"e\":1E400,\"n\":-0,\"t\":true,\"f\":false,\"z\":null}",
		"{\"s\":\"=cmd()\",\"u\":\"\\ud800\",\"c\":\"\\u0000\\u0001_x0041_\",\"l\":\"\\r\\n\"}",
		"{\"s\":\"\xff\xfe\"}",
		"{\"\":\"empty\",\"a.b\":{\"c.d\":1}}",
		"{\"teams\":\"no array\",\"score\":7}",
	};
	char *big = malloc(600000);
	struct book_result r;
	size_t n = 0;
	char *xml;

	(void)unused;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		maker_add(&maker, KEY, bodies[i], strlen(bodies[i]),
			start_us + (int64_t)i * 1000000, NULL, false);
	n += (size_t)sprintf(big, "{");
	for (int i = 0; i < 20000; i++) /* more fields than Excel has columns */
		n += (size_t)sprintf(big + n, "\"field%d\":%d,", i, i);
	n += (size_t)sprintf(big + n, "\"last\":\"");
	memset(big + n, 'x', 40000);
	n += 40000;
	n += (size_t)sprintf(big + n, "\"}");
	maker_add(&maker, KEY, big, n, start_us + 60000000, NULL, false);
	free(big);
	r = render();
	assert_int_equal(r.records, sizeof(bodies) / sizeof(bodies[0]) + 1);
	xml = part(r.file, "xl/workbook.xml");
	assert_non_null(strstr(xml, "name=\"Records\""));
	free(xml);
}

/* A match whose newest state has neither teams nor score stays a match; one whose oldest has them, too. */
static void stays_a_match(void **unused)
{
	struct book_result r;
	char *xml;

	(void)unused;
	a_match();
	maker_add(&maker, KEY, "{\"id\":1}", 8, start_us + 600000000, NULL, false);
	r = render();
	xml = part(r.file, "xl/workbook.xml");
	assert_non_null(strstr(xml, "name=\"Timeline\""));
	free(xml);
}

static void shows_what_did_not_arrive(void **unused)
{
	static const char body[] =
		"{\"id\":\"" KEY
		"\",\"teams\":[\"A\",\"B\"],\"name\":\"A vs B\",\"status\":\"s%d\",\"score\":[]}";
	struct identity lost = {.seq = 500};
	struct book_result r;
	struct why why = {""};
	char text[300], *xml;

	(void)unused;
	memset(lost.run, 0x33, sizeof(lost.run));
	snprintf(text, sizeof(text), body, 1);
	maker_add(&maker, KEY, text, strlen(text), start_us, NULL, false);
	for (int p = 0; p < maker.partitions; p++) {
		maker.next_offset[p] += 151;
		assert_int_equal(
			journal_gap(maker.journal, maker.generation, p, maker.next_offset[p] - 151,
				maker.next_offset[p], start_us + 5000000, &why),
			STATUS_OK);
	}
	snprintf(text, sizeof(text), body, 2);
	maker_add(&maker, KEY, text, strlen(text), start_us + 10000000, &lost, false);
	r = render();
	xml = part(r.file, "xl/worksheets/sheet2.xml");
	assert_int_equal(count(xml, "<row "), 1 + 2 + 2);
	assert_non_null(strstr(xml, "at least 1 state not received"));
	assert_non_null(strstr(xml, "151 records of partition"));
	free(xml);
}

static void sweeps(void **unused)
{
	char command[300];

	(void)unused;
	snprintf(command, sizeof(command),
		"cd %s && mkdir .scorebox-77.d .scorebox-x.d && touch .scorebox-77.xlsx .scorebox-77.d/a "
		".scorebox-77.xlsx.bak other",
		folder);
	assert_int_equal(system(command), 0);
	book_sweep_folder(folder);
	assert_int_equal(files(".scorebox-77."), 1); /* the .bak is not ours */
	assert_int_equal(files(".scorebox-x"), 1);
	assert_int_equal(files("other"), 1);
}

/* Every truncation, and a changed byte anywhere, is noticed. */
static void verification_notices(void **unused)
{
	struct verify_rows rows = {.sheets = 4, .rows = {0, 5, 2, 5}};
	struct stat st;
	char *bytes, *xml;
	size_t length;
	int noticed = 0, tried = 0;

	(void)unused;
	a_match();
	render();
	xml = part(FILE_NAME, "xl/worksheets/sheet1.xml");
	rows.rows[0] = (uint64_t)count(xml, "<row ");
	free(xml);
	assert_int_equal(verify_workbook(at(FILE_NAME), &rows, NULL), STATUS_OK);
	rows.rows[3]++;
	assert_int_equal(verify_workbook(at(FILE_NAME), &rows, NULL), STATUS_BAD_DATA);
	rows.rows[3]--;
	rows.sheets = 3;
	assert_int_equal(verify_workbook(at(FILE_NAME), &rows, NULL), STATUS_BAD_DATA);
	rows.sheets = 5;
	assert_int_equal(verify_workbook(at(FILE_NAME), &rows, NULL), STATUS_BAD_DATA);
	rows.sheets = 4;

	assert_int_equal(file_read(at(FILE_NAME), 1 << 20, &bytes, &length, NULL), STATUS_OK);
	assert_int_equal(stat(at(FILE_NAME), &st), 0);
	for (size_t cut = 0; cut < length; cut += 61) {
		FILE *f = fopen(at("cut.xlsx"), "w");

		fwrite(bytes, 1, cut, f);
		fclose(f);
		assert_int_not_equal(verify_workbook(at("cut.xlsx"), &rows, NULL), STATUS_OK);
	}
	for (size_t i = 0; i < length; i += 37, tried++) {
		FILE *f = fopen(at("cut.xlsx"), "w");

		bytes[i] = (char)(bytes[i] ^ 0x20);
		fwrite(bytes, 1, length, f);
		fclose(f);
		bytes[i] = (char)(bytes[i] ^ 0x20);
		noticed += verify_workbook(at("cut.xlsx"), &rows, NULL) != STATUS_OK;
	}
	free(bytes);
	/* what is not noticed stands in fields that no reader needs: dates, versions, local
	 * names */
	assert_true(noticed * 10 > tried * 8);
}

static void looks_at_the_shelf(void **unused)
{
	struct shelf s;
	char path[200];

	(void)unused;
	shelf_look("", SHELF_AUTO, 0, &s);
	assert_int_equal(s.state, SHELF_NONE);
	shelf_look(folder, SHELF_ANY, 0, &s);
	assert_int_equal(s.state, SHELF_OK);
	assert_true(s.free_bytes > 0 && s.device != 0 && s.text[0]);
	shelf_look(folder, SHELF_ANY, UINT64_MAX, &s);
	assert_int_equal(s.state, SHELF_FULL);
	snprintf(path, sizeof(path), "%s/new", folder);
	shelf_look(path, SHELF_ANY, 0, &s);
	assert_int_equal(s.state, SHELF_OK); /* made, as its parent is fine */
	snprintf(path, sizeof(path), "%s/no/where", folder);
	shelf_look(path, SHELF_ANY, 0, &s);
	assert_int_equal(s.state, SHELF_ABSENT);
	shelf_look(journal, SHELF_ANY, 0, &s);
	assert_int_equal(s.state, SHELF_ABSENT);
	shelf_look("/media/scorebox-test-none/books", SHELF_AUTO, 0, &s);
	assert_int_equal(s.state, SHELF_NOT_MOUNTED);
	assert_int_not_equal(access("/media/scorebox-test-none", F_OK), 0);
	shelf_look("/proc/sys", SHELF_ANY, 0, &s);
	assert_int_not_equal(s.state, SHELF_OK);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, open_folder, close_folder)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(renders),
		IN_FOLDER(leaves_the_unchanged_alone),
		IN_FOLDER(equal_journals_give_equal_bytes),
		IN_FOLDER(keeps_what_is_richer_or_foreign),
		IN_FOLDER(renames),
		IN_FOLDER(gives_way_to_a_taken_name),
		IN_FOLDER(passes_fixtures_over),
		IN_FOLDER(finds_what_is_missing),
		IN_FOLDER(survives_a_full_disk),
		IN_FOLDER(says_what_is_wrong),
		IN_FOLDER(ends_what_takes_too_long_or_too_much),
		IN_FOLDER(lives_within_any_memory),
		IN_FOLDER(takes_any_record),
		IN_FOLDER(stays_a_match),
		IN_FOLDER(shows_what_did_not_arrive),
		IN_FOLDER(sweeps),
		IN_FOLDER(verification_notices),
		IN_FOLDER(looks_at_the_shelf),
	};

	if (argc > 1 && !strcmp(argv[1], "--book"))
		return book_child_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
