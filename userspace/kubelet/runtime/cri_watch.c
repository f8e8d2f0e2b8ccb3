/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "containerd_events.pb-c.h"
#include "cri.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define ASK_MS 10
#define ASK_TIMES 500
#define EVENT_MEMORY (4 << 20)

/*
 * containerd's own events run ahead of its CRI: a task is deleted, and then CRI writes down that the container has exited; a
 * container runs out of memory, and then CRI writes down the reason. The hint is given when CRI says so, too.
 */
struct ending {
	LIST_ENTRY(ending) link;
	struct cri_watch *w;
	struct runtime_call *call;
	unsigned asked;
	bool memory;                    /* it ran out of memory; else its task is gone */
	char id[];
};

struct source {
	const char *path;
	const ProtobufCMessage *request;
	xb_grpc_message on_message;
};

struct cri_watch {
	struct cri *cri;
	runtime_hint hint;
	void *arg;
	const struct source *source;
	struct xb_grpc_call *stream;
	struct runtime_call *probe;     /* when it is answered, the server has the stream that went before it */
	struct xb_backoff backoff;
	bool blind;                     /* and has said so */
	uv_timer_t retry, ask;
	LIST_HEAD(, ending) endings;
	unsigned handles;
};

static void on_ask(uv_timer_t *timer);
static void on_cri_event(void *arg, struct xb_sv message);
static void on_containerd_event(void *arg, struct xb_sv message);

static const Runtime__V1__GetEventsRequest get_events = RUNTIME__V1__GET_EVENTS_REQUEST__INIT;
/* a task's deletion is the last thing told of it, and of its execs nothing is */
static char *filters[] = { "namespace==\"k8s.io\",topic==\"/tasks/delete\"", "namespace==\"k8s.io\",topic==\"/tasks/oom\"" };
static const Containerd__SubscribeRequest subscribe = {
	PROTOBUF_C_MESSAGE_INIT(&containerd__subscribe_request__descriptor), ARRAY_SIZE(filters), filters,
};
static const struct source sources[] = {
	{ "/runtime.v1.RuntimeService/GetContainerEvents", &get_events.base, on_cri_event },
	{ "/containerd.services.events.v1.Events/Subscribe", &subscribe.base, on_containerd_event },
};

static void ending_free(struct ending *e)
{
	runtime_cancel(e->call);
	LIST_REMOVE(e, link);
	free(e);
}

static void ending_over(struct ending *e)
{
	struct cri_watch *w = e->w;
	char *id = strdup(e->id);

	ending_free(e);
	if (LIST_EMPTY(&w->endings))
		uv_timer_stop(&w->ask);
	w->hint(w->arg, id ? RUNTIME_CHANGED : RUNTIME_RELIST, id);
	free(id);
}

static void on_asked(struct ending *e, bool as_before)
{
	e->call = NULL;
	if (!as_before || ++e->asked >= ASK_TIMES)
		ending_over(e);
	else if (!uv_is_active((uv_handle_t *)&e->w->ask))
		uv_timer_start(&e->w->ask, on_ask, ASK_MS, ASK_MS);
}

static void on_sandbox(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__PodSandboxStatusResponse *r = (const void *)reply;

	on_asked(arg, r && r->status && r->status->state == RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY);
}

static void ask_sandbox(struct ending *e)
{
	Runtime__V1__PodSandboxStatusRequest q = RUNTIME__V1__POD_SANDBOX_STATUS_REQUEST__INIT;

	q.pod_sandbox_id = e->id;
	if (runtime_call(&e->w->cri->base, RPC_POD_SANDBOX_STATUS, &q.base, 0, on_sandbox, e, &e->call))
		on_asked(e, true);
}

static void on_container(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__ContainerStatusResponse *r = (const void *)reply;
	struct ending *e = arg;

	if (code == XB_GRPC_NOT_FOUND)
		ask_sandbox(e);
	else
		on_asked(e, r && r->status && (e->memory ? strcmp(r->status->reason, "OOMKilled") != 0 :
					       r->status->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING));
}

static void ask(struct ending *e)
{
	Runtime__V1__ContainerStatusRequest q = RUNTIME__V1__CONTAINER_STATUS_REQUEST__INIT;

	q.container_id = e->id;
	if (runtime_call(&e->w->cri->base, RPC_CONTAINER_STATUS, &q.base, 0, on_container, e, &e->call))
		on_asked(e, true);
}

static void on_ask(uv_timer_t *timer)
{
	struct cri_watch *w = timer->data;
	struct ending *e, *next;

	for (e = LIST_FIRST(&w->endings); e; e = next) {
		next = LIST_NEXT(e, link);
		if (!e->call)
			ask(e);
	}
}

static void ending_new(struct cri_watch *w, const char *id, bool memory)
{
	struct ending *e = calloc(1, sizeof(*e) + strlen(id) + 1);

	if (!e) {
		w->hint(w->arg, RUNTIME_RELIST, NULL);
		return;
	}
	e->w = w;
	e->memory = memory;
	memcpy(e->id, id, strlen(id));
	LIST_INSERT_HEAD(&w->endings, e, link);
	ask(e);
}

static void on_cri_event(void *arg, struct xb_sv message)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(EVENT_MEMORY);
	const Runtime__V1__ContainerEventResponse *event = NULL;
	struct cri_watch *w = arg;

	if (a)
		event = (const void *)runtime_unpack(a, &runtime__v1__container_event_response__descriptor, message);
	if (!event)
		w->hint(w->arg, RUNTIME_RELIST, NULL); /* of what there was, nothing is known */
	else if (event->container_event_type == RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT ||
		 event->container_event_type == RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_DELETED_EVENT)
		w->hint(w->arg, RUNTIME_CHANGED, event->container_id);
}

static void on_containerd_event(void *arg, struct xb_sv message)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(EVENT_MEMORY);
	const Containerd__Envelope *envelope = NULL;
	const Containerd__TaskEvent *event = NULL;
	struct cri_watch *w = arg;

	if (a)
		envelope = (const void *)runtime_unpack(a, &containerd__envelope__descriptor, message);
	if (envelope && envelope->event)
		event = (const void *)runtime_unpack(a, &containerd__task_event__descriptor,
						 (struct xb_sv){ (const char *)envelope->event->value.data, envelope->event->value.len });
	if (!event)
		w->hint(w->arg, RUNTIME_RELIST, NULL);
	else
		ending_new(w, event->container_id, !strcmp(envelope->topic, "/tasks/oom"));
}

static void on_retry(uv_timer_t *timer);

/* The stream is over or was never there: from the beginning, as another version of the runtime may come back. */
static void go_blind(struct cri_watch *w)
{
	xb_grpc_cancel(w->stream);
	runtime_cancel(w->probe);
	w->stream = NULL;
	w->probe = NULL;
	w->source = sources;
	while (!LIST_EMPTY(&w->endings))
		ending_free(LIST_FIRST(&w->endings));
	uv_timer_stop(&w->ask);
	uv_timer_start(&w->retry, on_retry, xb_backoff_next(&w->backoff), 0);
	if (w->blind)
		return;
	w->blind = true;
	w->hint(w->arg, RUNTIME_BLIND, NULL);
}

static void open_stream(struct cri_watch *w);

static void on_stream_done(void *arg, int code, const char *why, struct xb_sv reply)
{
	struct cri_watch *w = arg;

	w->stream = NULL;
	if (code != XB_GRPC_UNIMPLEMENTED || w->source == &sources[ARRAY_SIZE(sources) - 1]) {
		go_blind(w);
		return;
	}
	runtime_cancel(w->probe);
	w->probe = NULL;
	w->source++;
	open_stream(w);
}

static void on_probe(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct cri_watch *w = arg;

	w->probe = NULL;
	if (code != XB_GRPC_OK) {
		go_blind(w);
		return;
	}
	xb_backoff_reset(&w->backoff);
	w->blind = false;
	w->hint(w->arg, RUNTIME_RELIST, NULL);
}

static void open_stream(struct cri_watch *w)
{
	static const struct xb_grpc_metadata metadata = { "containerd-namespace", "k8s.io" };
	struct xb_grpc_request q = { .path = w->source->path, .metadata = &metadata, .n_metadata = 1 };
	Runtime__V1__VersionRequest version = RUNTIME__V1__VERSION_REQUEST__INIT;
	_cleanup_buf_ struct xb_buf message = {};
	int r = runtime_pack(w->source->request, &message);

	q.message = xb_buf_sv(&message);
	if (r == 0)
		r = xb_grpc_stream(w->cri->grpc, &q, w->source->on_message, on_stream_done, w, &w->stream);
	if (r == 0)
		r = runtime_call(&w->cri->base, RPC_VERSION, &version.base, 0, on_probe, w, &w->probe);
	if (r < 0)
		go_blind(w);
}

static void on_retry(uv_timer_t *timer)
{
	open_stream(timer->data);
}

int cri_watch_new(struct cri *cri, runtime_hint hint, void *arg, struct cri_watch **ret)
{
	struct cri_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct cri_watch){ .cri = cri, .hint = hint, .arg = arg, .source = sources,
				 .backoff = { .min_ms = BACKOFF_MIN_MS, .max_ms = BACKOFF_MAX_MS } };
	LIST_INIT(&w->endings);
	uv_timer_init(cri->base.loop, &w->retry);
	uv_timer_init(cri->base.loop, &w->ask);
	w->retry.data = w->ask.data = w;
	w->handles = 2;
	uv_timer_start(&w->retry, on_retry, 0, 0);
	*ret = w;
	return 0;
}

static void on_closed(uv_handle_t *timer)
{
	struct cri_watch *w = timer->data;

	if (!--w->handles)
		free(w);
}

void cri_watch_free(struct cri_watch *w)
{
	if (!w)
		return;
	xb_grpc_cancel(w->stream);
	runtime_cancel(w->probe);
	while (!LIST_EMPTY(&w->endings))
		ending_free(LIST_FIRST(&w->endings));
	uv_close((uv_handle_t *)&w->retry, on_closed);
	uv_close((uv_handle_t *)&w->ask, on_closed);
}
