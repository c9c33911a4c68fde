/* status.h - how an operation ended, named by what the caller must do, and the reason in words.
 * Outputs of a function are written only on STATUS_OK unless its header says otherwise. The text is
 * made where the failure happens, gains a prefix per layer and is logged once, by the service that
 * decides. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

#define MUST_CHECK		 __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

enum status {
	STATUS_OK,
	STATUS_AGAIN,	  /* not now: a peer is away or busy; nothing is lost, try later */
	STATUS_FULL,	  /* a stated limit is reached: make room first */
	STATUS_BAD_DATA,  /* what came from outside is wrong: do not try the same bytes again */
	STATUS_IO,	  /* disk or descriptor failed: close, reopen, look again */
	STATUS_NO_MEMORY, /* the allocator refused, or the ceiling is reached */
	STATUS_DENIED,	  /* refused by a peer or by a permission: a human must act */
	STATUS_NOT_FOUND, /* the thing asked for does not exist */
	STATUS_BUSY,	  /* another instance holds it */
	STATUS_FATAL,	  /* the handle is dead: close and open it again */
};

/* The reason of a failure; the caller's, on its stack. Always a terminated string. */
struct why {
	char text[400];
};

const char *status_name(enum status s);

/* Writes the reason and returns `s`: `return fail(why, STATUS_IO, "sync '%s': %s", path, ...)`.
 * `why` may be NULL. Over-long text is cut at a character's border. */
enum status fail(struct why *why, enum status s, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same, with ": <strerror(errno)>" appended. */
enum status fail_errno(struct why *why, enum status s, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "<prefix>: " before the reason and returns `s`. */
enum status why_prefix(struct why *why, enum status s, const char *format, ...) PRINTF_LIKE(3, 4);

/* An analyser that sees one file at a time must be told that they return `s`. */
#ifdef __clang_analyzer__
#define fail(why, s, ...)	((void)(fail)(why, s, __VA_ARGS__), (s))
#define fail_errno(why, s, ...) ((void)(fail_errno)(why, s, __VA_ARGS__), (s))
#define why_prefix(why, s, ...) ((void)(why_prefix)(why, s, __VA_ARGS__), (s))
#endif
