/* certificate.h - private to tls/: the maker of self-signed certificates. */
#pragma once
#include "base/status.h"

struct mbedtls_pk_context;

enum { CERTIFICATE_PEM_BYTES = 4096 };

/* A new P-256 key in `key` and its certificate for `names` as PEM in `pem`. */
enum status certificate_make(struct mbedtls_pk_context *key, const char *names,
	char pem[CERTIFICATE_PEM_BYTES], struct why *why) MUST_CHECK;
