/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A pod's sandbox: what its containers share. */
#include "dns.h"
#include "resources.h"
#include "security.h"
#include "xb/validate.h"
#include "xb/why.h"

#define MAX_HOSTNAME    63
#define MAX_KERNEL_NAME 64              /* __NEW_UTS_LEN */

struct sandbox {                        /* in one piece of the arena */
	Runtime__V1__PodSandboxConfig config;
	Runtime__V1__PodSandboxMetadata metadata;
	Runtime__V1__DNSConfig dns;
	Runtime__V1__LinuxPodSandboxConfig linux_config;
	Runtime__V1__LinuxSandboxSecurityContext security;
	Runtime__V1__NamespaceOption namespaces;
	Runtime__V1__SELinuxOption selinux;
	Runtime__V1__SecurityProfile seccomp;
	Runtime__V1__Int64Value user, group;
	Runtime__V1__LinuxContainerResources overhead;
};

static void init(struct sandbox *s)
{
	runtime__v1__pod_sandbox_config__init(&s->config);
	runtime__v1__pod_sandbox_metadata__init(&s->metadata);
	runtime__v1__dnsconfig__init(&s->dns);
	runtime__v1__linux_pod_sandbox_config__init(&s->linux_config);
	runtime__v1__linux_sandbox_security_context__init(&s->security);
	runtime__v1__namespace_option__init(&s->namespaces);
	runtime__v1__selinux_option__init(&s->selinux);
	runtime__v1__security_profile__init(&s->seccomp);
	runtime__v1__int64_value__init(&s->user);
	runtime__v1__int64_value__init(&s->group);
	runtime__v1__linux_container_resources__init(&s->overhead);
	s->config.metadata = &s->metadata;
	s->config.dns_config = &s->dns;
	s->config.linux_config = &s->linux_config;
	s->linux_config.security_context = &s->security;
	s->security.namespace_options = &s->namespaces;
	s->security.seccomp = &s->seccomp; /* the runtime's default, whatever the containers have: nothing runs here but a pause */
}

/* --- name and labels --- */
static void put_metadata(struct make *m, const struct facts *f, struct xb_jv pod, unsigned attempt, struct sandbox *s)
{
	struct xb_jv meta = xb_jv_get(pod, "metadata"), labels = xb_jv_get(meta, "labels"), notes = xb_jv_get(meta, "annotations");
	struct make_pairs l = make_pairs(m, xb_jv_count(labels) + 3), n = make_pairs(m, xb_jv_count(notes));
	_cleanup_buf_ struct xb_buf folder = {};
	size_t i = 0;

	s->metadata.name = make_text(m, xb_jv_get(meta, "name"));
	s->metadata.namespace_ = make_text(m, xb_jv_get(meta, "namespace"));
	s->metadata.uid = make_text(m, xb_jv_get(meta, "uid"));
	s->metadata.attempt = attempt;
	spec_log_folder(pod, &folder);
	s->config.log_directory = make_printf(m, "%s/%s", f->pod_logs_dir, folder.p ?: "");
	m->failed |= folder.err != 0;
	for (struct xb_jit it = xb_jv_iter(labels); l.n && xb_jit_next(&it); i++) {
		l.v[i]->key = make_copy(m, it.key);
		l.v[i]->value = make_text(m, it.value);
	}
	/* last, so that they count where a pod labels itself so */
	if (l.n) {
		make_pair(l.v[i++], SPEC_LABEL_POD_NAME, s->metadata.name);
		make_pair(l.v[i++], SPEC_LABEL_POD_NAMESPACE, s->metadata.namespace_);
		make_pair(l.v[i++], SPEC_LABEL_POD_UID, s->metadata.uid);
	}
	i = 0;
	for (struct xb_jit it = xb_jv_iter(notes); n.n && xb_jit_next(&it); i++) {
		n.v[i]->key = make_copy(m, it.key);
		n.v[i]->value = make_text(m, it.value);
	}
	s->config.labels = l.v;
	s->config.n_labels = l.n;
	s->config.annotations = n.v;
	s->config.n_annotations = n.n;
}

/* --- hostname --- */
int spec_hostname(const struct facts *f, struct xb_jv pod, struct xb_buf *host, struct xb_buf *domain, char **reterr_why)
{
	struct xb_jv spec = xb_jv_get(pod, "spec"), meta = xb_jv_get(pod, "metadata");
	struct xb_sv name = xb_jv_text(xb_jv_get(meta, "name")), own = xb_jv_text(xb_jv_get(spec, "hostname"));
	struct xb_sv subdomain = xb_jv_text(xb_jv_get(spec, "subdomain")), cut = own.n ? own : name;
	const char *faults[XB_CHECK_MAX];

	if (own.n && xb_check_dns1123_label(own, faults))
		return xb_why(reterr_why, -EINVAL, "pod Hostname \"%.*s\" is not a valid DNS label: %s", XB_SV_ARG(own), faults[0]);
	cut.n = MIN(cut.n, (size_t)MAX_HOSTNAME);
	while (cut.n && (own.n ? own : name).n > MAX_HOSTNAME && strchr("-.", cut.p[cut.n - 1]))
		cut.n--;
	if (!cut.n)
		return xb_why(reterr_why, -EINVAL, "hostname for pod \"%.*s\" was invalid: \"%.*s\"", XB_SV_ARG(name), XB_SV_ARG(own.n ? own : name));
	xb_buf_addsv(host, cut);
	if (subdomain.n)
		xb_buf_addf(domain, "%.*s.%.*s.svc.%s", XB_SV_ARG(subdomain), XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "namespace"))),
			    f->cluster_domain);
	return host->err ?: domain->err;
}

static int put_hostname(struct make *m, const struct facts *f, struct xb_jv pod, struct sandbox *s, char **reterr_why)
{
	struct xb_jv spec = xb_jv_get(pod, "spec");
	_cleanup_buf_ struct xb_buf host = {}, domain = {};
	int r;

	if (xb_jv_true(xb_jv_get(spec, "hostNetwork")))
		return 0;
	r = spec_hostname(f, pod, &host, &domain, reterr_why);
	if (r)
		return r;
	if (domain.n && xb_jv_true(xb_jv_get(spec, "setHostnameAsFQDN"))) {
		xb_buf_addf(&host, ".%s", domain.p);
		if (host.n > MAX_KERNEL_NAME)
			return xb_why(reterr_why, -EINVAL,
				      "failed to construct FQDN from pod hostname and cluster domain, FQDN %s is too long (%d characters is the max, %zu characters requested)",
				      host.p, MAX_KERNEL_NAME, host.n);
	}
	s->config.hostname = make_buf(m, &host);
	return 0;
}

/* --- network --- */
static int put_dns(struct make *m, const struct facts *f, struct xb_jv pod, struct sandbox *s, char **reterr_why)
{
	_cleanup_dns_ struct dns d = {};
	int r = dns_of_pod(m, f, pod, &d, reterr_why);
	struct {
		const struct dns_list *from;
		char ***ret;
		size_t *ret_n;
	} lists[] = {
		{ &d.servers, &s->dns.servers, &s->dns.n_servers },
		{ &d.searches, &s->dns.searches, &s->dns.n_searches },
		{ &d.options, &s->dns.options, &s->dns.n_options },
	};

	for (size_t i = 0; !r && i < ARRAY_SIZE(lists); i++) {
		size_t n = lists[i].from->list.n;
		char **to = n ? make_room(m, n * sizeof(*to)) : NULL;

		if (!to)
			continue;
		memcpy(to, lists[i].from->list.v, n * sizeof(*to));
		*lists[i].ret = to;
		*lists[i].ret_n = n;
	}
	return r;
}

static int32_t number(struct xb_jv object, const char *field)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_get(object, field), &n);
	return (int32_t)n;
}

static void put_port(struct make *m, struct xb_jv port, Runtime__V1__PortMapping *out)
{
	struct xb_jv protocol = xb_jv_get(port, "protocol");

	runtime__v1__port_mapping__init(out);
	out->protocol = xb_jv_streq(protocol, XB_SV("UDP")) ? RUNTIME__V1__PROTOCOL__UDP :
			xb_jv_streq(protocol, XB_SV("SCTP")) ? RUNTIME__V1__PROTOCOL__SCTP : RUNTIME__V1__PROTOCOL__TCP;
	out->container_port = number(port, "containerPort");
	out->host_port = number(port, "hostPort");
	out->host_ip = make_text(m, xb_jv_get(port, "hostIP"));
}

static bool has_ports(enum spec_container_kind kind)
{
	return kind == SPEC_MAIN || kind == SPEC_SIDECAR;
}

static void put_ports(struct make *m, struct xb_jv pod, struct sandbox *s)
{
	Runtime__V1__PortMapping **list, *port;
	size_t n = 0;

	for (struct spec_it it = spec_containers(pod); spec_next(&it);)
		n += has_ports(it.kind) ? xb_jv_count(xb_jv_get(it.container, "ports")) : 0;
	list = n ? make_room(m, n * (sizeof(*list) + sizeof(*port))) : NULL;
	if (!list)
		return;
	port = (Runtime__V1__PortMapping *)(list + n);
	s->config.port_mappings = list;
	for (struct spec_it it = spec_containers(pod); spec_next(&it);)
		for (struct xb_jit p = xb_jv_iter(xb_jv_get(it.container, "ports")); has_ports(it.kind) && xb_jit_next(&p); port++) {
			put_port(m, p.value, port);
			s->config.port_mappings[s->config.n_port_mappings++] = port;
		}
}

/* --- kernel --- */
/* "kernel/shm_rmid_forced" is "kernel.shm_rmid_forced": where the first separator is a slash, dots and slashes change places. */
static char *dotted(struct make *m, struct xb_jv name)
{
	char *text = make_text(m, name), *p = strpbrk(text, "./");

	for (bool slashes = p && *p == '/'; slashes && *p; p++)
		*p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
	return text;
}

static void put_sysctls(struct make *m, struct xb_jv sysctls, struct sandbox *s)
{
	struct make_pairs pairs = make_pairs(m, xb_jv_count(sysctls));
	size_t i = 0;

	for (struct xb_jit it = xb_jv_iter(sysctls); pairs.n && xb_jit_next(&it); i++) {
		pairs.v[i]->key = dotted(m, xb_jv_get(it.value, "name"));
		pairs.v[i]->value = make_text(m, xb_jv_get(it.value, "value"));
	}
	s->linux_config.sysctls = pairs.v;
	s->linux_config.n_sysctls = pairs.n;
}

static int put_security(struct make *m, struct xb_jv pod, struct sandbox *s, char **reterr_why)
{
	struct xb_jv context = xb_jv_path(pod, "spec", "securityContext");
	int r = security_namespaces(pod, &s->namespaces, reterr_why);

	if (r)
		return r;
	for (struct spec_it it = spec_containers(pod); spec_next(&it) && it.kind != SPEC_EPHEMERAL;)
		s->security.privileged |= xb_jv_true(xb_jv_path(it.container, "securityContext", "privileged"));
	/* a runtime takes no group without a user; containers are given theirs, and the pause needs none */
	if (!xb_jv_i64(xb_jv_get(context, "runAsUser"), &s->user.value)) {
		s->security.run_as_user = &s->user;
		if (!xb_jv_i64(xb_jv_get(context, "runAsGroup"), &s->group.value))
			s->security.run_as_group = &s->group;
	}
	if (security_selinux(m, xb_jv_get(context, "seLinuxOptions"), &s->selinux))
		s->security.selinux_options = &s->selinux;
	s->security.supplemental_groups = security_groups(m, pod, &s->security.n_supplemental_groups);
	put_sysctls(m, xb_jv_get(context, "sysctls"), s);
	return 0;
}

int spec_sandbox(const struct facts *f, struct xb_jv pod, unsigned attempt, const char *cgroup_parent, struct xb_arena *a,
		 Runtime__V1__PodSandboxConfig **ret, char **reterr_why)
{
	struct make m = { .a = a };
	struct sandbox *s = make_room(&m, sizeof(*s));
	struct xb_jv overhead = xb_jv_path(pod, "spec", "overhead");
	int r;

	if (!s)
		return -ENOMEM;
	init(s);
	put_metadata(&m, f, pod, attempt, s);
	put_ports(&m, pod, s);
	s->linux_config.cgroup_parent = make_copy(&m, xb_sv(cgroup_parent));
	if (xb_jv_count(overhead)) {
		resources_of(f, overhead, overhead, &s->overhead);
		s->linux_config.overhead = &s->overhead;
	}
	r = put_hostname(&m, f, pod, s, reterr_why) ?: put_dns(&m, f, pod, s, reterr_why) ?: put_security(&m, pod, s, reterr_why);
	if (r || m.failed)
		return r ?: -ENOMEM;
	*ret = &s->config;
	return 0;
}
