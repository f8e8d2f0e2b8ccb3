/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>

#include "mounts.h"
#include "xb/file.h"

#define MOUNTINFO_MAX (64u << 20)

static int set_option(int fs, const char *key, const char *value)
{
	return fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0) < 0 ? -errno : 0;
}

static int tmpfs_options(int fs, uint64_t size, mode_t mode, gid_t gid)
{
	char text[32];
	int r = set_option(fs, "source", "tmpfs");

	snprintf(text, sizeof(text), "%lu", size);
	if (!r && size)
		r = set_option(fs, "size", text);
	snprintf(text, sizeof(text), "%o", mode);
	if (!r)
		r = set_option(fs, "mode", text);
	snprintf(text, sizeof(text), "%u", gid);
	if (!r && gid)
		r = set_option(fs, "gid", text);
	if (!r && set_option(fs, "noswap", NULL) && errno != EINVAL)
		r = -errno;
	return r;
}

int mounts_tmpfs(int on, uint64_t size, mode_t mode, gid_t gid)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	_cleanup_close_ int mount_fd = -1;
	int r;

	if (fs < 0)
		return -errno;
	r = tmpfs_options(fs, size, mode, gid);
	if (r)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount_fd < 0 || move_mount(mount_fd, "", on, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

int mounts_bind(int from, int on)
{
	_cleanup_close_ int tree = open_tree(from, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (tree < 0 || move_mount(tree, "", on, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* --- what is mounted --- */

void mounts_list_done(struct mounts_list *l)
{
	for (size_t i = 0; i < l->paths.n; i++)
		free(l->paths.v[i]);
	xb_vec_done(&l->paths);
}

static bool is_octal(const char *p, size_t n)
{
	return n >= 4 && p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7';
}

/* Blanks, newlines and backslashes stand there as \040. */
static char *unescape(struct xb_sv field)
{
	char *out = malloc(field.n + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < field.n; i++) {
		if (is_octal(field.p + i, field.n - i)) {
			out[n++] = (char)((field.p[i + 1] - '0') << 6 | (field.p[i + 2] - '0') << 3 | (field.p[i + 3] - '0'));
			i += 3;
		} else {
			out[n++] = field.p[i];
		}
	}
	if (out)
		out[n] = '\0';
	return out;
}

static bool is_below(const char *mount_point, const char *path)
{
	size_t n = strlen(path);

	return !strncmp(mount_point, path, n) && (!mount_point[n] || mount_point[n] == '/');
}

/* 36 35 98:0 /root /mount\040point ... */
static bool mount_point_of(struct xb_sv line, struct xb_sv *ret)
{
	for (unsigned i = 0; i < 5; i++)
		if (!xb_sv_split(&line, ' ', ret))
			return false;
	return true;
}

int mounts_read(struct xb_sv mountinfo, const char *path, struct mounts_list *ret)
{
	struct mounts_list l = {};
	struct xb_sv line, field;
	int r = 0;

	while (!r && xb_sv_split(&mountinfo, '\n', &line)) {
		_cleanup_free_ char *point = NULL;

		if (!mount_point_of(line, &field))
			continue;
		point = unescape(field);
		if (!point)
			r = -ENOMEM;
		else if (is_below(point, path))
			r = xb_vec_push(&l.paths, point);
		else
			continue;
		if (!r)
			point = NULL;
	}
	if (r)
		mounts_list_done(&l);
	else
		*ret = l;
	return r;
}

int mounts_unmount_below(const char *path, char **ret_where)
{
	_cleanup_(mounts_list_done) struct mounts_list l = {};
	_cleanup_buf_ struct xb_buf text = {};
	int r = xb_file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &text);

	if (!r)
		r = mounts_read(xb_buf_sv(&text), path, &l);
	for (size_t i = l.paths.n; !r && i--;) {
		if (!umount2(l.paths.v[i], UMOUNT_NOFOLLOW) || errno == EINVAL || errno == ENOENT)
			continue;
		r = -errno;
		*ret_where = TAKE_PTR(l.paths.v[i]);
	}
	return r;
}
