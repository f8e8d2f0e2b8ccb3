/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "attempt.h"
#include "xb/why.h"

int attempt_port(struct xb_jv container, struct xb_jv port, uint16_t *ret, char **reterr_why)
{
	struct xb_sv name = xb_jv_text(port);
	int64_t n = 0;

	if (xb_jv_type(port) == XB_JSON_STRING) {
		struct xb_jit it = xb_jv_iter(xb_jv_get(container, "ports"));
		bool found = false;

		while (!found && xb_jit_next(&it))
			found = xb_jv_streq(xb_jv_get(it.value, "name"), name) && !xb_jv_i64(xb_jv_get(it.value, "containerPort"), &n);
		if (!found && xb_sv_i64(name, &n))
			return xb_why(reterr_why, -EINVAL, "strconv.Atoi: parsing \"%.*s\": invalid syntax", XB_SV_ARG(name));
	} else {
		xb_jv_i64(port, &n);
	}
	if (n < 1 || n > UINT16_MAX)
		return xb_why(reterr_why, -EINVAL, "invalid port number: %lld", (long long)n);
	*ret = (uint16_t)n;
	return 0;
}

int attempt_start(const struct attempt_tools *t, const struct attempt_request *q, attempt_done *done, void *arg, struct attempt **ret,
		  char **reterr_why)
{
	static const struct {
		const char *name;
		attempt_start_fn *start;
	} kinds[] = { { "exec", exec_start }, { "httpGet", http_start }, { "tcpSocket", tcp_start }, { "grpc", health_start } };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct attempt_request one = *q;

		one.handler = xb_jv_get(q->handler, kinds[i].name);
		if (xb_jv_type(one.handler) == XB_JSON_OBJECT)
			return kinds[i].start(t, &one, (struct attempt){ .done = done, .arg = arg }, ret, reterr_why);
	}
	return xb_why(reterr_why, -EINVAL, "missing probe handler");
}

void attempt_cancel(struct attempt *a)
{
	if (a)
		a->cancel(a);
}
