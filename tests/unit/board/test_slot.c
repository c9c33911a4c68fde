/* test_slot.c - an image into a slot: a file, a block device, a medium that lies, an end at every step. */
#include "board/slot.h"

#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, SLOT_BYTES = 12 << 20, IMAGE_BYTES = 9 * (1 << 20) + 5 * PAGE };

static uint8_t image_bytes[IMAGE_BYTES];

/* What is read from, and what happens meanwhile. */
struct rig {
	struct slot_image image;
	uint8_t sha256[DIGEST_WHOLE_BYTES];
	const char
		*spoil_file; /* its byte spoil_at is changed when all is written; NULL: none is */
	off_t spoil_at;
	unsigned reads, dies_at, told, last_percent; /* dies_at 0: never */
	bool changes;				     /* the source, between two readings */
};

static enum status give(void *context, uint64_t offset, void *out, size_t length, struct why *why)
{
	struct rig *r = context;

	(void)why;
	if (++r->reads == r->dies_at)
		kill(getpid(), SIGKILL);
	assert_true(offset + length <= r->image.bytes);
	memcpy(out, image_bytes + offset, length);
	if (r->changes && offset > 1 << 20)
		((uint8_t *)out)[0] ^= 1;
	return STATUS_OK;
}

static void watch(void *context, unsigned percent)
{
	struct rig *r = context;

	r->told++;
	assert_true(percent > r->last_percent && percent % 10 == 0 && percent <= 100);
	r->last_percent = percent;
	if (percent < 100 || !r->spoil_file)
		return;

	uint8_t byte;
	int fd = open(r->spoil_file, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, r->spoil_at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, r->spoil_at), 1);
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

static struct rig *rig_of(uint64_t bytes)
{
	static struct rig r;
	struct digest_stream *d;

	r = (struct rig){.image = {.bytes = bytes, .read = give, .progress = watch}};
	r.image.context = &r;
	r.image.sha256 = r.sha256;
	assert_int_equal(digest_stream_open(&d, NULL), STATUS_OK);
	digest_stream_add(d, image_bytes, bytes);
	digest_stream_end(d, r.sha256);
	digest_stream_close(d);
	return &r;
}

/* A slot that holds an older system. */
static const char *make_slot(const char *name)
{
	const char *path = in_place(name);
	static char old[PAGE];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	memset(old, 'o', sizeof old);
	assert_true(fd >= 0);
	for (off_t at = 0; at < SLOT_BYTES; at += PAGE)
		assert_int_equal(pwrite(fd, old, PAGE, at), PAGE);
	close(fd);
	return path;
}

static void read_slot(const char *path, uint64_t at, void *out, size_t length)
{
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, out, length, (off_t)at), length);
	close(fd);
}

static void assert_image_in(const char *path, size_t bytes)
{
	static uint8_t found[IMAGE_BYTES];

	read_slot(path, 0, found, bytes);
	assert_memory_equal(found, image_bytes, bytes);
}

static void assert_empty(const char *path)
{
	struct why why;

	assert_int_equal(slot_is_filled(path, &why), STATUS_NOT_FOUND);
}

static void images_of_any_size_are_written(void **state)
{
	static const uint64_t sizes[] = {PAGE, 2 * PAGE, 65536, 65536 + PAGE, 65536 + 2 * PAGE,
		4 << 20, (4 << 20) + PAGE, IMAGE_BYTES};
	struct why why;
	char behind;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		const char *slot = make_slot("slot");
		struct rig *r = rig_of(sizes[i]);

		if (slot_write(slot, &r->image, &why) != STATUS_OK)
			fail_msg("%s", why.text);
		assert_image_in(slot, sizes[i]);
		assert_int_equal(slot_is_filled(slot, &why), STATUS_OK);
		assert_int_equal(r->last_percent, sizes[i] == PAGE ? 0 : 100);
		read_slot(slot, sizes[i], &behind, 1);
		assert_int_equal(behind, 'o');
	}
}

static void what_does_not_fit_touches_nothing(void **state)
{
	const char *slot = make_slot("slot");
	struct rig *r = rig_of(IMAGE_BYTES);
	uint64_t bytes;
	char first;
	struct why why;

	(void)state;
	assert_int_equal(truncate(slot, IMAGE_BYTES - 1), 0);
	assert_int_equal(slot_write(slot, &r->image, &why), STATUS_FULL);
	read_slot(slot, 0, &first, 1);
	assert_int_equal(first, 'o');
	assert_int_equal(r->reads, 0);
	assert_int_equal(slot_bytes(slot, &bytes, &why), STATUS_OK);
	assert_int_equal(bytes, IMAGE_BYTES - 1);
	assert_int_equal(truncate(slot, IMAGE_BYTES), 0);
	assert_int_equal(slot_write(slot, &r->image, &why), STATUS_OK);
}

static void what_is_no_slot_is_refused(void **state)
{
	struct rig *r = rig_of(PAGE);
	uint64_t bytes;
	struct why why;

	(void)state;
	assert_int_equal(slot_write(in_place("nowhere"), &r->image, &why), STATUS_NOT_FOUND);
	assert_int_equal(slot_write(place(), &r->image, &why), STATUS_NOT_FOUND);
	assert_int_equal(slot_write("/dev/null", &r->image, &why), STATUS_NOT_FOUND);
	assert_int_equal(slot_bytes(in_place("nowhere"), &bytes, &why), STATUS_NOT_FOUND);
	assert_false(slot_same(in_place("nowhere"), in_place("nowhere")));
	assert_int_equal(symlink(make_slot("slot"), in_place("link")), 0);
	assert_true(slot_same(in_place("slot"), in_place("link")));
	assert_false(slot_same(in_place("slot"), make_slot("slot2")));
}

static void a_medium_that_lies_is_found(void **state)
{
	static const off_t places[] = {PAGE, PAGE + 1, 5 << 20, IMAGE_BYTES - 1};
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct rig *r = rig_of(IMAGE_BYTES);

		r->spoil_file = make_slot("slot");
		r->spoil_at = places[i];
		assert_int_equal(slot_write(in_place("slot"), &r->image, &why), STATUS_IO);
		assert_non_null(strstr(why.text, "does not hold what was written"));
		assert_empty(in_place("slot"));
	}
}

static void a_source_that_changes_is_found(void **state)
{
	struct rig *r = rig_of(IMAGE_BYTES);
	struct why why;

	(void)state;
	r->changes = true;
	assert_int_equal(slot_write(make_slot("slot"), &r->image, &why), STATUS_BAD_DATA);
	assert_empty(in_place("slot"));
}

/* At each reading in turn the process ends: an older system is gone, and nothing looks like a new one. */
static void an_end_at_any_step_leaves_no_half_system(void **state)
{
	unsigned steps = 0;
	struct why why;

	(void)state;
	make_slot("slot");
	for (unsigned at = 1;; at += at < 4 ? 1 : 13) {
		struct rig *r = rig_of(IMAGE_BYTES);
		pid_t child = fork();
		int status;

		if (child == 0) {
			r->dies_at = at;
			_exit(slot_write(in_place("slot"), &r->image, NULL) == STATUS_OK ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			break;
		}
		assert_int_equal(WTERMSIG(status), SIGKILL);
		assert_empty(in_place("slot"));
		steps++;
	}
	assert_true(steps > 10);
	assert_image_in(in_place("slot"), IMAGE_BYTES);
	assert_int_equal(slot_is_filled(in_place("slot"), &why), STATUS_OK);
}

/* ---- a block device ---- */

/* Loops `file` to a device; skips where that is not allowed, or where its cache may not be emptied: loops there may be
 * in a container that has no right to the latter (CAP_SYS_ADMIN). */
static const char *attach(const char *file)
{
	static char device[32];
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	int loop = -1, back = open(file, O_RDWR | O_CLOEXEC);

	if (control >= 0)
		close(control);
	assert_true(back >= 0);
	snprintf(device, sizeof device, "/dev/loop%d", number);
	if (number >= 0)
		loop = open(device, O_RDWR | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_SET_FD, back) != 0) {
		close(back);
		printf("SKIPPED: no right to loop devices\n");
		skip();
	}
	if (ioctl(loop, BLKFLSBUF, 0) != 0 && errno == EACCES) {
		ioctl(loop, LOOP_CLR_FD, 0);
		close(loop);
		close(back);
		printf("SKIPPED: no right to empty a device's cache\n");
		skip();
	}
	close(loop);
	close(back);
	return device;
}

static void detach(const char *device)
{
	int loop = open(device, O_RDWR | O_CLOEXEC);

	assert_true(loop >= 0);
	assert_int_equal(ioctl(loop, LOOP_CLR_FD, 0), 0);
	close(loop);
}

static void a_device_is_written_and_read_behind_its_cache(void **state)
{
	const char *file = make_slot("back");
	const char *device = attach(file);
	struct rig *r = rig_of(IMAGE_BYTES);
	uint64_t bytes = 0;
	struct why why;
	enum status written, measured = slot_bytes(device, &bytes, &why), lied;

	(void)state;
	written = slot_write(device, &r->image, &why);
	/* Behind the device's back: its cache does not know. */
	r = rig_of(IMAGE_BYTES);
	r->spoil_file = file;
	r->spoil_at = 6 << 20;
	lied = slot_write(device, &r->image, NULL);
	detach(device);
	if (written != STATUS_OK)
		fail_msg("%s", why.text);
	assert_int_equal(measured, STATUS_OK);
	assert_int_equal(bytes, SLOT_BYTES);
	assert_int_equal(lied, STATUS_IO);
	assert_empty(file);
}

static void a_device_in_use_is_left_alone(void **state)
{
	const char *file = make_slot("back");
	const char *device = attach(file);
	struct rig *r = rig_of(PAGE);
	struct why why;
	int user = open(device, O_RDONLY | O_EXCL | O_CLOEXEC); /* as a mount holds it */
	enum status s = slot_write(device, &r->image, &why), after;

	(void)state;
	close(user);
	after = slot_write(device, &r->image, &why);
	detach(device);
	assert_true(user >= 0);
	assert_int_equal(s, STATUS_BUSY);
	assert_int_equal(after, STATUS_OK);
	assert_image_in(file, PAGE);
}

static int open_all(void **state)
{
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof image_bytes; i++) {
		x = x * 1664525u + 1013904223u;
		image_bytes[i] = (uint8_t)(x >> 24);
	}
	return place_make(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_of_any_size_are_written),
		cmocka_unit_test(what_does_not_fit_touches_nothing),
		cmocka_unit_test(what_is_no_slot_is_refused),
		cmocka_unit_test(a_medium_that_lies_is_found),
		cmocka_unit_test(a_source_that_changes_is_found),
		cmocka_unit_test(an_end_at_any_step_leaves_no_half_system),
		cmocka_unit_test(a_device_is_written_and_read_behind_its_cache),
		cmocka_unit_test(a_device_in_use_is_left_alone),
	};

	return cmocka_run_group_tests(tests, open_all, place_remove);
}
