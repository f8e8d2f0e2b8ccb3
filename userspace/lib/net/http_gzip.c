/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include <zlib.h>
#include "http_conn.h"

#define GZIP_WINDOW (15 + 16)   /* the largest, in gzip's frame rather than zlib's */
#define GZIP_MEMORY 8           /* zlib's own choice */

/* "q=0", "q=0.000": not acceptable */
static bool is_zero_weight(struct xb_sv s)
{
	if (!xb_sv_starts(s, "q=0"))
		return false;
	for (size_t i = 3; i < s.n; i++)
		if (s.p[i] != '0' && s.p[i] != '.')
			return false;
	return true;
}

bool http_accepts_gzip(struct xb_sv accept_encoding)
{
	struct xb_sv item, name;

	while (xb_sv_split(&accept_encoding, ',', &item)) {
		if (!xb_sv_split(&item, ';', &name))
			continue;
		name = xb_sv_trim(name);
		if (name.n == 4 && !strncasecmp(name.p, "gzip", 4))
			return !is_zero_weight(xb_sv_trim(item));
	}
	return false;
}

int http_gzip(struct xb_sv bytes, struct xb_buf *ret)
{
	_cleanup_buf_ struct xb_buf out = {};
	z_stream z = {};
	int r;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	if (xb_buf_reserve(&out, deflateBound(&z, bytes.n))) {
		deflateEnd(&z);
		return -ENOMEM;
	}
	z.next_in = (unsigned char *)bytes.p;
	z.avail_in = bytes.n;
	z.next_out = (unsigned char *)out.p;
	z.avail_out = out.cap;
	r = deflate(&z, Z_FINISH);
	out.n = z.total_out;
	deflateEnd(&z);
	if (r != Z_STREAM_END)
		return -ENOMEM;
	*ret = out;
	out = (struct xb_buf){};
	return 0;
}
