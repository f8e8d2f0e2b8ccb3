/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A container writes what it likes, and its log may be anybody's file: what is shown keeps to what was wanted. */
#include <stdint.h>
#include <sys/mman.h>

#include "../../userspace/kubelet/server/log_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void show(struct xb_sv text, const struct log_wanted *w)
{
	struct log_printer p = { .wanted = w };
	_cleanup_buf_ struct xb_buf out = {};
	struct log_line line;
	struct xb_sv one;
	bool more = true;

	while (more && xb_sv_split(&text, '\n', &one))
		if (!log_line_parse(one, &line))
			more = log_print(&p, &line, &out);
	if (w->limit_bytes >= 0 && out.n > (size_t)w->limit_bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct log_wanted all = { .limit_bytes = -1, .timestamps = true }, some = { .limit_bytes = n / 3, .since_us = 1 };
	_cleanup_close_ int fd = memfd_create("log", MFD_CLOEXEC);
	struct xb_sv text = { (const char *)bytes, n };
	int64_t at;

	show(text, &all);
	show(text, &some);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		return 0;
	for (int64_t lines = 0; lines < 4; lines++)
		if (log_tail(fd, lines, &at) || at < 0 || at > (int64_t)n || (at && at < (int64_t)n && bytes[at - 1] != '\n'))
			abort();
	return 0;
}
