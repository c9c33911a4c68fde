#include "app/stick.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <mntent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BY_UUID	   "/dev/disk/by-uuid/"
#define OPEN_POINT "/media/scores"

const struct stick_places stick_places = {FILE_MOUNTINFO, BY_UUID, "/etc/fstab"};

void stick_find_user(struct stick_user *out)
{
	const struct passwd *found = getpwnam("scorebox");

	*out = (struct stick_user){.uid = geteuid(), .groups = {getegid()}, .group_count = 1};
	if (!found)
		found = getpwuid(out->uid);
	if (!found) {
		snprintf(out->name, sizeof out->name, "%u", (unsigned)out->uid);
		return;
	}
	snprintf(out->name, sizeof out->name, "%s", found->pw_name);
	out->uid = found->pw_uid;
	out->group_count = STICK_GROUPS;
	if (getgrouplist(out->name, found->pw_gid, out->groups, &out->group_count) < 0) {
		out->groups[0] = found->pw_gid;
		out->group_count = 1;
	}
}

/* ---- may it write ---- */

/* `bits` are those of others: X_OK to go through, W_OK to write there. */
static bool allowed(const struct stat *st, const struct stick_user *user, mode_t bits)
{
	if (user->uid == 0)
		return true;
	if (st->st_uid == user->uid)
		return (st->st_mode >> 6 & bits) == bits;
	for (int i = 0; i < user->group_count; i++)
		if (st->st_gid == user->groups[i])
			return (st->st_mode >> 3 & bits) == bits;
	return (st->st_mode & bits) == bits;
}

/* Cuts the last name off. */
static void go_up(char *path)
{
	char *end = path + strlen(path);

	while (end > path + 1 && end[-1] == '/')
		end--;
	while (end > path && end[-1] != '/')
		end--;
	while (end > path + 1 && end[-1] == '/')
		end--;
	snprintf(end, 2, "%s", end == path ? "." : "");
}

/* The kernel knows more than mode bits: access lists, mounts that are read-only. */
static bool kernel_lets(const char *path, int bits)
{
	char part[PATH_MAX];

	snprintf(part, sizeof part, "%s", path);
	while (faccessat(AT_FDCWD, part, bits, AT_EACCESS) != 0) {
		if (errno != ENOENT || strcmp(part, "/") == 0 || strcmp(part, ".") == 0)
			return false;
		go_up(part);
	}
	return true;
}

/* Every folder on the way lets the user through, and the last one that exists grants `bits` as well. */
static bool lets(const char *path, const struct stick *s, mode_t bits)
{
	char part[PATH_MAX];
	struct stat st, last;
	bool through;

	if (s->own)
		return kernel_lets(path, (int)bits);
	through = stat(*path == '/' ? "/" : ".", &last) == 0;
	for (const char *end = path; through && *end;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
		if (stat(part, &st) != 0)
			break;
		through = allowed(&last, &s->user, X_OK);
		last = st;
	}
	return through && allowed(&last, &s->user, bits);
}

/* The folder above `point` lets the user come to it. */
static bool reaches(const char *point, const struct stick *s)
{
	char above[PATH_MAX];

	snprintf(above, sizeof above, "%s", point);
	go_up(above);
	return lets(above, s, X_OK);
}

/* ---- the line ---- */

static const struct {
	const char *type, *written, *options;
} kinds[] = {
	{"vfat", "vfat", ",umask=022,utf8,flush"},
	{"exfat", "exfat", ",umask=022"},
	{"ntfs3", "ntfs3", ",umask=022"},
	{"fuseblk", "auto", ",umask=022"},
};
enum { KINDS = sizeof kinds / sizeof *kinds, VFAT = 0 };

static size_t kind_of(const char *type)
{
	size_t i = 0;

	while (i < KINDS && strcmp(kinds[i].type, type) != 0)
		i++;
	return i;
}

static bool is_network(const char *source)
{
	return strncmp(source, "//", 2) == 0 || (*source != '/' && strchr(source, ':'));
}

/* The path of the device's link by UUID, else of the device itself; false where it is none. */
static bool device_of(const char *source, const char *by_uuid, char *out, size_t out_bytes)
{
	char real[PATH_MAX], link[PATH_MAX], target[PATH_MAX];
	DIR *folder = opendir(by_uuid);

	if (*source != '/' || !realpath(source, real))
		*real = '\0';
	snprintf(out, out_bytes, "%s", *source == '/' ? source : "");
	for (const struct dirent *e; folder && *real && (e = readdir(folder));) {
		if (snprintf(link, sizeof link, "%s/%s", by_uuid, e->d_name) < (int)sizeof link &&
			realpath(link, target) && strcmp(target, real) == 0)
			snprintf(out, out_bytes, BY_UUID "%s", e->d_name);
	}
	if (folder)
		closedir(folder);
	return *out;
}

static bool plain_in_unit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       strchr(":_./", c);
}

enum escapes { FSTAB_ESCAPES, UNIT_ESCAPES };

/* Copies `text`, what is special as \040 or as \x20; false where it does not fit. */
static bool escape(const char *text, enum escapes how, char *out, size_t out_bytes)
{
	size_t used = 0;

	for (; *text && used + 5 < out_bytes; text++) {
		unsigned c = (unsigned char)*text;

		if (how == FSTAB_ESCAPES && strchr(" \t\n\\", *text))
			used += (size_t)snprintf(out + used, out_bytes - used, "\\%03o", c);
		else if (how == UNIT_ESCAPES && !plain_in_unit(*text))
			used += (size_t)snprintf(out + used, out_bytes - used, "\\x%02x", c);
		else
			out[used++] = *text;
	}
	out[used] = '\0';
	return !*text;
}

/* The unit of a device, as systemd-escape(1) names it, without its ending. */
static bool name_unit(const char *device, char *out, size_t out_bytes)
{
	bool whole = escape(device + 1, UNIT_ESCAPES, out, out_bytes);

	for (; *out; out++)
		if (*out == '/')
			*out = '-';
	return whole;
}

/* "scorebox" where the group of that name is its own, as it is with the package's user; else the number. */
static void name_group(const struct stick_user *user, char *out, size_t out_bytes)
{
	const struct group *found = getgrnam(user->name);

	if (found && found->gr_gid == user->groups[0])
		snprintf(out, out_bytes, "%s", user->name);
	else
		snprintf(out, out_bytes, "%u", (unsigned)user->groups[0]);
}

/* Where to mount it: where it is, or where it is wanted, if the user can come there. The folders that a desktop
 * makes for its sticks are closed to all but who sits before it. */
static bool choose_point(struct stick *s)
{
	char path[PATH_MAX];
	size_t length;

	snprintf(path, sizeof path, "%s", s->attached ? s->mount.point : s->folder);
	for (length = strlen(path); length > 1 && path[length - 1] == '/';)
		path[--length] = '\0';
	s->moved = !reaches(path, s);
	return snprintf(s->point, sizeof s->point, "%s", s->moved ? OPEN_POINT : path) <
	       (int)sizeof s->point;
}

/* False where none would help, or where it would be cut. */
static bool make_line(struct stick *s, const char *by_uuid)
{
	char device[300] = BY_UUID "XXXX-XXXX", unit[300], point[200], group[40], owner[100] = "";
	size_t kind = s->attached ? kind_of(s->mount.type) : VFAT;
	size_t by = strlen(BY_UUID);
	int length;

	s->network = s->attached && is_network(s->mount.source);
	s->keeps_owners = kind == KINDS;
	if (s->attached ? s->network || s->mount.part ||
				  strlen(s->mount.source) + 1 >= sizeof s->mount.source ||
				  !device_of(s->mount.source, by_uuid, device, sizeof device)
			: !s->wanted)
		return false;
	if (!choose_point(s) || !escape(s->point, FSTAB_ESCAPES, point, sizeof point) ||
		!name_unit(device, unit, sizeof unit))
		return false;
	name_group(&s->user, group, sizeof group);
	if (!s->keeps_owners)
		snprintf(owner, sizeof owner, "uid=%s,gid=%s", s->user.name, group);
	if (strncmp(device, BY_UUID, by) != 0)
		by = 0;
	length = snprintf(s->line, sizeof s->line,
		"%s%s %s %s %s%s,noatime,nofail,x-systemd.device-timeout=10s,"
		"x-systemd.wanted-by=%s.device 0 %d",
		by ? "UUID=" : "", device + by, point,
		s->keeps_owners ? s->mount.type : kinds[kind].written,
		s->keeps_owners ? "defaults" : owner, s->keeps_owners ? "" : kinds[kind].options,
		unit, s->keeps_owners ? 2 : 0);
	return length < (int)sizeof s->line;
}

/* The entry's folder is `path`, or, unless it is to be so exactly, one above it other than "/". */
static bool is_entry_of(const char *entry, const char *path, bool exactly)
{
	size_t length = strlen(entry);

	while (length > 1 && entry[length - 1] == '/')
		length--;
	return *entry == '/' && length > 1 && strncmp(entry, path, length) == 0 &&
	       (path[length] == '\0' || (!exactly && path[length] == '/'));
}

/* Not every C library takes the escapes out. */
static bool stands_in(const char *fstab, const char *path, bool exactly)
{
	char escaped[PATH_MAX];
	FILE *f = setmntent(fstab, "re");
	bool found = false;

	escape(path, FSTAB_ESCAPES, escaped, sizeof escaped);
	for (const struct mntent *e; f && !found && (e = getmntent(f));)
		found = is_entry_of(e->mnt_dir, path, exactly) ||
			is_entry_of(e->mnt_dir, escaped, exactly);
	if (f)
		endmntent(f);
	return found;
}

void stick_look(const char *folder, const struct stick_user *user,
	const struct stick_places *places, struct stick *out)
{
	*out = (struct stick){.folder = folder, .user = *user, .own = user->uid == geteuid()};
	out->wanted = file_is_removable_place(folder);
	out->attached = file_mount_of(folder, places->mountinfo, &out->mount);
	out->may_write = lets(folder, out, W_OK | X_OK);
	out->in_fstab = stands_in(
		places->fstab, out->attached ? out->mount.point : folder, out->attached);
	if (!make_line(out, places->by_uuid))
		*out->line = '\0';
	if (out->moved)
		out->in_fstab = stands_in(places->fstab, out->point, true);
}

bool stick_shut_out(const struct stick *s, char *out, size_t out_bytes)
{
	static const char *const open_places[] = {
		"/media", "/mnt", "/srv", "/var/lib/scorebox/consume"};

	if (s->moved || strcmp(s->user.name, "scorebox") != 0)
		return false;
	for (size_t i = 0; i < sizeof open_places / sizeof *open_places; i++)
		if (file_is_below(s->folder, open_places[i]))
			return false;
	snprintf(out, out_bytes,
		"the service writes there only where its unit has %sReadWritePaths=%s: systemctl "
		"edit scorebox-consume",
		file_is_below(s->folder, "/home") || file_is_below(s->folder, "/root")
			? "ProtectHome=no and "
			: "",
		s->folder);
	return true;
}

/* What is attached with other options, or elsewhere, has to go first. */
static void print_mounting(const struct stick *s, FILE *out)
{
	bool again = s->attached && (s->moved || !s->keeps_owners);

	fputs("    and at once: ", out);
	if (again)
		fprintf(out, "umount '%s' && ", s->mount.point);
	if (!s->attached || s->moved)
		fprintf(out, "mkdir -p '%s' && ", s->point);
	fputs("systemctl daemon-reload", out);
	if (again || !s->attached)
		fprintf(out, " && mount '%s'", s->point);
	fputc('\n', out);
}

static void print_line(const struct stick *s, FILE *out)
{
	fprintf(out,
		"    %s /etc/fstab, so that %s%s at each boot, which does not wait for it, and "
		"when it is plugged in:\n",
		s->in_fstab ? "in the place of its line in" : "a line for",
		s->keeps_owners ? "it is mounted" : "it is mounted for ",
		s->keeps_owners ? "" : s->user.name);
	fprintf(out, "      %s\n", s->line);
	if (!s->attached)
		fputs("      (lsblk -f tells the stick's UUID, for both places, and its file system; "
		      "a - is \\x2d in the second)\n",
			out);
	print_mounting(s, out);
	if (s->moved)
		fprintf(out,
			"    and SCOREBOX_OUTPUT_DIR='%s', or a folder below: %s cannot come to where "
			"it is%s\n",
			s->point, s->user.name, s->attached ? " now" : "");
}

static void print_rights(const struct stick *s, FILE *out)
{
	char wanted[PATH_MAX + 200];

	if (!s->may_write && !s->network && (!s->attached || s->keeps_owners))
		fprintf(out, "    give it the folder: chown %s: '%s'\n", s->user.name, s->folder);
	if (stick_shut_out(s, wanted, sizeof wanted))
		fprintf(out, "    %s\n", wanted);
}

void stick_print(const struct stick *s, FILE *out)
{
	bool missing = s->wanted && !s->attached;

	fprintf(out, "  workbooks in '%s'", s->folder);
	if (s->attached)
		fprintf(out, ", %s on %s", s->mount.type, s->mount.source);
	if (missing)
		fprintf(out, ": nothing is mounted there now%s",
			s->in_fstab ? "; /etc/fstab has a line for it" : "");
	else
		fprintf(out, ": the user %s %s write there", s->user.name,
			s->may_write ? "may" : "may NOT");
	fputc('\n', out);
	if (!missing)
		print_rights(s, out);
	if (*s->line &&
		!(s->in_fstab && (missing || s->may_write || (s->keeps_owners && !s->moved))))
		print_line(s, out);
}
