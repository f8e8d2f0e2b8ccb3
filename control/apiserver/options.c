/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include "admission.h"
#include "authz.h"
#include "options.h"
#include "registry/alloc.h"
#include "xb/flags.h"
#include "xb/why.h"

#define FLAG(type, member, ...) XB_FLAG(type, struct apiserver_options, member, __VA_ARGS__)

static const struct xb_flag rows[] = {
	FLAG(ADDRESS, advertise_flag, "advertise-address", NULL, "Generic",
	     "The address at which the cluster reaches this server. Without it, --bind-address, or, when that is unspecified or loopback, this host's address on its default route."),
	FLAG(LIST, feature_gates, "feature-gates", NULL, "Generic",
	     "A list of Name=true|false. This server has no gates: each is checked for its form, reported, and has no effect."),
	FLAG(INT, io_threads, "io-threads", "0", "Generic",
	     "The threads that serve connections (TLS, HTTP, compression) beside the one that has the API's logic; 0 to serve them there, too.",
	     .max = 64),
	FLAG(INT, max_mutating_requests_inflight, "max-mutating-requests-inflight", "200", "Generic",
	     "The most requests that write and are served at once; others wait in the queues of their users. 0 for no limit.", .max = 1000000),
	FLAG(INT, max_requests_inflight, "max-requests-inflight", "400", "Generic",
	     "The most requests that read and are served at once, watches apart; others wait in the queues of their users. 0 for no limit.", .max = 1000000),
	FLAG(INT, min_request_timeout, "min-request-timeout", "1800", "Generic",
	     "The fewest seconds that a watch is kept open; each is given a random time above it.", .max = 1000000),
	FLAG(DURATION, request_timeout, "request-timeout", "1m0s", "Generic",
	     "How long a request other than a watch may take."),
	FLAG(DURATION, shutdown_delay, "shutdown-delay-duration", "0s", "Generic",
	     "How long after a signal to end requests are still served as before, while /readyz says no, so that load balancers look elsewhere."),

	FLAG(STRING, data_dir, "data-dir", "/var/lib/xebec/apiserver", "Storage",
	     "The folder of the embedded store. It is made when it is missing."),
	FLAG(DURATION, etcd_compaction_interval, "etcd-compaction-interval", "5m0s", "Storage",
	     "How old the past may become that watches and lists can start from. 0 for any age; in any case there are 64 MiB of it at most."),
	FLAG(BYTES, quota_backend_bytes, "quota-backend-bytes", "8589934592", "Storage",
	     "The size of the database at which objects can only be read and deleted (etcd's flag of that name). 0 for no limit."),

	FLAG(ADDRESS, bind_address, "bind-address", "0.0.0.0", "Secure serving",
	     "The address to listen on. 0.0.0.0 stands for all of IPv4, :: for all of IPv6 and IPv4."),
	FLAG(STRING, cert_dir, "cert-dir", "/var/run/kubernetes", "Secure serving",
	     "The folder of the certificates that this server makes for itself: a CA, a serving and an admin certificate."),
	FLAG(PORT, secure_port, "secure-port", "6443", "Secure serving", "The port to serve HTTPS on.", .min = 1),
	FLAG(STRING, tls_cert_file, "tls-cert-file", NULL, "Secure serving",
	     "The serving certificate, with intermediates behind it. Without it one is made in --cert-dir."),
	FLAG(STRING, tls_private_key_file, "tls-private-key-file", NULL, "Secure serving", "The private key of --tls-cert-file."),

	FLAG(BOOL, anonymous_auth, "anonymous-auth", "true", "Authentication",
	     "Serve requests without credentials as system:anonymous, unless --authorization-mode has AlwaysAllow. Health and version need none in any case."),
	FLAG(LIST, api_audiences, "api-audiences", NULL, "Authentication",
	     "The audiences that a service account token for this server may have. Without it, --service-account-issuer."),
	FLAG(STRING, client_ca_file, "client-ca-file", NULL, "Authentication",
	     "CA certificates: a client certificate that one of them signed is the user of its common name, in the groups of its organizations. Without it, the CA in --cert-dir."),
	FLAG(LIST, service_account_issuers, "service-account-issuer", NULL, "Authentication",
	     "The issuer in service account tokens; those of further ones are accepted. Without it, https://kubernetes.default.svc."),
	FLAG(LIST, service_account_key_files, "service-account-key-file", NULL, "Authentication",
	     "Files with public or private keys that verify service account tokens. Without them, the key that signs."),
	FLAG(STRING, service_account_signing_key_file, "service-account-signing-key-file", NULL, "Authentication",
	     "The file with the private key that signs service account tokens. Without it, sa.key in --cert-dir, made when it is missing."),
	FLAG(STRING, token_auth_file, "token-auth-file", NULL, "Authentication",
	     "A file of lines token,user,uid,\"group1,group2\": bearer tokens and whose they are."),

	FLAG(LIST, authorization_modes, "authorization-mode", "AlwaysAllow", "Authorization",
	     "Who decides who may do what, in this order: AlwaysAllow, AlwaysDeny, Node, RBAC. The first that allows or denies is followed."),

	FLAG(LIST, disable_admission_plugins, "disable-admission-plugins", NULL, "Admission",
	     "Admission plugins to leave out, by upstream's names."),
	FLAG(LIST, enable_admission_plugins, "enable-admission-plugins", NULL, "Admission",
	     "Admission plugins to run besides those that run anyway, by upstream's names. DenyServiceExternalIPs runs only when it is named."),
	FLAG(INT, default_not_ready_toleration_seconds, "default-not-ready-toleration-seconds", "300", "Admission",
	     "How long a pod that does not say stays on a node that is not ready.", .max = INT_MAX),
	FLAG(INT, default_unreachable_toleration_seconds, "default-unreachable-toleration-seconds", "300", "Admission",
	     "How long a pod that does not say stays on a node that does not answer.", .max = INT_MAX),

	FLAG(STRING, kubelet_certificate_authority, "kubelet-certificate-authority", NULL, "Nodes",
	     "CA certificates: one of them signed the serving certificate of each kubelet. Without it those are not verified."),
	FLAG(STRING, kubelet_client_certificate, "kubelet-client-certificate", NULL, "Nodes",
	     "The certificate that kubelets know this server by. Without it one is made in --cert-dir, in the group system:masters, where the CA there is in use."),
	FLAG(STRING, kubelet_client_key, "kubelet-client-key", NULL, "Nodes", "The private key of --kubelet-client-certificate."),
	FLAG(LIST, kubelet_preferred_address_types, "kubelet-preferred-address-types",
	     "Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP", "Nodes",
	     "Which of a Node's addresses its kubelet is reached at: the first of the first type that there is."),
	FLAG(DURATION, kubelet_timeout, "kubelet-timeout", "5s", "Nodes", "How long connecting to a kubelet may take."),

	FLAG(CHOICE, logging_format, "logging-format", "text", "Logs", "How log lines are written.", .choices = "text|json"),
	FLAG(INT, verbosity, "v", "0", "Logs", "How much is logged.", .max = 10, .letter = 'v'),

	FLAG(BOOL, allow_privileged, "allow-privileged", "false", "Misc", "Allow privileged containers."),
	FLAG(DURATION, event_ttl, "event-ttl", "1h0m0s", "Misc", "How long Events are kept after they were last written. 0 for ever."),
	FLAG(STRING, kubeconfig_out, "kubeconfig-out", NULL, "Misc",
	     "Write a kubeconfig for the administrator to this file, at every start."),
	FLAG(STRING, service_cluster_ip_range, "service-cluster-ip-range", "10.96.0.0/12", "Misc",
	     "The range that cluster IPs are taken from, in CIDR notation, or two of different families joined by a comma."),
	FLAG(STRING, service_node_port_range, "service-node-port-range", "30000-32767", "Misc",
	     "The range that node ports are taken from, both ends included."),

	FLAG(BOOL, help, "help", "false", "Global", "Print this and end.", .letter = 'h'),
	FLAG(BOOL, version, "version", "false", "Global", "Print the version and end."),
};

/* Upstream's v1.33, so that what leaves one out also starts here. */
static const char *const upstream_plugins[] = {
	"AlwaysAdmit", "AlwaysDeny", "AlwaysPullImages", "CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction",
	"ClusterTrustBundleAttest", "DefaultIngressClass", "DefaultStorageClass", "DefaultTolerationSeconds",
	"DenyServiceExternalIPs", "EventRateLimit", "ExtendedResourceToleration", "ImagePolicyWebhook",
	"LimitPodHardAntiAffinityTopology", "LimitRanger", "MutatingAdmissionPolicy", "MutatingAdmissionWebhook",
	"NamespaceAutoProvision", "NamespaceExists", "NamespaceLifecycle", "NodeRestriction", "OwnerReferencesPermissionEnforcement",
	"PersistentVolumeClaimResize", "PodNodeSelector", "PodSecurity", "PodTolerationRestriction", "PodTopologyLabels", "Priority",
	"ResourceQuota", "RuntimeClass", "ServiceAccount", "StorageObjectInUseProtection", "TaintNodesByCondition",
	"ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook",
};

static bool is_upstream_plugin(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(upstream_plugins); i++)
		if (!strcmp(name, upstream_plugins[i]))
			return true;
	return false;
}

static int check_plugins(struct apiserver_options *o, char **reterr_why)
{
	for (char **p = o->disable_admission_plugins; p && *p; p++)
		if (!is_upstream_plugin(*p))
			return xb_why(reterr_why, -EINVAL, "--disable-admission-plugins: \"%s\" is not the name of a plugin", *p);
	for (char **p = o->enable_admission_plugins; p && *p; p++) {
		if (!is_upstream_plugin(*p))
			return xb_why(reterr_why, -EINVAL, "--enable-admission-plugins: \"%s\" is not the name of a plugin", *p);
		if (!admission_known(xb_sv(*p)))
			return xb_why(reterr_why, -EINVAL, "--enable-admission-plugins: \"%s\" is not available in this server", *p);
	}
	return 0;
}

static int check_access(struct apiserver_options *o, char **reterr_why)
{
	if (!o->authorization_modes)
		return xb_why(reterr_why, -EINVAL, "--authorization-mode: at least one mode is needed (AlwaysAllow, AlwaysDeny, Node, RBAC)");
	for (char **m = o->authorization_modes; *m; m++) {
		if (!authz_known(*m))
			return xb_why(reterr_why, -EINVAL,
				      "--authorization-mode: \"%s\" is not available in this server (AlwaysAllow, AlwaysDeny, Node, RBAC)", *m);
		/* or everybody could do everything */
		if (!strcmp(*m, "AlwaysAllow"))
			o->anonymous_auth = false;
	}
	return 0;
}

static int check_address_types(struct apiserver_options *o, char **reterr_why)
{
	static const char *const types[] = { "Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP" };

	for (char **t = o->kubelet_preferred_address_types; t && *t; t++) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(types); i++)
			known |= !strcmp(*t, types[i]);
		if (!known)
			return xb_why(reterr_why, -EINVAL,
				      "--kubelet-preferred-address-types: \"%s\" is not a type of address (Hostname, InternalDNS, InternalIP, ExternalDNS, ExternalIP)",
				      *t);
	}
	return 0;
}

static int check_readable(const char *flag, const char *file, char **reterr_why)
{
	if (!file || !access(file, R_OK))
		return 0;
	return xb_why(reterr_why, -EINVAL, "--%s: cannot read '%s': %s", flag, file, strerror(errno));
}

static int check_files(struct apiserver_options *o, char **reterr_why)
{
	const struct {
		const char *flag, *file;
	} files[] = {
		{ "tls-cert-file", o->tls_cert_file },
		{ "tls-private-key-file", o->tls_private_key_file },
		{ "client-ca-file", o->client_ca_file },
		{ "kubelet-client-certificate", o->kubelet_client_certificate },
		{ "kubelet-client-key", o->kubelet_client_key },
		{ "token-auth-file", o->token_auth_file },
		{ "service-account-signing-key-file", o->service_account_signing_key_file },
	};
	int r = 0;

	if (!o->tls_cert_file != !o->tls_private_key_file)
		return xb_why(reterr_why, -EINVAL, "--tls-cert-file and --tls-private-key-file: one was given without the other");
	if (!o->kubelet_client_certificate != !o->kubelet_client_key)
		return xb_why(reterr_why, -EINVAL,
			      "--kubelet-client-certificate and --kubelet-client-key: one was given without the other");
	for (size_t i = 0; !r && i < ARRAY_SIZE(files); i++)
		r = check_readable(files[i].flag, files[i].file, reterr_why);
	for (char **k = o->service_account_key_files; !r && k && *k; k++)
		r = check_readable("service-account-key-file", *k, reterr_why);
	for (char **i = o->service_account_issuers; !r && i && *i; i++)
		if (!**i || strchr(*i, ' '))
			r = xb_why(reterr_why, -EINVAL, "--service-account-issuer: \"%s\" is not an issuer (a URL, as a rule)", *i);
	return r;
}

static int check_service_ranges(struct apiserver_options *o, char **reterr_why)
{
	struct xb_sv rest = xb_sv(o->service_cluster_ip_range), cidr;
	bool is_v6[2];
	size_t n = 0;
	int r;

	while (xb_sv_split(&rest, ',', &cidr)) {
		_cleanup_(ip_range_freep) struct ip_range *range = NULL;
		_cleanup_free_ char *why = NULL;

		if (n == 2)
			return xb_why(reterr_why, -EINVAL, "--service-cluster-ip-range: \"%s\" holds more than two ranges",
				      o->service_cluster_ip_range);
		r = ip_range_new(cidr, &range, &why);
		if (r)
			return xb_why(reterr_why, r, "--service-cluster-ip-range: %s", why ? why : strerror(-r));
		is_v6[n] = ip_range_is_v6(range);
		if (n && is_v6[0] == is_v6[1])
			return xb_why(reterr_why, -EINVAL, "--service-cluster-ip-range: \"%s\" holds two ranges of one family",
				      o->service_cluster_ip_range);
		snprintf(o->service_first_ip[n++], sizeof(o->service_first_ip[0]), "%s", ip_range_first(range));
	}
	return 0;
}

static int check_node_ports(struct apiserver_options *o, char **reterr_why)
{
	struct xb_sv last = xb_sv(o->service_node_port_range), first;
	int64_t from, to;

	if (!xb_sv_split(&last, '-', &first) || xb_sv_i64(first, &from) || xb_sv_i64(last, &to) || from < 1 || to > 65535 || from > to)
		return xb_why(reterr_why, -EINVAL, "--service-node-port-range: \"%s\" is not a range of ports (\"30000-32767\")",
			      o->service_node_port_range);
	o->node_port_first = (int)from;
	o->node_port_last = (int)to;
	return 0;
}

static int check_feature_gates(struct apiserver_options *o, char **reterr_why)
{
	return xb_flags_check_gates(o->feature_gates, reterr_why);
}

/* The source address of a datagram to afar: no packet is sent. */
static bool default_route_address(int family, const char *afar, char ret[INET6_ADDRSTRLEN])
{
	_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(53) };
	bool is_v6 = family == AF_INET6;
	struct sockaddr *to = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	socklen_t n = is_v6 ? sizeof(v6) : sizeof(v4);
	const void *octets = is_v6 ? (const void *)&v6.sin6_addr : (const void *)&v4.sin_addr;

	return fd >= 0 && inet_pton(family, afar, (void *)octets) == 1 && !connect(fd, to, n) && !getsockname(fd, to, &n) &&
	       inet_ntop(family, octets, ret, INET6_ADDRSTRLEN);
}

static bool is_loopback(const char *address)
{
	struct in6_addr v6;

	return !strncmp(address, "127.", 4) || (inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

static bool is_unspecified(const char *address)
{
	struct in6_addr v6;

	return !strcmp(address, "0.0.0.0") || (inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6));
}

static int choose_advertise_address(struct apiserver_options *o, char **reterr_why)
{
	if (o->advertise_flag && is_unspecified(o->advertise_flag))
		return xb_why(reterr_why, -EINVAL, "--advertise-address: \"%s\" is not an address that others can reach", o->advertise_flag);
	if (o->advertise_flag)
		snprintf(o->advertise_address, sizeof(o->advertise_address), "%s", o->advertise_flag);
	else if (!is_unspecified(o->bind_address) && !is_loopback(o->bind_address))
		snprintf(o->advertise_address, sizeof(o->advertise_address), "%s", o->bind_address);
	else if (!default_route_address(AF_INET, "192.0.2.1", o->advertise_address) &&
		 !default_route_address(AF_INET6, "2001:db8::1", o->advertise_address))
		snprintf(o->advertise_address, sizeof(o->advertise_address), "127.0.0.1");
	o->reach_address = o->advertise_flag || is_unspecified(o->bind_address) ? o->advertise_address : o->bind_address;
	return 0;
}

int options_parse(int argc, char *const argv[], struct apiserver_options *o, char **reterr_why)
{
	static int (*const checks[])(struct apiserver_options *o, char **reterr_why) = {
		check_access, check_plugins, check_files, check_feature_gates, check_service_ranges, check_node_ports,
		choose_advertise_address, check_address_types,
	};
	int r;

	*o = (struct apiserver_options){};
	r = xb_flags_parse(rows, ARRAY_SIZE(rows), argc, argv, o, reterr_why);
	if (r || o->help || o->version)
		return r;
	for (size_t i = 0; !r && i < ARRAY_SIZE(checks); i++)
		r = checks[i](o, reterr_why);
	return r;
}

void options_done(struct apiserver_options *o)
{
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
}

void options_help(struct xb_buf *out)
{
	xb_flags_help(rows, ARRAY_SIZE(rows), "kube-apiserver",
		      "The Kubernetes API server: it validates and keeps the state of the cluster and serves it to everybody else.", out);
}
