/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_BACKOFF_H
#define XB_BACKOFF_H
/* Exponential back-off with jitter. Delays are drawn from the upper half of a step that doubles from 2 * min to max, so
 * that many clients of one server that came back do not return in step. */

struct xb_backoff {
	unsigned min_ms, max_ms; /* each delay is in [min_ms, max_ms]; 0 < 2 * min_ms <= max_ms */
	unsigned step_ms;        /* private; 0: at the start */
};
unsigned xb_backoff_next(struct xb_backoff *b);  /* how long to wait before the next attempt, in ms */
void xb_backoff_reset(struct xb_backoff *b);     /* after a success */
unsigned xb_backoff_between(unsigned low, unsigned high); /* a uniform number in [low, high] */

#endif
