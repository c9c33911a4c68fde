/* programme.c - the list of matches, and the files and folders it is made of. */
#include "replay/programme.h"

#include "base/file.h"
#include "base/log.h"
#include "replay/demo_match.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX_BYTES = 256 << 20 };

void programme_init(struct programme *p)
{
	*p = (struct programme){0};
}

void programme_done(struct programme *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->matches[i].states);
	for (size_t i = 0; i < p->texts_count; i++)
		free(p->texts[i]);
	free(p->matches);
	free(p->texts);
	programme_init(p);
}

/* Makes room for one more element; false without memory. */
static bool grow(void **array, size_t *capacity, size_t count, size_t element_bytes)
{
	if (count < *capacity)
		return true;

	size_t wanted = *capacity ? *capacity * 2 : 8;
	void *larger = realloc(*array, wanted * element_bytes);

	if (!larger)
		return false;
	*array = larger;
	*capacity = wanted;
	return true;
}

enum status programme_keep_text(struct programme *p, char *text, struct why *why)
{
	void *texts = p->texts;

	if (!grow(&texts, &p->texts_capacity, p->texts_count, sizeof *p->texts)) {
		free(text);
		return fail(why, STATUS_NO_MEMORY, "no memory for the list of files");
	}
	p->texts = texts;
	p->texts[p->texts_count++] = text;
	return STATUS_OK;
}

enum status programme_begin_match(struct programme *p, struct view id, struct why *why)
{
	void *matches = p->matches;

	if (!grow(&matches, &p->capacity, p->count, sizeof *p->matches))
		return fail(why, STATUS_NO_MEMORY, "no memory for a match");
	p->matches = matches;
	p->matches[p->count++] = (struct programme_match){.id = id};
	return STATUS_OK;
}

enum status programme_add_state(
	struct programme_match *m, int64_t at_ms, struct view row, struct why *why)
{
	void *states = m->states;

	if (!grow(&states, &m->capacity, m->count, sizeof *m->states))
		return fail(why, STATUS_NO_MEMORY, "no memory for a state");
	m->states = states;
	if (m->count > 0 && at_ms < m->states[m->count - 1].at_ms)
		at_ms = m->states[m->count - 1].at_ms;
	m->states[m->count++] = (struct programme_state){at_ms, row};
	return STATUS_OK;
}

void programme_cut(struct programme *p, size_t count)
{
	while (p->count > count)
		free(p->matches[--p->count].states);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

typedef enum status reader(struct programme *p, char *text, size_t length, struct why *why);

static reader *reader_of(const char *name)
{
	if (ends_with(name, ".jsonl"))
		return programme_add_lines;
	if (ends_with(name, ".match"))
		return programme_add_match;
	return programme_add_page;
}

static enum status add_file(struct programme *p, const char *path, struct why *why)
{
	char *text;
	size_t length;
	size_t before = p->count;
	enum status s = file_read(path, FILE_MAX_BYTES, &text, &length, why);

	if (s != STATUS_OK)
		return s;
	s = reader_of(path)(p, text, length, why);
	if (s == STATUS_BAD_DATA) {
		log_warn("replay.file", "'%s' passed over: %s; the others are served", path,
			why->text);
		return STATUS_OK;
	}
	if (s == STATUS_OK)
		log_info("replay.file", "'%s': %zu matches", path, p->count - before);
	return s;
}

static int is_ours(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (ends_with(entry->d_name, ".json") || ends_with(entry->d_name, ".jsonl") ||
		       ends_with(entry->d_name, ".match"));
}

static enum status add_folder(struct programme *p, const char *folder, struct why *why)
{
	struct dirent **names;
	int count = scandir(folder, &names, is_ours, alphasort);
	enum status s = STATUS_OK;

	if (count < 0)
		return fail_errno(why, STATUS_IO, "list '%s'", folder);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (s == STATUS_OK)
			s = file_join(folder, names[i]->d_name, path, sizeof path);
		if (s == STATUS_OK)
			s = add_file(p, path, why);
		free(names[i]);
	}
	free(names);
	return s;
}

static enum status add_demo(struct programme *p, struct why *why)
{
	char *copy = malloc(replay_demo_match_bytes);

	if (!copy)
		return fail(why, STATUS_NO_MEMORY, "no memory for the match compiled in");
	memcpy(copy, replay_demo_match, replay_demo_match_bytes);
	return programme_add_match(p, copy, replay_demo_match_bytes, why);
}

enum status programme_add(struct programme *p, const char *path, struct why *why)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		if (strcmp(path, "demo") == 0)
			return add_demo(p, why);
		return fail_errno(why, STATUS_NOT_FOUND, "'%s'", path);
	}
	return S_ISDIR(st.st_mode) ? add_folder(p, path, why) : add_file(p, path, why);
}

struct view programme_at(const struct programme_match *m, int64_t at_ms)
{
	size_t low = 0, high = m->count;

	/* The first state is shown from the start, whatever its time. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (m->states[middle].at_ms <= at_ms)
			low = middle;
		else
			high = middle;
	}
	return m->states[low].row;
}

struct view programme_step(const struct programme_match *m, uint64_t step)
{
	return m->states[step < m->count ? step : m->count - 1].row;
}
