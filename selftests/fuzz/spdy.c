/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* However the bytes of a server are cut, what comes out of them is the same. */
#include <stdint.h>

#include "xb/spdy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int on_data(void *arg, uint32_t stream, struct xb_sv bytes)
{
	if (stream >> 31 || !bytes.n)
		abort();
	xb_buf_addsv(arg, bytes);
	return 0;
}

static int on_event(void *arg, uint32_t stream)
{
	xb_buf_addf(arg, "[%u]", stream);
	return 0;
}

static int on_reset(void *arg, uint32_t stream, uint32_t status)
{
	xb_buf_addf(arg, "[%u %u]", stream, status);
	return 0;
}

static int on_goaway(void *arg)
{
	xb_buf_adds(arg, "[goaway]");
	return 0;
}

static const struct xb_spdy_ops ops = { on_data, on_event, on_event, on_reset, on_event, on_event, on_goaway };

static int feed(struct xb_buf *heard, const char *bytes, size_t n, size_t step)
{
	struct xb_spdy s;
	int r = 0;

	if (xb_spdy_init(&s, &ops, heard))
		abort();
	for (size_t at = 0; at < n && !r; at += step)
		r = xb_spdy_feed(&s, bytes + at, MIN(step, n - at));
	xb_spdy_done(&s);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_buf_ struct xb_buf whole = {}, steps = {};
	int r = feed(&whole, (const char *)bytes, n, n + 1);

	if (r != feed(&steps, (const char *)bytes, n, n ? bytes[0] % 7 + 1 : 1) || !xb_sv_eq(xb_buf_sv(&whole), xb_buf_sv(&steps)))
		abort();
	return 0;
}
