/* test_stick.c - who may write to the stick, and the line of /etc/fstab, from lists of our own. */
#include "app/stick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/scorebox-stick-XXXXXX";
static char paths[6][160];
enum { STICK, MOUNTINFO, FSTAB, BY_UUID, DEVICE, LINK };

static const struct stick_user daemon_user = {
	.name = "scorebox", .uid = 4711, .groups = {4711, 4712}, .group_count = 2};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int make_scratch(void **state)
{
	static const char *const names[] = {
		"a stick", "mountinfo", "fstab", "by-uuid", "sda1", "by-uuid/1A2B-3C4D"};

	(void)state;
	if (!mkdtemp(folder) || chmod(folder, 0755) != 0)
		return -1;
	for (int i = 0; i < 6; i++)
		snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
	write_file(paths[DEVICE], "");
	write_file(paths[FSTAB], "# nothing\n");
	if (mkdir(paths[STICK], 0755) != 0 || mkdir(paths[BY_UUID], 0755) != 0)
		return -1;
	return symlink("../sda1", paths[LINK]);
}

static int remove_scratch(void **state)
{
	(void)state;
	unlink(paths[LINK]);
	for (int i = 0; i < LINK; i++)
		remove(paths[i]);
	return rmdir(folder);
}

/* As if `source` were mounted on the stick's folder. */
static void look(
	const char *type, const char *source, const char *fstab, mode_t mode, struct stick *out)
{
	const struct stick_places places = {paths[MOUNTINFO], paths[BY_UUID], paths[FSTAB]};
	char text[600] = "1 0 254:0 / / rw - ext4 /dev/vda rw\n";

	if (type)
		snprintf(text + strlen(text), sizeof text - strlen(text),
			"40 1 8:1 / %s/a\\040stick rw - %s %s rw\n", folder, type, source);
	write_file(paths[MOUNTINFO], text);
	write_file(paths[FSTAB], fstab);
	assert_int_equal(chmod(paths[STICK], mode), 0);
	stick_look(paths[STICK], &daemon_user, &places, out);
}

static void expect_line(const struct stick *s, const char *device, const char *rest)
{
	char line[600];

	snprintf(line, sizeof line, "%s %s/a\\040stick %s", device, folder, rest);
	assert_string_equal(s->line, line);
}

static void print_into(const struct stick *s, char *out, size_t out_bytes)
{
	FILE *f = fmemopen(out, out_bytes, "w");

	assert_non_null(f);
	stick_print(s, f);
	assert_int_equal(fclose(f), 0);
}

static void a_stick_of_another(void **state)
{
	struct stick s;
	char text[2000];

	(void)state;
	look("vfat", paths[DEVICE], "", 0755, &s);
	assert_true(s.attached && !s.may_write && !s.in_fstab && !s.keeps_owners);
	expect_line(&s, "UUID=1A2B-3C4D",
		"vfat uid=scorebox,gid=scorebox,umask=022,utf8,flush,noatime,nofail,x-systemd.device-timeout=10s 0 0");
	print_into(&s, text, sizeof text);
	assert_non_null(strstr(text, "the user scorebox may NOT write there"));
	assert_non_null(strstr(text, s.line));
	assert_null(strstr(text, "chown"));
}

static void other_file_systems(void **state)
{
	struct stick s;
	char text[2000];

	(void)state;
	look("exfat", "/dev/nonexistent9", "", 0755, &s);
	expect_line(&s, "/dev/nonexistent9",
		"exfat uid=scorebox,gid=scorebox,umask=022,noatime,nofail,x-systemd.device-timeout=10s 0 0");
	look("ext4", paths[DEVICE], "", 0755, &s);
	assert_true(s.keeps_owners);
	expect_line(&s, "UUID=1A2B-3C4D",
		"ext4 defaults,noatime,nofail,x-systemd.device-timeout=10s 0 2");
	print_into(&s, text, sizeof text);
	assert_non_null(strstr(text, "chown scorebox: '"));
	look("nfs4", "server:/share", "", 0755, &s);
	assert_string_equal(s.line, "");
}

static void what_stands_in_fstab_is_not_told_again(void **state)
{
	struct stick s;
	char text[2000], fstab[300];

	(void)state;
	snprintf(fstab, sizeof fstab, "UUID=1A2B-3C4D %s/a\\040stick vfat defaults 0 0\n", folder);
	look("vfat", paths[DEVICE], fstab, 0777, &s);
	assert_true(s.in_fstab && s.may_write);
	print_into(&s, text, sizeof text);
	assert_null(strstr(text, "UUID"));
	look("vfat", paths[DEVICE], fstab, 0755, &s);
	print_into(&s, text, sizeof text);
	assert_non_null(strstr(text, "in the place of its line in /etc/fstab"));
}

static void who_may_write(void **state)
{
	static const struct {
		mode_t mode;
		uid_t uid;
		gid_t gid;
		bool may;
	} rows[] = {
		{0755, 4711, 0, true},
		{0555, 4711, 0, false},
		{0077, 4711, 4711, false}, /* the owner's bits alone count */
		{0775, 0, 4711, true},
		{0775, 0, 4712, true}, /* a group it is in as well */
		{0707, 0, 4712, false},
		{0757, 0, 0, true},
		{0756, 0, 0, false}, /* it must be let in, too */
		{0775, 0, 0, false},
	};
	struct stick s;

	(void)state;
	if (geteuid() != 0) {
		printf("SKIPPED: no right to give files away\n");
		skip();
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(chown(paths[STICK], rows[i].uid, rows[i].gid), 0);
		look(NULL, NULL, "", rows[i].mode, &s);
		assert_false(s.attached);
		if (s.may_write != rows[i].may)
			fail_msg("mode %04o, %u:%u", (unsigned)rows[i].mode, (unsigned)rows[i].uid,
				(unsigned)rows[i].gid);
	}
	assert_int_equal(chmod(folder, 0700), 0);
	look(NULL, NULL, "", 0777, &s);
	assert_false(s.may_write);
	assert_int_equal(chmod(folder, 0755), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stick_of_another),
		cmocka_unit_test(other_file_systems),
		cmocka_unit_test(what_stands_in_fstab_is_not_told_again),
		cmocka_unit_test(who_may_write),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
