/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* However the bytes of a client are cut, what comes out of them is the same; messages and control frames are what they should be. */
#include <stdint.h>

#include "xb/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

struct heard {
	struct xb_buf text;
	bool within;
};

static int on_data(void *arg, enum xb_ws_opcode type, bool first, bool last, struct xb_sv bytes)
{
	struct heard *h = arg;

	if (first == h->within || (type != XB_WS_TEXT && type != XB_WS_BINARY))
		abort();
	h->within = !last;
	if (first)
		xb_buf_addf(&h->text, "<%d", type);
	xb_buf_addsv(&h->text, bytes);
	if (last)
		xb_buf_addc(&h->text, '>');
	return 0;
}

static int on_control(void *arg, enum xb_ws_opcode type, struct xb_sv payload)
{
	struct heard *h = arg;

	if (payload.n > XB_WS_CONTROL_MAX || type < XB_WS_CLOSE || type > XB_WS_PONG)
		abort();
	xb_buf_addf(&h->text, "(%d", type);
	xb_buf_addsv(&h->text, payload);
	return 0;
}

static const struct xb_ws_ops ops = { on_data, on_control };

static int feed(struct heard *h, const char *bytes, size_t n, size_t step)
{
	struct xb_ws w;
	int r = 0;

	xb_ws_init(&w, &ops, h);
	for (size_t at = 0; at < n && !r; at += step)
		r = xb_ws_feed(&w, bytes + at, MIN(step, n - at));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct heard whole = {}, steps = {};
	int r = feed(&whole, (const char *)bytes, n, n + 1), r_in_steps = feed(&steps, (const char *)bytes, n, n ? bytes[0] % 7 + 1 : 1);

	if (r != r_in_steps || !xb_sv_eq(xb_buf_sv(&whole.text), xb_buf_sv(&steps.text)))
		abort();
	xb_buf_done(&whole.text);
	xb_buf_done(&steps.text);
	return 0;
}
