/* main.c - scorebox [--env-file FILE] [VERB [OPTIONS]]: reads the command line, loads the
 * settings that the verb wants, runs it. */
#include "app/verb.h"
#include "book/book.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A caller may have closed them. Then the next files that are opened, the spool among them, would
 * be stdin, stdout and stderr, and log lines would be written into a database. An answer that
 * nobody can read stays an error: stdout cannot be written to. */
static bool hold_standard_streams(void)
{
	static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct call call = {.request.environment = environ};

	if (!hold_standard_streams())
		return EXIT_INTERNAL;
	/* The key is in our memory, and may be in the environment that a child inherits: no core, no
	 * look at either by others of the same user. */
	prctl(PR_SET_DUMPABLE, 0);
	if (argc > 1 && !strcmp(argv[1], "--book"))
		return book_child_main(argc, argv);

	int code = call_read(&call, argc - 1, argv + 1);

	if (code == EXIT_DONE)
		code = call_settings(&call);
	if (code == EXIT_DONE)
		code = call.verb->run(&call);
	settings_free(call.settings);
	return code;
}
