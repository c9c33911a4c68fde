/* maker.c - update bundles for the tests. */
#include "maker.h"

#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <mbedtls/base64.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mbedtls_pk_context key;

static int random_bytes(void *unused, unsigned char *out, size_t length)
{
	(void)unused;
	digest_random(out, length);
	return 0;
}

static void make_key(mbedtls_pk_context *out, mbedtls_ecp_group_id curve, const char *public_file)
{
	unsigned char pem[1024];

	mbedtls_pk_init(out);
	assert_int_equal(mbedtls_pk_setup(out, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), 0);
	assert_int_equal(mbedtls_ecp_gen_key(curve, mbedtls_pk_ec(*out), random_bytes, NULL), 0);
	assert_int_equal(mbedtls_pk_write_pubkey_pem(out, pem, sizeof pem), 0);
	put_text(public_file, (const char *)pem);
}

void maker_open(const char *public_file)
{
	make_key(&key, MBEDTLS_ECP_DP_SECP256R1, public_file);
}

void maker_write_other_curve(const char *public_file)
{
	mbedtls_pk_context other;

	make_key(&other, MBEDTLS_ECP_DP_SECP384R1, public_file);
	mbedtls_pk_free(&other);
}

void maker_close(void)
{
	mbedtls_pk_free(&key);
}

void maker_head(const char *text, char head[BUNDLE_HEAD_BYTES])
{
	unsigned char hash[32], signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE], base64[256];
	size_t length, text_length = strlen(text);

	assert_int_equal(mbedtls_sha256((const unsigned char *)text, text_length, hash, 0), 0);
	assert_int_equal(mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature,
				 sizeof signature, &length, random_bytes, NULL),
		0);
	assert_int_equal(
		mbedtls_base64_encode(base64, sizeof base64, &length, signature, length), 0);

	char whole[BUNDLE_HEAD_BYTES + 1];
	int n = snprintf(whole, sizeof whole, "%ssignature=%s", text, (const char *)base64);

	assert_true(n > 0 && n < BUNDLE_HEAD_BYTES);
	memset(head, '\n', BUNDLE_HEAD_BYTES);
	memcpy(head, whole, (size_t)n);
}

void maker_bundle(
	const char *path, const struct maker_plan *plan, const void *payload, size_t length)
{
	unsigned char hash[32];
	char hex[65], text[512], *file = malloc(BUNDLE_HEAD_BYTES + length);

	assert_non_null(file);
	assert_int_equal(mbedtls_sha256(payload, length, hash, 0), 0);
	digest_hex(hash, sizeof hash, hex);
	snprintf(text, sizeof text,
		"scorebox update\nformat=1\nboard=%s\nversion=%s\nsize=%llu\nsha256=%s\n",
		plan->board ? plan->board : "rpi-arm64", plan->version ? plan->version : "1.3.0",
		(unsigned long long)(plan->bytes ? plan->bytes : length), hex);
	maker_head(text, file);
	memcpy(file + BUNDLE_HEAD_BYTES, payload, length);
	put_bytes(path, file, BUNDLE_HEAD_BYTES + length);
	free(file);
}

void maker_payload(uint8_t *out, size_t length, unsigned seed)
{
	uint32_t x = seed * 2654435761u + 1;

	for (size_t i = 0; i < length; i++) {
		x = x * 1664525u + 1013904223u;
		out[i] = (uint8_t)(x >> 24);
	}
}
