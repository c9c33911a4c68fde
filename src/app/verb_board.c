/* verb_board.c - what the SD image's start-up calls: its settings, its card. */
#include "app/card.h"
#include "app/verb.h"
#include "app/values.h"
#include "base/log.h"
#include "board/ext4.h"
#include "board/partition.h"

#include <inttypes.h>

#define MIB (1024 * 1024)

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

int verb_board_grow(struct call *call)
{
	const char *disk = call->options.word, *text = call->options.second_word;
	struct partition_growth growth;
	uint64_t number;
	struct why why;
	enum status s;

	if (!text)
		return usage_error("board grow wants a disk and the number of its last partition");
	if (value_count(text, 1, 4, &number, &why) != STATUS_OK)
		return usage_error("board grow: partition '%s': %s", text, why.text);
	s = partition_grow(disk, (unsigned)number, &growth, &why);
	if (s == STATUS_BUSY) {
		log_warn("grow.late", "%s; nothing is lost", why.text);
		return EXIT_STORAGE;
	}
	if (s != STATUS_OK) {
		log_error("grow.partition", "%s; the partition stays as it is", why.text);
		return exit_code_of(s);
	}
	if (growth.before == growth.after)
		log_info("grow.partition",
			"partition %s of '%s' has %" PRIu64 " MiB and fills the card", text, disk,
			growth.before / MIB);
	else
		log_info("grow.partition",
			"partition %s of '%s' had %" PRIu64 " MiB and has %" PRIu64 " MiB now",
			text, disk, growth.before / MIB, growth.after / MIB);
	return EXIT_DONE;
}

int verb_board_grow_fs(struct call *call)
{
	const char *place = call->options.word;
	struct ext4_growth growth;
	struct why why;
	enum status s;

	if (!place)
		return usage_error(
			"board grow-fs wants the place where the file system is mounted");
	s = ext4_grow(place, &growth, &why);
	if (s != STATUS_OK) {
		log_error("grow.filesystem", "%s; %s", why.text,
			s == STATUS_BAD_DATA
				? "nothing was done"
				: "what is in it is safe and can be used; the next start tries again");
		return s == STATUS_AGAIN ? EXIT_INSTANCE : exit_code_of(s);
	}
	if (growth.before != growth.after)
		log_info("grow.filesystem",
			"the file system at '%s' had %" PRIu64 " MiB and has %" PRIu64 " MiB now",
			place, growth.before / MIB, growth.after / MIB);
	return EXIT_DONE;
}
