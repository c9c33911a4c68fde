/* properties_openssl.c - TLS by librdkafka itself, over OpenSSL; only in the build that links it. */
#include "kafka/setting.h"
#include "tls/trust_files.h"

#include <stdlib.h>
#include <string.h>

/* The same authorities that the trust set has found: a file of its own, the system's, or those compiled in. */
static void set_roots(struct setting *s, const struct kafka_security *security)
{
	if (!security->trust) {
		s->status = fail(
			s->why, STATUS_BAD_DATA, "TLS to Kafka: no certificates to verify it with");
		return;
	}

	struct trust *trust = trust_files_current(security->trust);
	const char *pem;
	size_t length = trust_compiled_in(trust, &pem);

	if (length == 0) {
		properties_set(s, "ssl.ca.location", trust_origin(trust));
	} else {
		char *text = strndup(pem, length);

		if (text)
			properties_set(s, "ssl.ca.pem", text);
		else if (s->status == STATUS_OK)
			s->status = fail(s->why, STATUS_NO_MEMORY, "the CA set compiled in");
		free(text);
	}
	trust_close(trust);
}

/* Certificates are judged as the score API's are: a root must vouch for the broker's own name, by SHA-256 and
 * RSA-2048 or better (level 2), over TLS 1.2 or 1.3 (older ones are not compiled in). */
void properties_openssl(struct setting *s, const struct kafka_security *security)
{
	properties_set(s, "enable.ssl.certificate.verification", "true");
	properties_set(s, "ssl.endpoint.identification.algorithm", "https");
	properties_set(s, "ssl.cipher.suites", "DEFAULT:@SECLEVEL=2");
	set_roots(s, security);
	if (!*security->cert_file)
		return;
	properties_set(s, "ssl.certificate.location", security->cert_file);
	properties_set(s, "ssl.key.location", security->key_file);
}
