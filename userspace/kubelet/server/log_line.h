/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_LOG_LINE_H
#define KUBELET_LOG_LINE_H
/*
 * A line of a container's log as the CRI has it written (kubelet-cri-logging.md): "<RFC 3339 time> stdout|stderr P|F <text>".
 * Lines that are not of that form are not the runtime's and are passed over. Pure.
 */
#include "xb/str.h"

struct log_line {
	struct xb_sv time;              /* as it stands there */
	int64_t at_us;
	bool whole;                     /* F: text ends a line; P: it goes on in the next one */
	struct xb_sv text;
};
/* line: without its newline; the result borrows from it. -EBADMSG. */
int log_line_parse(struct xb_sv line, struct log_line *ret);

/* What a reader of the log wants (core/v1 PodLogOptions). */
struct log_wanted {
	bool follow, timestamps;
	int64_t tail_lines;             /* -1: all */
	int64_t limit_bytes;            /* -1: no limit */
	int64_t since_us;               /* 0: from the beginning */
};
/* Where the last n lines begin in the file: of whole ones and a last that has no newline. -errno. */
int log_tail(int fd, int64_t n, int64_t *ret_offset);

struct log_printer {                    /* {} at first, but for wanted */
	const struct log_wanted *wanted;
	bool within;                    /* a line has begun and not ended */
	int64_t written;
};
/* Appends what of a line is to be shown. False: the limit is reached. */
bool log_print(struct log_printer *p, const struct log_line *line, struct xb_buf *out);

#endif
