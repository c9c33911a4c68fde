/* settings_card.c - the settings file as it stands on a new card: the few that a first box needs, for a person with a
 * laptop whose editor wants CR LF. All lines are comments: a file that nobody has touched sets nothing. */
#include "app/setting.h"
#include "app/settings.h"

#include <string.h>

struct card_line {
	const char *name; /* NULL: only text */
	const char *value;
	const char *text; /* before it, NULL: nothing; lines of their own */
};

static const struct card_line lines[] = {
	{NULL, NULL,
		"The settings of this box. Take the # away in front of the lines that you\n"
		"need, and write behind the = what is yours. All else has good defaults."},

	{NULL, NULL, "---- What every box needs ----"},
	{"SCOREBOX_API_KEY", "", "Your key of cricapi.com."},
	{"SCOREBOX_KAFKA_BROKERS", "kafka.example:9092",
		"Your Kafka brokers, host:port, with commas between them."},

	{NULL, NULL, "---- What this box does ----"},
	{"SCOREBOX_MODE", "produce",
		"Without this line it sends the scores to Kafka and keeps workbooks on the\n"
		"stick. produce: only the first, consume: only the second."},

	{NULL, NULL, "---- Kafka with a login, such as Confluent Cloud ----"},
	{"SCOREBOX_KAFKA_SECURITY", "sasl_tls", NULL},
	{"SCOREBOX_KAFKA_SASL_USERNAME", "", NULL},
	{"SCOREBOX_KAFKA_SASL_PASSWORD", "", NULL},

	{NULL, NULL, "---- Time ----"},
	{"SCOREBOX_TIMEZONE", "IST-5:30",
		"For the workbooks: India IST-5:30, Sydney AEST-10AEDT,M10.1.0,M4.1.0/3,\n"
		"England GMT0BST,M3.5.0/1,M10.5.0."},
	{"SCOREBOX_NTP", "pool.ntp.org",
		"Time servers. Without this line those of your router, else pool.ntp.org."},

	{NULL, NULL, "---- Network; without these lines your router gives an address ----"},
	{"SCOREBOX_NET_ADDRESS", "192.168.1.20/24", NULL},
	{"SCOREBOX_NET_GATEWAY", "192.168.1.1", NULL},
	{"SCOREBOX_NET_DNS", "192.168.1.1", NULL},
	{"SCOREBOX_HOSTNAME", "scorebox", NULL},

	{NULL, NULL, "---- Keys and passwords ----"},
	{"SCOREBOX_SEAL", "1",
		"Whoever holds this card can read this file. With this line the next start\n"
		"moves keys and passwords to a place that laptops do not show. To change one\n"
		"later, write its line again."},

	{NULL, NULL,
		"README.txt tells what the box says when something is wrong. All settings\n"
		"stand in scorebox's README, and each may be a line of this file."},
};

static void print_text(FILE *out, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		fprintf(out, "# %.*s\r\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

void settings_print_card(FILE *out)
{
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		const struct card_line *l = &lines[i];

		if (l->text) {
			fputs(i ? "\r\n" : "", out);
			print_text(out, l->text);
		}
		if (l->name)
			fprintf(out, "#%s=%s\r\n", l->name, l->value);
	}
}
