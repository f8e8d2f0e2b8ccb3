/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "security.h"
#include "xb/why.h"

/* --- what sandboxes and containers share --- */
int security_namespaces(struct xb_jv pod, Runtime__V1__NamespaceOption *out, char **reterr_why)
{
	struct xb_jv spec = xb_jv_get(pod, "spec"), users = xb_jv_get(spec, "hostUsers");

	if (xb_jv_type(users) == XB_JSON_BOOL && !xb_jv_true(users))
		return xb_why(reterr_why, -EOPNOTSUPP, "can't set `spec.hostUsers: false`, runtime does not support user namespaces");
	out->network = xb_jv_true(xb_jv_get(spec, "hostNetwork")) ? RUNTIME__V1__NAMESPACE_MODE__NODE : RUNTIME__V1__NAMESPACE_MODE__POD;
	out->ipc = xb_jv_true(xb_jv_get(spec, "hostIPC")) ? RUNTIME__V1__NAMESPACE_MODE__NODE : RUNTIME__V1__NAMESPACE_MODE__POD;
	out->pid = xb_jv_true(xb_jv_get(spec, "hostPID")) ? RUNTIME__V1__NAMESPACE_MODE__NODE :
		   xb_jv_true(xb_jv_get(spec, "shareProcessNamespace")) ? RUNTIME__V1__NAMESPACE_MODE__POD :
									   RUNTIME__V1__NAMESPACE_MODE__CONTAINER;
	return 0;
}

int64_t *security_groups(struct make *m, struct xb_jv pod, size_t *ret_n)
{
	struct xb_jv context = xb_jv_path(pod, "spec", "securityContext"), more = xb_jv_get(context, "supplementalGroups");
	int64_t *groups = make_room(m, (xb_jv_count(more) + 1) * sizeof(*groups));
	size_t n = 0;

	*ret_n = 0;
	if (!groups)
		return NULL;
	n += !xb_jv_i64(xb_jv_get(context, "fsGroup"), &groups[n]);
	for (struct xb_jit it = xb_jv_iter(more); xb_jit_next(&it);)
		n += !xb_jv_i64(it.value, &groups[n]);
	*ret_n = n;
	return n ? groups : NULL;
}

bool security_selinux(struct make *m, struct xb_jv options, Runtime__V1__SELinuxOption *out)
{
	if (xb_jv_type(options) != XB_JSON_OBJECT)
		return false;
	out->user = make_text(m, xb_jv_get(options, "user"));
	out->role = make_text(m, xb_jv_get(options, "role"));
	out->type = make_text(m, xb_jv_get(options, "type"));
	out->level = make_text(m, xb_jv_get(options, "level"));
	return true;
}

/* --- a container --- */
static struct xb_jv effective(const struct spec_input *in, const char *field)
{
	struct xb_jv own = xb_jv_path(in->container, "securityContext", field);

	return xb_jv_type(own) > XB_JSON_NULL ? own : xb_jv_path(in->pod, "spec", "securityContext", field);
}

static int put_seccomp(struct make *m, const struct spec_input *in, Runtime__V1__SecurityProfile *out, char **reterr_why)
{
	struct xb_jv profile = effective(in, "seccompProfile"), file = xb_jv_get(profile, "localhostProfile");
	struct xb_sv type = xb_jv_text(xb_jv_get(profile, "type"));

	out->profile_type = in->facts->seccomp_default ? RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault :
							 RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Unconfined;
	if (xb_sv_is(type, "RuntimeDefault")) {
		out->profile_type = RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault;
	} else if (xb_sv_is(type, "Unconfined")) {
		out->profile_type = RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Unconfined;
	} else if (xb_sv_is(type, "Localhost")) {
		if (!xb_jv_text(file).n)
			return xb_why(reterr_why, -EINVAL, "localhostProfile must be set if seccompProfile type is Localhost.");
		out->profile_type = RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Localhost;
		out->localhost_ref = make_printf(m, "%s/%s", in->facts->seccomp_root, make_text(m, file));
	}
	return 0;
}

/* A kernel without AppArmor confines nobody, which the runtime's own profile may pass over in silence and one's own may not. */
static int put_apparmor(struct make *m, const struct spec_input *in, struct security *out, char **reterr_why)
{
	struct xb_jv profile = effective(in, "appArmorProfile"), name = xb_jv_get(profile, "localhostProfile");
	struct xb_sv type = xb_jv_text(xb_jv_get(profile, "type"));

	if (xb_sv_is(type, "Localhost")) {
		if (!xb_jv_text(name).n)
			return xb_why(reterr_why, -EINVAL, "missing localhost apparmor profile name");
		if (!in->facts->apparmor)
			return xb_why(reterr_why, -EOPNOTSUPP, "Cannot enforce AppArmor: AppArmor is not enabled on the host");
		out->apparmor.profile_type = RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Localhost;
		out->apparmor.localhost_ref = make_text(m, name);
	} else if (xb_sv_is(type, "Unconfined")) {
		out->apparmor.profile_type = RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__Unconfined;
	} else if (!xb_sv_is(type, "RuntimeDefault")) {
		return 0;
	}
	if (in->facts->apparmor)
		out->context.apparmor = &out->apparmor;
	return 0;
}

static int refuse_root(const struct spec_input *in, const char *fault, char **reterr_why)
{
	struct xb_jv meta = xb_jv_get(in->pod, "metadata");

	return xb_why(reterr_why, -EACCES, "%s (pod: \"%.*s_%.*s(%.*s)\", container: %.*s)", fault, XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "name"))),
		      XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "namespace"))), XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "uid"))),
		      XB_SV_ARG(xb_jv_text(xb_jv_get(in->container, "name"))));
}

/* Who it runs as, and whether that may be: runAsUser, else the image's user, else root. */
static int put_user(struct make *m, const struct spec_input *in, const struct spec_image *image, struct security *out, char **reterr_why)
{
	bool no_root = xb_jv_true(effective(in, "runAsNonRoot"));
	bool named = image->username && *image->username;
	char *unknown;

	if (!xb_jv_i64(effective(in, "runAsGroup"), &out->group.value))
		out->context.run_as_group = &out->group;
	if (!xb_jv_i64(effective(in, "runAsUser"), &out->user.value)) {
		out->context.run_as_user = &out->user;
		return no_root && !out->user.value ? refuse_root(in, "container's runAsUser breaks non-root policy", reterr_why) : 0;
	}
	if (!image->has_uid && named) {
		if (no_root) {
			unknown = make_printf(m, "container has runAsNonRoot and image has non-numeric user (%s), cannot verify user is non-root",
					      image->username);
			return refuse_root(in, unknown, reterr_why);
		}
		out->context.run_as_username = make_copy(m, xb_sv(image->username));
		return 0;
	}
	out->user.value = image->has_uid ? image->uid : 0;
	out->context.run_as_user = &out->user;
	return no_root && !out->user.value ? refuse_root(in, "container has runAsNonRoot and image will run as root", reterr_why) : 0;
}

static void put_capabilities(struct make *m, struct xb_jv capabilities, struct security *out)
{
	struct make_texts add = make_texts(m, xb_jv_get(capabilities, "add")), drop = make_texts(m, xb_jv_get(capabilities, "drop"));

	if (xb_jv_type(capabilities) != XB_JSON_OBJECT)
		return;
	out->capabilities.add_capabilities = add.v;
	out->capabilities.n_add_capabilities = add.n;
	out->capabilities.drop_capabilities = drop.v;
	out->capabilities.n_drop_capabilities = drop.n;
	out->context.capabilities = &out->capabilities;
}

/* What of /proc and /sys tells of the host or changes it. */
static void put_paths(struct xb_jv proc_mount, Runtime__V1__LinuxContainerSecurityContext *out)
{
	static char *const masked[] = {
		"/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
		"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
	};
	static char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

	if (xb_jv_streq(proc_mount, XB_SV("Unmasked")))
		return;
	out->masked_paths = (char **)masked;
	out->n_masked_paths = ARRAY_SIZE(masked);
	out->readonly_paths = (char **)readonly;
	out->n_readonly_paths = ARRAY_SIZE(readonly);
}

static void init(struct security *out)
{
	runtime__v1__linux_container_security_context__init(&out->context);
	runtime__v1__capability__init(&out->capabilities);
	runtime__v1__namespace_option__init(&out->namespaces);
	runtime__v1__selinux_option__init(&out->selinux);
	runtime__v1__int64_value__init(&out->user);
	runtime__v1__int64_value__init(&out->group);
	runtime__v1__security_profile__init(&out->seccomp);
	runtime__v1__security_profile__init(&out->apparmor);
	out->context.namespace_options = &out->namespaces;
	out->context.seccomp = &out->seccomp;
}

int security_of_container(struct make *m, const struct spec_input *in, const struct spec_image *image, struct security *out,
			  char **reterr_why)
{
	struct xb_jv own = xb_jv_get(in->container, "securityContext"), escalation = xb_jv_get(own, "allowPrivilegeEscalation");
	int r;

	init(out);
	r = security_namespaces(in->pod, &out->namespaces, reterr_why) ?: put_user(m, in, image, out, reterr_why) ?:
	    put_seccomp(m, in, &out->seccomp, reterr_why) ?: put_apparmor(m, in, out, reterr_why);
	if (r)
		return r;
	if (in->target_id && out->namespaces.pid == RUNTIME__V1__NAMESPACE_MODE__CONTAINER) {
		out->namespaces.pid = RUNTIME__V1__NAMESPACE_MODE__TARGET;
		out->namespaces.target_id = make_copy(m, xb_sv(in->target_id));
	}
	out->context.privileged = xb_jv_true(xb_jv_get(own, "privileged"));
	out->context.readonly_rootfs = xb_jv_true(xb_jv_get(own, "readOnlyRootFilesystem"));
	out->context.no_new_privs = xb_jv_type(escalation) == XB_JSON_BOOL && !xb_jv_true(escalation);
	if (security_selinux(m, effective(in, "seLinuxOptions"), &out->selinux))
		out->context.selinux_options = &out->selinux;
	out->context.supplemental_groups = security_groups(m, in->pod, &out->context.n_supplemental_groups);
	put_capabilities(m, xb_jv_get(own, "capabilities"), out);
	put_paths(xb_jv_get(own, "procMount"), &out->context);
	return 0;
}
