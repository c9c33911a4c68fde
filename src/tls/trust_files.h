/* trust_files.h - a trust set that follows its files: a CA, certificate or key renewed on disk is picked up
 * without a restart. Sets of the same CA file share its parsed roots, whoever opened them. Counted, as whoever
 * uses it may outlast the one who opened it. Any thread. */
#pragma once
#include "tls/trust.h"

struct trust_files;

/* Files as for trust_open, and its answers: what cannot be read at the start is an error. */
enum status trust_files_open(struct trust_files **out, const char *ca_file, const char *cert_file,
	const char *key_file, struct why *why) MUST_CHECK;
struct trust_files *trust_files_share(struct trust_files *f); /* one more user */
void trust_files_close(struct trust_files *f); /* sets that were handed out live on; NULL is fine */

/* The set as the files stand now: the caller's, trust_close ends its use. Looks at the files at most every
 * 5 s. Files that changed and cannot be read, or do not belong together (half-way through being replaced),
 * leave the old set in force; that is logged once, and tried again. */
struct trust *trust_files_current(struct trust_files *f);
/* Rises by one whenever another set comes into force; looks as trust_files_current does. */
unsigned trust_files_version(struct trust_files *f);
