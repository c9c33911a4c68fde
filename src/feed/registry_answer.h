/* registry_answer.h - the few members of a schema registry's answers that matter, read as the bytes arrive;
 * a schema of any size in between is passed over, nothing is allocated. Source: Confluent Schema Registry's
 * REST API, v1. */
#pragma once
#include "base/json.h"
#include <stdbool.h>
#include <stdint.h>

struct registry_answer {
	int64_t id, version, error_code; /* -1: not there */
	char type[16];			 /* schemaType; "" where it is not there: Avro */
	char message[200]; /* cut where it is longer; escapes decoded, NUL bytes as blanks */
	bool well;	   /* after registry_answer_end: a JSON object it was */

	/* The reader's own. */
	struct json json;
	char key[16], value[240]; /* raw; a longer one is cut */
	size_t key_length, value_length;
};

void registry_answer_begin(struct registry_answer *a);
/* Whatever the bytes are: what is no JSON is seen at the end. */
void registry_answer_feed(struct registry_answer *a, const char *bytes, size_t length);
void registry_answer_end(struct registry_answer *a);
