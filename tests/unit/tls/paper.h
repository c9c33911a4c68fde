/* paper.h - certificates of any make for the tests: weak ones, old ones, signed by others. */
#pragma once
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

struct paper {
	mbedtls_pk_context key;
	mbedtls_x509_crt crt;
	char pem[4096];
	char key_pem[4096];
};

struct paper_plan {
	const char *host;	    /* its DNS name; NULL: none */
	const char *address;	    /* an IP address of its; NULL: none */
	int rsa_bits;		    /* 0: P-256 */
	mbedtls_md_type_t md;	    /* 0: SHA-256 */
	const char *from, *to;	    /* "20250101000000"; NULL: yesterday's and tomorrow's years */
	const struct paper *issuer; /* NULL: itself */
	int is_ca;
	const char *name; /* "CN=..." */
};

/* Fails the test when it cannot be made. */
void paper_make(struct paper *p, const struct paper_plan *plan);
void paper_free(struct paper *p);
void paper_write(const char *path, const char *pem);
