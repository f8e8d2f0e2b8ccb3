/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include "admission.h"
#include "flow.h"
#include "metrics.h"
#include "options.h"
#include "server.h"
#include "version.h"
#include "xb/prometheus.h"

static const char *const kinds_of_request[] = { [FLOW_READ_ONLY] = "readOnly", [FLOW_MUTATING] = "mutating" };

/* --- series of requests --- */

#define LABELS_MAX 640 /* of names that are ours alone, none near 100 bytes */

static void labels_of(const struct series *s, bool with_dry_run, char ret[LABELS_MAX])
{
	static const char *const scopes[] = { "", "resource", "namespace", "cluster" };
	const struct series_key *k = &s->key;

	snprintf(ret, LABELS_MAX, "component=\"apiserver\",%sgroup=\"%s\",resource=\"%s\",scope=\"%s\",subresource=\"%s\",verb=\"%s\",version=\"%s\"",
		 !with_dry_run ? "" : k->dry_run ? "dry_run=\"All\"," : "dry_run=\"\",", k->kind ? k->kind->group : "",
		 k->kind ? k->kind->plural : "", scopes[k->scope], k->sub ? k->sub->name : k->path ? k->path : "", k->verb,
		 k->kind ? k->kind->version : "");
}

#define EACH_SERIES(s, m) (const struct series *s = (m)->series; s < (m)->series + (m)->n_series; s++)

static uint64_t total(const uint64_t *counts, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += counts[i];
	return sum;
}

static void write_codes(const struct metrics *m, struct xb_buf *out)
{
	char labels[LABELS_MAX];

	xb_prom_head(out, "apiserver_request_total", "counter",
		     "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.");
	for EACH_SERIES(s, m) {
		labels_of(s, true, labels);
		for (unsigned i = 0; i < METRICS_CODES; i++)
			if (s->codes[i])
				xb_buf_addf(out, "apiserver_request_total{code=\"%u\",%s} %" PRIu64 "\n", metrics_codes[i], labels, s->codes[i]);
	}
}

static void write_durations(const struct metrics *m, struct xb_buf *out)
{
	char labels[LABELS_MAX];

	xb_prom_head(out, "apiserver_request_duration_seconds", "histogram",
		     "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.");
	for EACH_SERIES(s, m) {
		labels_of(s, true, labels);
		if (total(s->durations, METRICS_DURATIONS + 1))
			xb_prom_histogram(out, "apiserver_request_duration_seconds", labels, metrics_durations, METRICS_DURATIONS, s->durations,
					  s->duration_sum);
	}
	xb_prom_head(out, "apiserver_request_sli_duration_seconds", "histogram",
		     "[ALPHA] Response latency distribution (not counting queue wait times) in seconds for each verb, group, version, resource, subresource, scope and component.");
	for EACH_SERIES(s, m) {
		labels_of(s, false, labels);
		if (total(s->sli, METRICS_SLI_DURATIONS + 1))
			xb_prom_histogram(out, "apiserver_request_sli_duration_seconds", labels, metrics_sli_durations, METRICS_SLI_DURATIONS, s->sli,
					  s->sli_sum);
	}
}

static void write_sizes(const struct metrics *m, struct xb_buf *out)
{
	char labels[LABELS_MAX];

	xb_prom_head(out, "apiserver_response_sizes", "histogram",
		     "[STABLE] Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.");
	for EACH_SERIES(s, m) {
		labels_of(s, false, labels);
		if (total(s->sizes, METRICS_SIZES + 1))
			xb_prom_histogram(out, "apiserver_response_sizes", labels, metrics_sizes, METRICS_SIZES, s->sizes, s->size_sum);
	}
}

static void write_watches(const struct metrics *m, struct xb_buf *out)
{
	char labels[LABELS_MAX];

	xb_prom_head(out, "apiserver_longrunning_requests", "gauge",
		     "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.");
	for EACH_SERIES(s, m) {
		labels_of(s, false, labels);
		if (!strcmp(s->key.verb, "WATCH"))
			xb_prom_sample(out, "apiserver_longrunning_requests", labels, s->open);
	}
	xb_prom_head(out, "apiserver_watch_events_total", "counter", "[ALPHA] Number of events sent in watch clients");
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		uint64_t events = 0;

		for EACH_SERIES(s, m)
			events += s->key.kind == *k ? s->events : 0;
		if (events)
			xb_buf_addf(out, "apiserver_watch_events_total{group=\"%s\",kind=\"%s\",version=\"%s\"} %" PRIu64 "\n", (*k)->group, (*k)->kind,
				    (*k)->version, events);
	}
}

static void write_terminations(const struct metrics *m, struct xb_buf *out)
{
	char labels[LABELS_MAX];

	xb_prom_head(out, "apiserver_request_terminations_total", "counter", "[ALPHA] Number of requests which apiserver terminated in self-defense.");
	for EACH_SERIES(s, m) {
		labels_of(s, false, labels);
		if (s->refused)
			xb_buf_addf(out, "apiserver_request_terminations_total{code=\"429\",%s} %" PRIu64 "\n", labels, s->refused);
		if (s->timed_out)
			xb_buf_addf(out, "apiserver_request_terminations_total{code=\"504\",%s} %" PRIu64 "\n", labels, s->timed_out);
	}
}

/* --- how much at once --- */

static void write_flows(const struct server *s, struct xb_buf *out)
{
	static const char *const outcomes[] = { "false", "true" };
	_cleanup_buf_ struct xb_buf labels = {};
	struct flow_stats now[2];

	xb_prom_head(out, "apiserver_current_inflight_requests", "gauge",
		     "[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.");
	for (unsigned k = 0; k < 2; k++)
		xb_buf_addf(out, "apiserver_current_inflight_requests{request_kind=\"%s\"} %u\n", kinds_of_request[k],
			    metrics_most_in_flight(s->metrics, k == FLOW_MUTATING));
	for (unsigned k = 0; k < 2; k++)
		flow_stats(s->flows, k, &now[k]);
	xb_prom_head(out, "apiserver_current_inqueue_requests", "gauge", "[ALPHA] Number of queued requests in this apiserver per request kind.");
	for (unsigned k = 0; k < 2; k++)
		xb_buf_addf(out, "apiserver_current_inqueue_requests{request_kind=\"%s\"} %u\n", kinds_of_request[k], now[k].waiting);
	xb_prom_head(out, "xebec_flow_seats", "gauge", "Seats taken, each of 64 KiB, of the limits on requests in flight.");
	for (unsigned k = 0; k < 2; k++)
		xb_buf_addf(out, "xebec_flow_seats{request_kind=\"%s\"} %u\n", kinds_of_request[k], now[k].seats);
	xb_prom_head(out, "apiserver_flowcontrol_rejected_requests_total", "counter", "[BETA] Number of requests rejected by the queues of users");
	for (unsigned k = 0; k < 2; k++) {
		xb_buf_addf(out, "apiserver_flowcontrol_rejected_requests_total{flow_schema=\"user\",priority_level=\"%s\",reason=\"queue-full\"} %" PRIu64 "\n",
			    kinds_of_request[k], now[k].refused[FLOW_QUEUE_FULL]);
		xb_buf_addf(out, "apiserver_flowcontrol_rejected_requests_total{flow_schema=\"user\",priority_level=\"%s\",reason=\"time-out\"} %" PRIu64 "\n",
			    kinds_of_request[k], now[k].refused[FLOW_TIME_OUT]);
	}
	xb_prom_head(out, "apiserver_flowcontrol_request_wait_duration_seconds", "histogram", "[BETA] Length of time a request spent waiting in its queue");
	for (unsigned i = 0; i < 4; i++) {
		xb_buf_clear(&labels);
		xb_buf_addf(&labels, "execute=\"%s\",flow_schema=\"user\",priority_level=\"%s\"", outcomes[i & 1], kinds_of_request[i / 2]);
		if (!labels.err)
			xb_prom_histogram(out, "apiserver_flowcontrol_request_wait_duration_seconds", labels.p, metrics_wait_durations, METRICS_WAITS,
					  s->metrics->waits[i / 2][i & 1], s->metrics->wait_sums[i / 2][i & 1]);
	}
}

/* --- who may do what --- */

static void write_access(const struct metrics *m, struct xb_buf *out)
{
	static const char *const authn[] = { "success", "failure", "error" }, *const authz[] = { "allowed", "no-opinion", "error" };

	xb_prom_head(out, "authentication_attempts", "counter", "[ALPHA] Counter of authenticated attempts.");
	for (unsigned i = 0; i < ARRAY_SIZE(authn); i++)
		xb_buf_addf(out, "authentication_attempts{result=\"%s\"} %" PRIu64 "\n", authn[i], m->authn[i]);
	xb_prom_head(out, "authenticated_user_requests", "counter", "[ALPHA] Counter of authenticated requests broken out by username.");
	for (unsigned i = 0; i < ARRAY_SIZE(metrics_users); i++)
		if (m->users[i])
			xb_buf_addf(out, "authenticated_user_requests{username=\"%s\"} %" PRIu64 "\n", metrics_users[i], m->users[i]);
	xb_prom_head(out, "authorization_attempts_total", "counter",
		     "[ALPHA] Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied', 'no-opinion' or 'error'.");
	for (unsigned i = 0; i < ARRAY_SIZE(authz); i++)
		xb_buf_addf(out, "authorization_attempts_total{result=\"%s\"} %" PRIu64 "\n", authz[i], m->authz[i]);
	xb_prom_head(out, "apiserver_client_certificate_expiration_seconds", "histogram",
		     "[ALPHA] Distribution of the remaining lifetime on the certificate used to authenticate a request.");
	xb_prom_histogram(out, "apiserver_client_certificate_expiration_seconds", "", metrics_expirations, METRICS_EXPIRATIONS, m->expirations,
			  m->expiration_sum);
}

static void write_admission(const struct metrics *m, struct xb_buf *out)
{
	static const char name[] = "apiserver_admission_controller_admission_duration_seconds", step[] = "apiserver_admission_step_admission_duration_seconds";
	static const char *const operations[] = { "CREATE", "UPDATE", "DELETE" }, *const truth[] = { "false", "true" };
	char labels[LABELS_MAX];

	xb_prom_head(out, name, "histogram",
		     "[STABLE] Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).");
	for (unsigned p = 0; p < METRICS_PLUGINS; p++)
		for (unsigned i = 0; i < 6; i++) {
			if (!admission_name(p) || !total(m->admissions[p][i / 2][i & 1], METRICS_ADMISSIONS + 1))
				continue;
			snprintf(labels, sizeof(labels), "name=\"%s\",operation=\"%s\",rejected=\"%s\",type=\"admit\"", admission_name(p),
				 operations[i / 2], truth[i & 1]);
			xb_prom_histogram(out, name, labels, metrics_admissions, METRICS_ADMISSIONS, m->admissions[p][i / 2][i & 1],
					  m->admission_sums[p][i / 2][i & 1]);
		}
	xb_prom_head(out, step, "histogram",
		     "[STABLE] Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).");
	for (unsigned i = 0; i < 6; i++) {
		snprintf(labels, sizeof(labels), "operation=\"%s\",rejected=\"%s\",type=\"admit\"", operations[i / 2], truth[i & 1]);
		if (total(m->admission_steps[i / 2][i & 1], METRICS_ADMISSIONS + 1))
			xb_prom_histogram(out, step, labels, metrics_admissions, METRICS_ADMISSIONS, m->admission_steps[i / 2][i & 1],
					  m->admission_step_sums[i / 2][i & 1]);
	}
}

/* --- the store --- */

static void write_objects(const struct server *s, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf prefix = {};

	xb_prom_head(out, "apiserver_storage_objects", "gauge",
		     "[STABLE] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.");
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		if (!((*k)->verbs & XB_VERB_LIST) || (*k)->stored)
			continue;
		xb_buf_clear(&prefix);
		xb_buf_addf(&prefix, "%s%s%s/", (*k)->plural, *(*k)->group ? "." : "", (*k)->group);
		if (prefix.err)
			return;
		xb_buf_addf(out, "apiserver_storage_objects{resource=\"%.*s\"} %zu\n", (int)prefix.n - 1, prefix.p, store_count(s->store, prefix.p));
	}
}

static void write_store(const struct server *s, struct xb_buf *out)
{
	struct store_stats st;

	store_stats(s->store, &st);
	xb_prom_head(out, "apiserver_storage_size_bytes", "gauge", "[STABLE] Size of the storage database file physically allocated in bytes.");
	xb_buf_addf(out, "apiserver_storage_size_bytes{storage_cluster_id=\"store\"} %" PRIu64 "\n", st.size.file);
	xb_prom_one(out, "xebec_store_revision", "counter", "Newest committed revision.", (double)store_revision(s->store));
	xb_prom_one(out, "xebec_store_bytes", "gauge", "Bytes of all objects.", (double)st.bytes);
	xb_prom_one(out, "xebec_store_history_bytes", "gauge", "Bytes of the kept history.", (double)st.history_bytes);
	xb_prom_one(out, "xebec_store_commits_total", "counter", "Batches made durable.", (double)st.commits);
	xb_prom_one(out, "xebec_store_writes_total", "counter", "Writes made durable.", (double)st.writes);
	xb_prom_one(out, "xebec_store_commit_seconds", "gauge", "How long the last commit took.", (double)st.commit_ns_last / 1e9);
	xb_prom_one(out, "xebec_store_parts", "gauge", "Pieces that objects share.", (double)st.parts);
	xb_prom_one(out, "xebec_store_used_bytes", "gauge", "Bytes of the database that hold something; the rest is used again.",
		    (double)st.size.used);
	xb_prom_one(out, "xebec_store_quota_bytes", "gauge", "Bytes in use at which objects can no longer be written; 0 for no limit.",
		    (double)st.quota);
	xb_prom_one(out, "xebec_store_write_error", "gauge", "The error number for which writes are refused now; 0 for none.", -st.write_error);
	xb_prom_head(out, "xebec_store_write_duration_seconds", "histogram", "From a write's queueing to its being durable or refused.");
	xb_prom_histogram(out, "xebec_store_write_duration_seconds", "", metrics_commits, METRICS_COMMITS, s->metrics->commits,
			  s->metrics->commit_sum);
}

static void write_connections(const struct server *s, struct xb_buf *out)
{
	struct xb_http_stats st;

	xb_http_server_stats(s->http, &st);
	xb_prom_one(out, "xebec_http_connections", "gauge", "Open connections.", (double)st.connections);
	xb_prom_one(out, "xebec_http_connections_total", "counter", "Connections accepted.", (double)st.accepted);
	xb_prom_one(out, "xebec_http_received_bytes_total", "counter", "Bytes received, decrypted.", (double)st.bytes_in);
	xb_prom_one(out, "xebec_http_sent_bytes_total", "counter", "Bytes sent, before encryption.", (double)st.bytes_out);
	xb_prom_one(out, "xebec_http_faults_total", "counter", "Requests refused before anybody read them: broken, too large, too slow.",
		    (double)st.faults);
}

static void write_build(struct xb_buf *out)
{
	xb_prom_head(out, "kubernetes_build_info", "gauge",
		     "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.");
	xb_buf_addf(out, "kubernetes_build_info{build_date=\"%s\",compiler=\"%s\",git_commit=\"\",git_tree_state=\"\",git_version=\"%s\",go_version=\"\",major=\"%s\",minor=\"%s\",platform=\"%s\"} 1\n",
		    VERSION_BUILD_DATE, VERSION_COMPILER, VERSION_GIT, VERSION_MAJOR, VERSION_MINOR, VERSION_PLATFORM);
}

void metrics_write(const struct server *s, struct xb_buf *out)
{
	const struct metrics *m = s->metrics;

	write_codes(m, out);
	write_durations(m, out);
	write_sizes(m, out);
	write_watches(m, out);
	write_terminations(m, out);
	write_flows(s, out);
	write_access(m, out);
	write_admission(m, out);
	write_objects(s, out);
	write_store(s, out);
	write_connections(s, out);
	write_build(out);
	xb_prom_process(out, m->start_us);
}
