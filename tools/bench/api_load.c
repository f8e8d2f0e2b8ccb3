/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A closed loop: each client sends its next request when the last is answered, until --count requests were sent or the time
 * is up. The clock starts when all connections stand.
 */
#include "api.h"

#define IDLE_US 500000
#include "command.h"

#define LAST_ANSWERS_NS 5000000000ull /* beyond the time for sending */
enum { MOST_FAULT = 64 << 10, OWN_FIRST = 90000000 };

struct client {
	struct conn conn;
	struct call call;
	enum api_op op;
	unsigned turn;
	uint64_t sent_at;
	struct xb_buf fault;    /* the body of a reply that is not a success */
	bool busy, owns;        /* owns: it created what it has not deleted yet */
};
struct load {
	const struct api_options *o;
	const struct target *target;
	struct object *object;
	struct conn_loop loop;
	struct client *clients;
	int ready, busy, open;
	uint64_t issued, answered, failed, bytes_in;
	uint64_t until, rss_most;
	char *first_error;
	struct latency ops[API_OPS];
};
static struct load *load; /* of the one run a process makes */

static void fail(char *fault)
{
	load->failed++;
	if (!load->first_error)
		load->first_error = fault;
	else
		free(fault);
}

/* Objects are taken in turn; of a mix, a client creates and deletes one of its own, and leaves none. */
static unsigned pick(const struct client *c)
{
	const struct api_options *o = load->o;

	if (o->verb->n_turns > 1 && (c->op == API_CREATE || c->op == API_DELETE))
		return OWN_FIRST + (c - load->clients);
	return o->first + load->issued % o->objects;
}

static void next(struct client *c)
{
	const struct api_verb *verb = load->o->verb;
	bool enough = load->issued >= (uint64_t)load->o->count || now_ns() >= load->until;
	bool owes = verb->n_turns > 1 && c->owns;

	c->busy = false;
	if (enough && !owes) {
		load->loop.stop = !load->busy;
		return;
	}
	c->op = enough ? API_DELETE : verb->turns[c->turn++ % verb->n_turns];
	if (c->op == API_CREATE || c->op == API_DELETE)
		c->owns = c->op == API_CREATE;
	if (c->op == API_LIST)
		object_list(load->object, load->o->query, load->target, &c->call.out);
	else
		object_request(load->object, c->op, pick(c), load->target, &c->call.out);
	load->issued++;
	load->busy++;
	c->busy = true;
	c->sent_at = now_ns();
	conn_send(&c->call);
}

static void on_ready(struct conn *conn)
{
	load->loop.stop = ++load->ready == load->o->clients;
}

static void on_piece(struct call *call, struct xb_sv piece)
{
	struct client *c = container_of(call, struct client, call);

	load->bytes_in += piece.n;
	if (call->reply.code >= 300 && !load->first_error && c->fault.n + piece.n <= MOST_FAULT)
		xb_buf_addsv(&c->fault, piece);
}

static void on_reply(struct call *call)
{
	struct client *c = container_of(call, struct client, call);

	latency_add(&load->ops[c->op], now_ns() - c->sent_at);
	load->busy--;
	load->answered++;
	if (call->reply.code >= 300) {
		fail(load->first_error ? NULL : api_fault(&call->out, call->reply.code, xb_buf_sv(&c->fault)));
		xb_buf_done(&c->fault);
	}
	if (!call->reply.close) {
		next(c);
		return;
	}
	conn_close(&c->conn);
	c->busy = false;
	if (!--load->open)
		load->loop.stop = true;
}

/* The client is out: its request counts as failed, the others go on. */
static void on_lost(struct conn *conn, const char *why)
{
	struct client *c = container_of(conn, struct client, conn);

	load->busy -= c->busy;
	c->busy = false;
	fail(strdup(why));
	if (!--load->open || (!load->busy && load->issued >= (uint64_t)load->o->count) || load->ready < load->o->clients)
		load->loop.stop = true;
}

static void on_tick(void)
{
	load->rss_most = MAX(load->rss_most, usage_now(load->o->server_pid).rss_bytes);
	for (int i = 0; load->loop.paced && i < load->o->clients; i++)
		conn_allow(&load->clients[i].conn, load->o->read_rate * 1000ull * TICK_MS / 1000);
}

static int open_all(void)
{
	static const struct conn_ops ops = { .ready = on_ready, .piece = on_piece, .reply = on_reply, .lost = on_lost, .tick = on_tick };
	int r = conn_loop_open(&load->loop, load->target, &ops);

	for (int i = 0; i < load->o->clients; i++)
		load->clients[i].call.conn = &load->clients[i].conn;
	for (int i = 0; !r && i < load->o->clients; i++, load->open++)
		r = conn_open(&load->clients[i].conn, &load->loop);
	if (!r)
		r = conn_loop_run(&load->loop, load->until);
	if (r)
		fail(strdup(r == -ETIME ? "the connections did not open in time" : strerror(-r)));
	return load->failed ? -EIO : 0;
}

static void close_all(void)
{
	for (int i = 0; i < load->o->clients; i++) {
		conn_close(&load->clients[i].conn);
		xb_buf_done(&load->clients[i].call.out);
		xb_buf_done(&load->clients[i].fault);
	}
	conn_loop_close(&load->loop);
}

/* Slow readers are not meant to come to an end. */
static void give_up(struct api_report *report)
{
	if (load->loop.paced)
		report->unfinished = load->busy;
	for (; load->busy; load->busy--)
		if (!load->loop.paced)
			fail(strdup("no answer in time"));
}

static void measure(struct api_report *report)
{
	uint64_t start = now_ns();

	report->before = usage_now(load->o->server_pid);
	load->rss_most = report->before.rss_bytes;
	load->loop.paced = load->o->read_rate > 0;
	for (int i = 0; i < load->o->clients; i++)
		if (load->clients[i].conn.ssl)
			next(&load->clients[i]);
	if (load->busy)
		conn_loop_run(&load->loop, load->until + (load->loop.paced ? 0 : LAST_ANSWERS_NS));
	report->seconds = (now_ns() - start) / 1e9;
	report->after = usage_now(load->o->server_pid);
	/* what a server keeps for the next requests goes when none come */
	usleep(IDLE_US);
	report->after.rss_bytes = usage_now(load->o->server_pid).rss_bytes;
	give_up(report);
}

int api_load(const struct api_options *o, const struct target *t, struct object *object)
{
	static struct load l;
	struct api_report report = { .options = o, .ops = l.ops };

	l = (struct load){ .o = o, .target = t, .object = object, .until = now_ns() + o->seconds * 1000000000ull };
	l.clients = calloc(o->clients, sizeof(*l.clients));
	load = &l;
	if (!l.clients)
		return EXIT_FAILURE;
	if (!open_all())
		measure(&report);
	close_all();
	free(l.clients);
	report.requests = l.answered;
	report.failed = l.failed;
	report.bytes_in = l.bytes_in;
	report.rss_most = l.rss_most;
	report.first_error = l.first_error;
	if (report_print(&report))
		l.failed++;
	free(l.first_error);
	return l.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
