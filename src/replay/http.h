/* http.h - private to replay/: reads the head of an HTTP/1.1 request, as far as the replay API
 * needs it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_KEY_BYTES = 160 };

struct http_request {
	bool head_only;	   /* HEAD */
	bool method_known; /* GET or HEAD */
	bool keep_alive;
	bool matches;		  /* the path ends in /currentMatches or /matches */
	char key[HTTP_KEY_BYTES]; /* apikey, percent-decoded; "" when missing, cut when longer */
	uint64_t offset;	  /* 0 when missing or no number */
	size_t bytes;		  /* length of the head */
};

enum http_outcome { HTTP_MORE, HTTP_READY, HTTP_BAD };
enum http_outcome http_parse(const char *bytes, size_t length, struct http_request *out);
