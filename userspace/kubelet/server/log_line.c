/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "log_line.h"
#include "xb/time.h"

#define BLOCK 65536

int log_line_parse(struct xb_sv line, struct log_line *ret)
{
	struct xb_sv rest = line, time, stream, tags, tag;
	struct log_line l = {};

	if (!xb_sv_split(&rest, ' ', &time) || !xb_sv_split(&rest, ' ', &stream) || !xb_sv_split(&rest, ' ', &tags))
		return -EBADMSG;
	if (xb_time_parse(time, &l.at_us) || (!xb_sv_is(stream, "stdout") && !xb_sv_is(stream, "stderr")))
		return -EBADMSG;
	xb_sv_split(&tags, ':', &tag); /* more may be added behind the first */
	if (!xb_sv_is(tag, "F") && !xb_sv_is(tag, "P"))
		return -EBADMSG;
	l.time = time;
	l.whole = xb_sv_is(tag, "F");
	l.text = rest;
	*ret = l;
	return 0;
}

/* Counts newlines from the end of a block backwards; where the n-th of them is, or -1 with what is left of n. */
static ssize_t find_back(const char *block, size_t size, int64_t *n)
{
	for (size_t i = size; i-- > 0;)
		if (block[i] == '\n' && !--*n)
			return (ssize_t)i;
	return -1;
}

int log_tail(int fd, int64_t n, int64_t *ret_offset)
{
	_cleanup_free_ char *block = malloc(BLOCK);
	off_t end = lseek(fd, 0, SEEK_END), at = end;
	ssize_t got, found;
	char last;

	if (!block)
		return -ENOMEM;
	if (end < 0)
		return -errno;
	if (!n || !end) {
		*ret_offset = end;
		return 0;
	}
	if (pread(fd, &last, 1, end - 1) == 1 && last == '\n')
		n++; /* it ends the last line, and begins none */
	while (at > 0) {
		size_t size = (size_t)MIN(at, (off_t)BLOCK);

		got = pread(fd, block, size, at - (off_t)size);
		if (got != (ssize_t)size)
			return got < 0 ? -errno : -EIO;
		at -= (off_t)size;
		found = find_back(block, size, &n);
		if (found >= 0) {
			*ret_offset = at + found + 1;
			return 0;
		}
	}
	*ret_offset = 0;
	return 0;
}

bool log_print(struct log_printer *p, const struct log_line *line, struct xb_buf *out)
{
	size_t before = out->n;

	if (p->wanted->limit_bytes >= 0 && p->written >= p->wanted->limit_bytes)
		return false;
	if (line->at_us < p->wanted->since_us)
		return true;
	if (p->wanted->timestamps && !p->within) {
		xb_buf_addsv(out, line->time);
		xb_buf_addc(out, ' ');
	}
	xb_buf_addsv(out, line->text);
	if (line->whole)
		xb_buf_addc(out, '\n');
	p->within = !line->whole;
	p->written += (int64_t)(out->n - before);
	if (p->wanted->limit_bytes < 0 || p->written < p->wanted->limit_bytes)
		return true;
	out->n -= (size_t)(p->written - p->wanted->limit_bytes);
	return false;
}
