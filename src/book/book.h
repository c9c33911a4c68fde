/* book.h - workbooks from the journal, made by a child process: this binary exec'd as `scorebox
 * --book ...` (libxlsxwriter loses rows silently on a full temp folder and crashes when malloc
 * fails, so it never runs in the daemon). The child opens the journal read-only, renders beside
 * the target, reads the result back (row counts, closing tags, from the zip, not from memory),
 * syncs, renames, syncs the folder, and answers in lines on its stdout. Under its final name a
 * workbook is always whole. Equal journals give equal bytes. */
#pragma once
#include "base/status.h"
#include "store/journal.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum book_job_kind {
	BOOK_MATCH, /* one match's workbook */
	BOOK_INDEX, /* Matches.xlsx */
	/* Which matches' files are missing, or poorer than the journal says, or of another layout:
	 * for a fresh or returned stick. */
	BOOK_AUDIT,
};

struct book_job { /* strings are lent for the call */
	enum book_job_kind kind;
	const char *journal_path;
	const char *folder; /* the output folder */
	/* Temp files go here when twice the raw XML is free, else beside the target. */
	const char *state_dir;
	const char *timezone; /* POSIX TZ for local times; another one is another layout */
	int64_t match;	      /* of BOOK_MATCH */
	bool started_only;    /* fixtures get no workbook: BOOK_MATCH answers skipped */
	bool anew; /* render also where the file's figures are right already: its bytes may be damaged */
	uint64_t min_free_bytes; /* below it nothing is written: STATUS_FULL */
	uint64_t memory_bytes;	 /* RLIMIT_DATA of the child; 0 none. 4 MiB is plenty under musl */
	int64_t timeout_ms;	 /* killed afterwards; 0: 60 s */
};

struct book_result {
	/* STATUS_OK; STATUS_FULL: no room; STATUS_IO; STATUS_DENIED: read-only or no permission;
	 * STATUS_BAD_DATA: verification failed, the old file stays; STATUS_NO_MEMORY: memory_bytes
	 * is too little; STATUS_NOT_FOUND: no such match; STATUS_FATAL: the child died or was
	 * ended. */
	enum status status;
	/* Nothing was written: the file is unchanged (`file` is its name), or this is a fixture
	 * that has not begun (`file` is ""). `records` is set all the same: tell the journal. */
	bool skipped;
	char file[256];	  /* name, without folder */
	char kept[256];	  /* a richer or foreign file was kept under this name; "" none */
	uint64_t records; /* in the workbook */
	uint64_t bytes;	  /* of the file written; 0 where skipped */
	int64_t took_ms;
	uint64_t peak_kib; /* VmHWM of the child */
	struct why why;
};
/* BOOK_AUDIT, once per match to render again. */
typedef void book_missing_call(void *context, int64_t match);

struct book_child;
enum status book_child_start(
	struct book_child **out, const struct book_job *job, struct why *why) MUST_CHECK;
int book_child_fd(const struct book_child *c); /* readable when book_child_turn has something */
/* STATUS_AGAIN while it runs; STATUS_OK: *out is complete and the child is reaped. `missing` may
 * be NULL. */
enum status book_child_turn(struct book_child *c, int64_t now_ms, struct book_result *out,
	book_missing_call *missing, void *context) MUST_CHECK;
int64_t book_child_due_ms(const struct book_child *c); /* its deadline, monotonic */
/* Kills and reaps one that still runs; removes its temp files; NULL is fine. */
void book_child_close(struct book_child *c);

/* The child's main: argv[1] is "--book". Returns the exit code. */
int book_child_main(int argc, char **argv);

/* Removes temp files of children that died with the power (names begin with ".scorebox-"). */
void book_sweep_folder(const char *folder);

/* The storage guard: may we write there now? */
enum shelf_state {
	SHELF_OK,
	SHELF_NONE /* no folder set */,
	SHELF_ABSENT,
	SHELF_NOT_MOUNTED,
	SHELF_READ_ONLY,
	SHELF_FULL
};
enum shelf_mount { SHELF_AUTO, SHELF_REQUIRE, SHELF_ANY };
struct shelf {
	enum shelf_state state;
	uint64_t free_bytes;
	/* Another stick, or the same one again, when one of them changes: st_dev, file_mount_id(). */
	uint64_t device, mount_id;
	char text[200]; /* in plain words with the next step, for the log and `check` */
};
/* Looks without writing (access(2), statvfs). The folder itself is made when its parent is fine
 * (not below a missing mount). */
void shelf_look(
	const char *folder, enum shelf_mount mount, uint64_t min_free_bytes, struct shelf *out);
