/* certificate.c - the maker of self-signed certificates (RFC 5280). */
#include "tls/certificate.h"

#include "base/clock.h"
#include "tls/digest.h"
#include "tls/setup.h"

#include <arpa/inet.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 16, NAME_BYTES = 256, SERIAL_BYTES = 16 };

static const char subject[] = "CN=scorebox replay,O=scorebox";

/* Subject alternative names, and the bytes that the list's nodes point at. */
struct names {
	size_t count;
	mbedtls_x509_san_list nodes[NAMES_MAX];
	char bytes[NAMES_MAX][NAME_BYTES];
};

/* What is left when it is no address: 10.0.0.300 and [::1] are none either. */
static bool is_host_name(const char *text)
{
	bool address = !text[strspn(text, "0123456789.")];

	return !address && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789.-_*")];
}

/* An address stands as its bytes (RFC 5280, 4.2.1.6), a host name as text. False: it is neither. */
static bool set_name(mbedtls_x509_san_list *node, char *bytes)
{
	mbedtls_x509_subject_alternative_name *name = &node->node;
	unsigned char address[16];
	size_t address_bytes = 0;

	if (inet_pton(AF_INET, bytes, address) == 1)
		address_bytes = 4;
	else if (inet_pton(AF_INET6, bytes, address) == 1)
		address_bytes = 16;
	else if (!is_host_name(bytes))
		return false;
	if (address_bytes)
		memcpy(bytes, address, address_bytes);
	name->type = address_bytes ? MBEDTLS_X509_SAN_IP_ADDRESS : MBEDTLS_X509_SAN_DNS_NAME;
	name->san.unstructured_name.p = (unsigned char *)bytes;
	name->san.unstructured_name.len = address_bytes ? address_bytes : strlen(bytes);
	return true;
}

static enum status split_names(struct names *out, const char *list, struct why *why)
{
	*out = (struct names){0};
	while (*list) {
		size_t length = strcspn(list, ", ");

		if (length >= NAME_BYTES || out->count == NAMES_MAX)
			return fail(why, STATUS_BAD_DATA,
				"certificate for '%.100s': too many or too long names", list);
		if (length > 0) {
			size_t i = out->count++;

			memcpy(out->bytes[i], list, length);
			if (!set_name(&out->nodes[i], out->bytes[i]))
				return fail(why, STATUS_BAD_DATA,
					"certificate for '%.100s': neither a host name nor an address",
					out->bytes[i]);
			if (i > 0)
				out->nodes[i - 1].next = &out->nodes[i];
		}
		list += length;
		list += *list != '\0';
	}
	if (out->count == 0)
		return fail(why, STATUS_BAD_DATA, "certificate without a name");
	return STATUS_OK;
}

/* X.509's "20250416140211" from RFC 3339's "2025-04-16T14:02:11Z". */
static void x509_time(int64_t wall_us, char out[16])
{
	char text[CLOCK_TEXT_BYTES];
	size_t used = 0;

	clock_format(wall_us, 0, text);
	for (const char *p = text; *p && used < 14; p++)
		if (*p >= '0' && *p <= '9')
			out[used++] = *p;
	out[used] = '\0';
}

static int set_validity(mbedtls_x509write_cert *c)
{
	const int64_t day_us = 86400ll * 1000000;
	int64_t now_us = clock_wall_us();
	char from[16], to[16];

	x509_time(now_us > day_us ? now_us - day_us : 0, from);
	x509_time(now_us + 3652 * day_us, to);
	return mbedtls_x509write_crt_set_validity(c, from, to);
}

/* Strict verifiers want the key identifiers too (Python's default since 3.13). */
static int set_extensions(mbedtls_x509write_cert *c, const struct names *names)
{
	unsigned usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE | MBEDTLS_X509_KU_KEY_CERT_SIGN;
	mbedtls_asn1_sequence server_use = {
		.buf =
			{
				.tag = MBEDTLS_ASN1_OID,
				.p = (unsigned char *)(uintptr_t)MBEDTLS_OID_SERVER_AUTH,
				.len = sizeof(MBEDTLS_OID_SERVER_AUTH) - 1,
			},
	};
	int error = mbedtls_x509write_crt_set_basic_constraints(c, 1, 0);

	if (!error)
		error = mbedtls_x509write_crt_set_key_usage(c, usage);
	if (!error)
		error = mbedtls_x509write_crt_set_ext_key_usage(c, &server_use);
	if (!error)
		error = mbedtls_x509write_crt_set_subject_key_identifier(c);
	if (!error)
		error = mbedtls_x509write_crt_set_authority_key_identifier(c);
	if (!error)
		error = mbedtls_x509write_crt_set_subject_alternative_name(c, &names->nodes[0]);
	return error;
}

static int write_certificate(mbedtls_x509write_cert *c, mbedtls_pk_context *key,
	const struct names *names, char pem[CERTIFICATE_PEM_BYTES])
{
	unsigned char serial[SERIAL_BYTES];
	int error;

	digest_random(serial, sizeof serial);
	serial[0] = (unsigned char)((serial[0] & 0x7F) | 0x40); /* positive, and never shorter */
	mbedtls_x509write_crt_set_version(c, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(c, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(c, key);
	mbedtls_x509write_crt_set_issuer_key(c, key);
	error = mbedtls_x509write_crt_set_subject_name(c, subject);
	if (!error)
		error = mbedtls_x509write_crt_set_issuer_name(c, subject);
	if (!error)
		error = mbedtls_x509write_crt_set_serial_raw(c, serial, sizeof serial);
	if (!error)
		error = set_validity(c);
	if (!error)
		error = set_extensions(c, names);
	if (!error)
		error = mbedtls_x509write_crt_pem(
			c, (unsigned char *)pem, CERTIFICATE_PEM_BYTES, tls_random, NULL);
	return error;
}

enum status certificate_make(
	mbedtls_pk_context *key, const char *list, char pem[CERTIFICATE_PEM_BYTES], struct why *why)
{
	mbedtls_x509write_cert c;
	struct names names;
	char words[128];
	enum status s = split_names(&names, list, why);

	if (s != STATUS_OK)
		return s;

	int error = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

	if (!error)
		error = mbedtls_ecp_gen_key(
			MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), tls_random, NULL);
	mbedtls_x509write_crt_init(&c);
	if (!error)
		error = write_certificate(&c, key, &names, pem);
	mbedtls_x509write_crt_free(&c);
	if (!error)
		return STATUS_OK;
	mbedtls_strerror(error, words, sizeof words);
	return fail(why, STATUS_FATAL, "make a certificate for '%.100s': %s", list, words);
}
