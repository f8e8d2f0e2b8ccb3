/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* grpc: the server is asked for its health, on a connection of its own. */
#include "../spec/make.h"
#include "attempt.h"
#include "health.pb-c.h"
#include "xb/time.h"

struct health {
	struct attempt base;
	struct xb_grpc *channel;
	char target[80];
	unsigned timeout_ms;
};

static struct health *health_free(struct health *h)
{
	if (h)
		xb_grpc_free(h->channel);
	free(h);
	return NULL;
}
XB_DEFINE_CLEANUP(struct health *, health_free)

static void cancel(struct attempt *a)
{
	health_free((struct health *)a);
}

static void add_fault(const struct health *h, int code, const char *why, struct xb_buf *text)
{
	switch (code) {
	case XB_GRPC_UNIMPLEMENTED:
		xb_buf_addf(text, "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): %s", why);
		break;
	case XB_GRPC_DEADLINE_EXCEEDED:
		xb_buf_addf(text, "timeout: health rpc did not complete within %s", xb_duration_format(h->timeout_ms * XB_MILLISECOND).s);
		break;
	case XB_GRPC_UNAVAILABLE:
		xb_buf_addf(text, "error: failed to connect service at \"%s\": %s", h->target, why);
		break;
	default:
		xb_buf_addf(text, "error: health rpc probe failed: rpc error: code = %s desc = %s", xb_grpc_code_name(code), why);
	}
}

static bool add_status(struct xb_sv reply, struct xb_buf *text)
{
	static const ProtobufCEnumDescriptor *const names = &grpc__health__v1__health_check_response__serving_status__descriptor;
	Grpc__Health__V1__HealthCheckResponse *r = grpc__health__v1__health_check_response__unpack(NULL, reply.n, (const uint8_t *)reply.p);
	const ProtobufCEnumValue *name = r ? protobuf_c_enum_descriptor_get_value(names, (int)r->status) : NULL;
	bool serving = r && r->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;

	if (serving)
		xb_buf_adds(text, "service healthy");
	else if (!r)
		xb_buf_adds(text, "error: health rpc probe failed: the answer is no HealthCheckResponse");
	else if (name)
		xb_buf_addf(text, "service unhealthy (responded with \"%s\")", name->name);
	else
		xb_buf_addf(text, "service unhealthy (responded with \"%d\")", (int)r->status);
	if (r)
		grpc__health__v1__health_check_response__free_unpacked(r, NULL);
	return serving;
}

static void on_done(void *arg, int code, const char *why, struct xb_sv reply)
{
	_cleanup_(health_freep) struct health *h = arg;
	_cleanup_buf_ struct xb_buf text = {};
	struct attempt_result result = { .outcome = ATTEMPT_FAILURE };

	if (code == XB_GRPC_OK)
		result.outcome = add_status(reply, &text) ? ATTEMPT_SUCCESS : ATTEMPT_FAILURE;
	else
		add_fault(h, code, why, &text);
	result.text = result.error = text.p ?: "";
	h->base.done(h->base.arg, &result);
}

int health_start(const struct attempt_tools *t, const struct attempt_request *q, struct attempt base, struct attempt **ret,
		 char **reterr_why)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_(health_freep) struct health *h = calloc(1, sizeof(*h));
	Grpc__Health__V1__HealthCheckRequest question = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct xb_grpc_config config = { .loop = t->loop, .user_agent = t->user_agent, .max_message_bytes = 4096 };
	struct xb_grpc_request request = { .path = "/grpc.health.v1.Health/Check", .timeout_ms = q->timeout_ms };
	struct make m = { .a = a };
	uint16_t port;
	uint8_t *packed;
	int r = a && h ? attempt_port(q->container, xb_jv_get(q->handler, "port"), &port, reterr_why) : -ENOMEM;

	if (r)
		return r;
	h->base = base;
	h->base.cancel = cancel;
	h->timeout_ms = q->timeout_ms;
	snprintf(h->target, sizeof(h->target), strchr(q->pod_ip, ':') ? "[%s]:%u" : "%s:%u", q->pod_ip, port);
	config.target = h->target;
	question.service = make_text(&m, xb_jv_get(q->handler, "service"));
	packed = make_room(&m, grpc__health__v1__health_check_request__get_packed_size(&question) + 1);
	if (m.failed)
		return -ENOMEM;
	request.message = (struct xb_sv){ (char *)packed, grpc__health__v1__health_check_request__pack(&question, packed) };
	r = xb_grpc_new(&config, &h->channel) ?: xb_grpc_unary(h->channel, &request, on_done, h, NULL);
	if (r)
		return r;
	*ret = &TAKE_PTR(h)->base;
	return 0;
}
