/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBSERVED_TEXT_H
#define OBSERVED_TEXT_H
/*
 * What a runtime has, in one line, the newest first: "S1 S0! a1:run b0:exit=3@10,11,20 c0:run? d0:run/0 e0:created".
 * Sandboxes: S, attempt, '!' when not ready. Containers: name, attempt, state, '!' when it could not be started, the times made, begun
 * and ended in seconds, '?' when made of another image, and the sandbox when it is not the newest one. The IDs are "a-1".
 */
#include <stdio.h>
#include "../../../../../userspace/kubelet/pods/observed.h"
#include "../../../../../userspace/kubelet/spec/spec.h"
#include "xb/time.h"

static struct xb_json *json_of(const char *quoted)
{
	struct xb_json *doc;
	char *text = strdup(quoted);

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (xb_json_parse(xb_sv(text), NULL, &doc, NULL) < 0)
		fail_msg("not JSON: %s", text);
	free(text);
	return doc;
}

static char *text_of(const char *fmt, const char *a, unsigned b)
{
	char *text;

	assert_true(asprintf(&text, fmt, a, b) >= 0);
	return text;
}

static void read_sandbox(const char *word, struct observed *o)
{
	struct observed_sandbox s = {
		.attempt = (unsigned)atoi(word + 1), .ready = !strchr(word, '!'), .host_network = !!strchr(word, 'h'),
	};

	s.id = text_of("%s-%u", "sandbox", s.attempt);
	if (!s.host_network)
		s.ips[0] = strdup("10.1.0.1");
	o->sandboxes = realloc(o->sandboxes, (o->n_sandboxes + 1) * sizeof(s));
	o->sandboxes[o->n_sandboxes++] = s;
}

static void read_container(const char *word, struct xb_jv pod, struct observed *o)
{
	const char *attempt = word + strcspn(word, "0123456789"), *state = strchr(word, ':') + 1, *at = strchr(word, '@');
	const char *sandbox = strchr(word, '/');
	struct observed_container c = {
		.name = strndup(word, (size_t)(attempt - word)), .attempt = (unsigned)atoi(attempt), .whole = true,
	};
	long long made = 1, begun = 1, ended = 2;

	c.id = text_of("%s-%u", c.name, c.attempt);
	c.sandbox_id = text_of("%s-%u", "sandbox", sandbox ? (unsigned)atoi(sandbox + 1) : o->n_sandboxes ? o->sandboxes[0].attempt : 0);
	c.state = *state == 'r' ? OBSERVED_RUNNING : *state == 'e' ? OBSERVED_EXITED : *state == 'c' ? OBSERVED_CREATED : OBSERVED_UNKNOWN;
	c.exit_code = strchr(state, '=') ? atoi(strchr(state, '=') + 1) : 0;
	c.hash = spec_hash(spec_find(pod, xb_sv(c.name), NULL)) + !!strchr(word, '?');
	c.replaced = !!strchr(word, '*');
	if (at)
		assert_int_equal(sscanf(at, "@%lld,%lld,%lld", &made, &begun, &ended), 3);
	c.created_ns = made * XB_SECOND;
	c.started_ns = begun * XB_SECOND;
	c.finished_ns = ended * XB_SECOND;
	c.reason = c.state == OBSERVED_EXITED ? strdup(strchr(word, '!') ? "StartError" : c.exit_code ? "Error" : "Completed") : NULL;
	o->containers = realloc(o->containers, (o->n_containers + 1) * sizeof(c));
	o->containers[o->n_containers++] = c;
}

static struct observed observed_of(const char *text, struct xb_jv pod)
{
	struct xb_sv rest = xb_sv(text), word;
	struct observed o = {};

	while (xb_sv_split(&rest, ' ', &word)) {
		char *w = xb_sv_dup(word);

		if (*w == 'S')
			read_sandbox(w, &o);
		else if (*w)
			read_container(w, pod, &o);
		free(w);
	}
	return o;
}

/* Probes as "a-0:live- b-0:start?": the kinds start, live, ready; '-' failed, '?' nothing known. All others have succeeded. */
static enum probe_result probe_of(void *arg, const char *id, enum probe_kind kind)
{
	static const char *const kinds[] = { [PROBE_STARTUP] = "start", [PROBE_LIVENESS] = "live", [PROBE_READINESS] = "ready" };
	const char *text = arg ? arg : "", *at;
	char key[64];

	snprintf(key, sizeof(key), "%s:%s", id, kinds[kind]);
	at = strstr(text, key);
	return !at ? PROBE_SUCCESS : at[strlen(key)] == '-' ? PROBE_FAILURE : PROBE_UNKNOWN;
}

#endif
