/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>

#include "fake.h"
#include "xb/random.h"
#include "xb/time.h"

#define FIRST_ADDRESS 2         /* .0 is the range's name, .1 a gateway's */
#define HOST_BITS_MAX 16
#define KILLED 137

struct fake_call {
	struct runtime_call base;
	TAILQ_ENTRY(fake_call) link;
	uint64_t serial;
	struct fake_turn turn;
	int code;
	ProtobufCMessage *reply;
	runtime_done done;
	void *arg;
};

void fake_new_id(char ret[FAKE_ID_LEN + 1])
{
	unsigned char bytes[FAKE_ID_LEN / 2];

	xb_random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static bool parse_range(struct xb_sv text, struct fake_range *ret)
{
	struct fake_range r = {};
	char address[INET6_ADDRSTRLEN];
	struct xb_sv host;
	uint64_t bits;
	unsigned width;

	if (!xb_sv_split(&text, '/', &host) || host.n >= sizeof(address) || xb_sv_u64(text, &bits))
		return false;
	memcpy(address, host.p, host.n);
	address[host.n] = '\0';
	r.family = memchr(host.p, ':', host.n) ? AF_INET6 : AF_INET;
	width = r.family == AF_INET6 ? 128 : 32;
	if (inet_pton(r.family, address, r.b) != 1 || bits + 2 > width)
		return false;
	r.host_bits = MIN(width - bits, (uint64_t)HOST_BITS_MAX);
	*ret = r;
	return true;
}

int fake_ranges_parse(struct fake *f, struct xb_sv text)
{
	struct fake_range ranges[2];
	struct xb_sv part;
	size_t n = 0;

	while (xb_sv_split(&text, ',', &part))
		if (n == ARRAY_SIZE(ranges) || !parse_range(part, &ranges[n]) || (n && ranges[0].family == ranges[n].family))
			return -EINVAL;
		else
			n++;
	memcpy(f->ranges, ranges, n * sizeof(ranges[0]));
	f->n_ranges = n;
	return 0;
}

static bool address_taken(const struct fake *f, uint32_t address)
{
	const struct fake_sandbox *s;

	TAILQ_FOREACH(s, &f->sandboxes, link)
		if (s->address == address)
			return true;
	return false;
}

/* In turn, so that an address rests before somebody else has it. */
uint32_t fake_address_take(struct fake *f)
{
	uint32_t end = (1u << f->ranges[0].host_bits) - 1, address = f->last_address;

	if (f->n_ranges > 1)
		end = MIN(end, (1u << f->ranges[1].host_bits) - 1);
	for (uint32_t tried = FIRST_ADDRESS; tried < end; tried++) {
		address = address + 1 < end ? MAX(address + 1, (uint32_t)FIRST_ADDRESS) : FIRST_ADDRESS;
		if (!address_taken(f, address))
			return f->last_address = address;
	}
	return 0;
}

const char *fake_address_text(const struct fake_range *r, uint32_t address, char ret[INET6_ADDRSTRLEN])
{
	size_t width = r->family == AF_INET6 ? 16 : 4;
	uint32_t tail;
	uint8_t b[16];

	memcpy(b, r->b, sizeof(b));
	memcpy(&tail, b + width - 4, 4);
	tail = htobe32((be32toh(tail) & ~((1u << r->host_bits) - 1)) + address);
	memcpy(b + width - 4, &tail, 4);
	return inet_ntop(r->family, b, ret, INET6_ADDRSTRLEN);
}

void fake_container_exit(struct fake *f, struct fake_container *c, int code)
{
	c->state = RUNTIME__V1__CONTAINER_STATE__CONTAINER_EXITED;
	c->exit_code = code;
	c->exits_at = 0;
	c->finished_at = xb_time_now() * 1000;
	c->changed = f->changed = true;
}

void fake_container_remove(struct fake *f, struct fake_container *c)
{
	TAILQ_REMOVE(&f->containers, c, link);
	xb_buf_done(&c->status);
	free(c);
}

void fake_sandbox_stop(struct fake *f, struct fake_sandbox *s)
{
	struct fake_container *c;

	TAILQ_FOREACH(c, &f->containers, link)
		if (c->sandbox == s && c->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING)
			fake_container_exit(f, c, KILLED);
	if (s->ready)
		s->changed = f->changed = true;
	s->ready = false;
	s->address = 0;
}

void fake_sandbox_remove(struct fake *f, struct fake_sandbox *s)
{
	struct fake_container *c, *next;

	for (c = TAILQ_FIRST(&f->containers); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->sandbox == s)
			fake_container_remove(f, c);
	}
	TAILQ_REMOVE(&f->sandboxes, s, link);
	xb_buf_done(&s->status);
	free(s);
}

static void on_timer(uv_timer_t *timer);

void fake_rearm(struct fake *f)
{
	uint64_t now = uv_now(f->base.loop), due = UINT64_MAX;
	const struct fake_container *c;

	TAILQ_FOREACH(c, &f->containers, link)
		if (c->exits_at)
			due = MIN(due, c->exits_at);
	if (!TAILQ_EMPTY(&f->calls) || (f->hint && (f->relist || f->changed)))
		due = now;
	if (due == UINT64_MAX)
		uv_timer_stop(&f->timer);
	else
		uv_timer_start(&f->timer, on_timer, due > now ? due - now : 0, 0);
}

static void tell_changes(struct fake *f)
{
	char id[FAKE_ID_LEN + 1] = "";
	struct fake_container *c;
	struct fake_sandbox *s;

	TAILQ_FOREACH(c, &f->containers, link)
		if (c->changed)
			break;
	TAILQ_FOREACH(s, &f->sandboxes, link)
		if (s->changed)
			break;
	if (c) {
		c->changed = false;
		memcpy(id, c->id, sizeof(id));
	} else if (s) {
		s->changed = false;
		memcpy(id, s->id, sizeof(id));
	}
	if (id[0])
		f->hint(f->arg, RUNTIME_CHANGED, id);
	else
		f->changed = false;
}

/* It is in no list any more. */
static void call_free(struct fake_call *call)
{
	xb_arena_free(call->turn.arena);
	free(call->turn.why);
	free(call);
}

static void tell_answer(struct fake *f, struct fake_call *call)
{
	TAILQ_REMOVE(&f->calls, call, link);
	call->done(call->arg, call->code, call->turn.why ? call->turn.why : "", call->code == XB_GRPC_OK ? call->reply : NULL);
	call_free(call);
}

static void on_timer(uv_timer_t *timer)
{
	struct fake *f = timer->data;
	uint64_t now = uv_now(f->base.loop), last = f->serial;
	struct fake_container *c;
	struct fake_call *call;

	TAILQ_FOREACH(c, &f->containers, link)
		if (c->exits_at && c->exits_at <= now)
			fake_container_exit(f, c, c->exit_code);
	/* answers first: whoever stopped something has heard that it is done before it is told of the change */
	while ((call = TAILQ_FIRST(&f->calls)) && call->serial <= last)
		tell_answer(f, call);
	if (f->hint && f->relist) {
		f->relist = false;
		f->hint(f->arg, RUNTIME_RELIST, NULL);
	}
	while (f->hint && f->changed)
		tell_changes(f);
	fake_rearm(f);
}

static ProtobufCMessage *new_message(struct xb_arena *a, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *m = xb_arena_alloc(a, type->sizeof_message);

	if (m)
		protobuf_c_message_init(type, m);
	return m;
}

static int start_call(struct runtime *rt, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, runtime_done done,
		      void *arg, struct runtime_call **ret_call)
{
	struct fake *f = container_of(rt, struct fake, base);
	struct fake_call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	*call = (struct fake_call){ .base.rt = rt, .serial = ++f->serial, .turn = { f, xb_arena_new(0), NULL }, .done = done, .arg = arg };
	call->reply = call->turn.arena ? new_message(call->turn.arena, runtime_rpcs[rpc].reply) : NULL;
	if (!call->reply) {
		call_free(call);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&f->calls, call, link);
	call->code = fake_answer(&call->turn, rpc, request, call->reply);
	fake_rearm(f);
	if (ret_call)
		*ret_call = &call->base;
	return 0;
}

static void cancel_call(struct runtime_call *base)
{
	struct fake_call *call = container_of(base, struct fake_call, base);

	TAILQ_REMOVE(&call->turn.f->calls, call, link);
	call_free(call);
}

static int start_watch(struct runtime *rt, runtime_hint hint, void *arg)
{
	struct fake *f = container_of(rt, struct fake, base);

	f->hint = hint;
	f->arg = arg;
	f->relist = true;
	fake_rearm(f);
	return 0;
}

static void on_closed(uv_handle_t *timer)
{
	free(timer->data);
}

static void fake_free(struct runtime *rt)
{
	struct fake *f = container_of(rt, struct fake, base);

	while (!TAILQ_EMPTY(&f->calls))
		cancel_call(&TAILQ_FIRST(&f->calls)->base);
	while (!TAILQ_EMPTY(&f->sandboxes))
		fake_sandbox_remove(f, TAILQ_FIRST(&f->sandboxes));
	for (size_t i = 0; i < f->images.n; i++)
		free(f->images.v[i]);
	xb_vec_done(&f->images);
	uv_close((uv_handle_t *)&f->timer, on_closed);
}

static const struct runtime_ops fake_ops = { .call = start_call, .cancel = cancel_call, .watch = start_watch, .free = fake_free };

/* What stands after "fake://": nothing, or one option. */
static bool parse_endpoint(struct fake *f, const char *options)
{
	if (!*options)
		return fake_ranges_parse(f, XB_SV("10.88.0.0/16")) == 0;
	f->fixed_ranges = true;
	return xb_sv_starts(xb_sv(options), "?cidr=") && fake_ranges_parse(f, xb_sv(options + strlen("?cidr="))) == 0;
}

int fake_new(const struct runtime_config *c, struct runtime **ret, char **reterr_why)
{
	struct fake *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	if (!parse_endpoint(f, c->endpoint + strlen("fake://"))) {
		int n = asprintf(reterr_why, "\"%s\": expected fake:// or fake://?cidr=10.244.1.0/24", c->endpoint);

		free(f);
		return n < 0 ? -ENOMEM : -EINVAL;
	}
	f->base = (struct runtime){ &fake_ops, c->loop, c->request_timeout_ms };
	TAILQ_INIT(&f->sandboxes);
	TAILQ_INIT(&f->containers);
	TAILQ_INIT(&f->calls);
	uv_timer_init(c->loop, &f->timer);
	f->timer.data = f;
	*ret = &f->base;
	return 0;
}
