/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include "command.h"
#include "hollow.h"
#include "xb/flags.h"
#include "xb/kubeconfig.h"
#include "xb/quantity.h"
#include "xb/why.h"

enum { MOST_UNDER_WAY = 800 };

#define TO "Target"
#define NODES "Nodes"
#define PODS "Pods"
#define REPORT "Report"
static const struct xb_flag flags[] = {
	XB_FLAG(STRING, struct hollow_options, kubeconfig, "kubeconfig", NULL, TO, "Where the server is and who we are; $KUBECONFIG, then ~/.kube/config."),
	XB_FLAG(STRING, struct hollow_options, context, "context", NULL, TO, "The context in it; its current one."),
	XB_FLAG(INT, struct hollow_options, nodes, "nodes", "100", NODES, "How many.", .min = 1, .max = HOLLOW_NODES),
	XB_FLAG(INT, struct hollow_options, first, "first", "0", NODES, "The number of the first.", .max = 1000000),
	XB_FLAG(STRING, struct hollow_options, prefix, "prefix", "hollow-", NODES, "Names are the prefix and the number."),
	XB_FLAG(INT, struct hollow_options, pods_per_node, "pods-per-node", "110", NODES, "Pods that a node takes.", .min = 1, .max = HOLLOW_PODS),
	XB_FLAG(STRING, struct hollow_options, cpu, "cpu", "4", NODES, "Capacity, as a quantity."),
	XB_FLAG(STRING, struct hollow_options, memory, "memory", "32Gi", NODES, "Capacity, as a quantity."),
	XB_FLAG(LIST, struct hollow_options, labels, "labels", NULL, NODES, "Further labels, as key=value."),
	XB_FLAG(INT, struct hollow_options, zones, "zones", "0", NODES, "Nodes are spread over so many zones, in turn; 0: none has a zone.", .max = 1000),
	XB_FLAG(INT, struct hollow_options, lease_seconds, "lease-seconds", "10", NODES, "How often a lease is renewed.", .min = 1, .max = 3600),
	XB_FLAG(BOOL, struct hollow_options, untaint, "untaint", "false", NODES,
		"Take the taint not-ready from ready nodes, which is the node lifecycle controller's work: for clusters that have none."),
	XB_FLAG(BOOL, struct hollow_options, cleanup, "cleanup", "false", NODES, "Delete these nodes and their leases instead, and end."),
	XB_FLAG(DURATION, struct hollow_options, start_delay, "start-delay", "0", PODS, "From a pod's binding until it runs."),
	XB_FLAG(DURATION, struct hollow_options, stop_delay, "stop-delay", "0", PODS, "From a pod's deletion until it is gone."),
	XB_FLAG(INT, struct hollow_options, run_seconds, "run-seconds", "0", PODS,
		"How long containers run in pods of restartPolicy Never and OnFailure, 0: for ever; a pod's annotation xebec-bench/run-seconds goes "
		"before. They exit with its annotation xebec-bench/exit-code, or 0.", .max = 1000000),
	XB_FLAG(CHOICE, struct hollow_options, output, "output", "words", REPORT, "The form of the reports.", .choices = "words|json", .letter = 'o'),
	XB_FLAG(BOOL, struct hollow_options, help, "help", "false", REPORT, "This text.", .letter = 'h'),
};

static int help(void)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_flags_help(flags, ARRAY_SIZE(flags), "xebec-bench hollow", "Nodes, and the pods bound to them, that exist in the API alone. One report "
		      "when all are registered, one at the end (SIGTERM, SIGINT).", &text);
	fputs(text.p ? text.p : "", stdout);
	return EXIT_SUCCESS;
}

static double milliseconds_since(uint64_t ns)
{
	return (now_ns() - ns) / 1e6;
}

static void print(struct hollow *h, struct xb_jw *w)
{
	xb_jw_end(w);
	if (xb_jw_finish(w) || report_print_json(h->o->output, xb_buf_sv(w->out)))
		h->failed = true;
}

static void on_registered(struct hollow *h)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);

	xb_jw_object(&w);
	xb_jw_kint(&w, "registered", h->registered);
	report_double(&w, "registeredMilliseconds", milliseconds_since(h->began));
	print(h, &w);
}

static void on_deleted(struct hollow *h)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);

	xb_jw_object(&w);
	xb_jw_kint(&w, "deleted", h->o->nodes);
	print(h, &w);
	uv_stop(&h->loop);
}

static void write_pods(struct xb_jw *w, const struct hollow *h)
{
	xb_jw_key(w, "pods");
	xb_jw_object(w);
	xb_jw_kint(w, "running", h->running);
	xb_jw_kint(w, "started", h->started);
	xb_jw_kint(w, "restarted", h->restarted);
	xb_jw_kint(w, "ended", h->ended);
	xb_jw_kint(w, "rejected", h->rejected);
	xb_jw_kint(w, "removed", h->removed);
	report_latency(w, "start", &h->start);
	xb_jw_end(w);
}

static void write_leases(struct xb_jw *w, const struct hollow *h)
{
	xb_jw_key(w, "leases");
	xb_jw_object(w);
	xb_jw_kint(w, "renewed", h->renewed);
	report_double(w, "renewedPerSecond", h->renewed / (milliseconds_since(h->began) / 1e3));
	xb_jw_kint(w, "late", h->late);
	xb_jw_end(w);
}

static void write_requests(struct xb_jw *w, const struct hollow *h)
{
	xb_jw_key(w, "requests");
	xb_jw_object(w);
	xb_jw_kint(w, "answered", h->writer.answered);
	xb_jw_kint(w, "failed", h->writer.failed);
	xb_jw_kint(w, "lost", h->writer.lost);
	if (h->writer.first_error)
		xb_jw_kstr(w, "firstError", h->writer.first_error);
	report_latency(w, "ofNodes", &h->writer.latency[true]);
	report_latency(w, "ofPods", &h->writer.latency[false]);
	xb_jw_end(w);
}

static void report(struct hollow *h)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_informer_stats nodes = {}, pods = {};
	struct xb_jw w = XB_JW(&out);
	struct usage usage = usage_now(NULL);

	if (h->node_copy)
		xb_informer_stats(h->node_copy, &nodes);
	if (h->pod_copy)
		xb_informer_stats(h->pod_copy, &pods);
	xb_jw_object(&w);
	xb_jw_kint(&w, "nodes", h->o->nodes);
	xb_jw_kint(&w, "registered", h->registered);
	report_double(&w, "seconds", milliseconds_since(h->began) / 1e3);
	write_leases(&w, h);
	xb_jw_kint(&w, "heartbeats", h->heartbeat_count);
	write_pods(&w, h);
	write_requests(&w, h);
	xb_jw_kint(&w, "watches", nodes.watches + pods.watches);
	xb_jw_kint(&w, "copyBytes", nodes.bytes + pods.bytes);
	xb_jw_kint(&w, "rssBytes", usage.own_rss_bytes);
	report_double(&w, "cpuSeconds", usage.own_cpu_seconds);
	print(h, &w);
}

static void on_signal(uv_signal_t *s, int number)
{
	uv_stop(s->loop);
}

static void on_timer(uv_timer_t *t)
{
	struct hollow *h = t->data;

	hollow_nodes_tick(h, milliseconds_since(h->began));
}

void hollow_trouble(void *arg, const char *path, const char *why)
{
	fprintf(stderr, "xebec-bench: %s: %s\n", path, why ? why : "is well again");
}

static int start(struct hollow *h, const struct target *t, const struct xb_kubeconfig *k, char **reterr_why)
{
	int r = writer_open(&h->writer, &h->loop, t, MOST_UNDER_WAY);

	h->began = now_ns();
	if (r)
		return r;
	if (h->o->cleanup)
		return hollow_nodes_delete(h, on_deleted);
	r = xb_rest_new(&h->loop, k, "xebec-bench hollow", &h->rest, reterr_why);
	if (!r)
		r = hollow_nodes_start(h, on_registered);
	if (!r)
		uv_timer_start(&h->timer, on_timer, TICK_MS, TICK_MS);
	return r;
}

static void stop(struct hollow *h)
{
	hollow_pods_free(h);
	h->pod_copy = xb_informer_free(h->pod_copy);
	h->node_copy = xb_informer_free(h->node_copy);
	h->rest = xb_rest_free(h->rest);
	writer_close(&h->writer);
	free(TAKE_PTR(h->nodes));
	uv_close((uv_handle_t *)&h->term, NULL);
	uv_close((uv_handle_t *)&h->interrupt, NULL);
	uv_close((uv_handle_t *)&h->timer, NULL);
	uv_run(&h->loop, UV_RUN_DEFAULT);
	uv_loop_close(&h->loop);
}

static int check(const struct hollow_options *o, char **reterr_why)
{
	struct xb_quantity q;

	if (xb_quantity_parse(xb_sv(o->cpu), &q))
		return xb_why(reterr_why, -EINVAL, "--cpu: \"%s\" is not a quantity, such as 4 or 500m", o->cpu);
	if (xb_quantity_parse(xb_sv(o->memory), &q))
		return xb_why(reterr_why, -EINVAL, "--memory: \"%s\" is not a quantity, such as 32Gi", o->memory);
	for (char *const *l = o->labels; l && *l; l++)
		if (!strchr(*l, '='))
			return xb_why(reterr_why, -EINVAL, "--labels: \"%s\" is not key=value", *l);
	return 0;
}

static int run(const struct hollow_options *o, bool *ret_failed, char **reterr_why)
{
	static struct hollow h;
	const struct api_options to = { .kubeconfig = o->kubeconfig, .context = o->context, .http2 = true };
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_(target_done) struct target target = {};
	int r = check(o, reterr_why);

	if (!r)
		r = api_open(&to, &k, &target, reterr_why);
	if (r)
		return r;
	h.o = o;
	uv_loop_init(&h.loop);
	uv_timer_init(&h.loop, &h.timer);
	uv_signal_init(&h.loop, &h.term);
	uv_signal_init(&h.loop, &h.interrupt);
	h.timer.data = &h;
	uv_signal_start(&h.term, on_signal, SIGTERM);
	uv_signal_start(&h.interrupt, on_signal, SIGINT);
	r = start(&h, &target, &k, reterr_why);
	if (!r) {
		uv_run(&h.loop, UV_RUN_DEFAULT);
		if (!o->cleanup)
			report(&h);
	}
	*ret_failed = h.failed || h.writer.failed;
	stop(&h);
	return r;
}

int cmd_hollow(int argc, char **argv)
{
	_cleanup_free_ char *why = NULL;
	struct hollow_options o = {};
	bool failed = false;
	int r;

	signal(SIGPIPE, SIG_IGN);
	r = xb_flags_parse(flags, ARRAY_SIZE(flags), argc, argv, &o, &why);
	if (!r && o.help)
		help();
	else if (!r)
		r = run(&o, &failed, &why);
	xb_flags_done(flags, ARRAY_SIZE(flags), &o);
	if (r)
		fprintf(stderr, "xebec-bench: %s\n", why ? why : strerror(-r));
	return r || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
