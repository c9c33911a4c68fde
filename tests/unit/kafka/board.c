/* board.c - see board.h. */
#include "board.h"

#include "tls/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

char board_folder[256];
struct paper ca, stranger, own;

struct trust_files *trust_in(const struct paper *p, const struct paper *client)
{
	char path[300], cert[300], key[300];
	struct trust_files *t = NULL;
	struct why why = {""};

	snprintf(path, sizeof path, "%s/ca.pem", board_folder);
	snprintf(cert, sizeof cert, "%s/client.pem", board_folder);
	snprintf(key, sizeof key, "%s/client.key", board_folder);
	paper_write(path, p->pem);
	if (client) {
		paper_write(cert, client->pem);
		paper_write(key, client->key_pem);
	}
	if (trust_files_open(&t, path, client ? cert : NULL, client ? key : NULL, &why) !=
		STATUS_OK)
		fail_msg("%s", why.text);
	return t;
}

struct transport *open_transport(const struct paper *p, const struct paper *client)
{
	struct trust_files *trust = trust_in(p, client);
	struct transport *t = NULL;

	assert_int_equal(transport_open(&t, trust, 0, NULL), STATUS_OK);
	trust_files_close(trust); /* the transport has a share of its own */
	return t;
}

/* A near end on its way to the peer, whom we call `host`. */
int go_to(struct transport *t, const struct peer *p, const char *host)
{
	char broker[200];
	int fd = transport_socket(t);

	assert_true(fd >= 0);
	snprintf(broker, sizeof broker, "%s:%d", host, p->port);
	assert_int_equal(transport_connect(t, fd, (const struct sockaddr *)&p->address,
				 p->address_bytes, broker),
		0);
	return fd;
}

bool wait_for(int fd, short events)
{
	struct pollfd one = {.fd = fd, .events = events};

	return poll(&one, 1, PATIENCE_MS) > 0;
}

/* Bytes read until `length` or the end; -1: neither came. */
ssize_t take(int fd, void *out, size_t length)
{
	size_t used = 0;

	while (used < length) {
		ssize_t n;

		if (!wait_for(fd, POLLIN))
			return -1;
		n = recv(fd, (char *)out + used, length - used, 0);
		if (n <= 0)
			return n < 0 && errno != ECONNRESET ? -1 : (ssize_t)used;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

void give(int fd, const void *bytes, size_t length)
{
	size_t used = 0;

	while (used < length) {
		ssize_t n = send(fd, (const char *)bytes + used, length - used, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			assert_true(wait_for(fd, POLLOUT));
		else
			assert_true(n > 0);
		used += n > 0 ? (size_t)n : 0;
	}
}

/* The near end's other side hangs up without having said anything; why is in `words`. */
void expect_refusal(struct transport *t, int fd, const char *code, const char *phrase)
{
	const char *found = "";
	char words[TRANSPORT_WORDS_BYTES] = "", byte;

	assert_int_equal(take(fd, &byte, 1), 0);
	assert_true(transport_trouble(t, &found, words, sizeof words));
	if (strcmp(found, code) != 0 || !strstr(words, phrase))
		fail_msg("'%s' '%s' is not '%s' '...%s...'", found, words, code, phrase);
	transport_closesocket(t, fd);
}

unsigned open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

int64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000ll + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

int set_up(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(board_folder, sizeof board_folder, "%s/scorebox-transport-XXXXXX",
		base ? base : "/tmp");
	if (!mkdtemp(board_folder) || tls_setup(NULL) != STATUS_OK)
		return -1;
	paper_make(&ca, &(struct paper_plan){.is_ca = 1, .name = "CN=test CA"});
	paper_make(&stranger, &(struct paper_plan){.is_ca = 1, .name = "CN=a stranger"});
	paper_make(&own, &(struct paper_plan){.host = "k1.test", .issuer = &ca});
	return 0;
}

int tear_down(void **state)
{
	char command[400];

	(void)state;
	paper_free(&ca);
	paper_free(&stranger);
	paper_free(&own);
	snprintf(command, sizeof command, "rm -rf '%s'", board_folder);
	return system(command);
}
