/* server.c - the server side of TLS: the certificate and what all sessions share. */
#include "tls/server.h"

#include "base/file.h"
#include "tls/certificate.h"
#include "tls/serving.h"
#include "tls/setup.h"

#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>

struct tls_server {
	mbedtls_ssl_config config;
	mbedtls_x509_crt certificate;
	mbedtls_pk_context key;
};

static enum status configure(
	struct tls_server *s, const char *names, const char *ca_out, struct why *why)
{
	char pem[CERTIFICATE_PEM_BYTES];
	char words[128];
	enum status status = certificate_make(&s->key, names, pem, why);

	if (status != STATUS_OK)
		return status;

	int error = mbedtls_x509_crt_parse(
		&s->certificate, (const unsigned char *)pem, strlen(pem) + 1);

	if (!error)
		error = mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_SERVER,
			MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	if (!error)
		error = mbedtls_ssl_conf_own_cert(&s->config, &s->certificate, &s->key);
	if (error) {
		mbedtls_strerror(error, words, sizeof words);
		return fail(why, STATUS_FATAL, "set up the TLS server: %s", words);
	}
	mbedtls_ssl_conf_rng(&s->config, tls_random, NULL);
	mbedtls_ssl_conf_min_tls_version(&s->config, MBEDTLS_SSL_VERSION_TLS1_2);
	return ca_out ? file_replace(ca_out, pem, strlen(pem), 0644, why) : STATUS_OK;
}

enum status tls_server_open(
	struct tls_server **out, const char *names, const char *ca_out, struct why *why)
{
	enum status status = tls_setup(why);

	if (status != STATUS_OK)
		return status;

	struct tls_server *s = calloc(1, sizeof *s);

	if (!s)
		return fail(why, STATUS_NO_MEMORY, "set up the TLS server: no memory");
	mbedtls_ssl_config_init(&s->config);
	mbedtls_x509_crt_init(&s->certificate);
	mbedtls_pk_init(&s->key);
	status = configure(s, names, ca_out, why);
	if (status != STATUS_OK) {
		tls_server_close(s);
		return status;
	}
	*out = s;
	return STATUS_OK;
}

void tls_server_close(struct tls_server *s)
{
	if (!s)
		return;
	mbedtls_ssl_config_free(&s->config);
	mbedtls_x509_crt_free(&s->certificate);
	mbedtls_pk_free(&s->key);
	free(s);
}

const struct mbedtls_ssl_config *serving_config(const struct tls_server *s)
{
	return &s->config;
}
