/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls of the runtime, each counted and timed, and dropped together. */
#include "pod.h"

struct pods_call {
	LIST_ENTRY(pods_call) link;
	struct pods *pods;
	struct runtime_call *call;
	enum runtime_rpc rpc;
	uint64_t began_ns;
	pods_called done;
	void *arg;
};

static void answered(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pods_call c = *(struct pods_call *)arg;
	__typeof__(&c.pods->metrics.operations[0]) o = &c.pods->metrics.operations[c.rpc];

	LIST_REMOVE((struct pods_call *)arg, link);
	free(arg);
	o->total++;
	o->errors += code != XB_GRPC_OK;
	pods_metrics_observe(&o->seconds, (double)(uv_hrtime() - c.began_ns) / 1e9);
	c.done(c.arg, code, message, reply);
}

int pods_call(struct pods *s, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, pods_called done, void *arg)
{
	struct pods_call *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	*c = (struct pods_call){ .pods = s, .rpc = rpc, .began_ns = uv_hrtime(), .done = done, .arg = arg };
	r = runtime_call(s->parts.runtime, rpc, request, timeout_ms, answered, c, &c->call);
	if (r < 0) {
		free(c);
		return r;
	}
	LIST_INSERT_HEAD(&s->calls, c, link);
	return 0;
}

void pods_calls_drop(struct pods *s)
{
	struct pods_call *c;

	while ((c = LIST_FIRST(&s->calls))) {
		LIST_REMOVE(c, link);
		runtime_cancel(c->call);
		free(c);
	}
}
