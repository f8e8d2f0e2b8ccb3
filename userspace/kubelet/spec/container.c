/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One container: what runs, as whom, and within what. */
#include "resources.h"
#include "security.h"

struct container {                      /* in one piece of the arena */
	Runtime__V1__ContainerConfig config;
	Runtime__V1__ContainerMetadata metadata;
	Runtime__V1__ImageSpec image;
	Runtime__V1__LinuxContainerConfig linux_config;
	Runtime__V1__LinuxContainerResources resources;
	struct security security;
};

static void init(struct container *c)
{
	runtime__v1__container_config__init(&c->config);
	runtime__v1__container_metadata__init(&c->metadata);
	runtime__v1__image_spec__init(&c->image);
	runtime__v1__linux_container_config__init(&c->linux_config);
	runtime__v1__linux_container_resources__init(&c->resources);
	c->config.metadata = &c->metadata;
	c->config.image = &c->image;
	c->config.linux_config = &c->linux_config;
	c->linux_config.resources = &c->resources;
	c->linux_config.security_context = &c->security.context;
}

/* --- what it is known by --- */
static void put_labels(struct make *m, const struct spec_input *in, struct container *c)
{
	struct xb_jv meta = xb_jv_get(in->pod, "metadata");
	struct make_pairs l = make_pairs(m, 4);

	if (!l.n)
		return;
	make_pair(l.v[0], SPEC_LABEL_CONTAINER, c->metadata.name);
	make_pair(l.v[1], SPEC_LABEL_POD_NAME, make_text(m, xb_jv_get(meta, "name")));
	make_pair(l.v[2], SPEC_LABEL_POD_NAMESPACE, make_text(m, xb_jv_get(meta, "namespace")));
	make_pair(l.v[3], SPEC_LABEL_POD_UID, make_text(m, xb_jv_get(meta, "uid")));
	c->config.labels = l.v;
	c->config.n_labels = l.n;
}

/* What a kubelet needs to end the container when its pod's document is gone. */
static void put_annotations(struct make *m, const struct spec_input *in, unsigned attempt, struct container *c)
{
	const struct {
		const char *key;
		struct xb_jv as_is;
	} copied[] = {
		{ SPEC_NOTE_GRACE, xb_jv_path(in->pod, "spec", "terminationGracePeriodSeconds") },
		{ SPEC_NOTE_DELETION_GRACE, xb_jv_path(in->pod, "metadata", "deletionGracePeriodSeconds") },
		{ SPEC_NOTE_PRE_STOP, xb_jv_path(in->container, "lifecycle", "preStop") },
		{ SPEC_NOTE_PORTS, xb_jv_get(in->container, "ports") },
	};
	struct make_pairs n = make_pairs(m, 4 + ARRAY_SIZE(copied));
	size_t i = 4;

	if (!n.n)
		return;
	make_pair(n.v[0], SPEC_NOTE_HASH, make_printf(m, "%llx", (unsigned long long)spec_hash(in->container)));
	make_pair(n.v[1], SPEC_NOTE_RESTARTS, make_printf(m, "%u", attempt));
	make_pair(n.v[2], SPEC_NOTE_TERM_PATH, make_text(m, xb_jv_get(in->container, "terminationMessagePath")));
	make_pair(n.v[3], SPEC_NOTE_TERM_POLICY, make_text(m, xb_jv_get(in->container, "terminationMessagePolicy")));
	for (size_t k = 0; k < ARRAY_SIZE(copied); k++)
		if (xb_jv_type(copied[k].as_is) > XB_JSON_NULL)
			make_pair(n.v[i++], copied[k].key, make_copy(m, xb_jv_bytes(copied[k].as_is)));
	c->config.annotations = n.v;
	c->config.n_annotations = i;
}

/* --- what it runs --- */
static void put_process(struct make *m, const struct spec_input *in, Runtime__V1__KeyValue **env, size_t n_env, struct container *c)
{
	struct make_texts command = make_expanded(m, xb_jv_get(in->container, "command"), env, n_env);
	struct make_texts args = make_expanded(m, xb_jv_get(in->container, "args"), env, n_env);

	c->config.command = command.v;
	c->config.n_command = command.n;
	c->config.args = args.v;
	c->config.n_args = args.n;
	c->config.working_dir = make_text(m, xb_jv_get(in->container, "workingDir"));
	c->config.envs = env;
	c->config.n_envs = n_env;
	c->config.stdin = xb_jv_true(xb_jv_get(in->container, "stdin"));
	c->config.stdin_once = xb_jv_true(xb_jv_get(in->container, "stdinOnce"));
	c->config.tty = xb_jv_true(xb_jv_get(in->container, "tty"));
}

int spec_container(const struct spec_input *in, unsigned attempt, const struct spec_image *image, Runtime__V1__KeyValue **env, size_t n_env,
		   Runtime__V1__Mount **mounts, size_t n_mounts, struct xb_arena *a, Runtime__V1__ContainerConfig **ret,
		   char **reterr_why)
{
	struct make m = { .a = a };
	struct container *c = make_room(&m, sizeof(*c));
	_cleanup_buf_ struct xb_buf log = {};
	int r;

	if (!c)
		return -ENOMEM;
	init(c);
	c->metadata.name = make_text(&m, xb_jv_get(in->container, "name"));
	c->metadata.attempt = attempt;
	c->image.image = make_copy(&m, xb_sv(image->ref));
	c->image.user_specified_image = make_text(&m, xb_jv_get(in->container, "image"));
	spec_log_file(xb_sv(c->metadata.name), attempt, &log);
	c->config.log_path = make_buf(&m, &log);
	c->config.mounts = mounts;
	c->config.n_mounts = n_mounts;
	put_labels(&m, in, c);
	put_annotations(&m, in, attempt, c);
	put_process(&m, in, env, n_env, c);
	resources_of_container(&m, in, &c->resources);
	r = security_of_container(&m, in, image, &c->security, reterr_why);
	if (r || m.failed)
		return r ?: -ENOMEM;
	*ret = &c->config;
	return 0;
}
