/* online.h - private to app/: what the files of `check --online` share. */
#pragma once
#include "app/check.h"

struct online {
	const struct config *config;
	const struct pace *pace;
	const struct options *options;
	FILE *out;
	int code;	 /* of the first failure */
	unsigned advice; /* lines that warn */
};

/* One line, "ok" for EXIT_DONE. The text may hold what a peer said. */
void online_tell(struct online *o, const char *what, int code, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* It works, and something could be lost by it: what, and what to do. No failure. */
void online_warn(struct online *o, const char *what, const char *format, ...) PRINTF_LIKE(3, 4);

/* check_kafka.c: brokers and topic; makes the topic where that was asked for. */
void online_kafka(struct online *o);
/* check_registry.c: the schema registry, where one is set; registers the rows' schema first where that was
 * asked for. */
void online_registry(struct online *o);
/* check_topic.c: a line for each of the topic's properties that matters. `readable_bytes`: the largest batch
 * that this box can read. */
struct topic_facts;
void online_topic(struct online *o, const struct topic_facts *facts, uint64_t readable_bytes);
