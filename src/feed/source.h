/* source.h - what an API looks like: where its rows, their ids, its success test and its paging
 * are. A profile presets the pointers (RFC 6901); `custom` presets nothing but the defaults
 * given here. */
#pragma once
#include "base/status.h"
#include <stdbool.h>

/* Strings are lent by the settings, never NULL. */
struct source {
	const char *records; /* pointer to the array of rows; "" is the whole document */
	const char *id;	     /* pointer within a row: string, or a whole number */
	/* Success test "POINTER=VALUE", e.g. "/status=success"; "" means any answer with rows. */
	const char *ok;
	const char *reason; /* pointer to the failure text; "" none */
	/* Pointer to the number of rows in all; "" none: a short or empty page ends a sweep. */
	const char *total;
	const char *offset_param; /* paging parameter, in rows; "" none: one page is the list */
	/* Pointers to quota figures; "" none. */
	const char *hits_today, *hits_limit, *hits_used;
	/* How the key is sent; both "": not at all. */
	const char *key_param, *key_header;
};

/* "cricapi" or "custom". STATUS_NOT_FOUND otherwise. */
enum status source_profile(const char *name, struct source *out) MUST_CHECK;
/* Complaints about pointers and the test ("must start with '/'"). */
enum status source_check(const struct source *s, struct why *why) MUST_CHECK;
