/* trust_files.c - a trust set that follows its files. */
#include "tls/trust_files.h"

#include "base/clock.h"
#include "base/log.h"
#include "tls/root_set.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_EVERY_MS = 5000, TELL_EVERY_MS = 6 * 3600 * 1000, EXPIRY_EVERY_MS = 24 * 3600 * 1000 };

static const int64_t expiry_soon_us = 14ll * 86400 * 1000000;

/* All that a trust set is made of, as it looked. */
struct looks {
	struct file_look ca[ROOT_PLACES], cert, key;
};

struct trust_files {
	pthread_mutex_t lock; /* over all below */
	unsigned users;
	struct trust *current;
	unsigned version;
	struct looks seen; /* when `current` was read */
	int64_t looked_ms;
	struct log_gate gate; /* for files that cannot be used */
	struct log_gate expiry_gate;
	char *ca_file, *cert_file, *key_file;
};

static void look(const struct trust_files *f, struct looks *out)
{
	root_set_look(f->ca_file, out->ca);
	file_look_at(f->cert_file, &out->cert);
	file_look_at(f->key_file, &out->key);
}

static bool same(const struct looks *a, const struct looks *b)
{
	for (size_t i = 0; i < ROOT_PLACES; i++)
		if (!file_look_same(&a->ca[i], &b->ca[i]))
			return false;
	return file_look_same(&a->cert, &b->cert) && file_look_same(&a->key, &b->key);
}

static char *keep(const char *path)
{
	return strdup(path ? path : "");
}

static void release(struct trust_files *f)
{
	trust_close(f->current);
	pthread_mutex_destroy(&f->lock);
	free(f->ca_file);
	free(f->cert_file);
	free(f->key_file);
	free(f);
}

enum status trust_files_open(struct trust_files **out, const char *ca_file, const char *cert_file,
	const char *key_file, struct why *why)
{
	struct trust_files *f = calloc(1, sizeof *f);
	enum status s;

	if (!f)
		return fail(why, STATUS_NO_MEMORY, "read certificates: no memory");
	f->users = 1;
	pthread_mutex_init(&f->lock, NULL);
	f->ca_file = keep(ca_file);
	f->cert_file = keep(cert_file);
	f->key_file = keep(key_file);
	if (!f->ca_file || !f->cert_file || !f->key_file) {
		s = fail(why, STATUS_NO_MEMORY, "read certificates: no memory");
	} else {
		look(f, &f->seen);
		f->looked_ms = clock_mono_ms();
		s = trust_open(&f->current, f->ca_file, f->cert_file, f->key_file, why);
	}
	if (s != STATUS_OK) {
		release(f);
		return s;
	}
	*out = f;
	return STATUS_OK;
}

struct trust_files *trust_files_share(struct trust_files *f)
{
	pthread_mutex_lock(&f->lock);
	f->users++;
	pthread_mutex_unlock(&f->lock);
	return f;
}

void trust_files_close(struct trust_files *f)
{
	unsigned left;

	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	left = --f->users;
	pthread_mutex_unlock(&f->lock);
	if (left == 0)
		release(f);
}

static void tell_unusable(struct trust_files *f, const struct why *why)
{
	unsigned long held;

	if (log_gate_pass(&f->gate, clock_mono_ms(), TELL_EVERY_MS, &held))
		log_warn("tls.files",
			"certificates changed on disk and cannot be used: %s; nothing lost, the ones from before stay in force; looked at again every 5 s",
			why->text);
}

/* Daily in the last fortnight of a certificate that was named; the public roots come and go. */
static void tell_expiry(struct trust_files *f)
{
	int64_t end_us = trust_expiry_us(f->current), left_us;
	char day[CLOCK_TEXT_BYTES], span[40];
	unsigned long held;

	if (end_us == INT64_MAX || !clock_believable())
		return;
	left_us = end_us - clock_wall_us();
	if (left_us > expiry_soon_us) {
		log_gate_reset(&f->expiry_gate);
		return;
	}
	if (!log_gate_pass(&f->expiry_gate, clock_mono_ms(), EXPIRY_EVERY_MS, &held))
		return;
	clock_format(end_us, 0, day);
	clock_span_text(left_us > 0 ? left_us / 1000 : 0, span, sizeof span);
	log_warn("tls.expiry",
		"a certificate of '%s'%s%s%s %s on %.10s%s%s; nothing lost; put a renewed one in its place, it is picked up without a restart",
		*f->ca_file ? f->ca_file : f->cert_file,
		*f->ca_file && *f->cert_file ? " or '" : "", *f->ca_file ? f->cert_file : "",
		*f->ca_file && *f->cert_file ? "'" : "", left_us > 0 ? "runs out" : "ran out", day,
		left_us > 0 ? ", in " : "", left_us > 0 ? span : "");
}

/* The look comes before the reading: what changes meanwhile is found at the next one. */
static void follow(struct trust_files *f)
{
	int64_t now_ms = clock_mono_ms();
	struct looks now;
	struct trust *fresh;
	struct why why;

	if (now_ms - f->looked_ms < LOOK_EVERY_MS)
		return;
	f->looked_ms = now_ms;
	tell_expiry(f);
	look(f, &now);
	if (same(&now, &f->seen)) {
		log_gate_reset(&f->gate);
		return;
	}
	if (trust_open(&fresh, f->ca_file, f->cert_file, f->key_file, &why) != STATUS_OK) {
		tell_unusable(f, &why);
		return;
	}
	trust_close(f->current);
	f->current = fresh;
	f->seen = now;
	f->version++;
	log_gate_reset(&f->gate);
	log_info("tls.renewed",
		"certificates changed on disk and are read again: %u roots from %s; new connections use them",
		trust_roots(fresh), trust_origin(fresh));
}

struct trust *trust_files_current(struct trust_files *f)
{
	struct trust *t;

	pthread_mutex_lock(&f->lock);
	follow(f);
	t = trust_share(f->current);
	pthread_mutex_unlock(&f->lock);
	return t;
}

unsigned trust_files_version(struct trust_files *f)
{
	unsigned version;

	pthread_mutex_lock(&f->lock);
	follow(f);
	version = f->version;
	pthread_mutex_unlock(&f->lock);
	return version;
}
