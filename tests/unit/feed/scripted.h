/* scripted.h - a server in a thread of its own that plays one exchange a request and then goes
 * wrong in the way it is told. TLS with the paper given, or plain where there is none. */
#pragma once
#include <stddef.h>

enum scripted_end {
	SCRIPTED_KEEP,	/* reads the next request on the same connection */
	SCRIPTED_CLOSE, /* with a close_notify */
	SCRIPTED_CUT,	/* plain end of the TCP stream */
	SCRIPTED_RESET,
	SCRIPTED_STALL, /* says nothing more, until the client goes */
};

struct scripted_exchange {
	const char *answer;
	size_t length; /* 0: strlen */
	enum scripted_end end;
};

struct paper;
struct scripted;
/* `exchanges` is lent and ends with answer NULL. */
struct scripted *scripted_open(
	const struct paper *paper, const struct scripted_exchange *exchanges);
int scripted_port(const struct scripted *s);
/* Ends the thread; afterwards the rest may be asked. */
void scripted_stop(struct scripted *s);
const char *scripted_requests(
	const struct scripted *s); /* all that was asked, one behind the other */
unsigned scripted_connections(const struct scripted *s);
void scripted_close(struct scripted *s);
