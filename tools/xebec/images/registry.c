/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>

#include "archive.h"
#include "registry.h"
#include "xb/log.h"
#include "xb/why.h"
#include "../xalloc.h"

#define JSON      "application/json"
#define FOUND     1
#define MAX_NAME  1024

struct registry {
	struct xb_http_server *server;
	const char *folder;
};

/* --- what is asked for --- */
struct search {
	struct xb_http_request *request;
	struct xb_sv digest;            /* of a blob; {}: an image */
	char name[MAX_NAME];            /* "docker.io/library/nginx:latest" */
};

static int answer(struct search *s, const struct archive_blob *b)
{
	xb_http_add_header(s->request, "Docker-Content-Digest", b->digest);
	xb_http_respond(s->request, 200, b->media_type, b->bytes);
	return FOUND;
}

static int on_blob(void *arg, const struct archive_blob *b, const struct archive_reference *refers, size_t n)
{
	struct search *s = arg;

	return s->digest.n && xb_sv_is(s->digest, b->digest) ? answer(s, b) : 0;
}

static int on_image(void *arg, const char *name, const struct archive_blob *target)
{
	struct search *s = arg;

	return !s->digest.n && !strcmp(s->name, name) ? answer(s, target) : 0;
}

/* An archive that is broken is no reason to refuse what is in others. */
static bool search_archive(struct search *s, const char *path)
{
	const struct archive_visitor visitor = { .blob = on_blob, .image = on_image, .arg = s };
	_cleanup_(archive_closep) struct archive *a = NULL;
	_cleanup_free_ char *why = NULL;
	int r = archive_open(path, &a, &why);

	if (!r)
		r = archive_visit(a, &visitor, &why);
	if (r < 0)
		log_warning("%s", why ? why : strerror(-r));
	return r == FOUND;
}

static bool search_folder(struct search *s, const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		_cleanup_free_ char *path = xprintf("%s/%s", folder, e->d_name);

		if (xb_sv_ends(xb_sv(e->d_name), ".tar"))
			found = search_archive(s, path);
	}
	if (d)
		closedir(d);
	return found;
}

/* --- requests --- */
/* "/v2/NAME/KIND/REFERENCE"; a name may have slashes. */
static bool split_path(struct xb_sv path, struct xb_sv *name, struct xb_sv *kind, struct xb_sv *reference)
{
	const char *slash;

	if (!xb_sv_starts(path, "/v2/"))
		return false;
	path = (struct xb_sv){ path.p + 4, path.n - 4 };
	slash = memrchr(path.p, '/', path.n);
	if (!slash)
		return false;
	*reference = (struct xb_sv){ slash + 1, (size_t)(path.p + path.n - slash - 1) };
	path.n = (size_t)(slash - path.p);
	slash = memrchr(path.p, '/', path.n);
	if (!slash)
		return false;
	*kind = (struct xb_sv){ slash + 1, (size_t)(path.p + path.n - slash - 1) };
	*name = (struct xb_sv){ path.p, (size_t)(slash - path.p) };
	return name->n && reference->n;
}

/* The registry for which this one stands in: "ns=docker.io"; a port's colon comes escaped. */
static bool read_namespace(const struct xb_http_request *r, struct xb_buf *ret)
{
	struct xb_sv rest = xb_http_query(r), part;

	while (rest.n && xb_sv_split(&rest, '&', &part))
		if (xb_sv_starts(part, "ns="))
			return !xb_http_decode((struct xb_sv){ part.p + 3, part.n - 3 }, true, ret) && ret->n;
	return false;
}

static bool read_request(struct search *s)
{
	_cleanup_buf_ struct xb_buf host = {};
	struct xb_sv name, kind, reference;
	int n = 0;

	if (!split_path(xb_http_path(s->request), &name, &kind, &reference))
		return false;
	if (xb_sv_starts(reference, "sha256:")) {
		s->digest = reference;
		return xb_sv_is(kind, "blobs") || xb_sv_is(kind, "manifests");
	}
	if (xb_sv_is(kind, "manifests") && read_namespace(s->request, &host))
		n = snprintf(s->name, sizeof(s->name), "%.*s/%.*s:%.*s", (int)host.n, host.p, XB_SV_ARG(name), XB_SV_ARG(reference));
	return n > 0 && (size_t)n < sizeof(s->name);
}

static void on_request(struct xb_http_request *r, void *arg)
{
	struct registry *registry = arg;
	struct search s = { .request = r };

	if (!xb_sv_is(xb_http_method(r), "GET") && !xb_sv_is(xb_http_method(r), "HEAD"))
		xb_http_respond(r, 405, JSON, XB_SV("{\"errors\":[{\"code\":\"UNSUPPORTED\",\"message\":\"this registry is for reading\"}]}\n"));
	else if (xb_sv_is(xb_http_path(r), "/v2/"))
		xb_http_respond(r, 200, JSON, XB_SV("{}\n"));
	else if (!read_request(&s) || !search_folder(&s, registry->folder))
		xb_http_respond(r, 404, JSON, XB_SV("{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"not among the archives here\"}]}\n"));
}

int registry_new(uv_loop_t *loop, const char *folder, const struct sockaddr_storage *at, struct registry **ret, char **reterr_why)
{
	struct registry *s = xalloc(calloc(1, sizeof(*s)));
	const struct xb_http_config c = { .loop = loop, .handler = on_request, .max_body_bytes = 4096, .max_connections = 1000, .arg = s };
	int r = xb_http_server_new(&c, &s->server);

	s->folder = folder;
	if (!r)
		r = xb_http_server_listen(s->server, (const struct sockaddr *)at);
	if (r) {
		registry_free(s);
		return xb_why(reterr_why, r, "--listen: cannot listen there: %s", strerror(-r));
	}
	*ret = s;
	return 0;
}

struct registry *registry_free(struct registry *s)
{
	xb_http_server_free(s->server);
	free(s);
	return NULL;
}
