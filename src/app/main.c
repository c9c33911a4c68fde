/* main.c - scorebox [--env-file FILE] [VERB [OPTIONS]]: reads the command line, loads the
 * settings that the verb wants, runs it. */
#include "app/verb.h"
#include "book/book.h"

#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct call call = {.request.environment = environ};

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
