/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* However the bytes of a response are cut, the parser says the same; and what it accepts keeps its promises. */
#include <stdint.h>

#include "xb/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct xb_http1_limits limits = { .head_bytes = 1024, .body_bytes = 256, .fields = 16 };

/* In pieces of step bytes, then the end. */
static int feed(struct xb_http1 *p, const char *bytes, size_t n, size_t step, bool to_head, size_t *ret_used)
{
	size_t used = 0, part;
	int r = 0;

	xb_http1_init_response(p, &limits, to_head);
	while (!r && used < n) {
		r = xb_http1_feed(p, bytes + used, MIN(step, n - used), &part);
		used += part;
	}
	*ret_used = used;
	return r ? r : xb_http1_end(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	size_t step = n ? bytes[0] % 7 + 1 : 1, used, used_in_steps;
	bool to_head = n && bytes[n - 1] & 1;
	struct xb_http1 whole, steps;
	int r, r_in_steps;

	r = feed(&whole, (const char *)bytes, n, n + 1, to_head, &used);
	r_in_steps = feed(&steps, (const char *)bytes, n, step, to_head, &used_in_steps);
	if (r != r_in_steps || whole.state != steps.state)
		abort();
	/* of a body that is too large, as much is there as came before that showed */
	if (r >= 0 && (used != used_in_steps || !xb_sv_eq(xb_buf_sv(&whole.body), xb_buf_sv(&steps.body))))
		abort();
	if (r == 1 && (whole.status < 101 || whole.status > 999 || whole.body.n > limits.body_bytes || (whole.chunked && whole.has_length)))
		abort();
	if (r == 1 && (to_head || whole.status == 101 || whole.status == 204 || whole.status == 304) && whole.body.n)
		abort();
	xb_http1_done(&whole);
	xb_http1_done(&steps);
	return 0;
}
