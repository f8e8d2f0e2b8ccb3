/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "command.h"
#include "sched.h"
#include "xb/informer.h"
#include "xb/kubeconfig.h"

enum { RETRY_MS = 200, LOOK_MS = 100 };

struct pod {
	struct job job;
	uint64_t sent_at, answered_at, bound_at; /* ns; 0: not yet */
};
struct sched {
	const struct sched_options *o;
	const char *namespace_;
	uv_loop_t loop;
	uv_timer_t look, end;
	struct xb_rest *rest;
	struct writer writer;
	struct xb_informer *copy;
	struct job class;
	struct pod *pods;
	const struct sched_kind **kinds;        /* pods take their turns with them */
	unsigned n_kinds;
	struct sched_result *result;
};
static struct sched *sched; /* of the process */

static struct names names(void)
{
	return (struct names){ sched->o->prefix, sched->o->first, sched->o->pods };
}

static void stop_when_done(void)
{
	if (sched->result->bound + sched->result->failed == (unsigned)sched->o->pods)
		uv_stop(&sched->loop);
}

/* --- making pods --- */
static void pod_write(struct job *j, struct writer_request *q)
{
	struct pod *p = container_of(j, struct pod, job);
	unsigned i = p - sched->pods;
	struct sched_pod what = { sched->kinds[i % sched->n_kinds], names(), i, sched->o->scheduler };

	q->method = "POST";
	q->content_type = "application/json";
	xb_buf_addf(&q->path, "/api/v1/namespaces/%s/pods", sched->namespace_);
	sched_write_pod(&what, &q->body);
	p->sent_at = p->sent_at ? p->sent_at : now_ns();
	if (!sched->result->first_sent)
		sched->result->first_sent = p->sent_at;
}

static void count_bound(struct pod *p)
{
	struct sched_result *r = sched->result;

	if (!p->answered_at || !p->bound_at)
		return;
	latency_add(&r->since_send, p->bound_at - p->sent_at);
	latency_add(&r->since_answer, p->bound_at > p->answered_at ? p->bound_at - p->answered_at : 0);
	r->last_bound = MAX(r->last_bound, p->bound_at);
	r->bound++;
	stop_when_done();
}

static bool pod_answered(struct job *j, int code, struct xb_sv body)
{
	struct pod *p = container_of(j, struct pod, job);

	if (code / 100 == 2) {
		p->answered_at = now_ns();
		count_bound(p);
	} else if (!code || code == 429 || code >= 500) {
		writer_add_after(&sched->writer, j, RETRY_MS);
	} else {
		sched->result->failed++;
		stop_when_done();
		return false;
	}
	return true;
}

static void begin(void)
{
	static const struct job_ops ops = { pod_write, pod_answered, false };

	for (int i = 0; i < sched->o->pods; i++) {
		sched->pods[i].job.ops = &ops;
		writer_add(&sched->writer, &sched->pods[i].job);
	}
}

static void class_write(struct job *j, struct writer_request *q)
{
	q->method = "POST";
	q->content_type = "application/json";
	xb_buf_adds(&q->path, "/apis/scheduling.k8s.io/v1/priorityclasses");
	sched_write_class(&q->body);
}

static bool class_answered(struct job *j, int code, struct xb_sv body)
{
	bool there = code / 100 == 2 || code == 409;

	if (there)
		begin();
	else
		uv_stop(&sched->loop);
	return there;
}

static void on_synced(void *arg)
{
	static const struct job_ops ops = { class_write, class_answered, true };

	sched->class.ops = &ops;
	for (unsigned i = 0; i < sched->n_kinds; i++)
		if (sched->kinds[i]->high_priority) {
			writer_add(&sched->writer, &sched->class);
			return;
		}
	begin();
}

/* --- watching them --- */
static void on_changed(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct pod *p;
	unsigned i;

	if (!names_find(names(), xb_jv_text(xb_jv_path(object, "metadata", "name")), &i))
		return;
	p = &sched->pods[i];
	if (!p->sent_at || p->bound_at || !xb_jv_text(xb_jv_path(object, "spec", "nodeName")).n)
		return;
	p->bound_at = now_ns();
	count_bound(p);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	fprintf(stderr, "xebec-bench: %s: %s\n", path, why ? why : "is well again");
}

static int watch(void)
{
	static const char *const leave_out[] = { "metadata.managedFields", "metadata.labels", "status", "spec.containers", "spec.volumes",
						 "spec.tolerations", "spec.affinity", "spec.topologySpreadConstraints", NULL };
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_informer_config c = {
		.rest = sched->rest, .label_selector = "app.kubernetes.io/managed-by=xebec-bench", .leave_out = leave_out,
		.changed = on_changed, .synced = on_synced, .trouble = on_trouble,
	};

	xb_buf_addf(&path, "/api/v1/namespaces/%s/pods", sched->namespace_);
	c.path = path.p;
	return path.err ? path.err : xb_informer_new(&c, &sched->copy);
}

/* --- the run --- */
static void on_look(uv_timer_t *t)
{
	struct sched_result *r = sched->result;

	r->server_most = MAX(r->server_most, usage_now(sched->o->server_pid).rss_bytes);
	r->scheduler_most = MAX(r->scheduler_most, usage_now(sched->o->scheduler_pid).rss_bytes);
}

static void on_end(uv_timer_t *t)
{
	uv_stop(&sched->loop);
}

static int open_all(const struct xb_kubeconfig *k, const struct target *t, char **reterr_why)
{
	int r = writer_open(&sched->writer, &sched->loop, t, sched->o->clients);

	if (!r)
		r = xb_rest_new(&sched->loop, k, "xebec-bench sched", &sched->rest, reterr_why);
	if (!r)
		r = watch();
	uv_timer_start(&sched->look, on_look, 0, LOOK_MS);
	uv_timer_start(&sched->end, on_end, sched->o->seconds * 1000ull, 0);
	return r;
}

static void close_all(void)
{
	sched->copy = xb_informer_free(sched->copy);
	sched->rest = xb_rest_free(sched->rest);
	sched->result->first_error = TAKE_PTR(sched->writer.first_error);
	writer_close(&sched->writer);
	uv_close((uv_handle_t *)&sched->look, NULL);
	uv_close((uv_handle_t *)&sched->end, NULL);
	uv_run(&sched->loop, UV_RUN_DEFAULT);
	uv_loop_close(&sched->loop);
}

static int read_kinds(const struct sched_options *o)
{
	unsigned n = 0;

	while (o->kinds[n])
		n++;
	sched->kinds = calloc(n, sizeof(*sched->kinds));
	for (; sched->kinds && sched->n_kinds < n; sched->n_kinds++)
		sched->kinds[sched->n_kinds] = sched_kind(xb_sv(o->kinds[sched->n_kinds]));
	return sched->kinds ? 0 : -ENOMEM;
}

int sched_run(const struct sched_options *o, const struct xb_kubeconfig *k, const struct target *t, struct sched_result *ret,
	      char **reterr_why)
{
	static struct sched s;
	int r;

	s = (struct sched){ .o = o, .namespace_ = o->namespace_ ? o->namespace_ : k->namespace_, .result = ret };
	sched = &s;
	s.pods = calloc(o->pods, sizeof(*s.pods));
	r = s.pods ? read_kinds(o) : -ENOMEM;
	uv_loop_init(&s.loop);
	uv_timer_init(&s.loop, &s.look);
	uv_timer_init(&s.loop, &s.end);
	ret->server_before = usage_now(o->server_pid);
	ret->scheduler_before = usage_now(o->scheduler_pid);
	if (!r)
		r = open_all(k, t, reterr_why);
	if (!r)
		uv_run(&s.loop, UV_RUN_DEFAULT);
	ret->server_after = usage_now(o->server_pid);
	ret->scheduler_after = usage_now(o->scheduler_pid);
	close_all();
	free(s.kinds);
	free(s.pods);
	return r;
}
