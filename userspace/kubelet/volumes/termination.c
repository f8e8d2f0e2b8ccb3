/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "beneath.h"
#include "termination.h"
#include "volumes.h"

#define MESSAGE_MAX   4096
#define LOG_MAX       2048
#define LOG_LINES     80
#define LOG_READ_MAX  (64 << 10)        /* of its end; a line of CRI's log has some forty bytes before its text */

/* The last at most max bytes of a regular file. */
static int read_end(const char *path, size_t max, struct xb_buf *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (xb_buf_reserve(out, max))
		return -ENOMEM;
	n = pread(fd, out->p + out->n, max, MAX(st.st_size - (off_t)max, 0));
	if (n < 0)
		return -errno;
	out->n += n;
	out->p[out->n] = '\0';
	return 0;
}

/* "2024-05-01T10:00:00.000000000Z stdout F text": text, and a newline when the line is whole. */
static void add_line(struct xb_sv line, struct xb_buf *out)
{
	struct xb_sv at, stream, tag;

	if (!xb_sv_split(&line, ' ', &at) || !xb_sv_split(&line, ' ', &stream) || !xb_sv_split(&line, ' ', &tag))
		return;
	xb_buf_addsv(out, line);
	if (tag.n && tag.p[0] == 'F')
		xb_buf_addc(out, '\n');
}

void termination_log_text(struct xb_sv log, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_sv line, all;
	unsigned lines = 0;

	while (xb_sv_split(&log, '\n', &line))
		add_line(line, &text);
	if (text.err)
		return;
	all = xb_buf_sv(&text);
	while (all.n) {
		size_t n = all.n - 1;

		/* from a newline on is what was counted; the one at the very end ends the last line */
		if (all.p[n] == '\n' && n + 1 < text.n && ++lines == LOG_LINES)
			break;
		all.n = n;
	}
	all = (struct xb_sv){ text.p + all.n, text.n - all.n };
	if (all.n > LOG_MAX)
		all = (struct xb_sv){ all.p + all.n - LOG_MAX, LOG_MAX };
	xb_buf_addsv(out, all);
}

void volumes_termination_message(struct volumes *v, const char *host_path, bool fallback, const char *log_path, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf log = {};
	size_t before = out->n;

	if (host_path)
		read_end(host_path, MESSAGE_MAX, out);
	if (out->n == before && fallback && log_path && !read_end(log_path, LOG_READ_MAX, &log))
		termination_log_text(xb_buf_sv(&log), out);
}

int termination_store(int dir, const char *container, unsigned attempt, char ret_name[9])
{
	_cleanup_close_ int folder = -1, fd = -1;
	char path[300], before[9];

	snprintf(path, sizeof(path), "containers/%s", container);
	snprintf(ret_name, 9, "%08x", attempt);
	folder = beneath_mkdirs(dir, path, 0750, false);
	if (folder < 0)
		return folder;
	fd = beneath_open(folder, ret_name, O_WRONLY | O_CREAT, 0666);
	if (fd < 0)
		return fd;
	if (fchmod(fd, 0666) < 0)
		return -errno;
	/* the attempt before may still be asked about, that before it is collected */
	snprintf(before, sizeof(before), "%08x", attempt - 2);
	return attempt < 2 || !unlinkat(folder, before, 0) || errno == ENOENT ? 0 : -errno;
}
