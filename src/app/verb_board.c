/* verb_board.c - what the SD image's start-up calls: its settings, its card. */
#include "app/card.h"
#include "app/verb.h"
#include "base/log.h"

int verb_board_settings(struct call *call)
{
	const struct card_request request = {
		.file = call->options.word,
		.out = call->options.second_word,
		.folder = call->options.seal,
	};
	bool usable = false;
	struct why why;
	enum status s;

	if (!request.out)
		return usage_error("board settings wants the settings file and the file to write");
	s = card_settings(&request, &usable, &why);
	if (s != STATUS_OK) {
		log_error("settings.unwritten",
			"%s; '%s' stays as it was; nothing can be started from it", why.text,
			request.out);
		return exit_code_of(s);
	}
	return usable ? EXIT_DONE : EXIT_SETTINGS;
}
