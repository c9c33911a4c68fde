/* serve.c - the verb `serve`: its options. */
#include "base/log.h"
#include "replay/replay.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE_WRONG = 64, PAGE_ROWS = 25, PAGE_ROWS_MAX = 1000000, ROWS_MADE_UP = 1000 };

static const char usage[] =
	"usage: scorebox serve [OPTION...] FILE|DIR...\n"
	"\n"
	"A replay of the score API over HTTPS, for tests and demos. FILE is a recorded\n"
	"page (*.json), timed lines (*.jsonl: {\"t\",\"seq\",\"ev\",\"match\"}) or a match file\n"
	"(*.match); `demo` is the match that is built in. Prints its base URL as the one\n"
	"line on stdout; any path ending in /currentMatches or /matches answers.\n"
	"\n"
	"  --listen ADDRESS  listen there (127.0.0.1)\n"
	"  --port N          0 picks one (0)\n"
	"  --ca-out FILE     write the self-made certificate there, to trust it\n"
	"  --name HOST[,HOST...]\n"
	"                    further names and addresses in that certificate, beside\n"
	"                    localhost and 127.0.0.1, as which others reach this machine\n"
	"  --rows N          rows a page (25); above 1000 without files: N made-up rows\n"
	"                    in one page\n"
	"  --key KEY         the only apikey accepted (else any that is not empty)\n"
	"  --quota N         hits a day (1000000)\n"
	"  --speed N         the replay clock runs N times as fast, from the first request\n"
	"                    on (1)\n"
	"  --step            each request for offset 0 shows every match's next state\n"
	"  --fault KIND[@N[+]][,...]\n"
	"                    spoil request N (with +: and all after it; without N: every\n"
	"                    one). KIND: 401 429 500 html truncate slow stall reset huge\n"
	"                    redirect gzip headers chunked-truncated\n";

enum {
	OPTION_LISTEN = 256,
	OPTION_PORT,
	OPTION_CA_OUT,
	OPTION_NAME,
	OPTION_ROWS,
	OPTION_KEY,
	OPTION_QUOTA,
	OPTION_SPEED,
	OPTION_STEP,
	OPTION_FAULT,
	OPTION_HELP
};

static const struct option long_options[] = {
	{"listen", required_argument, NULL, OPTION_LISTEN},
	{"port", required_argument, NULL, OPTION_PORT},
	{"ca-out", required_argument, NULL, OPTION_CA_OUT},
	{"name", required_argument, NULL, OPTION_NAME},
	{"rows", required_argument, NULL, OPTION_ROWS},
	{"key", required_argument, NULL, OPTION_KEY},
	{"quota", required_argument, NULL, OPTION_QUOTA},
	{"speed", required_argument, NULL, OPTION_SPEED},
	{"step", no_argument, NULL, OPTION_STEP},
	{"fault", required_argument, NULL, OPTION_FAULT},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

static bool read_number(const char *text, long long lowest, long long highest, long long *out)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (end == text || *end || value < lowest || value > highest)
		return false;
	*out = value;
	return true;
}

static bool read_speed(const char *text, double *out)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value > 0 && value <= 1e9))
		return false;
	*out = value;
	return true;
}

static bool take_option(int option, const char *value, struct replay_options *o)
{
	long long number = 0;
	bool good = true;

	switch (option) {
	case OPTION_LISTEN:
		o->listen = value;
		break;
	case OPTION_PORT:
		good = read_number(value, 0, 65535, &number);
		o->port = (int)number;
		break;
	case OPTION_CA_OUT:
		o->ca_out = value;
		break;
	case OPTION_NAME:
		o->names = value;
		break;
	case OPTION_ROWS:
		good = read_number(value, 1, PAGE_ROWS_MAX, &number);
		o->page_rows = (unsigned)number;
		break;
	case OPTION_KEY:
		o->key = value;
		break;
	case OPTION_QUOTA:
		good = read_number(value, 0, 1000000000, &number);
		o->quota = number;
		break;
	case OPTION_SPEED:
		good = read_speed(value, &o->speed);
		break;
	case OPTION_STEP:
		o->step = true;
		break;
	case OPTION_FAULT:
		o->fault = value;
		break;
	default:
		return false;
	}
	if (!good)
		fprintf(stderr, "scorebox serve: '%s' is out of range or no number\n", value);
	return good;
}

static int run(const struct replay_options *o, const char *const *paths, unsigned count)
{
	struct replay *r;
	struct why why;
	enum status s = replay_open(&r, o, paths, count, &why);

	if (s != STATUS_OK) {
		log_error("replay.start", "%s", why.text);
		return s == STATUS_BAD_DATA || s == STATUS_NOT_FOUND ? USAGE_WRONG
		       : s == STATUS_NO_MEMORY			     ? 70
								     : 74;
	}
	printf("%s\n", replay_url(r));
	fflush(stdout);

	int code = replay_run(r);

	replay_close(r);
	return code;
}

int replay_serve_main(int argc, char **argv)
{
	struct replay_options o = {.listen = "127.0.0.1", .page_rows = PAGE_ROWS, .quota = 1000000};
	int option;

	optind = 0; /* main may have used getopt before */
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == OPTION_HELP) {
			fputs(usage, stdout);
			return 0;
		}
		if (!take_option(option, optarg, &o)) {
			fputs(usage, stderr);
			return USAGE_WRONG;
		}
	}
	if (optind == argc && o.page_rows <= ROWS_MADE_UP) {
		fprintf(stderr, "scorebox serve: nothing to serve is named\n%s", usage);
		return USAGE_WRONG;
	}
	if (optind == argc)
		o.synthetic_rows = o.page_rows;
	return run(&o, (const char *const *)argv + optind, (unsigned)(argc - optind));
}
