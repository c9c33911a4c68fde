/* progress.h - private to tls/ and its users: how far a non-blocking call of a TLS session came. */
#pragma once

enum { TLS_WANT_READ = -1, TLS_WANT_WRITE = -2, TLS_CLOSED = -3, TLS_FAILED = -4 };
