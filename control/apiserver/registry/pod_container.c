/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Validation of a pod's containers. */
#include "edit.h"
#include "pod.h"
#include "ports.h"
#include "seen.h"
#include "state.h"

/* --- ports */

static void validate_port(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *port, struct seen *names)
{
	struct xb_sv name = xb_tree_gettext(port, "name");
	const struct xb_path *name_path = XB_PATH(at, "name");

	if (name.n && xb_validate(e, name_path, name, xb_check_port_name) && seen_text(names, name))
		xb_err_duplicate(e, name_path, name);
	if (!xb_tree_geti64(port, "containerPort", 0))
		xb_err_required(e, XB_PATH(at, "containerPort"), "");
	else
		xb_validate_port(e, XB_PATH(at, "containerPort"), xb_tree_geti64(port, "containerPort", 0));
	if (xb_tree_get(port, "hostPort"))
		xb_validate_port(e, XB_PATH(at, "hostPort"), xb_tree_geti64(port, "hostPort", 0));
	xb_validate_one_of(e, XB_PATH(at, "protocol"), xb_tree_gettext(port, "protocol"), protocols);
}

static void validate_ports(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ports)
{
	struct seen names = SEEN(e);
	long i = 0;

	xb_tree_each(port, ports)
		validate_port(e, XB_PATH_AT(at, i++), port, &names);
}

static void validate_host_ports(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *containers)
{
	static const char *const identity[] = { "protocol", "hostIP", "hostPort", NULL };
	struct seen before = SEEN(e);
	long c = 0;

	xb_tree_each(container, containers) {
		const struct xb_path *ports_path = XB_PATH(XB_PATH_AT(at, c++), "ports");
		long p = 0;

		xb_tree_each(port, xb_tree_get(container, "ports")) {
			const struct xb_path *here = XB_PATH(XB_PATH_AT(ports_path, p++), "hostPort");

			if (xb_tree_get(port, "hostPort") && seen_node(&before, port, identity))
				xb_err_duplicate(e, here, xb_sv(xb_arena_printf(e->arena, "%.*s/%.*s/%lld",
					XB_SV_ARG(xb_tree_gettext(port, "protocol")), XB_SV_ARG(xb_tree_gettext(port, "hostIP")),
					(long long)xb_tree_geti64(port, "hostPort", 0))));
		}
	}
}

/* --- environment */

static void validate_key_ref(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ref)
{
	struct xb_sv key = xb_tree_gettext(ref, "key");

	if (!ref)
		return;
	if (!xb_tree_gettext(ref, "name").n)
		xb_err_required(e, XB_PATH(at, "name"), "");
	if (key.n)
		xb_validate(e, XB_PATH(at, "key"), key, xb_check_config_key);
	else
		xb_err_required(e, XB_PATH(at, "key"), "");
}

static void validate_value_from(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *from,
				struct xb_sv value)
{
	static const char *const fields[] = {
		"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
		"status.hostIPs", "status.podIP", "status.podIPs", NULL
	};
	const struct xb_tree *field = xb_tree_get(from, "fieldRef"), *resource = xb_tree_get(from, "resourceFieldRef");

	if (field)
		pod_validate_field_ref(e, XB_PATH(at, "fieldRef"), field, fields);
	if (resource)
		pod_validate_resource_ref(e, XB_PATH(at, "resourceFieldRef"), resource, false);
	validate_key_ref(e, XB_PATH(at, "configMapKeyRef"), xb_tree_get(from, "configMapKeyRef"));
	validate_key_ref(e, XB_PATH(at, "secretKeyRef"), xb_tree_get(from, "secretKeyRef"));
	if (!from->count)
		xb_err_invalid_sv(e, at, XB_SV(""),
			"must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
	else if (value.n)
		xb_err_invalid_sv(e, at, XB_SV(""), "may not be specified when `value` is not empty");
	else if (from->count > 1)
		xb_err_invalid_sv(e, at, XB_SV(""), "may not have more than one field specified at a time");
}

static void validate_env(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *env)
{
	long i = 0;

	xb_tree_each(variable, env) {
		const struct xb_path *here = XB_PATH_AT(at, i++);
		struct xb_sv name = xb_tree_gettext(variable, "name");

		if (name.n)
			xb_validate(e, XB_PATH(here, "name"), name, xb_check_env_name);
		else
			xb_err_required(e, XB_PATH(here, "name"), "");
		if (xb_tree_get(variable, "valueFrom"))
			validate_value_from(e, XB_PATH(here, "valueFrom"), xb_tree_get(variable, "valueFrom"),
					    xb_tree_gettext(variable, "value"));
	}
}

static void validate_env_from(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list)
{
	static const char *const refs[] = { "configMapRef", "secretRef" };
	long i = 0;

	xb_tree_each(from, list) {
		const struct xb_path *here = XB_PATH_AT(at, i++);
		struct xb_sv prefix = xb_tree_gettext(from, "prefix");
		unsigned n = 0;

		if (prefix.n)
			xb_validate(e, XB_PATH(here, "prefix"), prefix, xb_check_env_name);
		for (size_t r = 0; r < ARRAY_SIZE(refs); r++) {
			const struct xb_tree *ref = xb_tree_get(from, refs[r]);

			n += ref != NULL;
			if (ref && !xb_tree_gettext(ref, "name").n)
				xb_err_required(e, XB_PATH(XB_PATH(here, refs[r]), "name"), "");
		}
		if (!n)
			xb_err_invalid_sv(e, at, XB_SV(""), "must specify one of: `configMapRef` or `secretRef`");
		else if (n > 1)
			xb_err_invalid_sv(e, at, XB_SV(""), "may not have more than one field specified at a time");
	}
}

/* --- mounts */

static void validate_propagation(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *container,
				 const struct xb_tree *mode)
{
	static const char *const modes[] = { "Bidirectional", "HostToContainer", "None", NULL };

	if (!mode)
		return;
	xb_validate_one_of(e, at, xb_tree_text(mode), modes);
	if (xb_tree_is(mode, "Bidirectional") && !xb_tree_true(xb_tree_path(container, "securityContext", "privileged")))
		xb_err_forbidden(e, at, "Bidirectional mount propagation is available only to privileged containers");
}

static void validate_sub_paths(struct xb_field_errors *e, const struct xb_path *at, const struct xb_path *mounts_path,
			       const struct xb_tree *mount)
{
	struct xb_sv path = xb_tree_gettext(mount, "subPath"), expr = xb_tree_gettext(mount, "subPathExpr");

	/* upstream's paths here leave out the index */
	if (path.n)
		pod_validate_relative_path(e, XB_PATH(mounts_path, "subPath"), path);
	if (path.n && expr.n)
		xb_err_invalid_sv(e, XB_PATH(at, "subPathExpr"), expr, "subPathExpr and subPath are mutually exclusive");
	if (expr.n)
		pod_validate_relative_path(e, XB_PATH(mounts_path, "subPathExpr"), expr);
}

static void validate_mounts(struct pod_check *c, const struct xb_path *at, const struct xb_tree *container)
{
	struct seen paths = SEEN(c->e), names = SEEN(c->e), devices = SEEN(c->e);
	struct xb_field_errors *e = c->e;
	long i = 0;

	xb_tree_each(device, xb_tree_get(container, "volumeDevices")) {
		seen_text(&names, xb_tree_gettext(device, "name"));
		seen_text(&devices, xb_tree_gettext(device, "devicePath"));
	}
	xb_tree_each(mount, xb_tree_get(container, "volumeMounts")) {
		const struct xb_path *here = XB_PATH_AT(at, i++), *name_path = XB_PATH(here, "name"),
							*path_path = XB_PATH(here, "mountPath");
		struct xb_sv name = xb_tree_gettext(mount, "name"), path = xb_tree_gettext(mount, "mountPath");

		if (!name.n)
			xb_err_required(e, name_path, "");
		if (!xb_tree_getsv(c->volumes, name))
			xb_err_not_found(e, name_path, name);
		if (!path.n)
			xb_err_required(e, path_path, "");
		if (seen_text(&paths, path))
			xb_err_invalid_sv(e, path_path, path, "must be unique");
		if (xb_tree_getsv(names.texts, name))
			xb_err_invalid_sv(e, name_path, name, "must not already exist in volumeDevices");
		if (xb_tree_getsv(devices.texts, path))
			xb_err_invalid_sv(e, path_path, path, "must not already exist as a path in volumeDevices");
		validate_sub_paths(e, here, at, mount);
		validate_propagation(e, XB_PATH(at, "mountPropagation"), container, xb_tree_get(mount, "mountPropagation"));
	}
}

/* --- resources */

static bool is_container_resource(struct xb_sv name)
{
	return xb_sv_is(name, "cpu") || xb_sv_is(name, "memory") || xb_sv_is(name,
			"ephemeral-storage") || xb_sv_starts(name, "hugepages-");
}

/* What may be asked for beyond what is set aside: not what is counted in whole pieces. */
static bool is_overcommitted(struct xb_sv name)
{
	return !xb_sv_starts(name, "hugepages-") && (!memchr(name.p, '/', name.n) || memmem(name.p, name.n,
			     "kubernetes.io/", 14));
}

static void validate_resource(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *amount)
{
	struct xb_sv name = amount->key, text = xb_tree_text(amount);
	bool native = !memchr(name.p, '/', name.n) || memmem(name.p, name.n, "kubernetes.io/", 14);
	struct xb_quantity q;

	xb_validate(e, at, name, xb_check_qualified_name);
	if (!memchr(name.p, '/', name.n) && !is_container_resource(name))
		xb_err_invalid_sv(e, at, name, "must be a standard resource for containers");
	if (xb_quantity_parse(text, &q) < 0)
		return;
	if (q.nano < 0)
		xb_err_invalid_sv(e, at, text, "must be greater than or equal to 0");
	if (!native && q.nano % 1000000000)
		xb_err_invalid_sv(e, at, text, "must be an integer");
}

static void validate_request(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *request,
			     const struct xb_tree *limit)
{
	struct xb_sv name = request->key, text = xb_tree_text(request), limit_text = xb_tree_text(limit);
	const struct xb_path *requests = XB_PATH(at, "requests");
	struct xb_quantity q, most;

	if (!limit) {
		if (!is_overcommitted(name))
			xb_err_required(e, XB_PATH(at, "limits"), "Limit must be set for non overcommitable resources");
		return;
	}
	if (xb_quantity_parse(text, &q) < 0 || xb_quantity_parse(limit_text, &most) < 0)
		return;
	if (!is_overcommitted(name) && xb_quantity_cmp(&q, &most))
		xb_err_invalid_sv(e, requests, text, "must be equal to %.*s limit of %.*s", XB_SV_ARG(name),
				  XB_SV_ARG(limit_text));
	else if (xb_quantity_cmp(&q, &most) > 0)
		xb_err_invalid_sv(e, requests, text, "must be less than or equal to %.*s limit of %.*s",
				  XB_SV_ARG(name), XB_SV_ARG(limit_text));
}

static void validate_resources(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *resources)
{
	const struct xb_tree *limits = xb_tree_get(resources, "limits"), *requests = xb_tree_get(resources, "requests");
	bool huge = false, plain = false;

	xb_tree_each(limit, limits) {
		validate_resource(e, XB_PATH_KEY(XB_PATH(at, "limits"), limit->key), limit);
		huge |= xb_sv_starts(limit->key, "hugepages-");
		plain |= xb_sv_is(limit->key, "cpu") || xb_sv_is(limit->key, "memory");
	}
	xb_tree_each(request, requests) {
		validate_resource(e, XB_PATH_KEY(XB_PATH(at, "requests"), request->key), request);
		validate_request(e, at, request, xb_tree_getsv(limits, request->key));
		huge |= xb_sv_starts(request->key, "hugepages-");
		plain |= xb_sv_is(request->key, "cpu") || xb_sv_is(request->key, "memory");
	}
	if (huge && !plain)
		xb_err_forbidden(e, at, "HugePages require cpu or memory");
}

/* --- handlers and probes */

static void validate_exec(struct pod_check *c, const struct xb_path *at, const struct xb_tree *exec)
{
	if (edit_is_empty(xb_tree_get(exec, "command")))
		xb_err_required(c->e, XB_PATH(at, "command"), "");
}

static void validate_http_get(struct pod_check *c, const struct xb_path *at, const struct xb_tree *get)
{
	static const char *const schemes[] = { "HTTP", "HTTPS", NULL };

	if (!xb_tree_gettext(get, "path").n)
		xb_err_required(c->e, XB_PATH(at, "path"), "");
	xb_validate_port_or_name(c->e, XB_PATH(at, "port"), xb_tree_get(get, "port"));
	xb_validate_one_of(c->e, XB_PATH(at, "scheme"), xb_tree_gettext(get, "scheme"), schemes);
	xb_tree_each(header, xb_tree_get(get, "httpHeaders"))
		xb_validate(c->e, XB_PATH(at, "httpHeaders"), xb_tree_gettext(header, "name"), xb_check_http_header_name);
}

static void validate_tcp_or_grpc(struct pod_check *c, const struct xb_path *at, const struct xb_tree *handler)
{
	xb_validate_port_or_name(c->e, XB_PATH(at, "port"), xb_tree_get(handler, "port"));
}

static void validate_sleep(struct pod_check *c, const struct xb_path *at, const struct xb_tree *sleep_)
{
	int64_t grace = xb_tree_geti64(c->spec, "terminationGracePeriodSeconds", 0), n = xb_tree_geti64(sleep_, "seconds", 0);

	if (n < 0 || n > grace)
		xb_err_invalid_go(c->e, at, xb_arena_printf(c->e->arena, "%lld", (long long)n),
				  "must be non-negative and less than terminationGracePeriodSeconds (%lld)", (long long)grace);
}

static void validate_handler(struct pod_check *c, const struct xb_path *at, const struct xb_tree *handler)
{
	static const struct {
		const char *name;
		void (*validate)(struct pod_check *c, const struct xb_path *at, const struct xb_tree *handler);
	} types[] = {
		{ "exec", validate_exec }, { "httpGet", validate_http_get }, { "tcpSocket", validate_tcp_or_grpc },
		{ "grpc", validate_tcp_or_grpc }, { "sleep", validate_sleep },
	};
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct xb_tree *n = xb_tree_get(handler, types[i].name);

		if (n && found)
			xb_err_forbidden(c->e, XB_PATH(at, types[i].name), "may not specify more than 1 handler type");
		else if (n)
			types[i].validate(c, XB_PATH(at, types[i].name), n);
		found |= n != NULL;
	}
	if (!found)
		xb_err_required(c->e, at, "must specify a handler type");
}

static void validate_probe(struct pod_check *c, const struct xb_path *container_path, const struct xb_tree *container,
			   const char *key)
{
	static const char *const numbers[] = { "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold" };
	const struct xb_tree *probe = xb_tree_get(container, key), *grace = xb_tree_get(probe, "terminationGracePeriodSeconds");
	const struct xb_path *at = XB_PATH(container_path, key);
	bool readiness = !strcmp(key, "readinessProbe");

	if (!probe)
		return;
	validate_handler(c, at, probe);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		xb_validate_nonnegative(c->e, XB_PATH(at, numbers[i]), xb_tree_geti64(probe, numbers[i], 0));
	if (grace && xb_tree_geti64(probe, "terminationGracePeriodSeconds", 0) <= 0)
		xb_err_invalid(c->e, XB_PATH(at, "terminationGracePeriodSeconds"), grace, "must be greater than 0");
	if (grace && readiness)
		xb_err_invalid(c->e, XB_PATH(at, "terminationGracePeriodSeconds"), grace,
			       "must not be set for readinessProbes");
	if (!readiness && xb_tree_geti64(probe, "successThreshold", 1) != 1)
		xb_err_invalid(c->e, XB_PATH(at, "successThreshold"), xb_tree_get(probe, "successThreshold"), "must be 1");
}

static const char *const probes[] = { "livenessProbe", "readinessProbe", "startupProbe" };

static void validate_lifecycle(struct pod_check *c, const struct xb_path *at, const struct xb_tree *container)
{
	static const char *const hooks[] = { "postStart", "preStop" };
	const struct xb_path *lifecycle_path = XB_PATH(at, "lifecycle");

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		const struct xb_tree *hook = xb_tree_path(container, "lifecycle", hooks[i]);

		if (hook)
			validate_handler(c, XB_PATH(lifecycle_path, hooks[i]), hook);
	}
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		validate_probe(c, at, container, probes[i]);
}

/* --- security context */

static void validate_security(struct pod_check *c, const struct xb_path *at, const struct xb_tree *security)
{
	static const char *const mounts[] = { "Default", "Unmasked", NULL };
	const struct xb_tree *escalation = xb_tree_get(security, "allowPrivilegeEscalation"),
						       *proc = xb_tree_get(security, "procMount");
	bool privileged = xb_tree_true(xb_tree_get(security, "privileged"));

	if (!security)
		return;
	if (privileged && !c->w->registry->allow_privileged)
		xb_err_forbidden(c->e, XB_PATH(at, "privileged"), "disallowed by cluster policy");
	pod_validate_id(c->e, at, security, "runAsUser");
	pod_validate_id(c->e, at, security, "runAsGroup");
	if (proc)
		xb_validate_one_of(c->e, XB_PATH(at, "procMount"), xb_tree_text(proc), mounts);
	pod_validate_seccomp(c->e, XB_PATH(at, "seccompProfile"), xb_tree_get(security, "seccompProfile"));
	if (!escalation || escalation->b)
		return;
	if (privileged)
		xb_err_invalid(c->e, at, security, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
	xb_tree_each(capability, xb_tree_path(security, "capabilities", "add"))
		if (xb_tree_is(capability, "CAP_SYS_ADMIN"))
			xb_err_invalid(c->e, at, security,
				"cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
}

/* --- containers */

void pod_validate_container(struct pod_check *c, const struct xb_path *at, const struct xb_tree *container)
{
	static const char *const policies[] = { "Always", "IfNotPresent", "Never", NULL };
	static const char *const messages[] = { "File", "FallbackToLogsOnError", NULL };
	struct xb_sv name = xb_tree_gettext(container, "name");

	if (name.n)
		xb_validate(c->e, XB_PATH(at, "name"), name, xb_check_dns1123_label);
	else
		xb_err_required(c->e, XB_PATH(at, "name"), "");
	if (!xb_tree_gettext(container, "image").n)
		xb_err_required(c->e, XB_PATH(at, "image"), "");
	xb_validate_one_of(c->e, XB_PATH(at, "terminationMessagePolicy"), xb_tree_gettext(container,
			   "terminationMessagePolicy"), messages);
	validate_ports(c->e, XB_PATH(at, "ports"), xb_tree_get(container, "ports"));
	validate_env(c->e, XB_PATH(at, "env"), xb_tree_get(container, "env"));
	validate_env_from(c->e, XB_PATH(at, "envFrom"), xb_tree_get(container, "envFrom"));
	validate_mounts(c, XB_PATH(at, "volumeMounts"), container);
	xb_validate_one_of(c->e, XB_PATH(at, "imagePullPolicy"), xb_tree_gettext(container, "imagePullPolicy"), policies);
	validate_resources(c->e, XB_PATH(at, "resources"), xb_tree_get(container, "resources"));
	validate_security(c, XB_PATH(at, "securityContext"), xb_tree_get(container, "securityContext"));
}

static void validate_init_container(struct pod_check *c, const struct xb_path *at, const struct xb_tree *container)
{
	static const char *const restart[] = { "Always", NULL };
	static const char detail[] = "may not be set for init containers without restartPolicy=Always";
	const struct xb_tree *policy = xb_tree_get(container, "restartPolicy");

	if (policy && xb_validate_one_of(c->e, XB_PATH(at, "restartPolicy"), xb_tree_text(policy), restart)) {
		validate_lifecycle(c, at, container);
		return;
	}
	if (xb_tree_get(container, "lifecycle"))
		xb_err_forbidden(c->e, XB_PATH(at, "lifecycle"), detail);
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (xb_tree_get(container, probes[i]))
			xb_err_forbidden(c->e, XB_PATH(at, probes[i]), detail);
}

static void validate_unique(struct pod_check *c, const struct xb_path *at, const struct xb_tree *container, struct seen *names)
{
	struct xb_sv name = xb_tree_gettext(container, "name");

	if (name.n && seen_text(names, name))
		xb_err_duplicate(c->e, XB_PATH(at, "name"), name);
}

void pod_validate_containers(struct pod_check *c, const struct xb_path *spec_path)
{
	const struct xb_tree *containers = xb_tree_get(c->spec, "containers"), *init = xb_tree_get(c->spec, "initContainers");
	const struct xb_path *at = XB_PATH(spec_path, "containers"), *init_path = XB_PATH(spec_path, "initContainers");
	struct seen names = SEEN(c->e); /* of both lists: init containers come second */
	long i = 0;

	if (edit_is_empty(containers))
		xb_err_required(c->e, at, "");
	xb_tree_each(container, containers) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		pod_validate_container(c, here, container);
		validate_unique(c, here, container, &names);
		validate_lifecycle(c, here, container);
		if (xb_tree_get(container, "restartPolicy"))
			xb_err_forbidden(c->e, XB_PATH(here, "restartPolicy"), "may not be set for non-init containers");
	}
	validate_host_ports(c->e, at, containers);
	i = 0;
	xb_tree_each(container, init) {
		const struct xb_path *here = XB_PATH_AT(init_path, i++);

		pod_validate_container(c, here, container);
		validate_unique(c, here, container, &names);
		validate_init_container(c, here, container);
	}
}
