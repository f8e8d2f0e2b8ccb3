/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../spec/spec.h"
#include "log_files.h"
#include "log_rotate.h"
#include "xb/log.h"
#include "xb/time.h"
#include "xb/vec.h"

#define RUNTIME_MS 10000

struct log_seen {
	char *id, *path;
	char *moved_to;                 /* it was renamed just now */
	bool reopen;                    /* the runtime is to be told */
	int error;
};
/* One round: looked at and renamed on the pool, then told to the runtime one after the other, then what it refused is put back. */
struct log_rotate {
	struct log_rotate_config c;
	uv_timer_t timer;
	uv_work_t work;
	bool busy, freed, closed;
	XB_VEC(struct log_seen) logs;
	size_t at;
	struct runtime_call *call;
};

static void forget_logs(struct log_rotate *t)
{
	for (size_t i = 0; i < t->logs.n; i++) {
		free(t->logs.v[i].id);
		free(t->logs.v[i].path);
		free(t->logs.v[i].moved_to);
	}
	xb_vec_done(&t->logs);
}

static void free_when_over(struct log_rotate *t)
{
	if (!t->closed || t->busy)
		return;
	forget_logs(t);
	free(t);
}

static void wait_for_next(struct log_rotate *t);

/* --- told to the runtime --- */

static void tell_next(struct log_rotate *t);

static void put_back(uv_work_t *w)
{
	struct log_rotate *t = w->data;
	struct log_seen *l = &t->logs.v[t->at];

	if (l->moved_to)
		log_move_back(l->path, l->moved_to);
}

static void on_put_back(uv_work_t *w, int status)
{
	struct log_rotate *t = w->data;

	t->busy = false;
	if (t->freed) {
		free_when_over(t);
		return;
	}
	t->at++;
	tell_next(t);
}

static void on_reopened(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct log_rotate *t = arg;

	t->call = NULL;
	if (!code) {
		t->at++;
		tell_next(t);
		return;
	}
	log_err("Failed to rotate log for container %s: failed to reopen container log: %s", t->logs.v[t->at].id, message);
	t->busy = !uv_queue_work(t->c.loop, &t->work, put_back, on_put_back);
}

static void tell_next(struct log_rotate *t)
{
	Runtime__V1__ReopenContainerLogRequest q = RUNTIME__V1__REOPEN_CONTAINER_LOG_REQUEST__INIT;

	for (; t->at < t->logs.n; t->at++) {
		struct log_seen *l = &t->logs.v[t->at];

		if (l->error)
			log_err("Failed to rotate log for container %s, %s: %s", l->id, l->path, strerror(-l->error));
		if (!l->reopen)
			continue;
		q.container_id = l->id;
		if (!runtime_call(t->c.runtime, RPC_REOPEN_CONTAINER_LOG, &q.base, RUNTIME_MS, on_reopened, t, &t->call))
			return;
		t->busy = !uv_queue_work(t->c.loop, &t->work, put_back, on_put_back);
		return;
	}
	forget_logs(t);
	wait_for_next(t);
}

/* --- looked at --- */

static void look(uv_work_t *w)
{
	struct log_rotate *t = w->data;

	for (size_t i = 0; i < t->logs.n; i++) {
		struct log_seen *l = &t->logs.v[i];
		uint64_t size;
		int r = log_size(l->path, &size);

		if (!r && size > t->c.max_bytes)
			l->error = log_move(l->path, t->c.max_files, xb_time_now(), &l->moved_to);
		/* also when a kubelet was killed in between */
		l->reopen = l->moved_to || r == -ENOENT;
	}
}

static void on_looked(uv_work_t *w, int status)
{
	struct log_rotate *t = w->data;

	t->busy = false;
	t->at = 0;
	if (t->freed)
		free_when_over(t);
	else
		tell_next(t);
}

static void add_container(struct log_rotate *t, const struct pod *pod, const char *name)
{
	struct log_seen l = {};
	struct pod_container c;

	if (pod_container(pod, name, false, &c) || !c.running || !c.log_path)
		return;
	l.id = strdup(c.id);
	l.path = strdup(c.log_path);
	if (l.id && l.path && !xb_vec_push(&t->logs, l))
		return;
	free(l.id);
	free(l.path);
}

static void add_pod(void *arg, struct pod *pod)
{
	for (struct spec_it it = spec_containers(pod_document(pod)); spec_next(&it);) {
		_cleanup_free_ char *name = xb_sv_dup(it.name);

		if (name)
			add_container(arg, pod, name);
	}
}

static void on_time(uv_timer_t *h)
{
	struct log_rotate *t = h->data;

	pods_each(t->c.pods, add_pod, t);
	t->busy = t->logs.n && !uv_queue_work(t->c.loop, &t->work, look, on_looked);
	if (!t->busy) {
		forget_logs(t);
		wait_for_next(t);
	}
}

static void wait_for_next(struct log_rotate *t)
{
	uv_timer_start(&t->timer, on_time, t->c.check_ms, 0);
}

static void on_closed(uv_handle_t *h)
{
	struct log_rotate *t = h->data;

	t->closed = true;
	free_when_over(t);
}

struct log_rotate *log_rotate_free(struct log_rotate *t)
{
	if (!t)
		return NULL;
	runtime_cancel(t->call);
	t->freed = true;
	uv_close((uv_handle_t *)&t->timer, on_closed);
	return NULL;
}

int log_rotate_new(const struct log_rotate_config *c, struct log_rotate **ret)
{
	struct log_rotate *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->c = *c;
	t->timer.data = t->work.data = t;
	uv_timer_init(c->loop, &t->timer);
	wait_for_next(t);
	*ret = t;
	return 0;
}
