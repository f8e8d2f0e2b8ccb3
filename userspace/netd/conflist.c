/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "conflist.h"
#include "xb/file.h"
#include "xb/json.h"
#include "xb/why.h"

#define FILE_NAME "10-xebec.conflist"
#define PLUGIN "xebec-cni"
#define PLUGIN_MAX (64 << 20)

static int fault(int r, char **reterr_why, const char *flag, const char *what, const char *path)
{
	errno = -r;
	return xb_why(reterr_why, r, "--%s: cannot %s %s: %m", flag, what, path);
}

static int make_folder(const char *dir)
{
	_cleanup_free_ char *copy = strdup(dir);

	for (char *slash = copy; slash && (slash = strchr(slash + 1, '/')); *slash = '/') {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return !copy ? -ENOMEM : mkdir(dir, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Writes bytes in path unless it holds them already. */
static int put(const char *path, struct xb_sv bytes, mode_t mode, bool *ret_written)
{
	_cleanup_buf_ struct xb_buf there = {};
	int r;

	*ret_written = false;
	if (!xb_file_read(path, bytes.n, &there) && xb_sv_eq(xb_buf_sv(&there), bytes))
		return 0;
	r = xb_file_write(path, bytes, mode);
	*ret_written = !r;
	return r;
}

static int plugin_path(char **ret)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return -errno;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	return asprintf(ret, "%s/" PLUGIN, self) < 0 ? -ENOMEM : 0;
}

int conflist_install(const char *dir, char **reterr_why)
{
	_cleanup_free_ char *from = NULL, *to = NULL, *loopback = NULL;
	_cleanup_buf_ struct xb_buf program = {};
	bool written;
	int r = plugin_path(&from);

	if (r < 0 || asprintf(&to, "%s/" PLUGIN, dir) < 0 || asprintf(&loopback, "%s/loopback", dir) < 0)
		return r < 0 ? r : -ENOMEM;
	r = xb_file_read(from, PLUGIN_MAX, &program);
	if (r < 0)
		return fault(r, reterr_why, "cni-bin-dir", "read", from);
	r = make_folder(dir);
	if (r < 0)
		return fault(r, reterr_why, "cni-bin-dir", "make", dir);
	r = put(to, xb_buf_sv(&program), 0755, &written);
	if (r < 0)
		return fault(r, reterr_why, "cni-bin-dir", "write", to);
	if (symlink(PLUGIN, loopback) < 0 && errno != EEXIST)
		return fault(-errno, reterr_why, "cni-bin-dir", "make", loopback);
	return 0;
}

void conflist_text(const struct peer *self, uint32_t mtu, const char *data_dir, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "cniVersion", "1.0.0");
	xb_jw_kstr(&w, "name", "xebec");
	xb_jw_key(&w, "plugins");
	xb_jw_array(&w);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "type", PLUGIN);
	xb_jw_kint(&w, "mtu", mtu);
	xb_jw_key(&w, "ipam");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "dataDir", data_dir);
	xb_jw_key(&w, "ranges");
	xb_jw_array(&w);
	for (int f = 0; f < FAMILIES; f++) {
		if (self->cidrs[f].ip.family == AF_UNSPEC)
			continue;
		xb_jw_array(&w);
		xb_jw_object(&w);
		xb_jw_kstr(&w, "subnet", xb_net_format(&self->cidrs[f]).s);
		xb_jw_end(&w);
		xb_jw_end(&w);
	}
	for (int open = 0; open < 5; open++)
		xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
	xb_buf_addc(out, '\n');
}

int conflist_write(const char *dir, const struct peer *self, uint32_t mtu, const char *data_dir, bool *ret_written, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf text = {};
	_cleanup_free_ char *path = NULL;
	int r;

	conflist_text(self, mtu, data_dir, &text);
	if (text.err || asprintf(&path, "%s/" FILE_NAME, dir) < 0)
		return -ENOMEM;
	r = make_folder(dir);
	if (!r)
		r = put(path, xb_buf_sv(&text), 0644, ret_written);
	return r < 0 ? fault(r, reterr_why, "cni-conf-dir", "write", path) : 0;
}

int conflist_remove(const char *dir, char **reterr_why)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/" FILE_NAME, dir) < 0)
		return -ENOMEM;
	return unlink(path) < 0 && errno != ENOENT ? fault(-errno, reterr_why, "cni-conf-dir", "remove", path) : 0;
}
