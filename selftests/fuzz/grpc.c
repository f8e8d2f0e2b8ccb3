/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a gRPC server puts into a stream: lines "name: value" up to an empty one, then the body. Every call ends with a code and
 * has words for it unless all is well; and messages are the same however the body is cut.
 */
#include <stdint.h>

#include "../../userspace/lib/net/grpc_wire.h"

#define LIMIT 1000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void read_fields(struct xb_sv *rest)
{
	struct grpc_ending e = { .code = -1 };
	struct xb_sv line, name, why = {};

	while (xb_sv_split(rest, '\n', &line) && line.n)
		if (xb_sv_split(&line, ':', &name) && line.p && !memchr(line.p, 0, line.n)) {
			if (xb_sv_is(name, "grpc-message") && !e.why)
				why = line;
			if (grpc_ending_field(&e, name, line))
				abort();
		}
	if (e.why && (strlen(e.why) > why.n || (!memchr(why.p, '%', why.n) && !xb_sv_is(why, e.why))))
		abort();
	if (grpc_ending_settle(&e, rest->n % 16) || e.code < 0)
		abort();
	grpc_ending_done(&e);
}

/* The messages of body, one after the other in all; it comes in pieces of step bytes. Returns the fault, or 0. */
static int read_messages(struct xb_sv body, size_t step, struct xb_buf *all)
{
	size_t at = 0, there = 0, much = 0;
	struct xb_sv message;
	int r = 0;

	while (r >= 0 && there < body.n) {
		there = MIN(body.n, there + step);
		while ((r = grpc_wire_get((struct xb_sv){ body.p + at, there - at }, LIMIT, &message, &much)) == 1) {
			if (message.n > LIMIT || message.p + message.n > body.p + there)
				abort();
			at += GRPC_PREFIX_BYTES + message.n;
			grpc_wire_put(all, message);
		}
	}
	if (r == -EMSGSIZE && much <= LIMIT)
		abort();
	if (!xb_sv_eq(xb_buf_sv(all), (struct xb_sv){ body.p, at }))
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_buf_ struct xb_buf whole = {}, steps = {};
	struct xb_sv rest = { (const char *)bytes, n };

	read_fields(&rest);
	if (!rest.n)
		return 0;
	if (read_messages(rest, rest.n, &whole) != read_messages(rest, rest.n % 7 + 1, &steps) ||
	    !xb_sv_eq(xb_buf_sv(&whole), xb_buf_sv(&steps)))
		abort();
	return 0;
}
