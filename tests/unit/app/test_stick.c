/* test_stick.c - who may write to the stick, and the line of /etc/fstab, from lists of our own. */
#include "app/stick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it. */
#include <cmocka.h>
#include <fcntl.h>
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

/* With `more` in the list of mounts. */
static void look_at(const char *path, const char *more, const char *fstab, struct stick *out)
{
	const struct stick_places places = {paths[MOUNTINFO], paths[BY_UUID], paths[FSTAB]};
	char text[1000];

	snprintf(text, sizeof text, "1 0 254:0 / / rw - ext4 /dev/vda rw\n%s", more);
	write_file(paths[MOUNTINFO], text);
	write_file(paths[FSTAB], fstab);
	stick_look(path, &daemon_user, &places, out);
}

/* As if `source` were mounted on the stick's folder. */
static void look(
	const char *type, const char *source, const char *fstab, mode_t mode, struct stick *out)
{
	char more[600] = "";

	if (type)
		snprintf(more, sizeof more, "40 1 8:1 / %s/a\\040stick rw - %s %s rw\n", folder,
			type, source);
	assert_int_equal(chmod(paths[STICK], mode), 0);
	look_at(paths[STICK], more, fstab, out);
}

#define PLUGGED(DEVICE) \
	"noatime,nofail,x-systemd.device-timeout=10s,x-systemd.wanted-by=" DEVICE ".device "
#define BY_LINK "dev-disk-by\\x2duuid-1A2B\\x2d3C4D"

static void expect_line(const struct stick *s, const char *device, const char *rest)
{
	char line[600];

	snprintf(line, sizeof line, "%s %s/a\\040stick %s", device, folder, rest);
	assert_string_equal(s->line, line);
}

static int count(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
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
		"vfat uid=scorebox,gid=4711,umask=022,utf8,flush," PLUGGED(BY_LINK) "0 0");
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
	look("exfat", "/dev/none-9", "", 0755, &s);
	expect_line(&s, "/dev/none-9",
		"exfat uid=scorebox,gid=4711,umask=022," PLUGGED("dev-none\\x2d9") "0 0");
	look("ext4", paths[DEVICE], "", 0755, &s);
	assert_true(s.keeps_owners);
	expect_line(&s, "UUID=1A2B-3C4D", "ext4 defaults," PLUGGED(BY_LINK) "0 2");
	print_into(&s, text, sizeof text);
	assert_non_null(strstr(text, "chown scorebox: '"));
}

static void a_share_of_the_network(void **state)
{
	static const char *const rows[][2] = {{"cifs", "//nas/share"}, {"nfs4", "server:/share"},
		{"nfs4", "[fe80::1]:/share"}, {"fuse.sshfs", "pi@server:"}};
	struct stick s;
	char text[2000], said[200];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		look(rows[i][0], rows[i][1], "", 0755, &s);
		assert_string_equal(s.line, "");
		print_into(&s, text, sizeof text);
		snprintf(said, sizeof said, "%s on %s: the user scorebox may NOT write there",
			rows[i][0], rows[i][1]);
		assert_non_null(strstr(text, said));
		assert_null(strstr(text, "fstab"));
		assert_null(strstr(text, "chown"));
	}
}

static void nothing_attached_yet(void **state)
{
	struct stick s;
	char text[2000];

	(void)state;
	look_at("/media/scorebox-none/", "", "", &s);
	assert_true(s.wanted && !s.attached && !s.in_fstab);
	assert_string_equal(s.line,
		"UUID=XXXX-XXXX /media/scorebox-none vfat uid=scorebox,gid=4711,umask=022,utf8,flush," PLUGGED(
			"dev-disk-by\\x2duuid-XXXX\\x2dXXXX") "0 0");
	print_into(&s, text, sizeof text);
	assert_non_null(strstr(text, "lsblk -f"));
	assert_non_null(strstr(text,
		"mkdir -p '/media/scorebox-none' && systemctl daemon-reload && mount '/media/scorebox-none'\n"));
}

static void a_folder_below_an_entry_of_fstab(void **state)
{
	static const struct {
		const char *folder, *fstab;
		bool stands;
	} rows[] = {
		{"/media/none-stick/scores", "UUID=1A2B-3C4D /media/none-stick vfat defaults 0 0\n",
			true},
		{"/media/none-stick/scores/",
			"UUID=1A2B-3C4D /media/none-stick/ vfat defaults 0 0\n", true},
		{"/media/none-share/scores", "nas:/share /media/none-share nfs defaults 0 0\n",
			true},
		{"/media/none-stick/", "UUID=1A2B-3C4D /media/none-stick vfat defaults 0 0\n",
			true},
		{"/media/none a/b", "UUID=1A2B-3C4D /media/none\\040a vfat defaults 0 0\n", true},
		{"/media/none-stick2", "UUID=1A2B-3C4D /media/none-stick vfat defaults 0 0\n",
			false},
		{"/media/none-stick", "UUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n",
			false},
	};
	struct stick s;
	char text[2000];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		look_at(rows[i].folder, "", rows[i].fstab, &s);
		print_into(&s, text, sizeof text);
		if (s.in_fstab != rows[i].stands || !strstr(text, "UUID=") != rows[i].stands ||
			!strstr(text, "; /etc/fstab has a line for it\n") == rows[i].stands)
			fail_msg("%s: %s", rows[i].folder, text);
	}
}

static void only_a_part_of_a_file_system(void **state)
{
	char more[300];
	struct stick s;

	(void)state;
	snprintf(more, sizeof more, "40 1 8:1 /scores %s/a\\040stick rw - vfat %s rw\n", folder,
		paths[DEVICE]);
	look_at(paths[STICK], more, "", &s);
	assert_true(s.attached);
	assert_string_equal(s.line, "");
}

/* As /media/pi is, where a desktop puts its sticks. */
static void where_the_user_cannot_come(void **state)
{
	struct stick s;
	char text[2000], said[300];

	(void)state;
	assert_int_equal(chmod(folder, 0700), 0);
	look("vfat", paths[DEVICE], "", 0777, &s);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_true(s.moved && !s.may_write);
	assert_ptr_equal(strstr(s.line, "UUID=1A2B-3C4D /media/scores vfat uid=scorebox,"), s.line);
	print_into(&s, text, sizeof text);
	snprintf(said, sizeof said,
		"umount '%s' && mkdir -p '/media/scores' && systemctl daemon-reload && mount '/media/scores'\n",
		paths[STICK]);
	assert_non_null(strstr(text, said));
	assert_non_null(strstr(text, "SCOREBOX_OUTPUT_DIR='/media/scores'"));
	assert_null(strstr(text, "ReadWritePaths"));
}

static void a_line_that_is_cut_is_none(void **state)
{
	char more[700], name[240] = "/media/", source[400];
	struct stick s;

	(void)state;
	memset(name + 7, 'x', sizeof name - 8);
	look_at(name, "", "", &s);
	assert_string_equal(s.line, "");
	memset(name + 7, ' ', 60); /* four times as long in the line */
	name[67] = '\0';
	look_at(name, "", "", &s);
	assert_string_equal(s.line, "");
	snprintf(source, sizeof source, "/dev/%0300d", 0);
	snprintf(more, sizeof more, "40 1 8:1 / %s/a\\040stick rw - vfat %s rw\n", folder, source);
	look_at(paths[STICK], more, "", &s);
	assert_true(s.attached);
	assert_string_equal(s.line, "");
}

/* The group goes by its name only where it is the one of that name. */
static void the_group_of_the_user(void **state)
{
	const struct stick_user users[] = {
		{.name = "root", .uid = 4711, .groups = {0}, .group_count = 1},
		{.name = "root", .uid = 4711, .groups = {4711}, .group_count = 1},
	};
	const struct stick_places places = {paths[MOUNTINFO], paths[BY_UUID], paths[FSTAB]};
	struct stick s;

	(void)state;
	stick_look("/media/none", &users[0], &places, &s);
	assert_non_null(strstr(s.line, " vfat uid=root,gid=root,umask"));
	stick_look("/media/none", &users[1], &places, &s);
	assert_non_null(strstr(s.line, " vfat uid=root,gid=4711,umask"));
}

/* Who runs this is told what the kernel says, whatever the mode bits. */
static void who_runs_this(void **state)
{
	const struct stick_user self = {
		.name = "self", .uid = geteuid(), .groups = {getegid()}, .group_count = 1};
	const struct stick_places places = {paths[MOUNTINFO], paths[BY_UUID], paths[FSTAB]};
	struct stick s;

	(void)state;
	stick_look("/proc/self", &self, &places, &s); /* mode 0555, and not even root may */
	assert_true(s.own);
	assert_int_equal(
		s.may_write, faccessat(AT_FDCWD, "/proc/self", W_OK | X_OK, AT_EACCESS) == 0);
	stick_look("/dev/null", &self, &places, &s); /* mode 0666: nobody may pass through */
	assert_false(s.may_write);
	assert_int_equal(chmod(paths[STICK], 0755), 0);
	assert_int_equal(chown(paths[STICK], geteuid(), getegid()), 0);
	stick_look(paths[STICK], &self, &places, &s);
	assert_true(s.may_write);
	snprintf(paths[STICK] + strlen(paths[STICK]), 20, "/not/yet");
	stick_look(paths[STICK], &self, &places, &s);
	paths[STICK][strlen(paths[STICK]) - 8] = '\0';
	assert_true(s.may_write);
}

static void where_the_service_may_not_write(void **state)
{
	struct stick s = {.folder = "/data/scores", .user = daemon_user, .may_write = true};
	char text[2000];

	(void)state;
	print_into(&s, text, sizeof text);
	assert_int_equal(count(text, "ReadWritePaths=/data/scores: systemctl edit"), 1);
	assert_null(strstr(text, "ProtectHome"));
	s.folder = "/home/pi/scores";
	print_into(&s, text, sizeof text);
	assert_non_null(strstr(text, "ProtectHome=no and ReadWritePaths=/home/pi/scores:"));
	for (const char *const *p = (const char *const[]){"/media/a", "/mnt", "/srv/a/b",
		     "/var/lib/scorebox/consume/out", NULL};
		*p; p++) {
		s.folder = *p;
		print_into(&s, text, sizeof text);
		assert_null(strstr(text, "ReadWritePaths"));
	}
	s = (struct stick){.folder = "/data/scores", .user = {.name = "pi"}, .may_write = true};
	print_into(&s, text, sizeof text);
	assert_null(strstr(text, "ReadWritePaths"));
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
		cmocka_unit_test(a_share_of_the_network),
		cmocka_unit_test(nothing_attached_yet),
		cmocka_unit_test(a_folder_below_an_entry_of_fstab),
		cmocka_unit_test(only_a_part_of_a_file_system),
		cmocka_unit_test(where_the_user_cannot_come),
		cmocka_unit_test(a_line_that_is_cut_is_none),
		cmocka_unit_test(the_group_of_the_user),
		cmocka_unit_test(who_runs_this),
		cmocka_unit_test(where_the_service_may_not_write),
		cmocka_unit_test(what_stands_in_fstab_is_not_told_again),
		cmocka_unit_test(who_may_write),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
