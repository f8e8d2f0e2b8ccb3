/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "job_status.h"
#include "xb/time.h"

void job_status_change(struct job_status *s, const char *type, const char *status, const char *reason, const char *message)
{
	s->changes[s->n_changes++] = (struct job_change){ type, status, reason, message };
}

void job_status_settle(struct job_status *s)
{
	s->succeeded += (int64_t)s->n_uncounted_succeeded;
	s->failed += (int64_t)s->n_uncounted_failed;
	s->n_uncounted_succeeded = s->n_uncounted_failed = 0;
}

static void write_count(struct xb_jw *w, const char *key, int64_t n)
{
	xb_jw_key(w, key);
	if (n)
		xb_jw_int(w, n);
	else
		xb_jw_null(w);
}

static void write_uids(struct xb_jw *w, const char *key, const struct xb_sv *uids, size_t n)
{
	xb_jw_key(w, key);
	if (!n) {
		xb_jw_null(w);
		return;
	}
	xb_jw_array(w);
	for (size_t i = 0; i < n; i++)
		xb_jw_sv(w, uids[i]);
	xb_jw_end(w);
}

static void write_indexes(struct xb_jw *w, const char *key, const struct job_indexes *x, bool always)
{
	_cleanup_buf_ struct xb_buf text = {};

	job_indexes_write(x, &text);
	if (text.err)
		w->err = text.err;
	xb_jw_key(w, key);
	if (text.n || always)
		xb_jw_sv(w, xb_buf_sv(&text));
	else
		xb_jw_null(w);
}

static void write_change(struct xb_jw *w, const struct job_change *c, int64_t now)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "type", c->type);
	xb_jw_kstr(w, "status", c->status);
	xb_jw_kstr(w, "lastProbeTime", xb_time_format(now).s);
	xb_jw_kstr(w, "lastTransitionTime", xb_time_format(now).s);
	xb_jw_kstr(w, "reason", c->reason);
	xb_jw_kstr(w, "message", c->message);
	xb_jw_end(w);
}

static void write_conditions(struct xb_jw *w, struct xb_jv job, const struct job_status *s, int64_t now)
{
	unsigned written = 0;           /* a bit a change */

	xb_jw_key(w, "conditions");
	xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(job, "status", "conditions")); xb_jit_next(&it);) {
		unsigned i = 0;

		while (i < s->n_changes && !xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(s->changes[i].type)))
			i++;
		if (i == s->n_changes) {
			xb_jw_raw(w, xb_jv_bytes(it.value));
			continue;
		}
		write_change(w, &s->changes[i], now);
		written |= 1u << i;
	}
	for (unsigned i = 0; i < s->n_changes; i++)
		if (!(written & 1u << i))
			write_change(w, &s->changes[i], now);
	xb_jw_end(w);
}

static void write_status(struct xb_jw *w, struct xb_jv job, const struct job_status *s, int64_t now)
{
	write_count(w, "active", s->active);
	write_count(w, "succeeded", s->succeeded);
	write_count(w, "failed", s->failed);
	xb_jw_kint(w, "ready", s->ready);
	xb_jw_kint(w, "terminating", s->terminating);
	if (s->start_us)
		xb_jw_kstr(w, "startTime", xb_time_format(s->start_us).s);
	if (s->completed)
		xb_jw_kstr(w, "completionTime", xb_time_format(now).s);
	if (s->completed_indexes)
		write_indexes(w, "completedIndexes", s->completed_indexes, false);
	if (s->failed_indexes)
		write_indexes(w, "failedIndexes", s->failed_indexes, true);
	xb_jw_key(w, "uncountedTerminatedPods");
	xb_jw_object(w);
	write_uids(w, "succeeded", s->uncounted_succeeded, s->n_uncounted_succeeded);
	write_uids(w, "failed", s->uncounted_failed, s->n_uncounted_failed);
	xb_jw_end(w);
	if (s->n_changes)
		write_conditions(w, job, s, now);
}

void job_status_patch(struct xb_jv job, struct xb_sv version, const struct job_status *s, int64_t now, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "uid", xb_jv_text(xb_jv_path(job, "metadata", "uid")));
	xb_jw_ksv(&w, "resourceVersion", version);
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	write_status(&w, job, s, now);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
