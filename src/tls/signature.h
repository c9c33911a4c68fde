/* signature.h - is a text signed by the key we trust? ECDSA on P-256 with SHA-256, as
 * `openssl dgst -sha256 -sign` makes it. */
#pragma once
#include "base/status.h"

/* `signature` is base64 (RFC 4648, 4) without line ends, of the DER form (RFC 3279, 2.2.3).
 * `key_file`: a public key as PEM, of at most 8 KiB. STATUS_BAD_DATA: it is not that key's signature of
 * these bytes. STATUS_NOT_FOUND, _DENIED, _IO: the key file could not be read; STATUS_FATAL: it is no
 * public key on P-256. */
enum status signature_check(const char *key_file, const void *bytes, size_t length,
	const char *signature, size_t signature_length, struct why *why) MUST_CHECK;
