/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "inner.h"
#include "xb/time.h"

#define CALL_MS      10000
#define DOWN_MS      30000              /* upstream's maxWaitForContainerRuntime */
#define NETWORK_NOT_READY "container runtime network not ready"

/* --- why the node is not ready, in upstream's words */
static const Runtime__V1__RuntimeCondition *condition(const Runtime__V1__StatusResponse *s, const char *type)
{
	for (size_t i = 0; s->status && i < s->status->n_conditions; i++)
		if (!strcmp(s->status->conditions[i]->type, type))
			return s->status->conditions[i];
	return NULL;
}

static void add_fault(struct xb_buf *out, unsigned *n, const char *fmt, ...) _printf_(3, 4);
static void add_fault(struct xb_buf *out, unsigned *n, const char *fmt, ...)
{
	va_list ap;

	if ((*n)++)
		xb_buf_adds(out, ", ");
	va_start(ap, fmt);
	xb_buf_addv(out, fmt, ap);
	va_end(ap);
}

static void add_condition(struct xb_buf *out, unsigned *n, const Runtime__V1__StatusResponse *s, const char *type, const char *what)
{
	const Runtime__V1__RuntimeCondition *c = condition(s, type);

	if (!c)
		add_fault(out, n, "%s: %s=false reason: message:", what, type);
	else if (!c->status)
		add_fault(out, n, "%s: %s=false reason:%s message:%s", what, type, c->reason, c->message);
}

/* Several in brackets, as k8s.io/apimachinery's Aggregate prints them. */
static void set_fault(struct node *n, struct xb_buf *list, unsigned count)
{
	char *fault = NULL;

	if (count && asprintf(&fault, count > 1 ? "[%s]" : "%s", list->p ? list->p : "") < 0)
		return;
	free(n->fault);
	n->fault = fault;
}

static void set_network_fault(struct node *n, const Runtime__V1__StatusResponse *s)
{
	struct xb_buf text = {};
	unsigned count = 0;

	add_condition(&text, &count, s, "NetworkReady", NETWORK_NOT_READY);
	free(n->network_fault);
	n->network_fault = text.p;
}

const char *node_network_fault(const struct node *n)
{
	return n->network_fault;
}

static void looked(struct node *n)
{
	n->looked = true;
	node_sync(n);
}

static void on_status(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	_cleanup_buf_ struct xb_buf faults = {};
	struct node *n = arg;
	unsigned count = 0;

	n->looking = NULL;
	if (code == XB_GRPC_OK) {
		n->answered_ms = xb_time_ms();
		add_condition(&faults, &count, (const Runtime__V1__StatusResponse *)reply, "RuntimeReady", "container runtime not ready");
		add_condition(&faults, &count, (const Runtime__V1__StatusResponse *)reply, "NetworkReady", NETWORK_NOT_READY);
		set_fault(n, &faults, count);
		set_network_fault(n, (const Runtime__V1__StatusResponse *)reply);
	} else if (!n->answered_ms) {
		add_fault(&faults, &count, "container runtime status check may not have completed yet");
		set_fault(n, &faults, count);
	} else if (xb_time_ms() - n->answered_ms >= DOWN_MS) {
		add_fault(&faults, &count, "container runtime is down");
		set_fault(n, &faults, count);
	}
	looked(n);
}

static void ask_status(struct node *n)
{
	Runtime__V1__StatusRequest m = RUNTIME__V1__STATUS_REQUEST__INIT;

	if (!n->looking)
		runtime_call(n->config.runtime, RPC_STATUS, &m.base, CALL_MS, on_status, n, &n->looking);
}

static void on_version(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__VersionResponse *v = (const Runtime__V1__VersionResponse *)reply;
	struct node *n = arg;
	char *text = NULL;

	n->asking = NULL;
	if (code == XB_GRPC_OK && asprintf(&text, "%s://%s", v->runtime_name, v->runtime_version) >= 0) {
		free(n->runtime_version);
		n->runtime_version = text;
	}
	ask_status(n);
}

void look(struct node *n)
{
	Runtime__V1__VersionRequest m = RUNTIME__V1__VERSION_REQUEST__INIT;

	if (n->runtime_version)
		ask_status(n);
	else if (!n->asking && !n->looking)
		runtime_call(n->config.runtime, RPC_VERSION, &m.base, CALL_MS, on_version, n, &n->asking);
}

void look_stop(struct node *n)
{
	runtime_cancel(n->looking);
	runtime_cancel(n->asking);
}
