/* pem.c - certificates out of PEM text. */
#include "tls/pem.h"

#include "base/buffer.h"

#include <errno.h>
#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <string.h>

/* The largest certificate: real roots are below 3 KiB. */
enum { CERTIFICATE_MAX_BYTES = 32 * 1024, LINE_BYTES = 256 };

static const char begin_mark[] = "-----BEGIN CERTIFICATE-----";
static const char end_mark[] = "-----END CERTIFICATE-----";

bool pem_out_of_memory(int mbedtls_error)
{
	/* An error is the sum of a high-level code (its last 7 bits are 0) and a low-level one. */
	int high = -(-mbedtls_error & ~0x7F);
	int low = -(-mbedtls_error & 0x7F);

	return high == MBEDTLS_ERR_X509_ALLOC_FAILED || high == MBEDTLS_ERR_PEM_ALLOC_FAILED ||
	       high == MBEDTLS_ERR_PK_ALLOC_FAILED || high == MBEDTLS_ERR_ECP_ALLOC_FAILED ||
	       low == MBEDTLS_ERR_ASN1_ALLOC_FAILED || low == MBEDTLS_ERR_MPI_ALLOC_FAILED;
}

static bool begins_with(const char *line, const char *mark)
{
	return strncmp(line, mark, strlen(mark)) == 0;
}

/* Parses one certificate; the parser wants the NUL counted. Deep within a key mbedTLS reports
 * want of memory as a malformed key: what failed is tried again, so that a root does not go
 * missing for it. */
static enum status add_certificate(
	const struct buffer *pem, mbedtls_x509_crt *chain, unsigned *count)
{
	const unsigned char *text = (const unsigned char *)pem->bytes;
	int error = mbedtls_x509_crt_parse(chain, text, pem->length + 1);

	if (error != 0)
		error = mbedtls_x509_crt_parse(chain, text, pem->length + 1);
	if (error == 0)
		(*count)++;
	return pem_out_of_memory(error) ? STATUS_NO_MEMORY : STATUS_OK;
}

/* Takes a line (or a piece of a long one). Too large a certificate is left out like one of an
 * unknown kind. */
static enum status take_line(const char *line, struct buffer *pem, bool *inside,
	mbedtls_x509_crt *chain, unsigned *count)
{
	if (begins_with(line, begin_mark)) {
		buffer_clear(pem);
		*inside = true;
	}
	if (!*inside)
		return STATUS_OK;

	enum status s = buffer_add_text(pem, line);

	if (s == STATUS_FULL) {
		*inside = false;
		return STATUS_OK;
	}
	if (s == STATUS_OK && begins_with(line, end_mark)) {
		*inside = false;
		s = add_certificate(pem, chain, count);
	}
	return s;
}

enum status pem_read_certificates(
	FILE *f, const char *name, mbedtls_x509_crt *chain, unsigned *count, struct why *why)
{
	struct buffer pem;
	char line[LINE_BYTES];
	bool inside = false;
	unsigned found = 0;
	enum status s = STATUS_OK;

	buffer_init(&pem, CERTIFICATE_MAX_BYTES);
	while (s == STATUS_OK && fgets(line, sizeof line, f))
		s = take_line(line, &pem, &inside, chain, &found);
	buffer_done(&pem);
	if (s != STATUS_OK)
		return fail(why, STATUS_NO_MEMORY, "read certificates of '%s': no memory after %u",
			name, found);
	if (ferror(f))
		return fail_errno(why, STATUS_BAD_DATA, "read certificates of '%s'", name);
	if (found == 0)
		return fail(why, STATUS_BAD_DATA,
			"'%s' holds no certificate (PEM) that can be read", name);
	*count = found;
	return STATUS_OK;
}
