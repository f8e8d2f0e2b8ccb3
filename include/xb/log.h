/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_LOG_H
#define XB_LOG_H
/*
 * Logging to stderr, as klog text ("I1123 07:01:02.123456    4242 store.c:88] message") or one JSON object a line
 * (upstream's --logging-format=json: ts, level, caller, msg). Programs log; the library only at debug (V(4)).
 * Thread-safe: one write(2) a line; no allocation; control characters and newlines in the message are escaped.
 */
#include <stdbool.h>
#include "xb/str.h"

enum xb_log_level { XB_LOG_DEBUG, XB_LOG_INFO, XB_LOG_WARNING, XB_LOG_ERROR };

void xb_log_init(const char *program, int verbosity, bool json); /* verbosity is upstream's -v */
bool xb_log_on(int verbosity);
void xb_log(enum xb_log_level level, const char *file, int line, const char *fmt, ...) _printf_(4, 5);
/* Logs, then returns code. errno is set to -code first, so %m prints it. */
int xb_log_errno(enum xb_log_level level, const char *file, int line, int code, const char *fmt, ...) _printf_(5, 6);

/* A structured line: "HTTP" verb="GET" resp=200 as klog's InfoS, or a member for each in JSON. A long text is cut. */
struct xb_log_field {
	const char *key;
	struct xb_sv text;      /* p is NULL: the value is number */
	long long number;
};
void xb_log_fields(const char *file, int line, int verbosity, const char *message, const struct xb_log_field *fields, size_t n);

#define log_debug(...) do { if (xb_log_on(4)) xb_log(XB_LOG_DEBUG, __FILE__, __LINE__, __VA_ARGS__); } while (0)
#define log_info(...) xb_log(XB_LOG_INFO, __FILE__, __LINE__, __VA_ARGS__)
#define log_warning(...) xb_log(XB_LOG_WARNING, __FILE__, __LINE__, __VA_ARGS__)
#define log_err(...) xb_log(XB_LOG_ERROR, __FILE__, __LINE__, __VA_ARGS__)
#define log_err_errno(code, ...) xb_log_errno(XB_LOG_ERROR, __FILE__, __LINE__, (code), __VA_ARGS__)
#define log_warning_errno(code, ...) xb_log_errno(XB_LOG_WARNING, __FILE__, __LINE__, (code), __VA_ARGS__)

#endif
