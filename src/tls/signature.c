/* signature.c - ECDSA signatures, by mbedTLS. */
#include "tls/signature.h"

#include "base/file.h"
#include "tls/pem.h"

#include <mbedtls/base64.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>

/* DER of two numbers of 32 bytes: at most 72. */
enum { KEY_MAX_BYTES = 8192, DER_BYTES = 80, TEXT_BYTES = 120 };

/* One text for one signature: what decodes the same but is written otherwise is refused. */
static bool decode(
	const char *text, size_t length, unsigned char der[DER_BYTES], size_t *der_length)
{
	unsigned char again[TEXT_BYTES];
	size_t again_length;

	return mbedtls_base64_decode(
		       der, DER_BYTES, der_length, (const unsigned char *)text, length) == 0 &&
	       mbedtls_base64_encode(again, sizeof again, &again_length, der, *der_length) == 0 &&
	       again_length == length && memcmp(again, text, length) == 0;
}

static enum status read_key(mbedtls_pk_context *key, const char *path, struct why *why)
{
	char *text;
	size_t length;
	enum status s = file_read(path, KEY_MAX_BYTES, &text, &length, why);

	if (s == STATUS_FULL)
		return fail(why, STATUS_FATAL, "'%s' is too large for a public key", path);
	if (s != STATUS_OK)
		return s;

	/* The parser wants the NUL counted. */
	int error = mbedtls_pk_parse_public_key(key, (const unsigned char *)text, length + 1);

	free(text);
	if (error && pem_out_of_memory(error))
		return fail(why, STATUS_NO_MEMORY, "read key '%s': no memory", path);
	if (error || mbedtls_pk_get_type(key) != MBEDTLS_PK_ECKEY ||
		mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*key)) != MBEDTLS_ECP_DP_SECP256R1)
		return fail(why, STATUS_FATAL, "'%s' holds no public key on P-256 (PEM)", path);
	return STATUS_OK;
}

static enum status verify(mbedtls_pk_context *key, const void *bytes, size_t length,
	const unsigned char *der, size_t der_length, struct why *why)
{
	unsigned char hash[32];

	/* As in digest.c: it cannot fail. */
	if (mbedtls_sha256(bytes, length, hash, 0) != 0)
		abort();

	int error = mbedtls_pk_verify(key, MBEDTLS_MD_SHA256, hash, sizeof hash, der, der_length);

	if (error && pem_out_of_memory(error))
		return fail(why, STATUS_NO_MEMORY, "check the signature: no memory");
	if (error)
		return fail(why, STATUS_BAD_DATA,
			"the signature is not by the key we trust, or of "
			"another content");
	return STATUS_OK;
}

enum status signature_check(const char *key_file, const void *bytes, size_t length,
	const char *signature, size_t signature_length, struct why *why)
{
	unsigned char der[DER_BYTES];
	size_t der_length;
	mbedtls_pk_context key;

	if (!decode(signature, signature_length, der, &der_length))
		return fail(why, STATUS_BAD_DATA, "the signature is malformed");
	mbedtls_pk_init(&key);

	enum status s = read_key(&key, key_file, why);

	if (s == STATUS_OK)
		s = verify(&key, bytes, length, der, der_length, why);
	mbedtls_pk_free(&key);
	return s;
}
