/* setup.c - mbedTLS's process-wide start and its randomness. */
#include "tls/setup.h"

#include "tls/digest.h"

#include <mbedtls/ssl_ciphersuites.h>
#include <psa/crypto.h>
#include <pthread.h>

static pthread_once_t started = PTHREAD_ONCE_INIT;
static psa_status_t outcome;

static void start(void)
{
	outcome = psa_crypto_init();
	/* mbedTLS fills this list at its first use, without a lock. */
	(void)mbedtls_ssl_list_ciphersuites();
}

enum status tls_setup(struct why *why)
{
	pthread_once(&started, start);
	if (outcome == PSA_SUCCESS)
		return STATUS_OK;
	if (outcome == PSA_ERROR_INSUFFICIENT_MEMORY)
		return fail(why, STATUS_NO_MEMORY, "start the TLS library: no memory");
	return fail(why, STATUS_FATAL, "start the TLS library: PSA error %d", (int)outcome);
}

int tls_random(void *unused, unsigned char *out, size_t length)
{
	(void)unused;
	digest_random(out, length);
	return 0;
}
