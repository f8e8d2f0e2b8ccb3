/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "hollow.h"
#include "xb/process.h"
#include "xb/time.h"

#define NODE_IP (100u << 24 | 64u << 16 | 1)    /* of number 0: of 100.64.0.0/10, which no pod and no Service has */
enum { LEASE_PERIODS = 4 };                     /* a kubelet's lease lasts 40 s and is renewed each 10 s */

struct address {
	char s[INET6_ADDRSTRLEN];
};

static struct address v4_text(uint32_t ip)
{
	struct in_addr a = { htonl(ip) };
	struct address text;

	inet_ntop(AF_INET, &a, text.s, sizeof(text.s));
	return text;
}

static struct address v6_text(const uint8_t ip[16])
{
	struct address text;

	inet_ntop(AF_INET6, ip, text.s, sizeof(text.s));
	return text;
}

/* --- numbers --- */
struct hollow_range hollow_range_of(unsigned number)
{
	return (struct hollow_range){ .v4 = 10u << 24 | (128 + (116 + (number >> 8)) % 128) << 16 | (number & 255) << 8 | 2 };
}

void hollow_range_read(struct xb_jv cidrs, struct hollow_range *range)
{
	bool has_v4 = false;

	for (struct xb_jit it = xb_jv_iter(cidrs); xb_jit_next(&it);) {
		struct xb_sv rest = xb_jv_text(it.value), ip;
		char text[INET6_ADDRSTRLEN];
		struct in6_addr v6;
		struct in_addr v4;

		if (!xb_sv_split(&rest, '/', &ip) || ip.n >= sizeof(text))
			continue;
		snprintf(text, sizeof(text), "%.*s", XB_SV_ARG(ip));
		if (!has_v4 && inet_pton(AF_INET, text, &v4) == 1) {
			range->v4 = ntohl(v4.s_addr) + 2;
			has_v4 = true;
		} else if (!range->has_v6 && inet_pton(AF_INET6, text, &v6) == 1) {
			range->has_v6 = true;
			memcpy(range->v6, &v6, sizeof(v6));
			range->v6[15] += 2;
		}
	}
}

int hollow_range_slot(const struct hollow_range *range, struct xb_sv ip)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr v4;

	if (ip.n >= sizeof(text))
		return -ENOENT;
	snprintf(text, sizeof(text), "%.*s", XB_SV_ARG(ip));
	if (inet_pton(AF_INET, text, &v4) != 1 || ntohl(v4.s_addr) - range->v4 >= HOLLOW_PODS)
		return -ENOENT;
	return ntohl(v4.s_addr) - range->v4;
}

struct names hollow_names(const struct hollow_options *o)
{
	return (struct names){ o->prefix, o->first, o->nodes };
}

unsigned hollow_round_take(struct hollow_round *r, uint64_t ms, unsigned *ret_first)
{
	uint64_t due = ms * r->n / r->period_ms, count = MIN(due - r->taken, r->n);

	*ret_first = (due - count) % r->n;
	r->taken = due;
	return count;
}

/* --- nodes --- */
static void kname(struct xb_jw *w, const char *key, const struct hollow_options *o, unsigned number)
{
	_cleanup_buf_ struct xb_buf name = {};

	names_add(hollow_names(o), number - o->first, &name);
	xb_jw_ksv(w, key, xb_buf_sv(&name));
}

static void ktime(struct xb_jw *w, const char *key, int64_t us)
{
	xb_jw_kstr(w, key, xb_time_format(us).s);
}

static const struct {
	const char *type, *status, *reason, *message;
} node_conditions[] = {
	{ "MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available" },
	{ "DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure" },
	{ "PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available" },
	{ "Ready", "True", "KubeletReady", "kubelet is posting ready status" },
};

static void write_node_conditions(struct xb_jw *w, int64_t now, bool changed)
{
	xb_jw_key(w, "conditions");
	xb_jw_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(node_conditions); i++) {
		xb_jw_object(w);
		xb_jw_kstr(w, "type", node_conditions[i].type);
		xb_jw_kstr(w, "status", node_conditions[i].status);
		ktime(w, "lastHeartbeatTime", now);
		if (changed)
			ktime(w, "lastTransitionTime", now);
		xb_jw_kstr(w, "reason", node_conditions[i].reason);
		xb_jw_kstr(w, "message", node_conditions[i].message);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static void write_labels(struct xb_jw *w, const struct hollow_options *o, unsigned number)
{
	char zone[24];

	xb_jw_key(w, "labels");
	xb_jw_object(w);
	xb_jw_kstr(w, "beta.kubernetes.io/arch", "amd64");
	xb_jw_kstr(w, "beta.kubernetes.io/os", "linux");
	xb_jw_kstr(w, "kubernetes.io/arch", "amd64");
	kname(w, "kubernetes.io/hostname", o, number);
	xb_jw_kstr(w, "kubernetes.io/os", "linux");
	if (o->zones) {
		snprintf(zone, sizeof(zone), "zone-%u", number % o->zones);
		xb_jw_kstr(w, "topology.kubernetes.io/zone", zone);
	}
	for (char *const *l = o->labels; l && *l; l++) {
		struct xb_sv value = xb_sv(*l), key;

		xb_sv_split(&value, '=', &key);
		xb_jw_keysv(w, key);
		xb_jw_sv(w, value);
	}
	xb_jw_end(w);
}

static void write_resources(struct xb_jw *w, const char *key, const struct hollow_options *o)
{
	char pods[16];

	snprintf(pods, sizeof(pods), "%d", o->pods_per_node);
	xb_jw_key(w, key);
	xb_jw_object(w);
	xb_jw_kstr(w, "cpu", o->cpu);
	xb_jw_kstr(w, "ephemeral-storage", "100Gi");
	xb_jw_kstr(w, "memory", o->memory);
	xb_jw_kstr(w, "pods", pods);
	xb_jw_end(w);
}

static void write_address(struct xb_jw *w, const char *type)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "type", type);
}

void hollow_write_node(const struct hollow_options *o, unsigned number, int64_t now, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Node");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	kname(&w, "name", o, number);
	write_labels(&w, o, number);
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	write_resources(&w, "capacity", o);
	write_resources(&w, "allocatable", o);
	write_node_conditions(&w, now, true);
	xb_jw_key(&w, "addresses");
	xb_jw_array(&w);
	write_address(&w, "InternalIP");
	xb_jw_kstr(&w, "address", v4_text(NODE_IP + number).s);
	xb_jw_end(&w);
	write_address(&w, "Hostname");
	kname(&w, "address", o, number);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_key(&w, "nodeInfo");
	xb_jw_raw(&w, XB_SV("{\"machineID\":\"\",\"systemUUID\":\"\",\"bootID\":\"\",\"kernelVersion\":\"6.1.0\",\"osImage\":\"hollow\","
		"\"containerRuntimeVersion\":\"hollow://1\",\"kubeletVersion\":\"" XB_PROCESS_VERSION "\",\"kubeProxyVersion\":\"" XB_PROCESS_VERSION "\","
		"\"operatingSystem\":\"linux\",\"architecture\":\"amd64\"}"));
	xb_jw_end(&w);
	xb_jw_end(&w);
	out->err = out->err ? out->err : xb_jw_finish(&w);
}

void hollow_write_heartbeat(int64_t now, bool changed, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	write_node_conditions(&w, now, changed);
	xb_jw_end(&w);
	xb_jw_end(&w);
}

static bool is_not_ready_taint(struct xb_jv taint)
{
	return xb_jv_streq(xb_jv_get(taint, "key"), XB_SV("node.kubernetes.io/not-ready"));
}

bool hollow_is_tainted(struct xb_jv node)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "spec", "taints")); xb_jit_next(&it);)
		if (is_not_ready_taint(it.value))
			return true;
	return false;
}

/* A patch replaces the list of taints: it says which version it has seen, so that none of somebody else's is lost. */
void hollow_write_untaint(struct xb_jv node, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "resourceVersion", xb_jv_text(xb_jv_path(node, "metadata", "resourceVersion")));
	xb_jw_end(&w);
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	xb_jw_key(&w, "taints");
	xb_jw_array(&w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "spec", "taints")); xb_jit_next(&it);)
		if (!is_not_ready_taint(it.value))
			xb_jw_raw(&w, xb_jv_bytes(it.value));
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
}

void hollow_write_lease(const struct hollow_lease *l, int64_t now, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);
	char version[24];

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Lease");
	xb_jw_kstr(&w, "apiVersion", "coordination.k8s.io/v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	kname(&w, "name", l->o, l->number);
	if (l->version) {
		snprintf(version, sizeof(version), "%lu", l->version);
		xb_jw_kstr(&w, "resourceVersion", version);
	}
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_kstr(&w, "kind", "Node");
	kname(&w, "name", l->o, l->number);
	xb_jw_kstr(&w, "uid", l->uid);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	kname(&w, "holderIdentity", l->o, l->number);
	xb_jw_kint(&w, "leaseDurationSeconds", LEASE_PERIODS * l->o->lease_seconds);
	xb_jw_kstr(&w, "renewTime", xb_time_format_micro(now).s);
	xb_jw_end(&w);
	xb_jw_end(&w);
}

/* --- pods --- */
int64_t hollow_annotation(struct xb_jv object, const char *key, int64_t fallback)
{
	int64_t value;

	return xb_sv_i64(xb_jv_text(xb_jv_path(object, "metadata", "annotations", key)), &value) ? fallback : value;
}

static struct xb_sv uid_of(struct xb_jv object)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "uid"));
}

static void write_ip(struct xb_jw *w, const char *ip)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "ip", ip);
	xb_jw_end(w);
}

static void write_addresses(struct xb_jw *w, const struct hollow_pod *p)
{
	bool host = xb_jv_true(xb_jv_path(p->object, "spec", "hostNetwork"));
	struct address node = v4_text(NODE_IP + p->number), own = host ? node : v4_text(p->range->v4 + p->slot);
	uint8_t v6[16];

	xb_jw_kstr(w, "hostIP", node.s);
	xb_jw_key(w, "hostIPs");
	xb_jw_array(w);
	write_ip(w, node.s);
	xb_jw_end(w);
	xb_jw_kstr(w, "podIP", own.s);
	xb_jw_key(w, "podIPs");
	xb_jw_array(w);
	write_ip(w, own.s);
	if (p->range->has_v6 && !host) {
		memcpy(v6, p->range->v6, sizeof(v6));
		v6[15] += p->slot;
		write_ip(w, v6_text(v6).s);
	}
	xb_jw_end(w);
}

/* ended: NULL while it runs, else the reason. PodScheduled keeps the time that its binding gave it. */
static void write_pod_conditions(struct xb_jw *w, const char *ended, int64_t now)
{
	static const struct {
		const char *type;
		bool lasts;     /* after the end */
	} rows[] = { { "PodReadyToStartContainers", false }, { "Initialized", true }, { "Ready", false }, { "ContainersReady", false },
		     { "PodScheduled", true } };

	xb_jw_key(w, "conditions");
	xb_jw_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool last = i + 1 == ARRAY_SIZE(rows);

		xb_jw_object(w);
		xb_jw_kstr(w, "type", rows[i].type);
		xb_jw_kstr(w, "status", ended && !rows[i].lasts ? "False" : "True");
		if (!last && !(ended && rows[i].lasts))
			ktime(w, "lastTransitionTime", now);
		if (ended && i && !last)
			xb_jw_kstr(w, "reason", ended);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static void begin_container(struct xb_jw *w, struct xb_jv pod, struct xb_jv container, unsigned restarts, bool runs)
{
	_cleanup_buf_ struct xb_buf id = {};
	struct xb_sv name = xb_jv_text(xb_jv_get(container, "name"));

	xb_buf_addf(&id, "hollow://%.*s/%.*s/%u", XB_SV_ARG(uid_of(pod)), XB_SV_ARG(name), restarts);
	xb_jw_object(w);
	xb_jw_ksv(w, "name", name);
	xb_jw_key(w, "image");
	xb_jw_raw(w, xb_jv_bytes(xb_jv_get(container, "image")));
	xb_jw_key(w, "imageID");
	xb_jw_raw(w, xb_jv_bytes(xb_jv_get(container, "image")));
	xb_jw_ksv(w, "containerID", xb_buf_sv(&id));
	xb_jw_kint(w, "restartCount", restarts);
	xb_jw_kbool(w, "started", runs);
}

static void write_runs(struct xb_jw *w, int64_t since)
{
	xb_jw_key(w, "running");
	xb_jw_object(w);
	ktime(w, "startedAt", since);
	xb_jw_end(w);
}

static void write_terminated(struct xb_jw *w, int exit_code, int64_t since, int64_t now)
{
	xb_jw_key(w, "terminated");
	xb_jw_object(w);
	xb_jw_kint(w, "exitCode", exit_code);
	xb_jw_kstr(w, "reason", exit_code ? "Error" : "Completed");
	ktime(w, "startedAt", since);
	ktime(w, "finishedAt", now);
	xb_jw_end(w);
}

/* exit_code: negative while it runs. */
static void write_container(struct xb_jw *w, const struct hollow_pod *p, struct xb_jv container, int exit_code, bool ready,
			    int64_t since, int64_t now)
{
	begin_container(w, p->object, container, p->restarts, exit_code < 0);
	xb_jw_kbool(w, "ready", ready);
	xb_jw_key(w, "state");
	xb_jw_object(w);
	if (exit_code < 0)
		write_runs(w, since);
	else
		write_terminated(w, exit_code, since, now);
	xb_jw_end(w);
	xb_jw_end(w);
}

static void write_containers(struct xb_jw *w, const struct hollow_pod *p, int exit_code, int64_t since, int64_t now)
{
	struct xb_jv spec = xb_jv_get(p->object, "spec"), init = xb_jv_get(spec, "initContainers");

	if (xb_jv_count(init)) {
		xb_jw_key(w, "initContainerStatuses");
		xb_jw_array(w);
		for (struct xb_jit it = xb_jv_iter(init); xb_jit_next(&it);) {
			bool sidecar = xb_jv_streq(xb_jv_get(it.value, "restartPolicy"), XB_SV("Always")), runs = sidecar && exit_code < 0;

			write_container(w, p, it.value, runs ? -1 : 0, runs || !sidecar, since, now);
		}
		xb_jw_end(w);
	}
	xb_jw_key(w, "containerStatuses");
	xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "containers")); xb_jit_next(&it);)
		write_container(w, p, it.value, exit_code, exit_code < 0, since, now);
	xb_jw_end(w);
}

/* A kubelet's patch names the uid, so that it never meets another pod of that name. */
static void begin_patch(struct xb_jw *w, struct xb_jv object)
{
	xb_jw_object(w);
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "uid", uid_of(object));
	xb_jw_end(w);
	xb_jw_key(w, "status");
	xb_jw_object(w);
}

static int64_t start_time(struct xb_jv object, int64_t now)
{
	int64_t at;

	return xb_time_parse(xb_jv_text(xb_jv_path(object, "status", "startTime")), &at) ? now : at;
}

void hollow_write_running(const struct hollow_pod *p, int64_t now, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	begin_patch(&w, p->object);
	xb_jw_kstr(&w, "phase", "Running");
	ktime(&w, "startTime", start_time(p->object, now));
	write_addresses(&w, p);
	write_pod_conditions(&w, NULL, now);
	write_containers(&w, p, -1, now, now);
	xb_jw_end(&w);
	xb_jw_end(&w);
}

void hollow_write_ended(const struct hollow_pod *p, int exit_code, int64_t now, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	begin_patch(&w, p->object);
	xb_jw_kstr(&w, "phase", exit_code ? "Failed" : "Succeeded");
	write_pod_conditions(&w, exit_code ? "PodFailed" : "PodCompleted", now);
	write_containers(&w, p, exit_code, start_time(p->object, now), now);
	xb_jw_end(&w);
	xb_jw_end(&w);
}

void hollow_write_rejected(struct xb_jv object, unsigned capacity, int64_t now, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);
	char message[160];

	snprintf(message, sizeof(message), "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: %u, capacity: %u", capacity, capacity);
	begin_patch(&w, object);
	xb_jw_kstr(&w, "phase", "Failed");
	xb_jw_kstr(&w, "reason", "OutOfpods");
	xb_jw_kstr(&w, "message", message);
	ktime(&w, "startTime", now);
	xb_jw_end(&w);
	xb_jw_end(&w);
}

void hollow_write_delete(struct xb_jv object, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "DeleteOptions");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_kint(&w, "gracePeriodSeconds", 0);
	xb_jw_key(&w, "preconditions");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "uid", uid_of(object));
	xb_jw_end(&w);
	xb_jw_end(&w);
}
