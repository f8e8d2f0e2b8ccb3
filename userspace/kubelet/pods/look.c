/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looking at the runtime: two lists by the pod's uid, then a status for each sandbox and container that is new or has another state.
 * What it costs a look is two calls, and one more for each thing that changed.
 */
#include "pod.h"
#include "xb/grpc.h"
#include "xb/time.h"

#define AWAY_MS 1000                    /* the runtime does not answer: asked again */

static const char *value_of(Runtime__V1__KeyValue *const *pairs, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(pairs[i]->key, key))
			return pairs[i]->value;
	return NULL;
}

static char *dup_unless_empty(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

/* --- what a reply says --- */
static void read_ips(const Runtime__V1__PodSandboxNetworkStatus *network, struct observed_sandbox *s)
{
	if (!network)
		return;
	s->ips[0] = dup_unless_empty(network->ip);
	if (s->ips[0] && network->n_additional_ips)
		s->ips[1] = dup_unless_empty(network->additional_ips[0]->ip);
}

static void read_sandbox(const Runtime__V1__PodSandboxStatus *from, struct observed_sandbox *s)
{
	const Runtime__V1__LinuxPodSandboxStatus *os = from->linux_status;
	const Runtime__V1__NamespaceOption *o = os && os->namespaces ? os->namespaces->options : NULL;

	s->ready = from->state == RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY;
	s->created_ns = from->created_at;
	s->host_network = o && o->network == RUNTIME__V1__NAMESPACE_MODE__NODE;
	read_ips(from->network, s);
	s->whole = true;
}

static enum observed_state state_of(Runtime__V1__ContainerState state)
{
	switch (state) {
	case RUNTIME__V1__CONTAINER_STATE__CONTAINER_CREATED:
		return OBSERVED_CREATED;
	case RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING:
		return OBSERVED_RUNNING;
	case RUNTIME__V1__CONTAINER_STATE__CONTAINER_EXITED:
		return OBSERVED_EXITED;
	default:
		return OBSERVED_UNKNOWN;
	}
}

static void read_notes(const Runtime__V1__ContainerStatus *from, struct observed_container *c)
{
	const char *hash = value_of(from->annotations, from->n_annotations, SPEC_NOTE_HASH);
	const char *path = value_of(from->annotations, from->n_annotations, SPEC_NOTE_TERM_PATH);
	const char *policy = value_of(from->annotations, from->n_annotations, SPEC_NOTE_TERM_POLICY);

	c->hash = hash ? strtoull(hash, NULL, 16) : 0;
	c->grace = dup_unless_empty(value_of(from->annotations, from->n_annotations, SPEC_NOTE_GRACE));
	c->message_of_log = policy && !strcmp(policy, "FallbackToLogsOnError");
	for (size_t i = 0; path && i < from->n_mounts && !c->message_path; i++)
		if (!strcmp(from->mounts[i]->container_path, path))
			c->message_path = dup_unless_empty(from->mounts[i]->host_path);
}

/* What the runtime says of the end, and what the program left as its last words. */
static void read_message(struct pod *p, const char *said, struct observed_container *c)
{
	_cleanup_buf_ struct xb_buf text = {};
	bool fallback = c->message_of_log && c->exit_code && (!c->reason || strcmp(c->reason, "ContainerCannotRun"));
	size_t n;

	xb_buf_adds(&text, said);
	n = text.n;
	if (n)
		xb_buf_adds(&text, ": ");
	if (c->message_path)
		volumes_termination_message(p->pods->parts.volumes, c->message_path, fallback, c->log_path ? c->log_path : "", &text);
	if (n && text.n == n + 2)
		text.p[n] = '\0';
	c->message = dup_unless_empty(text.p);
}

static void read_container(struct pod *p, const Runtime__V1__ContainerStatus *from, struct observed_container *c)
{
	c->state = state_of(from->state);
	c->created_ns = from->created_at;
	c->started_ns = from->started_at;
	c->finished_ns = from->finished_at;
	c->exit_code = from->exit_code;
	c->image = dup_unless_empty(from->image ? from->image->image : NULL);
	c->image_ref = dup_unless_empty(from->image_ref);
	c->reason = dup_unless_empty(from->reason);
	c->log_path = dup_unless_empty(from->log_path);
	read_notes(from, c);
	if (c->state == OBSERVED_EXITED)
		read_message(p, from->message, c);
	c->whole = true;
}

/* --- the end of a look --- */
static int by_age_sandbox(const void *a, const void *b)
{
	const struct observed_sandbox *x = a, *y = b;

	return (x->created_ns < y->created_ns) - (x->created_ns > y->created_ns);
}

static int by_age_container(const void *a, const void *b)
{
	const struct observed_container *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? 1 : -1;
	return (x->attempt < y->attempt) - (x->attempt > y->attempt);
}

static struct observed_container *known_container(struct pod *p, const char *id)
{
	return (struct observed_container *)observed_by_id(&p->observed, id);
}

static struct observed_sandbox *known_sandbox(struct pod *p, const char *id)
{
	for (size_t i = 0; i < p->observed.n_sandboxes; i++)
		if (!strcmp(p->observed.sandboxes[i].id, id))
			return &p->observed.sandboxes[i];
	return NULL;
}

/* What did not change was not asked for again: it comes from what was known. */
static void carry_over(struct pod *p)
{
	for (size_t i = 0; i < p->next.n_containers; i++) {
		struct observed_container *c = &p->next.containers[i], *known = known_container(p, c->id), t;

		if (known && !c->whole && known->state == c->state) {
			t = *c;
			*c = *known;
			*known = t;
		} else if (known) {
			c->replaced = known->replaced;
			c->told = known->told;
		}
	}
	for (size_t i = 0; i < p->next.n_sandboxes; i++) {
		struct observed_sandbox *s = &p->next.sandboxes[i], *known = known_sandbox(p, s->id), t;

		if (known && !s->whole && known->ready == s->ready) {
			t = *s;
			*s = *known;
			*known = t;
		} else if (known) {
			s->stopped = known->stopped;
			s->stopping = known->stopping;
		}
	}
}

/* A status may be refused because its container went meanwhile. */
static void drop_incomplete(struct observed *o)
{
	size_t n = 0, m = 0;

	for (size_t i = 0; i < o->n_containers; i++)
		if (o->containers[i].whole)
			o->containers[n++] = o->containers[i];
		else
			observed_container_done(&o->containers[i]);
	for (size_t i = 0; i < o->n_sandboxes; i++)
		if (o->sandboxes[i].whole)
			o->sandboxes[m++] = o->sandboxes[i];
		else
			observed_sandbox_done(&o->sandboxes[i]);
	o->n_containers = n;
	o->n_sandboxes = m;
}

/* What the API server has of that very container: a kubelet that comes back makes nothing unready that was ready. */
static struct xb_jv told_of(const struct pod *p, const struct observed_container *c)
{
	struct xb_jv told = sync_told(pod_server_status(p), xb_sv(c->name));
	struct xb_sv id = xb_jv_text(xb_jv_get(told, "containerID"));

	return xb_sv_ends(id, c->id) ? told : (struct xb_jv){};
}

void pod_probes_keep(struct pod *p)
{
	struct probes *probes = p->pods->parts.probes;
	int64_t now_us = xb_time_now();
	const char *ips[3];

	pod_ips(p, ips);
	for (size_t i = 0; i < p->observed.n_containers; i++) {
		const struct observed_container *c = &p->observed.containers[i];
		struct xb_jv container = spec_find(p->document, xb_sv(c->name), NULL), told;
		int64_t since_us = c->started_ns / 1000, ran_us = since_us < p->pods->began_us ? MAX(now_us - since_us, 0) : 0;

		if (c->state != OBSERVED_RUNNING || !xb_jv_is(container)) {
			probes_stop(probes, c->id);
			continue;
		}
		told = told_of(p, c);
		if (probes_start(probes, p->document, container, c->id, ips[0] ? ips[0] : "", (uint64_t)(ran_us / 1000),
				 xb_jv_true(xb_jv_get(told, "ready")), xb_jv_true(xb_jv_get(told, "started"))) < 0)
			p->stale = true;
	}
}

/* Of what is not there any more, nor has ended before our eyes. */
static void stop_probes_of_lost(struct pod *p, const struct observed *before)
{
	for (size_t i = 0; i < before->n_containers; i++)
		if (before->containers[i].id && !observed_by_id(&p->observed, before->containers[i].id))
			probes_stop(p->pods->parts.probes, before->containers[i].id);
}

static void look_ends(struct pod *p)
{
	struct observed before = p->observed;

	p->looking = false;
	if (p->look_error != XB_GRPC_OK) {
		observed_done(&p->next);
		p->stale = true;
		pod_wake_at(p, pod_now_ms() + AWAY_MS);
		return;
	}
	carry_over(p);
	p->observed = p->next;
	p->next = (struct observed){};
	drop_incomplete(&p->observed);
	if (p->observed.n_containers)
		qsort(p->observed.containers, p->observed.n_containers, sizeof(*p->observed.containers), by_age_container);
	if (p->observed.n_sandboxes)
		qsort(p->observed.sandboxes, p->observed.n_sandboxes, sizeof(*p->observed.sandboxes), by_age_sandbox);
	stop_probes_of_lost(p, &before);
	observed_done(&before);
	pod_poke(p);
}

static void call_ends(struct pod *p, int code)
{
	if (code != XB_GRPC_OK && code != XB_GRPC_NOT_FOUND)
		p->look_error = code;
	if (!--p->look_calls)
		look_ends(p);
}

/* --- statuses --- */
static void on_container(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod *p = arg;
	const Runtime__V1__ContainerStatusResponse *r = (const Runtime__V1__ContainerStatusResponse *)reply;

	for (size_t i = 0; reply && r->status && i < p->next.n_containers; i++)
		if (!strcmp(p->next.containers[i].id, r->status->id))
			read_container(p, r->status, &p->next.containers[i]);
	call_ends(p, code);
}

static void on_sandbox(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod *p = arg;
	const Runtime__V1__PodSandboxStatusResponse *r = (const Runtime__V1__PodSandboxStatusResponse *)reply;

	for (size_t i = 0; reply && r->status && i < p->next.n_sandboxes; i++)
		if (!strcmp(p->next.sandboxes[i].id, r->status->id))
			read_sandbox(r->status, &p->next.sandboxes[i]);
	call_ends(p, code);
}

static void call(struct pod *p, enum runtime_rpc rpc, const ProtobufCMessage *q, pods_called done)
{
	if (pods_call(p->pods, rpc, q, 0, done, p) < 0)
		p->look_error = XB_GRPC_RESOURCE_EXHAUSTED;
	else
		p->look_calls++;
}

static void ask_for_statuses(struct pod *p)
{
	for (size_t i = 0; i < p->next.n_sandboxes; i++) {
		Runtime__V1__PodSandboxStatusRequest q = RUNTIME__V1__POD_SANDBOX_STATUS_REQUEST__INIT;
		const struct observed_sandbox *s = &p->next.sandboxes[i], *known = known_sandbox(p, s->id);

		q.pod_sandbox_id = s->id;
		if (!known || known->ready != s->ready)
			call(p, RPC_POD_SANDBOX_STATUS, &q.base, on_sandbox);
	}
	for (size_t i = 0; i < p->next.n_containers; i++) {
		Runtime__V1__ContainerStatusRequest q = RUNTIME__V1__CONTAINER_STATUS_REQUEST__INIT;
		const struct observed_container *c = &p->next.containers[i], *known = known_container(p, c->id);

		q.container_id = c->id;
		if (!known || known->state != c->state)
			call(p, RPC_CONTAINER_STATUS, &q.base, on_container);
	}
}

/* --- lists --- */
static int add_containers(struct pod *p, const Runtime__V1__ListContainersResponse *r)
{
	p->next.containers = calloc(r->n_containers + 1, sizeof(*p->next.containers));
	for (size_t i = 0; p->next.containers && i < r->n_containers; i++) {
		const Runtime__V1__Container *from = r->containers[i];
		struct observed_container *c = &p->next.containers[i];

		*c = (struct observed_container){ .id = strdup(from->id), .sandbox_id = strdup(from->pod_sandbox_id),
						  .name = strdup(from->metadata ? from->metadata->name : ""),
						  .attempt = from->metadata ? from->metadata->attempt : 0, .state = state_of(from->state) };
		p->next.n_containers++;
		if (!c->id || !c->sandbox_id || !c->name)
			return -ENOMEM;
	}
	return p->next.containers ? 0 : -ENOMEM;
}

static int add_sandboxes(struct pod *p, const Runtime__V1__ListPodSandboxResponse *r)
{
	p->next.sandboxes = calloc(r->n_items + 1, sizeof(*p->next.sandboxes));
	for (size_t i = 0; p->next.sandboxes && i < r->n_items; i++) {
		const Runtime__V1__PodSandbox *from = r->items[i];
		struct observed_sandbox *s = &p->next.sandboxes[i];

		*s = (struct observed_sandbox){ .id = strdup(from->id), .attempt = from->metadata ? from->metadata->attempt : 0,
						.ready = from->state == RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY };
		p->next.n_sandboxes++;
		if (!s->id)
			return -ENOMEM;
	}
	return p->next.sandboxes ? 0 : -ENOMEM;
}

static void on_containers(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod *p = arg;

	if (reply && add_containers(p, (const Runtime__V1__ListContainersResponse *)reply) < 0)
		code = XB_GRPC_RESOURCE_EXHAUSTED;
	if (reply && code == XB_GRPC_OK)
		ask_for_statuses(p);
	call_ends(p, code);
}

static void on_sandboxes(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod *p = arg;
	Runtime__V1__ContainerFilter filter = RUNTIME__V1__CONTAINER_FILTER__INIT;
	Runtime__V1__ListContainersRequest q = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
	Runtime__V1__KeyValue label = RUNTIME__V1__KEY_VALUE__INIT, *labels[] = { &label };

	label.key = (char *)SPEC_LABEL_POD_UID;
	label.value = p->uid;
	filter.label_selector = labels;
	filter.n_label_selector = 1;
	q.filter = &filter;
	if (reply && add_sandboxes(p, (const Runtime__V1__ListPodSandboxResponse *)reply) < 0)
		code = XB_GRPC_RESOURCE_EXHAUSTED;
	if (reply && code == XB_GRPC_OK)
		call(p, RPC_LIST_CONTAINERS, &q.base, on_containers);
	call_ends(p, code);
}

/* Sandboxes first: a container of one that comes between the two lists waits for the next look. */
void pod_look(struct pod *p)
{
	Runtime__V1__PodSandboxFilter filter = RUNTIME__V1__POD_SANDBOX_FILTER__INIT;
	Runtime__V1__ListPodSandboxRequest q = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
	Runtime__V1__KeyValue label = RUNTIME__V1__KEY_VALUE__INIT, *labels[] = { &label };

	label.key = (char *)SPEC_LABEL_POD_UID;
	label.value = p->uid;
	filter.label_selector = labels;
	filter.n_label_selector = 1;
	q.filter = &filter;
	p->looking = true;
	p->stale = false;
	p->look_error = XB_GRPC_OK;
	call(p, RPC_LIST_POD_SANDBOX, &q.base, on_sandboxes);
	if (!p->look_calls)
		look_ends(p);
}

/* --- all pods at once --- */
static struct pod *pod_by_labels(struct pods *s, Runtime__V1__KeyValue *const *labels, size_t n)
{
	const char *uid = value_of(labels, n, SPEC_LABEL_POD_UID), *name = value_of(labels, n, SPEC_LABEL_POD_NAME);
	const char *namespace_ = value_of(labels, n, SPEC_LABEL_POD_NAMESPACE);

	return uid && name && namespace_ ? pod_obtain(s, xb_sv(uid), xb_sv(namespace_), xb_sv(name)) : NULL;
}

static void on_all_containers(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pods *s = arg;
	const Runtime__V1__ListContainersResponse *r = (const Runtime__V1__ListContainersResponse *)reply;

	for (size_t i = 0; reply && i < r->n_containers; i++) {
		const Runtime__V1__Container *from = r->containers[i];
		struct pod *p = pod_by_labels(s, from->labels, from->n_labels);
		const struct observed_container *known = p ? observed_by_id(&p->observed, from->id) : NULL;

		if (p && (!known || known->state != state_of(from->state)))
			pod_stale(p);
		if (p)
			p->n_listed++;
	}
	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);) {
		struct pod *p = it.value;

		if (reply && p->n_listed != p->observed.n_containers)
			pod_stale(p);
		p->n_listed = 0;
	}
	pods_listed(s, reply != NULL);
}

static void on_all_sandboxes(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pods *s = arg;
	const Runtime__V1__ListPodSandboxResponse *r = (const Runtime__V1__ListPodSandboxResponse *)reply;
	Runtime__V1__ListContainersRequest q = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;

	for (size_t i = 0; reply && i < r->n_items; i++) {
		const Runtime__V1__PodSandbox *from = r->items[i];
		struct pod *p = pod_by_labels(s, from->labels, from->n_labels);
		const struct observed_sandbox *known = p ? known_sandbox(p, from->id) : NULL;

		if (p && (!known || known->ready != (from->state == RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY)))
			pod_stale(p);
	}
	if (!reply || pods_call(s, RPC_LIST_CONTAINERS, &q.base, 0, on_all_containers, s) < 0)
		on_all_containers(s, XB_GRPC_UNAVAILABLE, "", NULL);
}

int pods_list(struct pods *s)
{
	Runtime__V1__ListPodSandboxRequest q = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;

	return pods_call(s, RPC_LIST_POD_SANDBOX, &q.base, 0, on_all_sandboxes, s);
}
