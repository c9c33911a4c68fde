/* setup.h - private to tls/: what mbedTLS needs before anything else. */
#pragma once
#include "base/status.h"

/* Starts PSA once for the process (TLS 1.3 runs on it). Thread safe. */
enum status tls_setup(struct why *why) MUST_CHECK;

/* For mbedTLS's f_rng parameters: the kernel's generator, which needs no state and no lock. */
int tls_random(void *unused, unsigned char *out, size_t length);
