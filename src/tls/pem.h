/* pem.h - private to tls/: certificates out of PEM text, one at a time, so that the text is never
 * held whole. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdio.h>

struct mbedtls_x509_crt;

/* Adds what can be parsed to `chain`; what cannot (an algorithm we do not know) is passed over. */
enum status pem_read_certificates(FILE *f, const char *name, struct mbedtls_x509_crt *chain,
	unsigned *count, struct why *why) MUST_CHECK;

/* True for every way in which mbedTLS says that malloc failed. */
bool pem_out_of_memory(int mbedtls_error);
