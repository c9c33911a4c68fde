/* replay.h - the replay HTTPS API: recorded pages, timed lines and the project's own match files,
 * served as the real API would (contract: README, `serve`). For `serve`, `demo` and tests. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct replay_options {
	const char *listen; /* "127.0.0.1" */
	int port;	    /* 0: picks one */
	const char *ca_out; /* PEM of the self-made certificate; NULL none */
	const char *names;  /* further names and addresses in it, a comma list; NULL none */
	unsigned page_rows; /* rows a page; 25 */
	const char *key;    /* NULL: any non-empty one */
	int64_t quota;	    /* hits a day; 1,000,000 */
	double speed;	    /* replay clock's factor; 0: as recorded (1) */
	bool step;	    /* each request for offset 0 serves the next line of every match */
	const char *fault;  /* KIND[@N[+]], comma list; NULL none */
	/* Above 0: so many made-up rows in one page, for memory and speed tests; no files. */
	uint64_t synthetic_rows;
};

struct replay;
/* Loads FILE|DIR arguments (says on stderr which files are passed over and why). "demo" names the
 * match that is compiled in. */
enum status replay_open(struct replay **out, const struct replay_options *options,
	const char *const *paths, unsigned count, struct why *why) MUST_CHECK;
const char *replay_url(const struct replay *r); /* base URL: https://127.0.0.1:port/v1 */
/* Serves until SIGTERM/SIGINT (as a verb); returns an exit code. */
int replay_run(struct replay *r);
void replay_close(struct replay *r);

/* The verb `serve`: argv[0] is the verb's name. Prints the base URL as its one line on stdout once
 * the certificate file is complete, serves until SIGTERM or SIGINT, returns the exit code (64:
 * usage). */
int replay_serve_main(int argc, char **argv);
