/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One body is made for a run; a request copies it and overwrites the digits of its name and revision. */
#include "api.h"
#include "command.h"
#include "xb/why.h"

enum { DIGITS = 8, VALUE_BYTES = 40, TAIL_BYTES = 40 };
#define NO_DIGITS "00000000"

struct kind {
	const char *plural, *kind, *api_version, *folder;
	void (*rest)(struct xb_jw *w, int size);
};
struct object {
	const struct kind *kind;
	const char *prefix;             /* borrowed */
	char *path;                     /* of the collection, without the target's base */
	struct xb_buf body;
	size_t name_at, revision_at;
	unsigned revision;
};

/* The API takes hexadecimal digits, four at a time, also where it wants base64. */
static const char *filler(unsigned i, char ret[VALUE_BYTES + 1])
{
	uint64_t x = i + 1;

	for (int at = 0; at < VALUE_BYTES; at += 8) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		snprintf(ret + at, 9, "%08x", (unsigned)(x >> 32));
	}
	return ret;
}

static void fill_map(struct xb_jw *w, int size)
{
	char name[24], value[VALUE_BYTES + 1];

	xb_jw_key(w, "data");
	xb_jw_object(w);
	for (unsigned i = 0; !i || (int)w->out->n + TAIL_BYTES < size; i++) {
		snprintf(name, sizeof(name), "setting.%04u", i);
		xb_jw_kstr(w, name, filler(i, value));
	}
	xb_jw_end(w);
}

static void fill_env(struct xb_jw *w, int size)
{
	char name[24], value[VALUE_BYTES + 1];

	xb_jw_key(w, "env");
	xb_jw_array(w);
	for (unsigned i = 0; !i || (int)w->out->n + TAIL_BYTES < size; i++) {
		snprintf(name, sizeof(name), "SETTING_%04u", i);
		xb_jw_object(w);
		xb_jw_kstr(w, "name", name);
		xb_jw_kstr(w, "value", filler(i, value));
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

#define RAW(w, key, json) (xb_jw_key((w), (key)), xb_jw_raw((w), XB_SV(json)))

/* Nothing will run it: its scheduler does not exist. What upstream's admission would add is there, so that updates pass. */
static void pod_rest(struct xb_jw *w, int size)
{
	xb_jw_key(w, "spec");
	xb_jw_object(w);
	xb_jw_kstr(w, "schedulerName", "xebec-bench");
	xb_jw_kstr(w, "serviceAccountName", "default");
	xb_jw_kbool(w, "automountServiceAccountToken", false);
	xb_jw_kstr(w, "restartPolicy", "Always");
	RAW(w, "securityContext", "{\"runAsNonRoot\":true,\"runAsUser\":1000,\"fsGroup\":1000}");
	RAW(w, "nodeSelector", "{\"kubernetes.io/os\":\"linux\",\"topology.kubernetes.io/zone\":\"zone-a\"}");
	RAW(w, "tolerations", "[{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":300},"
	    "{\"key\":\"node.kubernetes.io/unreachable\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":300}]");
	RAW(w, "volumes", "[{\"name\":\"cache\",\"emptyDir\":{}},{\"name\":\"config\",\"configMap\":{\"name\":\"app-config\"}}]");
	xb_jw_key(w, "containers");
	xb_jw_array(w);
	xb_jw_raw(w, XB_SV("{\"name\":\"log-shipper\",\"image\":\"registry.example.com/infra/log-shipper:2.8.1\",\"args\":[\"--follow\",\"/var/log/app\"],"
		"\"resources\":{\"requests\":{\"cpu\":\"10m\",\"memory\":\"32Mi\"},\"limits\":{\"memory\":\"64Mi\"}},"
		"\"volumeMounts\":[{\"name\":\"cache\",\"mountPath\":\"/var/log/app\",\"readOnly\":true}]}"));
	xb_jw_object(w);
	xb_jw_kstr(w, "name", "app");
	xb_jw_kstr(w, "image", "registry.example.com/team/app:1.42.0");
	RAW(w, "command", "[\"/usr/bin/app\"]");
	RAW(w, "args", "[\"--listen=:8080\",\"--config=/etc/app/config.yaml\",\"--log-level=info\"]");
	RAW(w, "ports", "[{\"name\":\"http\",\"containerPort\":8080,\"protocol\":\"TCP\"},{\"name\":\"metrics\",\"containerPort\":9090,\"protocol\":\"TCP\"}]");
	RAW(w, "resources", "{\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"},\"limits\":{\"cpu\":\"1\",\"memory\":\"256Mi\"}}");
	RAW(w, "readinessProbe", "{\"httpGet\":{\"path\":\"/ready\",\"port\":\"http\"},\"periodSeconds\":5,\"failureThreshold\":3}");
	RAW(w, "livenessProbe", "{\"httpGet\":{\"path\":\"/live\",\"port\":\"http\"},\"initialDelaySeconds\":10,\"periodSeconds\":10}");
	RAW(w, "volumeMounts", "[{\"name\":\"cache\",\"mountPath\":\"/var/cache/app\"},{\"name\":\"config\",\"mountPath\":\"/etc/app\",\"readOnly\":true}]");
	RAW(w, "securityContext", "{\"allowPrivilegeEscalation\":false,\"readOnlyRootFilesystem\":true,\"capabilities\":{\"drop\":[\"ALL\"]}}");
	fill_env(w, size);
	xb_jw_end(w);
	xb_jw_end(w);
	xb_jw_end(w);
}

static void service_rest(struct xb_jw *w, int size)
{
	RAW(w, "spec", "{\"selector\":{\"app.kubernetes.io/name\":\"bench\"},\"ports\":[{\"name\":\"http\",\"port\":80,\"targetPort\":8080,\"protocol\":\"TCP\"}]}");
}

static void lease_rest(struct xb_jw *w, int size)
{
	RAW(w, "spec", "{\"holderIdentity\":\"node-1\",\"leaseDurationSeconds\":40,\"renewTime\":\"2026-01-02T03:04:05.000000Z\"}");
}

static const struct kind kinds[] = {
	{ "pods", "Pod", "v1", "/api/v1", pod_rest },
	{ "configmaps", "ConfigMap", "v1", "/api/v1", fill_map },
	{ "secrets", "Secret", "v1", "/api/v1", fill_map },
	{ "services", "Service", "v1", "/api/v1", service_rest },
	{ "leases", "Lease", "coordination.k8s.io/v1", "/apis/coordination.k8s.io/v1", lease_rest },
};

static int write_body(struct object *o, int size)
{
	struct xb_jw w = XB_JW(&o->body);
	_cleanup_free_ char *name = NULL;

	if (asprintf(&name, "%s" NO_DIGITS, o->prefix) < 0)
		return -ENOMEM;
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", o->kind->kind);
	xb_jw_kstr(&w, "apiVersion", o->kind->api_version);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "name", name);
	o->name_at = o->body.n - 1 - DIGITS;
	RAW(&w, "labels", "{\"app.kubernetes.io/name\":\"bench\",\"app.kubernetes.io/component\":\"web\",\"app.kubernetes.io/managed-by\":\"xebec-bench\"}");
	xb_jw_key(&w, "annotations");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "xebec-bench/revision", NO_DIGITS);
	o->revision_at = o->body.n - 1 - DIGITS;
	xb_jw_end(&w);
	xb_jw_end(&w);
	o->kind->rest(&w, size);
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}

struct object *object_free(struct object *o)
{
	if (o) {
		free(o->path);
		xb_buf_done(&o->body);
		free(o);
	}
	return NULL;
}

int object_new(const struct api_options *options, const char *namespace_, struct object **ret, char **reterr_why)
{
	_cleanup_(object_freep) struct object *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].plural, options->kind))
			o->kind = &kinds[i];
	if (!o->kind)
		return xb_why(reterr_why, -EINVAL, "--kind: \"%s\" is not pods, configmaps, secrets, services or leases", options->kind);
	o->prefix = options->prefix;
	o->revision = now_ns() / 1000; /* another than in the last run: an update without a change is none */
	if (asprintf(&o->path, "%s/namespaces/%s/%s", o->kind->folder, namespace_, o->kind->plural) < 0)
		return -ENOMEM;
	r = write_body(o, options->size);
	if (r)
		return r;
	*ret = TAKE_PTR(o);
	return 0;
}

static void put_digits(char *at, unsigned n)
{
	for (int i = DIGITS - 1; i >= 0; i--, n /= 10)
		at[i] = '0' + n % 10;
}

void object_request(struct object *o, enum api_op op, unsigned n, const struct target *t, struct xb_buf *out)
{
	static const char *const methods[API_OPS] = { "POST", "GET", "PUT", "GET", "DELETE" };
	char digits[DIGITS];

	xb_buf_clear(out);
	put_digits(digits, n);
	xb_buf_adds(out, methods[op]);
	xb_buf_addc(out, ' ');
	xb_buf_adds(out, t->base);
	xb_buf_adds(out, o->path);
	if (op != API_CREATE) {
		xb_buf_addc(out, '/');
		xb_buf_adds(out, o->prefix);
		xb_buf_add(out, digits, DIGITS);
	}
	xb_buf_adds(out, " HTTP/1.1\r\n");
	xb_buf_adds(out, t->fields);
	if (op == API_CREATE || op == API_UPDATE) {
		memcpy(o->body.p + o->name_at, digits, DIGITS);
		put_digits(o->body.p + o->revision_at, o->revision++);
		xb_buf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", o->body.n);
		xb_buf_addsv(out, xb_buf_sv(&o->body));
	} else {
		xb_buf_adds(out, "\r\n");
	}
}

void object_list(const struct object *o, const char *query, const struct target *t, struct xb_buf *out)
{
	xb_buf_clear(out);
	xb_buf_addf(out, "GET %s%s%s%s HTTP/1.1\r\n%s\r\n", t->base, o->path, query && *query ? "?" : "", query ? query : "", t->fields);
}
