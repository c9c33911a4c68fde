/* child_main.c - the rendering child: `scorebox --book ...`. Reads the journal, writes one file,
 * answers on stdout, ends. It dies with its parent. */
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "book/arguments.h"
#include "book/limit.h"
#include "book/naming.h"
#include "book/place.h"
#include "book/workbook.h"
#include "cricket/match.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READER_BYTES = 512 * 1024, NICE = 10, KEY_BYTES = 512 };

struct task {
	const char *kind, *journal, *folder, *scratch, *timezone;
	int64_t match;
	bool started_only, anew;
	uint64_t min_free_bytes, memory_bytes;
	pid_t parent;
	char temp[PATH_MAX];	     /* the file being made */
	char own_scratch[PATH_MAX];  /* below the state folder */
	char near_scratch[PATH_MAX]; /* beside the target */
};

/* ---- speaking ---- */

static void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void answer(const char *format, ...)
{
	char line[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	for (int i = 0; i < n; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	line[n] = '\n';
	for (ssize_t done = 0, w; done <= n; done += w) {
		w = write(STDOUT_FILENO, line + done, (size_t)(n + 1 - done));
		if (w < 0 && errno == EINTR)
			w = 0;
		else if (w < 0)
			_exit(EXIT_FAILURE); /* nobody listens */
	}
}

/* ---- one workbook ---- */

/* Renders by `render`, verifies what the storage holds. */
typedef enum status render_call(
	struct task *t, struct journal *j, void *what, struct verify_rows *rows, struct why *why);

static enum status make_whole(
	struct task *t, struct journal *j, render_call *render, void *what, struct why *why)
{
	struct verify_rows *rows = calloc(1, sizeof(*rows));
	enum status s;

	if (!rows)
		return fail(why, STATUS_NO_MEMORY, "no memory to verify a workbook");
	s = render(t, j, what, rows, why);
	if (s == STATUS_OK)
		s = place_sync(t->temp, why);
	if (s == STATUS_OK) {
		s = verify_workbook(t->temp, rows, why);
		if (s != STATUS_OK)
			s = why_prefix(why, s, "the workbook was not kept");
	}
	free(rows);
	return s;
}

static struct workbook_room room_of(const struct task *t)
{
	return (struct workbook_room){
		.scratch = {t->own_scratch, t->near_scratch},
		.min_free_bytes = t->min_free_bytes,
		.target_folder = t->folder,
	};
}

static void say_file(const struct task *t, const char *name, uint64_t records, bool written)
{
	char path[PATH_MAX];
	struct stat st;

	answer(ANSWER_FILE " %s", name);
	answer(ANSWER_RECORDS " %" PRIu64, records);
	if (written && file_join(t->folder, name, path, sizeof(path)) == STATUS_OK &&
		stat(path, &st) == 0)
		answer(ANSWER_BYTES " %" PRIu64, (uint64_t)st.st_size);
}

/* Gives the finished file its name; what must be kept is moved aside first. */
static enum status publish(struct task *t, const char *name, enum place_answer there,
	const struct verify_properties *old, struct why *why)
{
	char path[PATH_MAX], kept[NAMING_KEPT_BYTES];
	enum status s = file_join(t->folder, name, path, sizeof(path));

	if (s != STATUS_OK)
		return fail(why, s, "the name '%s' is too long", name);
	if (there == PLACE_KEEP) {
		s = place_keep(t->folder, name, old, kept, sizeof(kept), why);
		if (s != STATUS_OK)
			return s;
		answer(ANSWER_KEPT " %s", kept);
	}
	return file_publish(t->temp, path, why);
}

/* ---- a match ---- */

struct match_job {
	struct journal_match match;
	char key[KEY_BYTES], file[256];
	char name[NAMING_BYTES];
	bool fixture;
};

static enum status name_match(struct journal *j, struct match_job *job, struct why *why)
{
	const struct journal_match *m = &job->match;
	struct row_reader *reader;
	struct journal_record last;
	struct row row;
	char whole[NAMING_BYTES];
	bool taken = false;
	enum status s = row_reader_open(&reader, READER_BYTES, why);

	if (s != STATUS_OK)
		return s;
	s = journal_latest(j, m->id, &last, why);
	if (s == STATUS_OK && row_read(reader, last.body, &row, why) != STATUS_OK)
		s = row_read(reader, view_of("{}", 2), &row, why);
	if (s == STATUS_OK) {
		job->fixture = row.is_match && !match_begun(&row);
		naming_workbook(&row, m->key, m->first_us, false, m->tombstones + 1, job->name);
		naming_workbook(&row, m->key, m->first_us, true, m->tombstones + 1, whole);
		s = journal_file_taken(j, job->name, m->id, &taken, why);
		if (s == STATUS_OK && (taken || !strcmp(job->file, whole)))
			memcpy(job->name, whole, sizeof(whole));
	}
	row_reader_close(reader);
	return s;
}

static enum status load_match(
	struct task *t, struct journal *j, struct match_job *job, struct why *why)
{
	enum status s = journal_match_by_id(j, t->match, &job->match, why);

	if (s != STATUS_OK)
		return s;
	if (job->match.key.length > KEY_BYTES)
		job->match.key.length = KEY_BYTES;
	memcpy(job->key, job->match.key.bytes, job->match.key.length);
	job->match.key.bytes = job->key;
	snprintf(job->file, sizeof(job->file), "%.*s",
		job->match.file.length < 255 ? (int)job->match.file.length : 255,
		job->match.file.bytes);
	job->match.file = view_of(job->file, strlen(job->file));
	return name_match(j, job, why);
}

static enum status render_match(
	struct task *t, struct journal *j, void *what, struct verify_rows *rows, struct why *why)
{
	struct match_job *job = what;
	struct workbook_room room = room_of(t);

	return workbook_render(t->temp, j, &job->match, t->timezone, &room, rows, why);
}

/* The match had another name before: the new file is in place, the old one, if it is that match's,
 * goes. */
static void remove_former(
	const struct task *t, const struct match_job *job, const struct verify_properties *wanted)
{
	char path[PATH_MAX];
	struct verify_properties there;
	enum place_answer found;

	if (!job->file[0] || !strcmp(job->file, job->name) || strchr(job->file, '/') ||
		file_join(t->folder, job->file, path, sizeof(path)) != STATUS_OK)
		return;
	found = place_look(path, wanted, true, &there);
	if ((found == PLACE_OURS || found == PLACE_SAME) && unlink(path) == 0)
		(void)!file_sync_folder(t->folder, NULL); /* it comes back at worst */
}

static enum status do_match(struct task *t, struct journal *j, struct why *why)
{
	struct match_job job = {.fixture = false};
	struct verify_properties wanted = {.records = 0}, there;
	char path[PATH_MAX];
	enum place_answer found;
	enum status s = load_match(t, j, &job, why);

	if (s != STATUS_OK)
		return s;
	if (t->started_only && job.fixture && !job.file[0]) {
		answer(ANSWER_RECORDS " %" PRIu64, job.match.records);
		answer(ANSWER_SKIPPED " fixture");
		return STATUS_OK;
	}
	workbook_match_properties(j, &job.match, t->timezone, &wanted);
	s = file_join(t->folder, job.name, path, sizeof(path));
	if (s != STATUS_OK)
		return fail(why, s, "the name '%s' is too long", job.name);
	found = place_look(path, &wanted, true, &there);
	bool written = found != PLACE_SAME;
	if (written || t->anew) {
		s = make_whole(t, j, render_match, &job, why);
		written = written || (s == STATUS_OK && !place_equal(t->temp, path));
		if (s == STATUS_OK && written)
			s = publish(t, job.name, found, &there, why);
		if (s != STATUS_OK)
			return s;
	}
	if (!written)
		answer(ANSWER_SKIPPED " unchanged");
	remove_former(t, &job, &wanted);
	say_file(t, job.name, job.match.records, written);
	return STATUS_OK;
}

/* ---- the index, the audit ---- */

static enum status render_index(
	struct task *t, struct journal *j, void *what, struct verify_rows *rows, struct why *why)
{
	struct workbook_room room = room_of(t);

	(void)what;
	return workbook_render_index(t->temp, j, t->timezone, &room, rows, why);
}

static enum status do_index(struct task *t, struct journal *j, struct why *why)
{
	static const char name[] = "Matches.xlsx";
	struct verify_properties wanted = {.records = 0}, there;
	struct journal_figures figures;
	char path[PATH_MAX];
	enum place_answer found;
	bool same;
	enum status s = file_join(t->folder, name, path, sizeof(path));

	if (s != STATUS_OK)
		return fail(why, s, "the name '%s' is too long", name);
	journal_figures(j, &figures);
	snprintf(wanted.journal, sizeof(wanted.journal), "%s", journal_name(j));
	s = make_whole(t, j, render_index, NULL, why);
	if (s != STATUS_OK)
		return s;
	found = place_look(path, &wanted, false, &there);
	same = found == PLACE_OURS && place_equal(t->temp, path);
	if (same)
		answer(ANSWER_SKIPPED " unchanged");
	else
		s = publish(t, name, found, &there, why);
	if (s == STATUS_OK)
		say_file(t, name, figures.records, !same);
	return s;
}

struct audit {
	struct task *task;
	struct journal *journal;
};

static enum status audit_match(void *context, const struct journal_match *m, struct why *why)
{
	struct audit *a = context;
	struct verify_properties wanted, there;
	char name[256], path[PATH_MAX];

	(void)why;
	/* a fixture, settled without a workbook: SCOREBOX_BOOKS may have changed to all since */
	if (m->file.length == 0 && m->rendered > 0 && !a->task->started_only)
		answer(ANSWER_MISSING " %" PRId64, m->id);
	if (m->file.length == 0 || m->file.length >= sizeof(name))
		return STATUS_OK;
	snprintf(name, sizeof(name), "%.*s", (int)m->file.length, m->file.bytes);
	workbook_match_properties(a->journal, m, a->task->timezone, &wanted);
	if (file_join(a->task->folder, name, path, sizeof(path)) != STATUS_OK)
		return STATUS_OK;
	if (book_read_properties(path, &there, NULL) != STATUS_OK ||
		strcmp(there.journal, wanted.journal) != 0 ||
		strcmp(there.match, wanted.match) != 0 || strcmp(there.shape, wanted.shape) != 0 ||
		there.records < m->rendered)
		answer(ANSWER_MISSING " %" PRId64, m->id);
	return STATUS_OK;
}

static enum status do_audit(struct task *t, struct journal *j, struct why *why)
{
	struct audit a = {t, j};

	return journal_each_match(j, audit_match, &a, why);
}

/* ---- the process ---- */

static bool take(const char *argument, const char *name, const char **out)
{
	size_t length = strlen(name);

	if (strncmp(argument, name, length) != 0)
		return false;
	*out = argument + length;
	return true;
}

static bool read_arguments(struct task *t, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		const char *n;

		if (take(argv[i], ARGUMENT_KIND, &t->kind) ||
			take(argv[i], ARGUMENT_JOURNAL, &t->journal) ||
			take(argv[i], ARGUMENT_FOLDER, &t->folder) ||
			take(argv[i], ARGUMENT_SCRATCH, &t->scratch) ||
			take(argv[i], ARGUMENT_TIMEZONE, &t->timezone))
			continue;
		if (take(argv[i], ARGUMENT_MATCH, &n))
			t->match = strtoll(n, NULL, 10);
		else if (take(argv[i], ARGUMENT_STARTED, &n))
			t->started_only = n[0] == '1';
		else if (take(argv[i], ARGUMENT_ANEW, &n))
			t->anew = n[0] == '1';
		else if (take(argv[i], ARGUMENT_MIN_FREE, &n))
			t->min_free_bytes = strtoull(n, NULL, 10);
		else if (take(argv[i], ARGUMENT_MEMORY, &n))
			t->memory_bytes = strtoull(n, NULL, 10);
		else if (take(argv[i], ARGUMENT_PARENT, &n))
			t->parent = (pid_t)strtol(n, NULL, 10);
		else
			return false;
	}
	return t->kind && t->journal && t->folder && t->scratch && t->timezone;
}

static bool become_child(const struct task *t)
{
	/* With its parent gone nobody would take the answer, and the pages of memory are not its
	 * own. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (t->parent && getppid() != t->parent)
		return false;
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_IGN); /* of the terminal: the parent decides */
	(void)!nice(NICE);
	umask(022);
	limit_memory(t->memory_bytes);
	return true;
}

/* The names that book_child_close and book_sweep_folder look for. */
static bool name_temps(struct task *t)
{
	char name[64];

	snprintf(name, sizeof(name), TEMP_PREFIX "%ld.xlsx", (long)getpid());
	if (file_join(t->folder, name, t->temp, sizeof(t->temp)) != STATUS_OK)
		return false;
	snprintf(name, sizeof(name), TEMP_PREFIX "%ld.d", (long)getpid());
	return file_join(t->scratch, name, t->own_scratch, sizeof(t->own_scratch)) == STATUS_OK &&
	       file_join(t->folder, name, t->near_scratch, sizeof(t->near_scratch)) == STATUS_OK;
}

static enum status run(struct task *t, struct why *why)
{
	struct journal *j = NULL;
	enum status s = journal_open_reader(&j, t->journal, why);

	if (s != STATUS_OK)
		return s;
	s = journal_snapshot_begin(j, why);
	if (s != STATUS_OK) {
		journal_close(j);
		return s;
	}
	if (!strcmp(t->kind, "audit")) {
		s = do_audit(t, j, why);
	} else {
		s = !strcmp(t->kind, "match") ? do_match(t, j, why) : do_index(t, j, why);
		unlink(t->temp);
		rmdir(t->own_scratch);
		rmdir(t->near_scratch);
	}
	journal_snapshot_end(j);
	journal_close(j);
	return s;
}

int book_child_main(int argc, char **argv)
{
	struct task t = {.match = 0};
	struct why why = {""};
	enum status s;

	if (!read_arguments(&t, argc, argv) || !name_temps(&t)) {
		fprintf(stderr, "scorebox --book: started by the daemon only\n");
		return 64;
	}
	if (!become_child(&t))
		return EXIT_FAILURE;
	s = run(&t, &why);
	answer(ANSWER_PEAK " %" PRIu64, memory_peak_kib());
	if (s != STATUS_OK)
		answer(ANSWER_WHY " %s", why.text);
	answer(ANSWER_STATUS " %d", (int)s);
	answer(ANSWER_END);
	return s == STATUS_NO_MEMORY ? EXIT_CHILD_MEMORY : EXIT_SUCCESS;
}
