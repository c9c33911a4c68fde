/* root_set.c - the parsed CA certificates of a file, one copy for the whole process. */
#include "tls/root_set.h"

#include "tls/pem.h"
#include "tls/roots.h"

#include <errno.h>
#include <mbedtls/x509_crt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct root_set {
	struct root_set *next;
	unsigned users; /* under the lock */
	struct file_look look;
	mbedtls_x509_crt chain;
	unsigned count;
	char origin[];
};

/* Held while a file is parsed too: who comes second finds it done. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct root_set *in_use;

/* Where distributions keep the system's bundle: Debian, Red Hat, Alpine and the BSDs. */
static const char *const usual_places[ROOT_PLACES] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem",
};
static const char compiled_in[] = "compiled in";

/* ---- what a file looks like ---- */

void file_look_of(const struct stat *s, struct file_look *out)
{
	*out = (struct file_look){
		.there = true,
		.device = s->st_dev,
		.inode = s->st_ino,
		.bytes = (uint64_t)s->st_size,
		.modified_ns = (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec,
		.changed_ns = (int64_t)s->st_ctim.tv_sec * 1000000000 + s->st_ctim.tv_nsec,
	};
}

void file_look_at(const char *path, struct file_look *out)
{
	struct stat s;

	if (path && *path && stat(path, &s) == 0)
		file_look_of(&s, out);
	else
		*out = (struct file_look){0};
}

bool file_look_same(const struct file_look *a, const struct file_look *b)
{
	return a->there == b->there && a->device == b->device && a->inode == b->inode &&
	       a->bytes == b->bytes && a->modified_ns == b->modified_ns &&
	       a->changed_ns == b->changed_ns;
}

void root_set_look(const char *ca_file, struct file_look out[ROOT_PLACES])
{
	bool named = ca_file && *ca_file;

	for (size_t i = 0; i < ROOT_PLACES; i++)
		file_look_at(named ? (i == 0 ? ca_file : NULL) : usual_places[i], &out[i]);
}

/* ---- reading ---- */

static void drop(struct root_set *r)
{
	mbedtls_x509_crt_free(&r->chain);
	free(r);
}

/* Nothing of a half-read file is believed. */
static enum status parse(struct root_set **out, FILE *f, const char *origin,
	const struct file_look *look, struct why *why)
{
	size_t bytes = strlen(origin) + 1;
	struct root_set *r = calloc(1, sizeof *r + bytes);

	if (!r)
		return fail(why, STATUS_NO_MEMORY, "read CA certificates: no memory");
	r->look = *look;
	memcpy(r->origin, origin, bytes);
	mbedtls_x509_crt_init(&r->chain);

	enum status s = pem_read_certificates(f, origin, &r->chain, &r->count, why);

	if (s != STATUS_OK) {
		drop(r);
		return s;
	}
	r->next = in_use;
	in_use = r;
	*out = r;
	return STATUS_OK;
}

static struct root_set *find(const char *origin, const struct file_look *look)
{
	struct root_set *r = in_use;

	while (r && (strcmp(r->origin, origin) != 0 || !file_look_same(&r->look, look)))
		r = r->next;
	return r;
}

/* The look is taken before the first byte is read: a file that changes under our hands looks different at
 * the next glance. */
static enum status take_file(struct root_set **out, const char *path, struct why *why)
{
	FILE *f = fopen(path, "re");
	struct file_look look;
	struct stat now;

	if (!f)
		return fail_errno(why, errno == ENOMEM ? STATUS_NO_MEMORY : STATUS_BAD_DATA,
			"open CA file '%s'", path);
	if (fstat(fileno(f), &now) != 0) {
		enum status s = fail_errno(why, STATUS_BAD_DATA, "look at CA file '%s'", path);

		fclose(f);
		return s;
	}
	file_look_of(&now, &look);
	*out = find(path, &look);

	enum status s = *out ? STATUS_OK : parse(out, f, path, &look, why);

	fclose(f);
	return s;
}

static enum status take_compiled_in(struct root_set **out, struct why *why)
{
	const struct file_look none = {0};
	const char *pem;
	size_t length = roots_compiled_in(&pem);

	if (length == 0)
		return fail(why, STATUS_BAD_DATA,
			"no CA file found (tried %s and others) and none is compiled in: install "
			"ca-certificates, or name a CA file in the settings",
			usual_places[0]);
	*out = find(compiled_in, &none);
	if (*out)
		return STATUS_OK;

	FILE *f = fmemopen((void *)(uintptr_t)pem, length, "r");

	if (!f)
		return fail_errno(why, STATUS_NO_MEMORY, "read the CA set compiled in");

	enum status s = parse(out, f, compiled_in, &none, why);

	fclose(f);
	return s;
}

/* The first usual place that holds any certificate, else the set compiled in. */
static enum status take_system(struct root_set **out, struct why *why)
{
	for (size_t i = 0; i < ROOT_PLACES; i++) {
		enum status s = take_file(out, usual_places[i], NULL);

		if (s == STATUS_OK)
			return STATUS_OK;
		if (s == STATUS_NO_MEMORY)
			return fail(why, s, "read CA file '%s': no memory", usual_places[i]);
	}
	return take_compiled_in(out, why);
}

enum status root_set_take(struct root_set **out, const char *ca_file, struct why *why)
{
	struct root_set *r = NULL;
	enum status s;

	pthread_mutex_lock(&lock);
	s = ca_file && *ca_file ? take_file(&r, ca_file, why) : take_system(&r, why);
	if (r) {
		r->users++;
		*out = r;
	}
	pthread_mutex_unlock(&lock);
	return s;
}

void root_set_release(struct root_set *r)
{
	struct root_set **at = &in_use;

	if (!r)
		return;
	pthread_mutex_lock(&lock);
	if (--r->users == 0) {
		while (*at != r)
			at = &(*at)->next;
		*at = r->next;
		drop(r);
	}
	pthread_mutex_unlock(&lock);
}

mbedtls_x509_crt *root_set_chain(struct root_set *r)
{
	return &r->chain;
}

unsigned root_set_count(const struct root_set *r)
{
	return r->count;
}

const char *root_set_origin(const struct root_set *r)
{
	return r->origin;
}
