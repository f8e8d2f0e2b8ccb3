/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_TIME_H
#define XB_TIME_H
/*
 * Time as the API writes it. Wall clock: microseconds since 1970, UTC, int64_t. Durations: nanoseconds, int64_t, as in Go.
 * All functions are thread-safe.
 */
#include "xb/str.h"

#define XB_SECOND INT64_C(1000000000) /* a duration */
#define XB_MILLISECOND INT64_C(1000000)
#define XB_MINUTE (60 * XB_SECOND)
#define XB_HOUR (60 * XB_MINUTE)

struct xb_time_text {
	char s[36];
};

int64_t xb_time_now(void);                              /* wall clock, microseconds */
int64_t xb_time_ms(void);                               /* monotonic, milliseconds; only differences mean something */

/* metav1.Time ("2006-01-02T15:04:05Z", cut to the second) and metav1.MicroTime ("2006-01-02T15:04:05.000000Z"). Years 0 to 9999. */
struct xb_time_text xb_time_format(int64_t us);
struct xb_time_text xb_time_format_micro(int64_t us);
/* RFC 3339 with any fraction (cut to microseconds) and offset; no leap seconds, as in Go. -EINVAL. */
int xb_time_parse(struct xb_sv s, int64_t *ret_us);

/* Go's time.ParseDuration ("1h15m30.918s", "-1.5h", "300ms", "0") and Duration.String. -EINVAL, -ERANGE. */
int xb_duration_parse(struct xb_sv s, int64_t *ret_ns);
struct xb_time_text xb_duration_format(int64_t ns);
/* apimachinery's duration.HumanDuration, an AGE column: "5s", "2m3s", "15m", "3h20m", "5d", "2y19d"; "<invalid>" below -1 s. */
struct xb_time_text xb_time_human(int64_t seconds);

#endif
