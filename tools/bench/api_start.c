/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Starts a server and asks it each millisecond, by new connections, whether it is ready. The kubeconfig may be its own work. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include "api.h"
#include "command.h"
#include "xb/kubeconfig.h"
#include "xb/why.h"

#define PAUSE_NS 1000000
#define ANSWER_NS 1000000000ull

struct start {
	const struct api_options *o;
	struct xb_kubeconfig kubeconfig;
	struct target target;
	struct conn_loop loop;
	struct conn conn;
	struct call call;
	char *why;              /* the last attempt failed */
	bool ready;
};
static struct start *start; /* of the one run a process makes */

static void note(char *why)
{
	free(start->why);
	start->why = why;
	start->loop.stop = true;
}

static void on_ready(struct conn *c)
{
	const struct target *t = c->loop->target;

	xb_buf_clear(&start->call.out);
	xb_buf_addf(&start->call.out, "GET %s/readyz HTTP/1.1\r\n%s\r\n", t->base, t->fields);
	conn_send(&start->call);
}

static void on_piece(struct call *c, struct xb_sv piece)
{
}

static void on_reply(struct call *c)
{
	start->ready = c->reply.code == 200;
	note(start->ready ? NULL : api_fault(&c->out, c->reply.code, (struct xb_sv){}));
}

static void on_lost(struct conn *c, const char *why)
{
	note(strdup(why));
}

static void ask(const struct target *t)
{
	static const struct conn_ops ops = { .ready = on_ready, .piece = on_piece, .reply = on_reply, .lost = on_lost };
	int r = conn_loop_open(&start->loop, t, &ops);

	start->call.conn = &start->conn;
	if (!r)
		r = conn_open(&start->conn, &start->loop);
	if (!r)
		r = conn_loop_run(&start->loop, now_ns() + ANSWER_NS);
	if (r)
		note(strdup(strerror(-r)));
	conn_close(&start->conn);
	conn_loop_close(&start->loop);
}

/* Asks once, if it is known already whom. The file is read once: a millisecond of ours would be the server's. */
static void try(void)
{
	char *why = NULL;
	int r = start->target.tls ? 0 : api_open(start->o, &start->kubeconfig, &start->target, &why);

	if (r) {
		target_done(&start->target);
		note(why ? why : strdup(strerror(-r)));
	} else {
		ask(&start->target);
	}
}

/* *pid becomes 0 when it has ended. */
static void wait_until_ready(pid_t *pid, uint64_t until)
{
	while (!start->ready && now_ns() < until) {
		if (waitpid(*pid, NULL, WNOHANG) == *pid) {
			*pid = 0;
			note(strdup("the server has ended"));
			return;
		}
		try();
		if (!start->ready)
			nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
}

/* What it says on standard output goes with its log: ours is the report. */
static int spawn(char *const *command, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	int r;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	r = posix_spawnp(ret, command[0], &files, NULL, command, environ);
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

int api_start(const struct api_options *o, const struct target *none, struct object *no_object)
{
	static struct start s;
	struct api_started started = {};
	struct api_report report = { .options = o, .started = &started };
	char pid_text[16], *const pids[] = { pid_text, NULL };
	char *why = NULL;
	uint64_t began;
	pid_t pid = 0;
	int r = 0;

	s = (struct start){ .o = o };
	start = &s;
	try();
	began = now_ns();
	if (s.ready)
		note(strdup("a server is ready there already"));
	else
		r = spawn(o->command, &pid);
	if (r)
		xb_why(&why, r, "%s: %s", o->command[0], strerror(-r));
	if (r)
		note(why);
	if (pid)
		wait_until_ready(&pid, began + o->seconds * 1000000000ull);
	started.ready_milliseconds = (now_ns() - began) / 1e6;
	started.pid = pid;
	report.seconds = started.ready_milliseconds / 1e3;
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	report.after = usage_now(pids);
	report.failed = !s.ready || !pid;
	report.first_error = s.why;
	if (report.failed && pid)
		kill(pid, SIGTERM);
	r = report_print(&report);
	xb_buf_done(&s.call.out);
	target_done(&s.target);
	xb_kubeconfig_done(&s.kubeconfig);
	free(s.why);
	return r || report.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
