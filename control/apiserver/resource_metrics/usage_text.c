/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include "usage_text.h"

#define NUMBER_BYTES 40

static const struct {
	const char *name;
	enum usage_metric metric;
} metrics[] = {
	{ "node_cpu_usage_seconds_total", USAGE_NODE_CPU },
	{ "node_memory_working_set_bytes", USAGE_NODE_MEMORY },
	{ "container_cpu_usage_seconds_total", USAGE_CONTAINER_CPU },
	{ "container_memory_working_set_bytes", USAGE_CONTAINER_MEMORY },
	{ "container_start_time_seconds", USAGE_CONTAINER_START },
};

static bool find_metric(struct xb_sv name, enum usage_metric *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
		if (xb_sv_is(name, metrics[i].name)) {
			*ret = metrics[i].metric;
			return true;
		}
	return false;
}

/* name="value" off the front of *rest. The names that count need no escapes, so a value that has one is none of ours. */
static bool take_label(struct xb_sv *rest, struct usage_sample *s)
{
	struct xb_sv name, value;

	if (!xb_sv_split(rest, '=', &name) || !rest->p || !rest->n || rest->p[0] != '"')
		return false;
	*rest = (struct xb_sv){ rest->p + 1, rest->n - 1 };
	if (!xb_sv_split(rest, '"', &value) || !rest->p || (value.n && memchr(value.p, '\\', value.n)))
		return false;
	name = xb_sv_trim(name);
	if (xb_sv_is(name, "namespace"))
		s->namespace_ = value;
	else if (xb_sv_is(name, "pod"))
		s->pod = value;
	else if (xb_sv_is(name, "container"))
		s->container = value;
	return true;
}

/* What stands behind the metric's name up to the brace, which is taken, too. */
static bool take_labels(struct xb_sv *rest, struct usage_sample *s)
{
	while (rest->n && rest->p[0] != '}') {
		if (!take_label(rest, s))
			return false;
		if (rest->n && rest->p[0] == ',')
			*rest = (struct xb_sv){ rest->p + 1, rest->n - 1 };
	}
	if (!rest->n)
		return false;
	*rest = (struct xb_sv){ rest->p + 1, rest->n - 1 };
	return true;
}

static bool read_number(struct xb_sv text, double *ret)
{
	char copy[NUMBER_BYTES], *end;

	if (!text.n || text.n >= sizeof(copy) || text.p[0] == '-')
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*ret = strtod(copy, &end);
	return !*end && isfinite(*ret);
}

static bool read_values(struct xb_sv rest, struct usage_sample *s)
{
	struct xb_sv value, at = xb_sv_trim(rest);

	s->at_ms = 0;
	if (!xb_sv_split(&at, ' ', &value) || !read_number(value, &s->value))
		return false;
	at = xb_sv_trim(at);
	return !at.n || (!xb_sv_i64(at, &s->at_ms) && s->at_ms >= 0);
}

static bool read_line(struct xb_sv line, struct usage_sample *s)
{
	size_t n = 0;

	*s = (struct usage_sample){};
	while (n < line.n && line.p[n] != '{' && line.p[n] != ' ')
		n++;
	if (!find_metric((struct xb_sv){ line.p, n }, &s->metric))
		return false;
	line = (struct xb_sv){ line.p + n, line.n - n };
	if (line.n && line.p[0] == '{') {
		line = (struct xb_sv){ line.p + 1, line.n - 1 };
		if (!take_labels(&line, s))
			return false;
	}
	if (s->metric >= USAGE_CONTAINER_CPU && (!s->namespace_.n || !s->pod.n || !s->container.n))
		return false;
	return read_values(line, s);
}

int usage_text_read(struct xb_sv text, int (*take)(void *arg, const struct usage_sample *s), void *arg)
{
	struct usage_sample s;
	struct xb_sv line;
	int r = 0;

	while (!r && xb_sv_split(&text, '\n', &line))
		if (line.n && line.p[0] != '#' && read_line(line, &s))
			r = take(arg, &s);
	return r;
}
