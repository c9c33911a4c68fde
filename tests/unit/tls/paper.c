/* paper.c - certificates of any make for the tests. */
#include "paper.h"

#include "tls/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <mbedtls/rsa.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void make_key(mbedtls_pk_context *key, int rsa_bits)
{
	mbedtls_pk_type_t type = rsa_bits ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY;

	mbedtls_pk_init(key);
	assert_int_equal(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(type)), 0);
	if (rsa_bits)
		assert_int_equal(mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), tls_random, NULL,
					 (unsigned)rsa_bits, 65537),
			0);
	else
		assert_int_equal(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key),
					 tls_random, NULL),
			0);
}

static void describe(mbedtls_x509write_cert *c, struct paper *p, const struct paper_plan *plan)
{
	const char *name = plan->name ? plan->name : "CN=test";
	mbedtls_pk_context *issuer_key =
		plan->issuer ? (mbedtls_pk_context *)(uintptr_t)&plan->issuer->key : &p->key;
	char issuer[200];

	if (plan->issuer)
		mbedtls_x509_dn_gets(issuer, sizeof issuer, &plan->issuer->crt.subject);
	else
		snprintf(issuer, sizeof issuer, "%s", name);
	mbedtls_x509write_crt_set_version(c, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(c, plan->md ? plan->md : MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(c, &p->key);
	mbedtls_x509write_crt_set_issuer_key(c, issuer_key);
	assert_int_equal(mbedtls_x509write_crt_set_subject_name(c, name), 0);
	assert_int_equal(mbedtls_x509write_crt_set_issuer_name(c, issuer), 0);
	assert_int_equal(mbedtls_x509write_crt_set_serial_raw(c, (unsigned char[]){7}, 1), 0);
	assert_int_equal(
		mbedtls_x509write_crt_set_validity(c, plan->from ? plan->from : "20240101000000",
			plan->to ? plan->to : "20991231000000"),
		0);
	assert_int_equal(mbedtls_x509write_crt_set_basic_constraints(c, plan->is_ca, -1), 0);
}

void paper_make(struct paper *p, const struct paper_plan *plan)
{
	mbedtls_x509write_cert c;
	mbedtls_x509_san_list host = {0}, address = {0};
	unsigned char address_bytes[16];

	make_key(&p->key, plan->rsa_bits);
	mbedtls_x509write_crt_init(&c);
	describe(&c, p, plan);
	if (plan->host) {
		host.node.type = MBEDTLS_X509_SAN_DNS_NAME;
		host.node.san.unstructured_name.p = (unsigned char *)(uintptr_t)plan->host;
		host.node.san.unstructured_name.len = strlen(plan->host);
	}
	if (plan->address) {
		bool six = strchr(plan->address, ':') != NULL;

		assert_int_equal(
			inet_pton(six ? AF_INET6 : AF_INET, plan->address, address_bytes), 1);
		address.node.type = MBEDTLS_X509_SAN_IP_ADDRESS;
		address.node.san.unstructured_name.p = address_bytes;
		address.node.san.unstructured_name.len = six ? 16 : 4;
		host.next = &address;
	}
	if (plan->host || plan->address)
		assert_int_equal(mbedtls_x509write_crt_set_subject_alternative_name(
					 &c, plan->host ? &host : &address),
			0);
	assert_int_equal(mbedtls_x509write_crt_pem(
				 &c, (unsigned char *)p->pem, sizeof p->pem, tls_random, NULL),
		0);
	mbedtls_x509write_crt_free(&c);
	mbedtls_x509_crt_init(&p->crt);
	assert_int_equal(
		mbedtls_x509_crt_parse(&p->crt, (unsigned char *)p->pem, strlen(p->pem) + 1), 0);
	assert_int_equal(
		mbedtls_pk_write_key_pem(&p->key, (unsigned char *)p->key_pem, sizeof p->key_pem),
		0);
}

void paper_free(struct paper *p)
{
	mbedtls_x509_crt_free(&p->crt);
	mbedtls_pk_free(&p->key);
}

void paper_write(const char *path, const char *pem)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(pem, f) >= 0);
	assert_int_equal(fclose(f), 0);
}
