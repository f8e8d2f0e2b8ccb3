/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include "inner.h"
#include "xb/file.h"
#include "xb/time.h"
#include "xb/why.h"

#define BACKOFF_MIN_MS (10 * 1000)
#define BACKOFF_MAX_MS (300 * 1000)
#define MAX_CREDENTIALS (1 << 20)

/* --- back-off */
static struct image_backoff *backoff_of(const struct request *q)
{
	for (size_t k = 0; k < q->images->backoffs.n; k++) {
		struct image_backoff *b = &q->images->backoffs.v[k];

		if (!strcmp(b->uid, q->uid) && !strcmp(b->image, q->asked))
			return b;
	}
	return NULL;
}

static void backoff_remove(struct images *i, size_t k)
{
	free(i->backoffs.v[k].uid);
	free(i->backoffs.v[k].image);
	free(i->backoffs.v[k].fault);
	xb_vec_remove(&i->backoffs, k);
}

void backoffs_drop(struct images *i, const char *uid)
{
	int64_t now = xb_time_ms();

	for (size_t k = i->backoffs.n; k-- > 0;)
		if (uid ? !strcmp(i->backoffs.v[k].uid, uid) : now - i->backoffs.v[k].since_ms > 2 * BACKOFF_MAX_MS)
			backoff_remove(i, k);
}

/* One timer for all: the next that somebody waits for. */
static void arm(struct images *i)
{
	int64_t now = xb_time_ms(), next = INT64_MAX;

	for (size_t k = 0; k < i->backoffs.n; k++)
		if (i->backoffs.v[k].awaited)
			next = MIN(next, i->backoffs.v[k].since_ms + (int64_t)i->backoffs.v[k].delay_ms);
	if (next == INT64_MAX)
		uv_timer_stop(&i->backoff_timer);
	else
		uv_timer_start(&i->backoff_timer, backoffs_tell, (uint64_t)MAX(next - now, INT64_C(0)), 0);
}

void backoffs_tell(uv_timer_t *t)
{
	struct images *i = t->data;
	int64_t now = xb_time_ms();

	for (size_t k = 0; k < i->backoffs.n; k++) {
		struct image_backoff *b = &i->backoffs.v[k];
		_cleanup_free_ char *uid = NULL;

		if (!b->awaited || now - b->since_ms < (int64_t)b->delay_ms)
			continue;
		b->awaited = false;
		uid = strdup(b->uid);
		if (uid)
			i->config.changed(i->config.arg, uid);
	}
	arm(i);
}

static void backoff_next(struct request *q, const char *fault)
{
	struct image_backoff *b = backoff_of(q), new = { .uid = strdup(q->uid), .image = strdup(q->asked) };
	int64_t now = xb_time_ms();

	if (!b && new.uid && new.image && !xb_vec_push(&q->images->backoffs, new)) {
		b = &q->images->backoffs.v[q->images->backoffs.n - 1];
	} else {
		free(new.uid);
		free(new.image);
	}
	if (!b)
		return;
	if (!b->delay_ms || now - b->since_ms > 2 * BACKOFF_MAX_MS)
		b->delay_ms = BACKOFF_MIN_MS;
	else
		b->delay_ms = MIN(b->delay_ms * 2, (uint64_t)BACKOFF_MAX_MS);
	b->since_ms = now;
	free(b->fault);
	b->fault = strdup(fault);
	b->awaited = true;
	arm(q->images);
}

static bool backs_off(struct request *q)
{
	struct image_backoff *b = backoff_of(q);
	char *why = NULL;

	if (!b || xb_time_ms() - b->since_ms >= (int64_t)b->delay_ms)
		return false;
	request_event(q, false, "BackOff", "Back-off pulling image \"%s\"", q->asked);
	if (asprintf(&why, "Back-off pulling image \"%s\"%s%s", q->asked, b->fault ? ": " : "", b->fault ? b->fault : "") < 0)
		why = NULL;
	b->awaited = true;
	arm(q->images);
	request_finish(q, "ImagePullBackOff", why);
	return true;
}

/* --- failure */
/* What runtimes say first about the faults that have names of their own. */
static const char *reason_of(const char *fault, const char **ret_words)
{
	static const struct { const char *name, *words; } known[] = {
		{ "RegistryUnavailable", "the registry is unavailable" }, { "SignatureValidationFailed", "the signature validation failed" },
	};

	for (unsigned k = 0; k < ARRAY_SIZE(known); k++)
		if (xb_sv_starts(xb_sv(fault), known[k].name)) {
			*ret_words = known[k].words;
			return known[k].name;
		}
	return NULL;
}

static void failed(struct request *q)
{
	_cleanup_free_ char *fault = NULL, *kept = NULL;
	const char *reason, *words;
	char *why = NULL;

	if (asprintf(&fault, q->n_faults > 1 ? "[%s]" : "%s", q->faults.p ? q->faults.p : strerror(ENOMEM)) < 0)
		fault = NULL;
	reason = reason_of(fault ? fault : "", &words);
	request_event(q, true, "Failed", "Failed to pull image \"%s\": %s", q->asked, fault ? fault : "");
	if (!reason)
		why = fault ? strdup(fault) : NULL;
	else if (asprintf(&why, "image pull failed for %s because %s%s", q->asked, words, fault + strlen(reason)) < 0)
		why = NULL;
	reason = reason ? reason : "ErrImagePull";
	if (asprintf(&kept, "%s: %s", reason, why ? why : "") < 0)
		kept = NULL;
	if (q->done)
		backoff_next(q, kept ? kept : reason);
	request_finish(q, reason, why);
}

/* The same answer to several credentials is told once. */
static void add_fault(struct request *q, const char *fault)
{
	if (q->faults.p && strstr(q->faults.p, fault))
		return;
	xb_buf_addf(&q->faults, "%s%s", q->n_faults++ ? ", " : "", fault);
}

/* --- success */
static void on_measured(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__ImageStatusResponse *r = (const Runtime__V1__ImageStatusResponse *)reply;
	_cleanup_free_ char *fault = NULL;
	struct request *q = arg;
	int64_t now = xb_time_ms();

	q->call = NULL;
	if (code != XB_GRPC_OK || !r->image || request_found(q, r->image)) {
		fault = code == XB_GRPC_OK ? strdup("the image that was pulled is not there") : rpc_fault(code, message);
		add_fault(q, fault ? fault : "");
		failed(q);
		return;
	}
	request_event(q, false, "Pulled", "Successfully pulled image \"%s\" in %s (%s including waiting). Image size: %" PRIu64 " bytes.",
		      q->asked, xb_duration_format((now - q->started_ms) * XB_MILLISECOND).s,
		      xb_duration_format((now - q->began_ms) * XB_MILLISECOND).s, r->image->size);
	list_images(q->images);
	request_finish(q, NULL, NULL);
}

static int measure(struct request *q)
{
	Runtime__V1__ImageStatusRequest m = RUNTIME__V1__IMAGE_STATUS_REQUEST__INIT;
	Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;

	spec.image = q->ref;
	m.image = &spec;
	return runtime_call(q->images->config.runtime, RPC_IMAGE_STATUS, &m.base, 0, on_measured, q, &q->call);
}

/* --- pulls */
static int pull(struct request *q);

static void on_pulled(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__PullImageResponse *r = (const Runtime__V1__PullImageResponse *)reply;
	_cleanup_free_ char *fault = NULL;
	struct request *q = arg;

	q->call = NULL;
	if (code == XB_GRPC_OK) {
		q->ref = strdup(r->image_ref);
		if (!q->ref || measure(q))
			failed(q);
		return;
	}
	fault = code == XB_GRPC_UNKNOWN ? strdup(message) : rpc_fault(code, message);
	add_fault(q, fault ? fault : "");
	if (++q->at >= q->n_credentials || pull(q))
		failed(q);
}

static int pull(struct request *q)
{
	Runtime__V1__PullImageRequest m = RUNTIME__V1__PULL_IMAGE_REQUEST__INIT;
	Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;
	Runtime__V1__AuthConfig auth = RUNTIME__V1__AUTH_CONFIG__INIT;

	spec.image = q->image;
	m.image = &spec;
	if (q->at < q->n_credentials) {
		auth.username = q->credentials[q->at]->username;
		auth.password = q->credentials[q->at]->password;
		m.auth = &auth;
	}
	return runtime_call(q->images->config.runtime, RPC_PULL_IMAGE, &m.base, 0, on_pulled, q, &q->call);
}

void pull_next(struct images *i)
{
	for (struct request *q = i->requests; q; q = q->next) {
		if (!q->queued)
			continue;
		if (i->config.max_parallel_pulls && i->pulls >= i->config.max_parallel_pulls)
			return;
		q->queued = false;
		q->pulling = true;
		q->started_ms = xb_time_ms();
		i->pulls++;
		if (pull(q))
			failed(q);
	}
}

void pull_stop(struct request *q)
{
	bool had = q->pulling;

	q->queued = q->pulling = false;
	if (had) {
		q->images->pulls--;
		pull_next(q->images);
	}
}

/* --- credentials */
/* -EAGAIN: one is not known yet. missing: names of those that there are not. */
static int read_secrets(struct request *q, struct xb_buf *missing, char **reterr_why)
{
	_cleanup_free_ char *namespace_ = xb_jv_dup(xb_jv_path(q->pod, "metadata", "namespace"));
	int r = namespace_ ? 0 : -ENOMEM;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(q->pod, "spec", "imagePullSecrets")); !r && xb_jit_next(&it);) {
		_cleanup_free_ char *name = xb_jv_dup(xb_jv_get(it.value, "name"));
		struct xb_jv secret;
		const char *why;
		int one;

		if (!name || !*name)
			continue;
		one = objects_get(q->images->config.objects, OBJECTS_SECRET, namespace_, name, &secret, &why);
		if (one == -EAGAIN || one == -ENOMEM)
			r = one;
		else if (one)
			xb_buf_addf(missing, "%s%s", missing->n ? ", " : "", name);
		else
			r = keyring_add(&q->secrets, secret, reterr_why);
	}
	return r;
}

/* Read anew each time, so that they can be changed. */
static int read_own(struct request *q, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf text = {};
	int r = q->images->config.credentials ? xb_file_read(q->images->config.credentials, MAX_CREDENTIALS, &text) : -ENOENT;

	if (r)
		return r == -ENOENT ? 0 : xb_why(reterr_why, r, "cannot read %s: %s", q->images->config.credentials, strerror(-r));
	r = keyring_add_config(&q->own, xb_buf_sv(&text), reterr_why);
	if (text.p)
		explicit_bzero(text.p, text.cap);
	return r;
}

static void secrets_missing(const struct request *q, const char *names)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_addf(&text, "Unable to retrieve some image pull secrets (%s); attempting to pull the image may not succeed.", names);
	if (!text.err && q->done)
		q->images->config.event(q->images->config.arg, q->uid, NULL, true, "FailedToRetrieveImagePullSecret", text.p);
}

void pull_begin(struct request *q)
{
	_cleanup_buf_ struct xb_buf missing = {};
	_cleanup_free_ char *why = NULL;
	size_t n;
	int r;

	if (backs_off(q))
		return;
	r = read_secrets(q, &missing, &why);
	r = r ? r : read_own(q, &why);
	if (r == -EAGAIN) {
		request_finish(q, NULL, NULL);
		return;
	}
	if (missing.n && !missing.err)
		secrets_missing(q, missing.p);
	q->began_ms = q->started_ms = xb_time_ms();
	if (r) {
		add_fault(q, why ? why : strerror(-r));
		failed(q);
		return;
	}
	n = keyring_lookup(&q->secrets, q->name.repository, q->credentials, ARRAY_SIZE(q->credentials));
	q->n_credentials = n + keyring_lookup(&q->own, q->name.repository, q->credentials + n, ARRAY_SIZE(q->credentials) - n);
	request_event(q, false, "Pulling", "Pulling image \"%s\"", q->asked);
	q->queued = true;
	pull_next(q->images);
}
