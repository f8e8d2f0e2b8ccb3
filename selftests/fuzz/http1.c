/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* However the bytes are cut, the parser says the same; and what it accepts keeps its promises. */
#include <stdint.h>

#include "xb/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct xb_http1_limits limits = { .head_bytes = 1024, .body_bytes = 256, .fields = 16 };

/* In pieces of step bytes; 0: all at once. */
static int feed(struct xb_http1 *p, const char *bytes, size_t n, size_t step, size_t *ret_used)
{
	size_t used = 0, part;
	int r = 0;

	xb_http1_init(p, &limits);
	while (!r && used < n) {
		r = xb_http1_feed(p, bytes + used, step ? MIN(step, n - used) : n - used, &part);
		used += part;
	}
	*ret_used = used;
	return r;
}

static void check_request(const struct xb_http1 *p)
{
	struct xb_sv target = xb_http1_target(p), method = xb_http1_method(p), value;
	size_t iter = 0;

	if (!method.n || memchr(method.p, ' ', method.n) || !target.n || (target.p[0] != '/' && !xb_sv_is(target, "*")))
		abort();
	if (p->body.n > limits.body_bytes || p->n_fields > limits.fields || (p->chunked && p->has_length))
		abort();
	for (uint32_t i = 0; i < p->n_fields; i++)
		for (uint32_t at = 0; at < p->fields[i].value_n; at++)
			if (strchr("\r\n", p->head.p[p->fields[i].value + at]))
				abort();
	if (p->minor && !xb_http1_next(p, "host", &iter, &value))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	size_t step = n ? bytes[0] % 7 + 1 : 1, used, used_in_steps;
	struct xb_http1 whole, steps;
	int r, r_in_steps;

	r = feed(&whole, (const char *)bytes, n, 0, &used);
	r_in_steps = feed(&steps, (const char *)bytes, n, step, &used_in_steps);
	if (r != r_in_steps || whole.state != steps.state || whole.fault_code != steps.fault_code || (r >= 0 && used != used_in_steps) ||
	    !xb_sv_eq(xb_buf_sv(&whole.body), xb_buf_sv(&steps.body)))
		abort();
	if (r == 1)
		check_request(&whole);
	xb_http1_done(&whole);
	xb_http1_done(&steps);
	return 0;
}
