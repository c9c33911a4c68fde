/* pem.h - private to tls/: certificates out of PEM text, one at a time, so that the text is never held
 * whole. */
#pragma once
#include "base/status.h"
#include <mbedtls/x509_crt.h>
#include <stdio.h>

/* Adds what can be parsed to `chain`; what cannot (an algorithm we do not know) is passed over. */
enum status pem_read_certificates(FILE *f, const char *name, mbedtls_x509_crt *chain, unsigned *count,
				  struct why *why) MUST_CHECK;

/* True for every way in which mbedTLS says that malloc failed. */
int pem_out_of_memory(int mbedtls_error);
