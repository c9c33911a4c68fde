/* arguments.h - how parent and child speak (private to book/). The parent execs this binary as
 * `scorebox --book KEY=VALUE...`; the child answers on stdout in lines `KEY VALUE`; no value has a
 * line feed. */
#pragma once
#include "book/book.h"

#define ARGUMENT_KIND	  "kind="
#define ARGUMENT_JOURNAL  "journal="
#define ARGUMENT_FOLDER	  "folder="
#define ARGUMENT_SCRATCH  "scratch="
#define ARGUMENT_TIMEZONE "timezone="
#define ARGUMENT_MATCH	  "match="
#define ARGUMENT_STARTED  "started="
#define ARGUMENT_ANEW	  "anew="
#define ARGUMENT_MIN_FREE "min-free="
#define ARGUMENT_MEMORY	  "memory="
#define ARGUMENT_PARENT	  "parent="

#define ANSWER_STATUS  "status" /* number of enum status; always the last line but one */
#define ANSWER_WHY     "why"
#define ANSWER_SKIPPED "skipped"
#define ANSWER_FILE    "file"
#define ANSWER_KEPT    "kept"
#define ANSWER_RECORDS "records"
#define ANSWER_BYTES   "bytes"
#define ANSWER_PEAK    "peak"
#define ANSWER_MISSING "missing" /* of BOOK_AUDIT: a match's id, any number of lines */
#define ANSWER_END     "end"	 /* the answer is whole */

/* Temp files begin so; the child's pid follows. */
#define TEMP_PREFIX ".scorebox-"

enum { EXIT_CHILD_MEMORY = 71 };
