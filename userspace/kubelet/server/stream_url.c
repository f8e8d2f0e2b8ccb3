/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "stream_url.h"
#include "xb/str.h"

static bool is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* "127.0.0.1:80" or "[::1]:80". */
static int parse_authority(struct xb_sv s, struct stream_url *u)
{
	struct xb_sv host = {}, port = s;
	uint64_t n;

	if (s.n && s.p[0] == '[') {
		port = (struct xb_sv){ s.p + 1, s.n - 1 };
		if (!xb_sv_split(&port, ']', &host) || !port.n || port.p[0] != ':')
			return -EINVAL;
		port = (struct xb_sv){ port.p + 1, port.n - 1 };
	} else if (!xb_sv_split(&port, ':', &host)) {
		return -EINVAL;
	}
	if (xb_sv_u64(port, &n) || !n || n > 65535)
		return -EINVAL;
	u->port = (int)n;
	u->host = xb_sv_dup(host);
	if (!u->host)
		return -ENOMEM;
	return is_loopback(u->host) ? 0 : -EINVAL;
}

void stream_url_done(struct stream_url *u)
{
	free(u->host);
	free(u->path);
	*u = (struct stream_url){};
}

int stream_url_parse(const char *url, struct stream_url *ret)
{
	_cleanup_(stream_url_done) struct stream_url u = {};
	struct xb_sv rest = xb_sv(url), authority;
	int r;

	if (!xb_sv_starts(rest, "http://"))
		return -EINVAL;
	rest = (struct xb_sv){ rest.p + 7, rest.n - 7 };
	if (!memchr(rest.p, '/', rest.n))
		return -EINVAL;
	xb_sv_split(&rest, '/', &authority);
	r = parse_authority(authority, &u);
	if (r)
		return r;
	u.path = xb_sv_dup((struct xb_sv){ rest.p - 1, rest.n + 1 });
	if (!u.path)
		return -ENOMEM;
	*ret = u;
	u = (struct stream_url){};
	return 0;
}
