/* root_set.h - private to tls/: the parsed CA certificates of a file, one copy for the whole process however
 * many trust sets are made of it. The file is known by its path and by what stat(2) says of it, so that a
 * renewed file is a new set. Thread safe; a set never changes. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct root_set;
struct mbedtls_x509_crt;

/* What a file looked like. All zero: it was not there. */
struct file_look {
	bool there;
	uint64_t device, inode, bytes;
	int64_t modified_ns, changed_ns;
};
void file_look_at(const char *path, struct file_look *out);
void file_look_of(const struct stat *s, struct file_look *out);
bool file_look_same(const struct file_look *a, const struct file_look *b);

/* What the places look like from which root_set_take would read. */
enum { ROOT_PLACES = 3 };
void root_set_look(const char *ca_file, struct file_look out[ROOT_PLACES]);

/* One more user of the roots of `ca_file` (NULL or "": the system's, else those compiled in), which are read
 * when nobody has them in use. STATUS_BAD_DATA: no file, or none that can be read; STATUS_NO_MEMORY. */
enum status root_set_take(struct root_set **out, const char *ca_file, struct why *why) MUST_CHECK;
void root_set_release(struct root_set *r); /* NULL is fine */

/* mbedTLS's parameters are not const; it only reads them. */
struct mbedtls_x509_crt *root_set_chain(struct root_set *r);
unsigned root_set_count(const struct root_set *r);
const char *root_set_origin(const struct root_set *r); /* the file's path, or "compiled in" */
