/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "fake.h"
#include "xb/time.h"

#define STOPPED 143 /* by SIGTERM, which it did not catch */
#define KILLED 137
#define RUNS_MS_MAX (30u * 24 * 3600 * 1000)

static char cannot_start[] = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
			     "unable to start container process: exec: \"no-such-command\": executable file not found in $PATH: unknown";

static struct fake_container *find_container(const struct fake *f, const char *id)
{
	struct fake_container *c;

	TAILQ_FOREACH(c, &f->containers, link)
		if (!strcmp(c->id, id))
			return c;
	return NULL;
}

static int no_container(struct fake_turn *t, const char *id)
{
	return fake_fail(t, XB_GRPC_NOT_FOUND, "an error occurred when try to find container \"%s\": not found", id);
}

static const char *state_name(const struct fake_container *c)
{
	return protobuf_c_enum_descriptor_get_value(&runtime__v1__container_state__descriptor, c->state)->name;
}

/* "2", "0.25": to milliseconds. */
static bool parse_seconds(struct xb_sv text, unsigned *ret_ms)
{
	struct xb_sv whole;
	uint64_t s, part = 0;

	if (!xb_sv_split(&text, '.', &whole) || xb_sv_u64(whole, &s) || s > RUNS_MS_MAX / 1000)
		return false;
	if (text.p && (text.n > 3 || xb_sv_u64(text, &part)))
		return false;
	for (size_t i = text.n; i < 3; i++)
		part *= 10;
	*ret_ms = s * 1000 + part;
	return true;
}

/* "exit N" and "exit N after S"; false: it says something else. */
static bool parse_exit(struct xb_sv text, char sep, int32_t *ret_code, unsigned *ret_ms)
{
	struct xb_sv word;
	unsigned ms = 0;
	int64_t code;

	if (!xb_sv_split(&text, sep, &word) || !xb_sv_is(word, "exit"))
		return false;
	if (!xb_sv_split(&text, sep, &word) || xb_sv_i64(word, &code) || code < 0 || code > 255)
		return false;
	if (xb_sv_split(&text, sep, &word) && (!xb_sv_is(word, "after") || !parse_seconds(text, &ms)))
		return false;
	*ret_code = code;
	*ret_ms = ms;
	return true;
}

static void join(struct xb_buf *out, char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		xb_buf_addf(out, "%s%s", out->n ? " " : "", words[i]);
}

static int read_conventions(struct fake_container *c, const Runtime__V1__ContainerConfig *config, const char *image)
{
	_cleanup_buf_ struct xb_buf command = {};

	join(&command, config->command, config->n_command);
	join(&command, config->args, config->n_args);
	c->exit_code = -1;
	if (!parse_exit(xb_buf_sv(&command), ' ', &c->exit_code, &c->runs_ms))
		parse_exit(fake_image_last_part(image), '-', &c->exit_code, &c->runs_ms);
	c->not_startable = xb_sv_starts(xb_buf_sv(&command), "no-such-command");
	return command.err;
}

static int keep_container(struct fake_turn *t, struct fake_container *c, const Runtime__V1__CreateContainerRequest *q)
{
	const Runtime__V1__ContainerConfig *config = q->config;
	Runtime__V1__ContainerStatus st = RUNTIME__V1__CONTAINER_STATUS__INIT;

	st.metadata = config->metadata;
	st.image = config->image;
	st.image_ref = fake_image_id(t, config->image->image);
	st.labels = config->labels;
	st.n_labels = config->n_labels;
	st.annotations = config->annotations;
	st.n_annotations = config->n_annotations;
	st.mounts = config->mounts;
	st.n_mounts = config->n_mounts;
	st.log_path = "";
	if (config->log_path[0] && q->sandbox_config)
		st.log_path = xb_arena_printf(t->arena, "%s/%s", q->sandbox_config->log_directory, config->log_path);
	if (!st.log_path || read_conventions(c, config, config->image->image))
		return -ENOMEM;
	return runtime_pack(&st.base, &c->status);
}

int fake_create_container(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__CreateContainerRequest *q = request;
	Runtime__V1__CreateContainerResponse *reply = to;
	struct fake_sandbox *s = fake_find_sandbox(t->f, q->pod_sandbox_id);
	struct fake_container *c;
	int r;

	if (!s)
		return fake_fail(t, XB_GRPC_NOT_FOUND, "failed to find sandbox id \"%s\": not found", q->pod_sandbox_id);
	if (!q->config || !q->config->metadata || !q->config->image)
		return fake_fail(t, XB_GRPC_UNKNOWN, "container config must include metadata and an image");
	r = fake_image_use(t->f, q->config->image->image);
	if (r == -ENOENT)
		return fake_fail(t, XB_GRPC_NOT_FOUND, "failed to resolve image \"%s\": not found", q->config->image->image);
	c = r == 0 ? calloc(1, sizeof(*c)) : NULL;
	if (!c || keep_container(t, c, q)) {
		free(c);
		return fake_no_memory(t);
	}
	fake_new_id(c->id);
	c->sandbox = s;
	c->created_at = xb_time_now() * 1000;
	TAILQ_INSERT_TAIL(&t->f->containers, c, link);
	reply->container_id = fake_copy(t, c->id);
	return XB_GRPC_OK;
}

int fake_start_container(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__StartContainerRequest *q = request;
	struct fake_container *c = find_container(t->f, q->container_id);

	if (!c)
		return no_container(t, q->container_id);
	if (c->state != RUNTIME__V1__CONTAINER_STATE__CONTAINER_CREATED)
		return fake_fail(t, XB_GRPC_UNKNOWN, "failed to set starting state for container \"%s\": container is already in %s state",
				 c->id, state_name(c));
	if (c->not_startable) {
		fake_container_exit(t->f, c, 128);
		return fake_fail(t, XB_GRPC_UNKNOWN, "%s", cannot_start);
	}
	c->state = RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING;
	c->started_at = xb_time_now() * 1000;
	if (c->exit_code >= 0)
		c->exits_at = uv_now(t->f->base.loop) + c->runs_ms;
	return XB_GRPC_OK;
}

int fake_stop_container(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__StopContainerRequest *q = request;
	struct fake_container *c = find_container(t->f, q->container_id);

	if (!c)
		return no_container(t, q->container_id);
	if (c->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING)
		fake_container_exit(t->f, c, q->timeout > 0 ? STOPPED : KILLED);
	return XB_GRPC_OK;
}

int fake_remove_container(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__RemoveContainerRequest *q = request;
	struct fake_container *c = find_container(t->f, q->container_id);

	if (c)
		fake_container_remove(t->f, c);
	return XB_GRPC_OK;
}

Runtime__V1__ContainerStatus *fake_container_state(struct fake_turn *t, const struct fake_container *c)
{
	Runtime__V1__ContainerStatus *st =
		(void *)runtime_unpack(t->arena, &runtime__v1__container_status__descriptor, xb_buf_sv(&c->status));

	if (!st)
		return NULL;
	st->id = fake_copy(t, c->id);
	st->state = c->state;
	st->created_at = c->created_at;
	st->started_at = c->started_at;
	st->finished_at = c->finished_at;
	if (c->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_EXITED) {
		st->exit_code = c->exit_code;
		st->message = c->not_startable ? cannot_start : "";
		st->reason = c->not_startable ? "StartError" : c->exit_code ? "Error" : "Completed";
	}
	return st;
}

int fake_container_status(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__ContainerStatusRequest *q = request;
	const struct fake_container *c = find_container(t->f, q->container_id);
	Runtime__V1__ContainerStatusResponse *reply = to;

	if (!c)
		return no_container(t, q->container_id);
	reply->status = fake_container_state(t, c);
	return reply->status ? XB_GRPC_OK : fake_no_memory(t);
}

static bool container_fits(const struct fake_container *c, const Runtime__V1__ContainerStatus *st, const Runtime__V1__ContainerFilter *f)
{
	return !f || ((!f->id[0] || !strcmp(f->id, c->id)) && (!f->state || f->state->state == c->state) &&
		      (!f->pod_sandbox_id[0] || !strcmp(f->pod_sandbox_id, c->sandbox->id)) &&
		      fake_has_labels(st->labels, st->n_labels, f->label_selector, f->n_label_selector));
}

static Runtime__V1__Container *container_item(struct fake_turn *t, const struct fake_container *c, const Runtime__V1__ContainerStatus *st)
{
	Runtime__V1__Container *item = FAKE_NEW(t, Container, CONTAINER);

	if (!item)
		return NULL;
	item->id = st->id;
	item->pod_sandbox_id = fake_copy(t, c->sandbox->id);
	item->metadata = st->metadata;
	item->image = st->image;
	item->image_ref = st->image_ref;
	item->state = st->state;
	item->created_at = st->created_at;
	item->labels = st->labels;
	item->n_labels = st->n_labels;
	item->annotations = st->annotations;
	item->n_annotations = st->n_annotations;
	return item;
}

int fake_list_containers(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__ListContainersRequest *q = request;
	Runtime__V1__ListContainersResponse *reply = to;
	const struct fake_container *c;
	size_t n = 0;

	TAILQ_FOREACH(c, &t->f->containers, link)
		n++;
	reply->containers = xb_arena_alloc(t->arena, (n + 1) * sizeof(void *));
	TAILQ_FOREACH(c, &t->f->containers, link) {
		const Runtime__V1__ContainerStatus *st = fake_container_state(t, c);
		Runtime__V1__Container *item = st ? container_item(t, c, st) : NULL;

		if (!item || !reply->containers)
			return fake_no_memory(t);
		if (container_fits(c, st, q->filter))
			reply->containers[reply->n_containers++] = item;
	}
	return XB_GRPC_OK;
}

int fake_exec_sync(struct fake_turn *t, const void *request, void *to)
{
	static char text[] = "fake\n";
	const Runtime__V1__ExecSyncRequest *q = request;
	const struct fake_container *c = find_container(t->f, q->container_id);
	Runtime__V1__ExecSyncResponse *reply = to;
	_cleanup_buf_ struct xb_buf command = {};
	unsigned ms;

	if (!c)
		return fake_fail(t, XB_GRPC_NOT_FOUND, "failed to exec in container: failed to find container \"%s\" in store: not found",
				 q->container_id);
	if (c->state != RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING)
		return fake_fail(t, XB_GRPC_UNKNOWN, "container is in %s state", state_name(c));
	join(&command, q->cmd, q->n_cmd);
	parse_exit(xb_buf_sv(&command), ' ', &reply->exit_code, &ms);
	reply->stdout = (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
	return command.err ? fake_no_memory(t) : XB_GRPC_OK;
}
