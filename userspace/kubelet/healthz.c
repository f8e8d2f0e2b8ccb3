/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "healthz.h"
#include "xb/http_server.h"
#include "xb/why.h"

#define TEXT "text/plain; charset=utf-8"

struct healthz {
	struct xb_http_server *server;
};

static void answer(struct xb_http_request *r, void *arg)
{
	if (!xb_http_reads(r))
		return;
	if (xb_sv_is(xb_http_path(r), "/healthz"))
		xb_http_respond(r, 200, TEXT, XB_SV("ok"));
	else
		xb_http_respond(r, 404, TEXT, XB_SV("404 page not found\n"));
}

static struct sockaddr_storage address_of(const char *text, int port)
{
	struct sockaddr_storage s = {};
	struct sockaddr_in *four = (struct sockaddr_in *)&s;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&s;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
	} else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
	}
	return s;
}

int healthz_new(uv_loop_t *loop, const struct kubelet_options *o, struct healthz **ret, char **reterr_why)
{
	struct sockaddr_storage at = address_of(o->healthz_bind_address, o->healthz_port);
	struct xb_http_config c = { .loop = loop, .handler = answer, .max_body_bytes = 4096, .max_connections = 50 };
	struct healthz *h;
	int r;

	if (!o->healthz_port)
		return 0;
	h = calloc(1, sizeof(*h));
	r = h ? xb_http_server_new(&c, &h->server) : -ENOMEM;
	if (!r)
		r = xb_http_server_listen(h->server, (const struct sockaddr *)&at);
	if (r < 0) {
		healthz_free(h);
		return xb_why(reterr_why, r, "--healthz-port: cannot listen at %s port %d: %s", o->healthz_bind_address, o->healthz_port,
			      strerror(-r));
	}
	*ret = h;
	return 0;
}

struct healthz *healthz_free(struct healthz *h)
{
	if (h)
		xb_http_server_free(h->server);
	free(h);
	return NULL;
}
