/* verb_spool.c - spool ls and spool verify: a look into the spool while no daemon runs on it. */
#include "app/verb.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "store/spool.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_BYTES = 120 };

struct look {
	int lock;
	char path[PATH_MAX];
	struct spool *spool; /* NULL: there is none yet */
};

static int refuse_busy(const char *folder, pid_t holder)
{
	if (holder)
		log_error("instance.busy",
			"scorebox with pid %ld runs on '%s'; nothing was done; stop it first, or ask "
			"`scorebox status`",
			(long)holder, folder);
	else
		log_error("instance.busy",
			"another scorebox runs on '%s'; nothing was done; stop it first, or ask "
			"`scorebox status`",
			folder);
	return EXIT_INSTANCE;
}

static int open_failed(enum status s, const struct why *why)
{
	log_error("spool.unread", "%s; nothing was changed", why->text);
	return exit_code_of(s);
}

/* An exit code. Where there is no spool, none is made. */
static int look_open(struct look *look, const struct config *config)
{
	static const uint8_t no_run[RUN_BYTES];
	const char *folder = config->state_dir;
	struct spool_opening opening;
	struct why why = {.text = "the path is too long"};
	pid_t holder = 0;
	enum status s;

	*look = (struct look){.lock = -1};
	s = file_join(folder, SERVICE_SPOOL_FILE, look->path, sizeof look->path);
	if (s != STATUS_OK)
		return open_failed(s, &why);
	if (access(look->path, F_OK) != 0) {
		printf("no spool: '%s' does not exist\n", look->path);
		return EXIT_DONE;
	}
	s = file_lock_instance(folder, &look->lock, &holder, &why);
	if (s == STATUS_BUSY)
		return refuse_busy(folder, holder);
	if (s != STATUS_OK)
		return open_failed(s, &why);
	s = spool_open(&look->spool, look->path, service_spool_cap(config), config->spool_full,
		no_run, &opening, &why);
	if (s != STATUS_OK)
		return open_failed(s, &why);
	if (*opening.set_aside)
		log_error("spool.damaged",
			"the spool was damaged and is set aside as '%s'; what waited in it was not "
			"sent; a new one is begun",
			opening.set_aside);
	return EXIT_DONE;
}

static void look_close(struct look *look)
{
	spool_close(look->spool);
	if (look->lock >= 0)
		close(look->lock);
}

static void print_row(void *context, const struct spool_row *row)
{
	char match[SHOWN_BYTES], when[CLOCK_TEXT_BYTES];

	(void)context;
	log_redact(row->match.bytes, row->match.length, match, sizeof match);
	clock_format(row->fetched_us, 3, when);
	printf("%" PRId64 " %s %s %zu bytes", row->id, match, when, row->body.length);
	if (row->dropped)
		printf(", %u states before it are lost", row->dropped);
	putchar('\n');
}

static void print_letter(void *context, const struct spool_letter *letter)
{
	char reason[SHOWN_BYTES], bytes[SHOWN_BYTES], when[CLOCK_TEXT_BYTES], match[SHOWN_BYTES];

	(void)context;
	log_redact(letter->match.bytes, letter->match.length, match, sizeof match);
	log_redact(letter->reason, strlen(letter->reason), reason, sizeof reason);
	log_redact(letter->bytes.bytes, letter->bytes.length, bytes, sizeof bytes);
	clock_format(letter->at_us, 3, when);
	printf("dead letter %s", when);
	if (*match)
		printf(", a state of match %s", match);
	else
		printf(", seen %" PRIu64 " times", letter->times);
	printf(", %" PRIu64 " bytes", letter->length);
	if (letter->length > letter->bytes.length)
		printf(" (the first %zu are kept)", letter->bytes.length);
	printf(": %s: %s\n", reason, bytes);
}

static void print_totals(const struct spool *spool)
{
	struct spool_figures f;

	spool_figures(spool, &f);
	printf("%" PRIu64 " rows wait, %" PRIu64 " of %" PRIu64 " bytes; ever: %" PRIu64
	       " dead letters (%" PRIu64 " refused by the broker), %" PRIu64
	       " superseded states dropped, %" PRIu64 " databases set aside\n",
		f.rows, f.bytes, f.max_bytes, f.dead_letters, f.refused, f.dropped, f.set_aside);
}

int verb_spool_ls(struct call *call)
{
	struct look look;
	struct why why;
	int code = look_open(&look, call->config);

	if (code == EXIT_DONE && look.spool) {
		enum status s = spool_each(look.spool, print_row, print_letter, NULL, &why);

		if (s == STATUS_OK)
			print_totals(look.spool);
		else
			code = open_failed(s, &why);
	}
	look_close(&look);
	return code == EXIT_DONE && fflush(stdout) ? EXIT_STORAGE : code;
}

int verb_spool_verify(struct call *call)
{
	struct look look;
	struct why why;
	int code = look_open(&look, call->config);

	if (code == EXIT_DONE && look.spool) {
		enum status s = spool_verify(look.spool, &why);

		if (s == STATUS_OK) {
			printf("the spool is sound: ");
			print_totals(look.spool);
		} else {
			log_error("spool.damaged",
				"%s; the file stays as it is; the daemon sets it aside and begins anew "
				"when it meets the damage",
				why.text);
			code = EXIT_STORAGE;
		}
	}
	look_close(&look);
	return code == EXIT_DONE && fflush(stdout) ? EXIT_STORAGE : code;
}
