/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include "command.h"
#include "sched.h"
#include "xb/flags.h"
#include "xb/kubeconfig.h"
#include "xb/why.h"

#define TO "Target"
#define LOAD "Load"
#define REPORT "Report"
static const struct xb_flag flags[] = {
	XB_FLAG(STRING, struct sched_options, kubeconfig, "kubeconfig", NULL, TO, "Where the server is and who we are; $KUBECONFIG, then ~/.kube/config."),
	XB_FLAG(STRING, struct sched_options, context, "context", NULL, TO, "The context in it; its current one."),
	XB_FLAG(STRING, struct sched_options, namespace_, "namespace", NULL, TO, "An existing namespace; the context's.", .letter = 'n'),
	XB_FLAG(STRING, struct sched_options, scheduler, "scheduler-name", "default-scheduler", TO, "Who is to bind the pods."),
	XB_FLAG(LIST, struct sched_options, kinds, "kind", "basic", LOAD,
		"What the pods ask for, in turn: basic, anti-affinity (a node each), affinity (all in one zone), spread (over zones), preemptible (900m of "
		"CPU), preemption (3 CPUs, with a priority above the others)."),
	XB_FLAG(INT, struct sched_options, pods, "pods", "1000", LOAD, "How many.", .min = 1, .max = 1000000),
	XB_FLAG(INT, struct sched_options, first, "first", "0", LOAD, "The number of the first.", .max = 100000000),
	XB_FLAG(STRING, struct sched_options, prefix, "prefix", "sched-", LOAD, "Names are the prefix and the number."),
	XB_FLAG(INT, struct sched_options, clients, "clients", "64", LOAD, "Creations under way at a time.", .min = 1, .max = WRITER_MOST),
	XB_FLAG(INT, struct sched_options, seconds, "seconds", "600", LOAD, "Waits so long for the last binding.", .min = 1, .max = 86400),
	XB_FLAG(LIST, struct sched_options, server_pid, "server-pid", NULL, REPORT, "Processes whose CPU time and RSS are the API server's."),
	XB_FLAG(LIST, struct sched_options, scheduler_pid, "scheduler-pid", NULL, REPORT, "The same of the scheduler."),
	XB_FLAG(CHOICE, struct sched_options, output, "output", "words", REPORT, "The form of the report.", .choices = "words|json", .letter = 'o'),
	XB_FLAG(BOOL, struct sched_options, help, "help", "false", REPORT, "This text.", .letter = 'h'),
};

static void help(void)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_flags_help(flags, ARRAY_SIZE(flags), "xebec-bench sched", "Makes pods, and measures how soon a scheduler has bound them. They stay: "
		      "kubectl delete pods -l app.kubernetes.io/managed-by=xebec-bench. Exit status 1 when some are not bound.", &text);
	fputs(text.p ? text.p : "", stdout);
}

static void write_kinds(struct xb_jw *w, char *const *kinds)
{
	xb_jw_key(w, "kinds");
	xb_jw_array(w);
	for (; *kinds; kinds++)
		xb_jw_str(w, *kinds);
	xb_jw_end(w);
}

static int report(const struct sched_options *o, const struct sched_result *r)
{
	double seconds = r->bound ? (r->last_bound - r->first_sent) / 1e9 : 0;
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);
	int e;

	xb_jw_object(&w);
	write_kinds(&w, o->kinds);
	xb_jw_kint(&w, "pods", o->pods);
	xb_jw_kint(&w, "bound", r->bound);
	xb_jw_kint(&w, "failed", r->failed);
	if (r->first_error)
		xb_jw_kstr(&w, "firstError", r->first_error);
	report_double(&w, "seconds", seconds);
	report_double(&w, "podsPerSecond", seconds > 0 ? r->bound / seconds : 0);
	report_latency(&w, "boundSinceCreated", &r->since_answer);
	report_latency(&w, "boundSinceSent", &r->since_send);
	report_usage(&w, "server", &r->server_before, &r->server_after, r->server_most);
	report_usage(&w, "scheduler", &r->scheduler_before, &r->scheduler_after, r->scheduler_most);
	report_double(&w, "clientCpuSeconds", r->server_after.own_cpu_seconds);
	xb_jw_end(&w);
	e = xb_jw_finish(&w);
	return e ? e : report_print_json(o->output, xb_buf_sv(&out));
}

static int check(const struct sched_options *o, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf known = {};

	sched_kinds(&known);
	if (!o->kinds)
		return xb_why(reterr_why, -EINVAL, "--kind: one or more of %s were expected", known.p ? known.p : "");
	for (char *const *kind = o->kinds; *kind; kind++)
		if (!sched_kind(xb_sv(*kind)))
			return xb_why(reterr_why, -EINVAL, "--kind: \"%s\" is none of %s", *kind, known.p ? known.p : "");
	return 0;
}

static int run(const struct sched_options *o, bool *ret_failed, char **reterr_why)
{
	const struct api_options to = { .kubeconfig = o->kubeconfig, .context = o->context, .http2 = true };
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_(target_done) struct target target = {};
	static struct sched_result result;
	int r = check(o, reterr_why);

	if (!r)
		r = api_open(&to, &k, &target, reterr_why);
	if (!r)
		r = sched_run(o, &k, &target, &result, reterr_why);
	if (!r)
		r = report(o, &result);
	*ret_failed = result.bound < (unsigned)o->pods;
	free(result.first_error);
	return r;
}

int cmd_sched(int argc, char **argv)
{
	_cleanup_free_ char *why = NULL;
	struct sched_options o = {};
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
