/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fake.h"
#include "xb/time.h"

#define IS_POD_NETWORK(o) (!(o) || (o)->network == RUNTIME__V1__NAMESPACE_MODE__POD)

struct fake_sandbox *fake_find_sandbox(const struct fake *f, const char *id)
{
	struct fake_sandbox *s;

	TAILQ_FOREACH(s, &f->sandboxes, link)
		if (!strcmp(s->id, id))
			return s;
	return NULL;
}

Runtime__V1__PodSandboxStatus *fake_sandbox_state(struct fake_turn *t, const struct fake_sandbox *s)
{
	Runtime__V1__PodSandboxStatus *st =
		(void *)runtime_unpack(t->arena, &runtime__v1__pod_sandbox_status__descriptor, xb_buf_sv(&s->status));

	if (!st)
		return NULL;
	st->id = fake_copy(t, s->id);
	st->state = s->ready ? RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY : RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_NOTREADY;
	st->created_at = s->created_at;
	return st;
}

static bool same_name(const Runtime__V1__PodSandboxMetadata *a, const Runtime__V1__PodSandboxMetadata *b)
{
	return a->attempt == b->attempt && !strcmp(a->uid, b->uid) && !strcmp(a->name, b->name) && !strcmp(a->namespace_, b->namespace_);
}

static const struct fake_sandbox *find_name(struct fake_turn *t, const Runtime__V1__PodSandboxMetadata *name)
{
	const struct fake_sandbox *s;

	TAILQ_FOREACH(s, &t->f->sandboxes, link) {
		const Runtime__V1__PodSandboxStatus *st = fake_sandbox_state(t, s);

		if (st && st->metadata && same_name(st->metadata, name))
			return s;
	}
	return NULL;
}

static const Runtime__V1__NamespaceOption *namespaces_of(const Runtime__V1__PodSandboxConfig *c)
{
	const Runtime__V1__LinuxSandboxSecurityContext *s = c->linux_config ? c->linux_config->security_context : NULL;

	return s ? s->namespace_options : NULL;
}

static int keep_sandbox(struct fake_sandbox *s, const Runtime__V1__RunPodSandboxRequest *q)
{
	const Runtime__V1__PodSandboxConfig *c = q->config;
	Runtime__V1__LinuxPodSandboxStatus on_linux = RUNTIME__V1__LINUX_POD_SANDBOX_STATUS__INIT;
	Runtime__V1__PodSandboxStatus st = RUNTIME__V1__POD_SANDBOX_STATUS__INIT;
	Runtime__V1__Namespace namespaces = RUNTIME__V1__NAMESPACE__INIT;

	namespaces.options = (Runtime__V1__NamespaceOption *)namespaces_of(c);
	on_linux.namespaces = &namespaces;
	st.linux_status = &on_linux;
	st.metadata = c->metadata;
	st.labels = c->labels;
	st.n_labels = c->n_labels;
	st.annotations = c->annotations;
	st.n_annotations = c->n_annotations;
	st.runtime_handler = q->runtime_handler;
	return runtime_pack(&st.base, &s->status);
}

int fake_run_pod_sandbox(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__RunPodSandboxRequest *q = request;
	Runtime__V1__RunPodSandboxResponse *reply = to;
	const struct fake_sandbox *other;
	struct fake_sandbox *s;

	if (!q->config || !q->config->metadata)
		return fake_fail(t, XB_GRPC_UNKNOWN, "sandbox config must include metadata");
	other = find_name(t, q->config->metadata);
	if (other) {
		const Runtime__V1__PodSandboxMetadata *m = q->config->metadata;

		return fake_fail(t, XB_GRPC_UNKNOWN, "failed to reserve sandbox name \"%s_%s_%s_%u\": name \"%s_%s_%s_%u\" is reserved for \"%s\"",
			    m->name, m->namespace_, m->uid, m->attempt, m->name, m->namespace_, m->uid, m->attempt, other->id);
	}
	s = calloc(1, sizeof(*s));
	if (!s || keep_sandbox(s, q)) {
		free(s);
		return fake_no_memory(t);
	}
	fake_new_id(s->id);
	s->ready = true;
	s->created_at = xb_time_now() * 1000;
	TAILQ_INSERT_TAIL(&t->f->sandboxes, s, link);
	reply->pod_sandbox_id = fake_copy(t, s->id);
	if (!IS_POD_NETWORK(namespaces_of(q->config)))
		return XB_GRPC_OK;
	s->address = fake_address_take(t->f);
	if (s->address)
		return XB_GRPC_OK;
	fake_sandbox_remove(t->f, s);
	return fake_fail(t, XB_GRPC_UNKNOWN, "failed to setup network for sandbox \"%s\": no addresses are left", reply->pod_sandbox_id);
}

int fake_stop_pod_sandbox(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__StopPodSandboxRequest *q = request;
	struct fake_sandbox *s = fake_find_sandbox(t->f, q->pod_sandbox_id);

	if (!s)
		return fake_fail(t, XB_GRPC_NOT_FOUND, "an error occurred when try to find sandbox \"%s\": not found", q->pod_sandbox_id);
	fake_sandbox_stop(t->f, s);
	return XB_GRPC_OK;
}

int fake_remove_pod_sandbox(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__RemovePodSandboxRequest *q = request;
	struct fake_sandbox *s = fake_find_sandbox(t->f, q->pod_sandbox_id);

	if (s)
		fake_sandbox_remove(t->f, s);
	return XB_GRPC_OK;
}

static int add_addresses(struct fake_turn *t, const struct fake_sandbox *s, Runtime__V1__PodSandboxStatus *st)
{
	char text[INET6_ADDRSTRLEN];

	st->network = FAKE_NEW(t, PodSandboxNetworkStatus, POD_SANDBOX_NETWORK_STATUS);
	if (!st->network)
		return -ENOMEM;
	if (!s->address)
		return 0;
	st->network->ip = fake_copy(t, fake_address_text(&t->f->ranges[0], s->address, text));
	if (t->f->n_ranges < 2)
		return 0;
	st->network->additional_ips = xb_arena_alloc(t->arena, sizeof(void *));
	if (!st->network->additional_ips)
		return -ENOMEM;
	st->network->additional_ips[0] = FAKE_NEW(t, PodIP, POD_IP);
	if (!st->network->additional_ips[0])
		return -ENOMEM;
	st->network->additional_ips[0]->ip = fake_copy(t, fake_address_text(&t->f->ranges[1], s->address, text));
	st->network->n_additional_ips = 1;
	return 0;
}

int fake_pod_sandbox_status(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__PodSandboxStatusRequest *q = request;
	const struct fake_sandbox *s = fake_find_sandbox(t->f, q->pod_sandbox_id);
	Runtime__V1__PodSandboxStatusResponse *reply = to;

	if (!s)
		return fake_fail(t, XB_GRPC_NOT_FOUND, "an error occurred when try to find sandbox: not found");
	reply->status = fake_sandbox_state(t, s);
	return reply->status && add_addresses(t, s, reply->status) == 0 ? XB_GRPC_OK : fake_no_memory(t);
}

static bool sandbox_fits(const Runtime__V1__PodSandboxStatus *st, const Runtime__V1__PodSandboxFilter *f)
{
	return !f || ((!f->id[0] || !strcmp(f->id, st->id)) && (!f->state || f->state->state == st->state) &&
		      fake_has_labels(st->labels, st->n_labels, f->label_selector, f->n_label_selector));
}

static Runtime__V1__PodSandbox *sandbox_item(struct fake_turn *t, const Runtime__V1__PodSandboxStatus *st)
{
	Runtime__V1__PodSandbox *item = FAKE_NEW(t, PodSandbox, POD_SANDBOX);

	if (!item)
		return NULL;
	item->id = st->id;
	item->metadata = st->metadata;
	item->state = st->state;
	item->created_at = st->created_at;
	item->labels = st->labels;
	item->n_labels = st->n_labels;
	item->annotations = st->annotations;
	item->n_annotations = st->n_annotations;
	item->runtime_handler = st->runtime_handler;
	return item;
}

int fake_list_pod_sandbox(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__ListPodSandboxRequest *q = request;
	Runtime__V1__ListPodSandboxResponse *reply = to;
	const struct fake_sandbox *s;
	size_t n = 0;

	TAILQ_FOREACH(s, &t->f->sandboxes, link)
		n++;
	reply->items = xb_arena_alloc(t->arena, (n + 1) * sizeof(void *));
	TAILQ_FOREACH(s, &t->f->sandboxes, link) {
		const Runtime__V1__PodSandboxStatus *st = fake_sandbox_state(t, s);
		Runtime__V1__PodSandbox *item = st ? sandbox_item(t, st) : NULL;

		if (!item || !reply->items)
			return fake_no_memory(t);
		if (sandbox_fits(st, q->filter))
			reply->items[reply->n_items++] = item;
	}
	return XB_GRPC_OK;
}
