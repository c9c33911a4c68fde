/* trust.c - which certificates we believe. */
#include "tls/trust.h"

#include "base/clock.h"
#include "base/file.h"
#include "tls/pem.h"
#include "tls/root_set.h"
#include "tls/roots.h"
#include "tls/setup.h"
#include "tls/trust_note.h"

#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENT_FILE_MAX_BYTES = 64 * 1024 };

struct trust {
	atomic_uint users;
	struct root_set *roots;
	bool has_client;
	mbedtls_x509_crt client_chain;
	mbedtls_pk_context client_key;
	int64_t expiry_us;
};

static int64_t time_us(const mbedtls_x509_time *t)
{
	int64_t days = clock_days(t->year, t->mon, t->day);

	return (days * 86400 + t->hour * 3600 + t->min * 60 + t->sec) * 1000000;
}

static void note_expiry(struct trust *t, const mbedtls_x509_crt *chain)
{
	for (; chain && chain->version != 0; chain = chain->next) {
		int64_t end_us = time_us(&chain->valid_to);

		if (end_us < t->expiry_us)
			t->expiry_us = end_us;
	}
}

static enum status refuse_file(struct why *why, int error, const char *what, const char *path)
{
	char text[128];

	if (pem_out_of_memory(error))
		return fail(why, STATUS_NO_MEMORY, "read %s '%s': no memory", what, path);
	if (error == MBEDTLS_ERR_PK_PASSWORD_REQUIRED || error == MBEDTLS_ERR_PK_PASSWORD_MISMATCH)
		return fail(why, STATUS_BAD_DATA, "%s '%s' has a passphrase: store it without one",
			what, path);
	mbedtls_strerror(error, text, sizeof text);
	return fail(why, STATUS_BAD_DATA, "%s '%s' is not usable: %s", what, path, text);
}

/* The library sends the chain as one message and does not split it (RFC 8446, 4.4.2: a byte and three lengths in
 * front, three and two bytes around each certificate). */
static size_t message_bytes(const mbedtls_x509_crt *chain)
{
	size_t bytes = 8;

	for (; chain; chain = chain->next)
		bytes += chain->raw.len + 5;
	return bytes;
}

static enum status read_client_chain(struct trust *t, const char *path, struct why *why)
{
	char *pem;
	size_t length;
	enum status s = file_read(path, CLIENT_FILE_MAX_BYTES, &pem, &length, why);

	if (s != STATUS_OK)
		return why_prefix(
			why, s == STATUS_NO_MEMORY ? s : STATUS_BAD_DATA, "client certificate");

	int error = -1;

	for (int i = 0; i < 2 && error != 0; i++) {
		mbedtls_x509_crt_free(&t->client_chain);
		error = mbedtls_x509_crt_parse(
			&t->client_chain, (const unsigned char *)pem, length + 1);
	}
	free(pem);
	/* A positive answer counts the certificates that failed: a chain has no spare ones. */
	if (error > 0)
		return fail(why, STATUS_BAD_DATA,
			"client certificate '%s': %d of its certificates cannot be read", path,
			error);
	if (error)
		return refuse_file(why, error, "client certificate", path);
	if (message_bytes(&t->client_chain) > MBEDTLS_SSL_OUT_CONTENT_LEN)
		return fail(why, STATUS_BAD_DATA,
			"client certificate '%s': its chain is too long, %zu bytes of at most %d; leave the root out of it",
			path, message_bytes(&t->client_chain), MBEDTLS_SSL_OUT_CONTENT_LEN);
	return STATUS_OK;
}

static enum status read_client_key(struct trust *t, const char *path, struct why *why)
{
	char *pem;
	size_t length;
	enum status s = file_read(path, CLIENT_FILE_MAX_BYTES, &pem, &length, why);

	if (s != STATUS_OK)
		return why_prefix(why, s == STATUS_NO_MEMORY ? s : STATUS_BAD_DATA, "client key");

	int error = -1;

	/* Twice, as want of memory within a key looks like a malformed one (see pem.c). */
	for (int i = 0; i < 2 && error != 0; i++) {
		mbedtls_pk_free(&t->client_key);
		error = mbedtls_pk_parse_key(&t->client_key, (const unsigned char *)pem, length + 1,
			NULL, 0, tls_random, NULL);
	}
	explicit_bzero(pem, length);
	free(pem);
	return error ? refuse_file(why, error, "client key", path) : STATUS_OK;
}

static bool is_named(const char *path)
{
	return path && *path;
}

static enum status read_client(
	struct trust *t, const char *cert_file, const char *key_file, struct why *why)
{
	if (!is_named(cert_file) && !is_named(key_file))
		return STATUS_OK;
	if (!is_named(cert_file) || !is_named(key_file))
		return fail(why, STATUS_BAD_DATA,
			"a client certificate needs both its file and its key's file");

	enum status s = read_client_chain(t, cert_file, why);

	if (s == STATUS_OK)
		s = read_client_key(t, key_file, why);
	if (s != STATUS_OK)
		return s;

	int error = mbedtls_pk_check_pair(&t->client_chain.pk, &t->client_key, tls_random, NULL);

	if (pem_out_of_memory(error))
		return fail(why, STATUS_NO_MEMORY, "compare client key and certificate: no memory");
	if (error)
		return fail(why, STATUS_BAD_DATA,
			"client key '%s' does not belong to certificate '%s'", key_file, cert_file);
	note_expiry(t, &t->client_chain);
	t->has_client = true;
	return STATUS_OK;
}

enum status trust_open(struct trust **out, const char *ca_file, const char *cert_file,
	const char *key_file, struct why *why)
{
	enum status s = tls_setup(why);

	if (s != STATUS_OK)
		return s;

	struct trust *t = calloc(1, sizeof *t);

	if (!t)
		return fail(why, STATUS_NO_MEMORY, "read CA certificates: no memory");
	t->users = 1;
	t->expiry_us = INT64_MAX;
	mbedtls_x509_crt_init(&t->client_chain);
	mbedtls_pk_init(&t->client_key);

	s = root_set_take(&t->roots, ca_file, why);
	if (s == STATUS_OK && is_named(ca_file))
		note_expiry(t, root_set_chain(t->roots));
	if (s == STATUS_OK)
		s = read_client(t, cert_file, key_file, why);
	if (s != STATUS_OK) {
		trust_close(t);
		return s;
	}
	*out = t;
	return STATUS_OK;
}

struct trust *trust_share(struct trust *t)
{
	atomic_fetch_add(&t->users, 1);
	return t;
}

void trust_close(struct trust *t)
{
	if (!t || atomic_fetch_sub(&t->users, 1) != 1)
		return;
	root_set_release(t->roots);
	mbedtls_x509_crt_free(&t->client_chain);
	mbedtls_pk_free(&t->client_key);
	free(t);
}

unsigned trust_roots(const struct trust *t)
{
	return root_set_count(t->roots);
}

const char *trust_origin(const struct trust *t)
{
	return root_set_origin(t->roots);
}

size_t trust_compiled_in(const struct trust *t, const char **pem)
{
	return strcmp(trust_origin(t), "compiled in") == 0 ? roots_compiled_in(pem) : 0;
}

int64_t trust_expiry_us(const struct trust *t)
{
	return t->expiry_us;
}

bool trust_has_client(const struct trust *t)
{
	return t->has_client;
}

void trust_apply(struct trust *t, void *config)
{
	struct mbedtls_ssl_config *conf = config;

	mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_cert_profile(conf, &mbedtls_x509_crt_profile_default);
	mbedtls_ssl_conf_ca_chain(conf, root_set_chain(t->roots), NULL);
	/* Without memory for our certificate the handshake must fail, not go on as somebody else:
	 * verification without roots is refused. */
	if (t->has_client && mbedtls_ssl_conf_own_cert(conf, &t->client_chain, &t->client_key) != 0)
		mbedtls_ssl_conf_ca_chain(conf, NULL, NULL);
}

static bool is_own_issuer(const mbedtls_x509_crt *crt)
{
	return crt->issuer_raw.len == crt->subject_raw.len &&
	       memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->issuer_raw.len) == 0;
}

/* What mbedTLS checks after the chain, where its answer is one number for several reasons. */
static bool is_for_servers(const mbedtls_x509_crt *crt)
{
	return mbedtls_x509_crt_check_extended_key_usage(crt, MBEDTLS_OID_SERVER_AUTH,
		       MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0;
}

void trust_note(struct trust_verdict *v, const mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	if (depth == 0 && !is_for_servers(crt))
		*flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
	v->flags |= *flags;
	if (*flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)) {
		v->not_before_us = time_us(&crt->valid_from);
		v->not_after_us = time_us(&crt->valid_to);
		v->at_depth = depth;
	}
	if (depth == 0)
		v->self_signed = is_own_issuer(crt);
}

static int observe(void *context, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	trust_note(context, crt, depth, flags);
	return 0;
}

void trust_observe(struct trust_verdict *verdict, void *config)
{
	*verdict = (struct trust_verdict){0};
	mbedtls_ssl_conf_verify(config, observe, verdict);
}
