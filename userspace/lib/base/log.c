/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "xb/log.h"
#include "xb/str.h"

enum { MESSAGE_MAX = 4096, FIELD_MAX = 1024 };

static struct {
	int verbosity;
	bool json;
} setting;

/* A line being put together in place: what does not fit is left out, its end always has room. */
struct line {
	char bytes[2 * MESSAGE_MAX];
	size_t n;
};

void xb_log_init(const char *program, int verbosity, bool json)
{
	setting.verbosity = verbosity;
	setting.json = json;
}

bool xb_log_on(int verbosity)
{
	return verbosity <= setting.verbosity;
}

static void _printf_(2, 3) line_addf(struct line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->bytes) - l->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->bytes + l->n, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->n += MIN((size_t)n, room - 1);
}

/* One message stays one line, whatever a peer put in it; a terminal sees no control bytes and JSON no broken UTF-8. quoted: it
 * stands between double quotes. max: bytes of the line that it may fill. */
static void line_add_escaped(struct line *l, struct xb_sv s, bool quoted, size_t max)
{
	enum { TAIL = 8 };
	size_t end = MIN(sizeof(l->bytes) - TAIL, l->n + max) - 8;
	bool json = setting.json;

	while (s.n && l->n < end) {
		unsigned char c = s.p[0];
		size_t n = xb_sv_utf8(s);

		if (c == '\n' || c == '\t' || c == '\r')
			line_addf(l, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
		else if (quoted && (c == '"' || c == '\\'))
			line_addf(l, "\\%c", c);
		else if (c < 0x20 || c == 0x7f || !n)
			line_addf(l, json ? "\\u%04x" : "\\x%02x", json && !n ? 0xfffd : c);
		else
			line_addf(l, "%.*s", (int)n, s.p);
		n = MAX(n, (size_t)1);
		s = (struct xb_sv){ s.p + n, s.n - n };
	}
}

static void line_start(struct line *l, enum xb_log_level level, const char *file, int line)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (setting.json) {
		line_addf(l, "{\"ts\":%lld.%03ld,\"level\":\"%s\",\"caller\":\"%s:%d\",\"msg\":\"",
			  (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, now.tv_nsec / 1000 % 1000,
			  names[level], file, line);
		return;
	}
	localtime_r(&now.tv_sec, &tm);
	line_addf(l, "%c%02d%02d %02d:%02d:%02d.%06ld %7ld %s:%d] ", "IIWE"[level], tm.tm_mon + 1, tm.tm_mday,
		  tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000, syscall(SYS_gettid), file, line);
}

static void line_write(const struct line *l)
{
	ssize_t r;

	do
		r = write(STDERR_FILENO, l->bytes, l->n);
	while (r < 0 && errno == EINTR);
}

static void log_line(enum xb_log_level level, const char *file, int line, const char *fmt, va_list ap)
{
	const char *base = strrchr(file, '/');
	char message[MESSAGE_MAX];
	struct line l = {};

	vsnprintf(message, sizeof(message), fmt, ap);
	line_start(&l, level, base ? base + 1 : file, line);
	line_add_escaped(&l, xb_sv(message), setting.json, sizeof(l.bytes));
	line_addf(&l, setting.json ? "\"}\n" : "\n");
	line_write(&l);
}

static void line_add_field(struct line *l, const struct xb_log_field *f)
{
	line_addf(l, setting.json ? ",\"%s\":" : " %s=", f->key);
	if (!f->text.p) {
		line_addf(l, "%lld", f->number);
		return;
	}
	line_addf(l, "\"");
	line_add_escaped(l, f->text, true, FIELD_MAX);
	line_addf(l, "\"");
}

void xb_log_fields(const char *file, int line, int verbosity, const char *message, const struct xb_log_field *fields, size_t n)
{
	const char *base = strrchr(file, '/');
	struct line l = {};

	line_start(&l, XB_LOG_INFO, base ? base + 1 : file, line);
	if (setting.json)
		line_addf(&l, "%s\",\"v\":%d", message, verbosity);
	else
		line_addf(&l, "\"%s\"", message);
	/* each fills less than FIELD_MAX with its key: so many have room behind the line's beginning */
	for (size_t i = 0; i < n && l.n + FIELD_MAX + 64 < sizeof(l.bytes); i++)
		line_add_field(&l, &fields[i]);
	line_addf(&l, setting.json ? "}\n" : "\n");
	line_write(&l);
}

void xb_log(enum xb_log_level level, const char *file, int line, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	log_line(level, file, line, fmt, ap);
	va_end(ap);
	errno = saved;
}

int xb_log_errno(enum xb_log_level level, const char *file, int line, int code, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	errno = -code;
	va_start(ap, fmt);
	log_line(level, file, line, fmt, ap);
	va_end(ap);
	errno = saved;
	return code;
}
