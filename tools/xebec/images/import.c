/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <inttypes.h>

#include "archive.h"
#include "containerd.pb-c.h"
#include "import.h"
#include "xb/grpc.h"
#include "xb/random.h"
#include "xb/time.h"
#include "xb/why.h"
#include "../xalloc.h"

#define CHUNK      (1 << 20)
#define TIMEOUT_MS 60000
#define LEASE_HOURS 1

struct import {
	uv_loop_t loop;
	struct xb_grpc *grpc;
	char lease[37];
	struct import_result result;
	char **reterr_why;
	/* of the call under way */
	bool done;
	int code;
	char *why;
	struct archive_blob blob;
	char *ref;
	size_t sent;
	struct xb_grpc_call *call;
};

/* --- one message out, one in --- */

static void on_done(void *arg, int code, const char *why, struct xb_sv reply)
{
	struct import *m = arg;

	m->done = true;
	m->code = code;
	m->why = xalloc(strdup(why));
	m->call = NULL;
}

static void begin(struct import *m)
{
	free(m->why);
	m->why = NULL;
	m->done = false;
}

static void wait_done(struct import *m)
{
	while (!m->done)
		uv_run(&m->loop, UV_RUN_ONCE);
}

/* Takes message. */
static struct xb_sv packed(const ProtobufCMessage *message, struct xb_buf *out)
{
	size_t n = protobuf_c_message_get_packed_size(message);

	if (xb_buf_reserve(out, n + 1))
		xalloc(NULL);
	out->n = protobuf_c_message_pack(message, (uint8_t *)out->p);
	return xb_buf_sv(out);
}

static struct xb_grpc_request request_to(const struct import *m, const char *path, const struct xb_grpc_metadata metadata[2])
{
	return (struct xb_grpc_request){ .path = path, .metadata = metadata, .n_metadata = 2, .timeout_ms = TIMEOUT_MS };
}

#define METADATA(m) ((const struct xb_grpc_metadata[]){ { "containerd-namespace", "k8s.io" }, { "containerd-lease", (m)->lease } })

/* The gRPC code, or -errno. */
static int call(struct import *m, const char *path, const ProtobufCMessage *message)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	struct xb_grpc_request q = request_to(m, path, METADATA(m));
	int r;

	begin(m);
	q.message = packed(message, &bytes);
	r = xb_grpc_unary(m->grpc, &q, on_done, m, NULL);
	if (r)
		return r;
	wait_done(m);
	return m->code;
}

static int fault(struct import *m, int code, const char *what)
{
	if (code < 0)
		return xb_why(m->reterr_why, code, "containerd: %s: %s", what, strerror(-code));
	return xb_why(m->reterr_why, -EIO, "containerd: %s: %s: %s", what, xb_grpc_code_name(code), m->why);
}

/* --- leases --- */

static int take_lease(struct import *m)
{
	struct xb_time_text end = xb_time_format(xb_time_now() + LEASE_HOURS * XB_HOUR / 1000);
	Containerd__Label expire = CONTAINERD__LABEL__INIT, *labels[] = { &expire };
	Containerd__CreateLeaseRequest q = CONTAINERD__CREATE_LEASE_REQUEST__INIT;
	int r;

	xb_uuid(m->lease);
	expire.key = (char *)"containerd.io/gc.expire";
	expire.value = end.s;
	q.id = m->lease;
	q.labels = labels;
	q.n_labels = 1;
	r = call(m, "/containerd.services.leases.v1.Leases/Create", &q.base);
	return r ? fault(m, r, "cannot take a lease") : 0;
}

/* Left to expire where that fails. */
static void return_lease(struct import *m)
{
	Containerd__DeleteLeaseRequest q = CONTAINERD__DELETE_LEASE_REQUEST__INIT;

	q.id = m->lease;
	call(m, "/containerd.services.leases.v1.Leases/Delete", &q.base);
}

/* --- blobs --- */

static int send_content(struct import *m, Containerd__WriteContentRequest *q)
{
	_cleanup_buf_ struct xb_buf bytes = {};

	return xb_grpc_write(m->call, packed(&q->base, &bytes));
}

/* The next chunk, after the one before was taken: what waits is bounded. */
static void send_next(struct import *m)
{
	Containerd__WriteContentRequest q = CONTAINERD__WRITE_CONTENT_REQUEST__INIT;
	size_t n = MIN(m->blob.bytes.n - m->sent, (size_t)CHUNK);

	q.action = CONTAINERD__WRITE_ACTION__WRITE;
	q.offset = (int64_t)m->sent;
	q.data.data = (uint8_t *)m->blob.bytes.p + m->sent;
	q.data.len = n;
	m->sent += n;
	if (send_content(m, &q))
		xalloc(NULL);
}

static void on_content(void *arg, struct xb_sv message)
{
	struct import *m = arg;

	if (m->call && m->sent < m->blob.bytes.n)
		send_next(m);
}

/* With the digests that it refers to as labels, by which the garbage collector finds them. */
static void send_commit(struct import *m, const struct archive_reference *refers, size_t n)
{
	_cleanup_free_ Containerd__Label *labels = xalloc(calloc(n + 1, sizeof(*labels)));
	_cleanup_free_ Containerd__Label **list = xalloc(calloc(n + 1, sizeof(*list)));
	Containerd__WriteContentRequest q = CONTAINERD__WRITE_CONTENT_REQUEST__INIT;

	for (size_t i = 0; i < n; i++) {
		labels[i] = (Containerd__Label)CONTAINERD__LABEL__INIT;
		labels[i].key = (char *)refers[i].label;
		labels[i].value = (char *)refers[i].digest;
		list[i] = &labels[i];
	}
	q.action = CONTAINERD__WRITE_ACTION__COMMIT;
	q.total = q.offset = (int64_t)m->blob.bytes.n;
	q.expected = m->blob.digest;
	q.labels = list;
	q.n_labels = n;
	if (send_content(m, &q))
		xalloc(NULL);
	xb_grpc_end(m->call);
}

static int begin_write(struct import *m)
{
	Containerd__WriteContentRequest q = CONTAINERD__WRITE_CONTENT_REQUEST__INIT;
	struct xb_grpc_request request = request_to(m, "/containerd.services.content.v1.Content/Write", METADATA(m));
	int r;

	begin(m);
	m->sent = 0;
	request.open = true;
	r = xb_grpc_stream(m->grpc, &request, on_content, on_done, m, &m->call);
	if (r)
		return r;
	q.ref = m->ref;
	q.total = (int64_t)m->blob.bytes.n;
	q.expected = m->blob.digest;
	return send_content(m, &q);
}

static int import_blob(void *arg, const struct archive_blob *b, const struct archive_reference *refers, size_t n)
{
	struct import *m = arg;
	_cleanup_free_ char *ref = xprintf("xebec-import-%s-%s", m->lease, b->digest);
	int r;

	m->blob = *b;
	m->ref = ref;
	r = begin_write(m);
	if (r)
		return fault(m, r, b->digest);
	while (!m->done && m->sent < b->bytes.n)
		uv_run(&m->loop, UV_RUN_ONCE);
	if (!m->done)
		send_commit(m, refers, n);
	wait_done(m);
	m->ref = NULL;
	if (m->code && m->code != XB_GRPC_ALREADY_EXISTS)
		return fault(m, m->code, b->digest);
	m->result.blobs_sent += !m->code;
	return 0;
}

/* --- images --- */

static int import_image(void *arg, const char *name, const struct archive_blob *target)
{
	struct import *m = arg;
	Containerd__Descriptor descriptor = CONTAINERD__DESCRIPTOR__INIT;
	Containerd__Image image = CONTAINERD__IMAGE__INIT;
	Containerd__CreateImageRequest create = CONTAINERD__CREATE_IMAGE_REQUEST__INIT;
	Containerd__UpdateImageRequest update = CONTAINERD__UPDATE_IMAGE_REQUEST__INIT;
	int r;

	descriptor.media_type = (char *)target->media_type;
	descriptor.digest = (char *)target->digest;
	descriptor.size = (int64_t)target->bytes.n;
	image.name = (char *)name;
	image.target = &descriptor;
	create.image = update.image = &image;
	r = call(m, "/containerd.services.images.v1.Images/Create", &create.base);
	if (r == XB_GRPC_ALREADY_EXISTS)
		r = call(m, "/containerd.services.images.v1.Images/Update", &update.base);
	if (r)
		return fault(m, r, name);
	m->result.images++;
	return 0;
}

static int import_all(struct import *m, const char *path)
{
	const struct archive_visitor visitor = { .blob = import_blob, .image = import_image, .arg = m };
	_cleanup_(archive_closep) struct archive *a = NULL;
	int r = archive_open(path, &a, m->reterr_why);

	if (!r)
		r = take_lease(m);
	if (r)
		return r;
	r = archive_visit(a, &visitor, m->reterr_why);
	return_lease(m);
	return r;
}

int images_import(const char *socket, const char *archive, struct import_result *ret, char **reterr_why)
{
	struct import m = { .reterr_why = reterr_why };
	const struct xb_grpc_config c = { .loop = &m.loop, .target = socket, .user_agent = "xebec" };
	int r;

	uv_loop_init(&m.loop);
	r = xb_grpc_new(&c, &m.grpc);
	if (r)
		r = xb_why(reterr_why, r, "'%s' cannot be containerd's socket: %s", socket, strerror(-r));
	else
		r = import_all(&m, archive);
	xb_grpc_free(m.grpc);
	uv_run(&m.loop, UV_RUN_DEFAULT);
	uv_loop_close(&m.loop);
	free(m.why);
	if (r)
		return r;
	*ret = m.result;
	return 0;
}

int images_import_folder(const char *socket, const char *folder, struct import_result *ret, char **reterr_why)
{
	struct import_result all = {};
	DIR *d = opendir(folder);
	struct dirent *e;
	int r = 0;

	while (d && !r && (e = readdir(d))) {
		_cleanup_free_ char *path = xprintf("%s/%s", folder, e->d_name);
		struct import_result one = {};

		if (!xb_sv_ends(xb_sv(e->d_name), ".tar"))
			continue;
		r = images_import(socket, path, &one, reterr_why);
		all.images += one.images;
		all.blobs_sent += one.blobs_sent;
	}
	if (d)
		closedir(d);
	if (r)
		return r;
	*ret = all;
	return 0;
}
