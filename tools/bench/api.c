/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include "api.h"
#include "command.h"
#include "xb/flags.h"
#include "xb/kubeconfig.h"
#include "xb/why.h"

static const enum api_op creates[] = { API_CREATE }, gets[] = { API_GET }, updates[] = { API_UPDATE }, lists[] = { API_LIST },
	deletes[] = { API_DELETE },
	mix[] = { API_GET, API_GET, API_CREATE, API_GET, API_UPDATE, API_GET, API_GET, API_UPDATE, API_DELETE, API_GET };

static const struct api_verb verbs[] = {
	{ "create", "make --count objects", api_load, creates, 1, 10000, 16, 1024 },
	{ "fill", "the same, as 12,000 pods of 5 KB", api_load, creates, 1, 12000, 16, 5120 },
	{ "get", "read objects that an earlier create made, in turn", api_load, gets, 1, 20000, 16, 1024 },
	{ "update", "replace them (PUT), each time with another annotation", api_load, updates, 1, 10000, 16, 1024 },
	{ "delete", "delete them", api_load, deletes, 1, 10000, 16, 1024 },
	{ "list", "read the whole collection, or what --query asks for", api_load, lists, 1, 10, 1, 1024 },
	{ "mixed", "6 gets, 2 updates, 1 create and 1 delete in 10", api_load, mix, ARRAY_SIZE(mix), 20000, 16, 1024 },
	{ "watch", "--watches idle watches, then --events updates of one object", api_watch, NULL, 0, 1, 1, 1024 },
	{ "start", "run the server that stands after \"--\", time it until /readyz is 200, leave it running", api_start, NULL, 0, 1, 1, 1024 },
};

#define TO "Target"
#define LOAD "Load"
#define REPORT "Report"
static const struct xb_flag flags[] = {
	XB_FLAG(STRING, struct api_options, kubeconfig, "kubeconfig", NULL, TO, "Where the server is and who we are; $KUBECONFIG, then ~/.kube/config."),
	XB_FLAG(STRING, struct api_options, context, "context", NULL, TO, "The context in it; its current one."),
	XB_FLAG(BOOL, struct api_options, http2, "http2", "false", TO, "Speak HTTP/2 instead of HTTP/1.1."),
	XB_FLAG(STRING, struct api_options, namespace_, "namespace", NULL, TO, "An existing namespace; the context's.", .letter = 'n'),
	XB_FLAG(STRING, struct api_options, kind, "kind", "pods", LOAD, "pods, configmaps, secrets, services or leases."),
	XB_FLAG(INT, struct api_options, count, "count", NULL, LOAD, "Requests; by default as many as suit the verb.", .max = 10000000),
	XB_FLAG(INT, struct api_options, clients, "clients", NULL, LOAD, "Connections, each with one request at a time.", .max = 10000),
	XB_FLAG(INT, struct api_options, size, "size", NULL, LOAD, "About the bytes of one object; pods, configmaps and secrets fill up to it.", .max = 1000000),
	XB_FLAG(STRING, struct api_options, prefix, "prefix", "bench-", LOAD, "Names are the prefix and eight digits."),
	XB_FLAG(INT, struct api_options, first, "first", "0", LOAD, "The digits of the first object.", .max = 50000000),
	XB_FLAG(INT, struct api_options, objects, "objects", NULL, LOAD, "How many objects the requests go round; --count.", .max = 10000000),
	XB_FLAG(STRING, struct api_options, query, "query", NULL, LOAD, "Query of a list or watch, such as limit=500 or resourceVersion=0."),
	XB_FLAG(INT, struct api_options, read_rate, "read-rate", NULL, LOAD,
		"KB a second that each client reads, whatever the server could send; what is not read in time is no failure.", .max = 1000000),
	XB_FLAG(INT, struct api_options, watches, "watches", "100", LOAD, "Watches.", .min = 1, .max = 25000),
	XB_FLAG(INT, struct api_options, streams, "streams", "1", LOAD, "Watches on one connection; more than one need HTTP/2.", .min = 1, .max = 1000),
	XB_FLAG(INT, struct api_options, events, "events", "100", LOAD, "Events for them all, one after the other.", .max = 100000),
	XB_FLAG(INT, struct api_options, seconds, "seconds", "60", LOAD, "Sends nothing after this time, whatever the count.", .min = 1, .max = 3600),
	XB_FLAG(LIST, struct api_options, server_pid, "server-pid", NULL, REPORT, "Processes whose CPU time and RSS are the server's."),
	XB_FLAG(CHOICE, struct api_options, output, "output", "words", REPORT, "The form of the report.", .choices = "words|json", .letter = 'o'),
	XB_FLAG(BOOL, struct api_options, help, "help", "false", REPORT, "This text.", .letter = 'h'),
};

static int help(FILE *to)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_flags_help(flags, ARRAY_SIZE(flags), "xebec-bench api VERB", "Bounded load on a Kubernetes API server, and what its answers took.", &text);
	fputs(text.p ? text.p : "", to);
	fputs("\nVerbs:\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\nExit status 1 when a request failed.\n", to);
	return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

char *api_fault(const struct xb_buf *request, int code, struct xb_sv body)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf out = {};
	size_t line = strcspn(request->p, "\r");
	struct xb_jv message = {};

	if (!xb_json_parse(body, NULL, &doc, NULL))
		message = xb_jv_get(xb_json_root(doc), "message");
	xb_buf_addf(&out, "%.*s: %d: ", (int)MAX(line, 9u) - 9, request->p, code);
	if (xb_jv_is(message))
		xb_json_unescape(xb_jv_text(message), &out);
	else
		xb_buf_addf(&out, "%.*s", (int)MIN(body.n, 200u), body.p ? body.p : "");
	return xb_buf_steal(&out);
}

int api_open(const struct api_options *o, struct xb_kubeconfig *k, struct target *t, char **reterr_why)
{
	const char *path = o->kubeconfig ? o->kubeconfig : getenv("KUBECONFIG"), *home = getenv("HOME");
	_cleanup_free_ char *usual = NULL;
	int r;

	if (!path || !*path) {
		if (asprintf(&usual, "%s/.kube/config", home ? home : "") < 0)
			return -ENOMEM;
		path = usual;
	}
	xb_kubeconfig_done(k);
	r = xb_kubeconfig_load(path, o->context, NULL, k, reterr_why);
	return r ? r : target_open(t, k, o->http2, reterr_why);
}

static int run(struct api_options *o, int *ret_status, char **reterr_why)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	_cleanup_(object_freep) struct object *object = NULL;
	_cleanup_(target_done) struct target target = {};
	int r;

	o->count = o->count ? o->count : o->verb->count;
	o->clients = o->clients ? o->clients : o->verb->clients;
	o->size = o->size ? o->size : o->verb->size;
	o->objects = o->objects ? o->objects : o->count;
	if (o->streams > 1 && !o->http2)
		return xb_why(reterr_why, -EINVAL, "--streams: a connection of HTTP/1.1 carries one watch; add --http2");
	if (o->verb->run == api_start && !o->command)
		return xb_why(reterr_why, -EINVAL, "start: \"--\" and a command with its arguments were expected");
	if (o->verb->run == api_start) {
		*ret_status = api_start(o, NULL, NULL);
		return 0;
	}
	r = api_open(o, &k, &target, reterr_why);
	if (!r)
		r = object_new(o, o->namespace_ ? o->namespace_ : k.namespace_, &object, reterr_why);
	if (!r)
		*ret_status = o->verb->run(o, &target, object);
	return r;
}

/* What stands after "--" is not ours to parse. */
static int cut_command(int argc, char **argv, struct api_options *o)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--")) {
			o->command = i + 1 < argc ? argv + i + 1 : NULL;
			return i;
		}
	return argc;
}

int cmd_api(int argc, char **argv)
{
	_cleanup_free_ char *why = NULL;
	struct api_options o = {};
	int r, status = EXIT_FAILURE;

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			o.verb = &verbs[i];
	if (!o.verb)
		return help(argc > 1 && !strcmp(argv[1], "--help") ? stdout : stderr);
	signal(SIGPIPE, SIG_IGN);
	argc = cut_command(argc, argv, &o);
	r = xb_flags_parse(flags, ARRAY_SIZE(flags), argc - 1, argv + 1, &o, &why);
	if (!r && o.help)
		status = help(stdout);
	else if (!r)
		r = run(&o, &status, &why);
	xb_flags_done(flags, ARRAY_SIZE(flags), &o);
	if (!r)
		return status;
	fprintf(stderr, "xebec-bench: %s\n", why ? why : strerror(-r));
	return EXIT_FAILURE;
}
