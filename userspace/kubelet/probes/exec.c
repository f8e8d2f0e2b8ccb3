/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A command in the container, by the runtime. */
#include <limits.h>

#include "../spec/make.h"
#include "attempt.h"

#define MAX_OUTPUT      (10 << 10)
#define RUNTIME_MS      10000           /* the runtime ends the command in time and says so; this is for one that does not answer */
#define UNLIMITED_MS    INT_MAX

struct exec {
	struct attempt base;
	struct runtime_call *call;
	char *command;                  /* words, with spaces between them */
};

static struct exec *exec_free(struct exec *e)
{
	if (e)
		free(e->command);
	free(e);
	return NULL;
}
XB_DEFINE_CLEANUP(struct exec *, exec_free)

static void cancel(struct attempt *a)
{
	struct exec *e = (struct exec *)a;

	runtime_cancel(e->call);
	exec_free(e);
}

static void on_done(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	_cleanup_(exec_freep) struct exec *e = arg;
	const Runtime__V1__ExecSyncResponse *r = (const Runtime__V1__ExecSyncResponse *)reply;
	_cleanup_buf_ struct xb_buf output = {}, error = {};
	struct attempt_result result = { .outcome = ATTEMPT_SUCCESS };

	if (code == XB_GRPC_DEADLINE_EXCEEDED) {
		result.outcome = ATTEMPT_FAILURE;
		xb_buf_addf(&error, "command \"%s\" timed out", e->command);
	} else if (code != XB_GRPC_OK) {
		result.outcome = ATTEMPT_ERROR;
		xb_buf_addf(&error, "rpc error: code = %s desc = %s", xb_grpc_code_name(code), message);
	} else {
		size_t n = MIN(r->stdout.len, (size_t)MAX_OUTPUT);

		xb_buf_add(&output, r->stdout.data, n);
		xb_buf_add(&output, r->stderr.data, MIN(r->stderr.len, MAX_OUTPUT - n));
		if (r->exit_code) {
			result.outcome = ATTEMPT_FAILURE;
			xb_buf_addf(&error, "command '%s' exited with %d: ", e->command, r->exit_code);
			xb_buf_add(&error, r->stderr.data, MIN(r->stderr.len, (size_t)MAX_OUTPUT));
		}
	}
	result.output = output.p ?: "";
	result.error = error.p ?: "";
	result.text = code == XB_GRPC_OK ? result.output : result.error;
	e->base.done(e->base.arg, &result);
}

/* Only what env says itself is known here: neither ConfigMaps nor fields, as upstream. */
static struct make_pairs static_env(struct make *m, struct xb_jv env)
{
	struct make_pairs vars = make_pairs(m, xb_jv_count(env));
	size_t i = 0;

	for (struct xb_jit it = xb_jv_iter(env); vars.n && xb_jit_next(&it); i++) {
		vars.v[i]->key = make_text(m, xb_jv_get(it.value, "name"));
		vars.v[i]->value = make_text(m, xb_jv_get(it.value, "value"));
	}
	return vars;
}

static char *join(const struct make_texts *words)
{
	_cleanup_buf_ struct xb_buf line = {};

	for (size_t i = 0; i < words->n; i++)
		xb_buf_addf(&line, "%s%s", i ? " " : "", words->v[i]);
	return line.n ? xb_buf_steal(&line) : strdup("");
}

static unsigned limit_ms(unsigned timeout_ms)
{
	return timeout_ms && timeout_ms < UNLIMITED_MS - RUNTIME_MS ? timeout_ms + RUNTIME_MS : UNLIMITED_MS;
}

int exec_start(const struct attempt_tools *t, const struct attempt_request *q, struct attempt base, struct attempt **ret, char **reterr_why)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_(exec_freep) struct exec *e = calloc(1, sizeof(*e));
	Runtime__V1__ExecSyncRequest request = RUNTIME__V1__EXEC_SYNC_REQUEST__INIT;
	struct make m = { .a = a };
	struct make_texts words;
	struct make_pairs env = {};
	int r;

	if (!a || !e)
		return -ENOMEM;
	if (!q->hook)
		env = static_env(&m, xb_jv_get(q->container, "env"));
	words = q->hook ? make_texts(&m, xb_jv_get(q->handler, "command")) :
			  make_expanded(&m, xb_jv_get(q->handler, "command"), env.v, env.n);
	e->base = base;
	e->base.cancel = cancel;
	e->command = join(&words);
	if (m.failed || !e->command)
		return -ENOMEM;
	request.container_id = (char *)q->container_id;
	request.cmd = words.v;
	request.n_cmd = words.n;
	request.timeout = (q->timeout_ms + 999) / 1000;
	r = runtime_call(t->runtime, RPC_EXEC_SYNC, &request.base, limit_ms(q->timeout_ms), on_done, e, &e->call);
	if (r)
		return r;
	*ret = &TAKE_PTR(e)->base;
	return 0;
}
