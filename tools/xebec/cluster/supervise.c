/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <uv.h>

#include "cgroup.h"
#include "launch.h"
#include "lost.h"
#include "rights.h"
#include "supervise.h"
#include "xb/file.h"
#include "xb/log.h"
#include "xb/time.h"
#include "xb/why.h"
#include "../xalloc.h"

#define LOOK_MS        10       /* between two looks whether what a unit waits for answers */
#define RESTART_MIN_MS 100
#define RESTART_MAX_MS 5000
#define STEADY_MS      10000    /* what ran so long did not end soon */
#define LOG_BYTES_MAX  (16 << 20)

struct unit {
	const struct unit_row *row;
	unsigned node;
	pid_t pid;                      /* 0: does not run */
	int pidfd;
	unsigned restart_ms;
	int64_t started_ms;
	uv_poll_t poll;                 /* of pidfd, while it runs */
	uv_timer_t timer;
	struct supervisor *s;
};

struct supervisor {
	struct cluster cluster;
	uv_loop_t loop;
	uv_signal_t reload, term, interrupt;
	struct unit *units[CLUSTER_NODES_MAX * 8];
	size_t n_units;
	unsigned n_nodes;               /* whose units are among them */
};

/* --- pid files --- */

pid_t unit_pid(const struct cluster *c, const struct unit_row *row, unsigned node)
{
	_cleanup_free_ char *path = unit_pid_file(c, row, node);
	_cleanup_buf_ struct xb_buf text = {};
	unsigned long long said, started;
	int pid;

	if (xb_file_read(path, 64, &text) || sscanf(text.p ? text.p : "", "%d %llu", &pid, &said) != 2)
		return 0;
	return !process_started(pid, &started) && started == said ? pid : 0;
}

/* Not of the disk's concern: after a crash of the machine there is no such process. */
static int note_pid(const struct unit *u)
{
	_cleanup_free_ char *path = unit_pid_file(&u->s->cluster, u->row, u->node), *next = xprintf("%s.tmp", path);
	unsigned long long started;
	FILE *f;

	if (process_started(u->pid, &started))
		return 0; /* ended already */
	f = fopen(next, "we");
	if (!f)
		return -errno;
	fprintf(f, "%d %llu\n", (int)u->pid, started);
	return fclose(f) == 0 && rename(next, path) == 0 ? 0 : -errno;
}

/* --- one unit --- */

static void schedule(struct unit *u, unsigned ms);

static void on_ended(uv_poll_t *h, int status, int events)
{
	struct unit *u = h->data;
	siginfo_t info = {};

	uv_poll_stop(&u->poll);
	/* an adopted one is not our child: there is nothing to reap and no status */
	waitid(P_PIDFD, u->pidfd, &info, WEXITED | WNOHANG);
	if (info.si_pid && info.si_code == CLD_EXITED)
		log_warning("%s of node-%u (pid %d) ended with status %d", u->row->name, u->node, (int)u->pid, info.si_status);
	else if (info.si_pid)
		log_warning("%s of node-%u (pid %d) was ended by signal %d", u->row->name, u->node, (int)u->pid, info.si_status);
	else
		log_warning("%s of node-%u (pid %d) ended", u->row->name, u->node, (int)u->pid);
	close(TAKE_FD(u->pidfd));
	u->pid = 0;
	if (xb_time_ms() - u->started_ms > STEADY_MS)
		u->restart_ms = RESTART_MIN_MS;
	schedule(u, u->restart_ms);
	u->restart_ms = MIN(2 * u->restart_ms, RESTART_MAX_MS);
}

static int follow(struct unit *u, pid_t pid)
{
	int r;

	u->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (u->pidfd < 0)
		return -errno;
	r = uv_poll_init(&u->s->loop, &u->poll, u->pidfd);
	if (!r)
		r = uv_poll_start(&u->poll, UV_READABLE, on_ended);
	u->poll.data = u;
	u->pid = pid;
	u->started_ms = xb_time_ms();
	return r;
}

/* Does what a unit waits for answer? */
static bool may_start(const struct unit *u)
{
	if (u->row->rights && !rights_given(&u->s->cluster))
		return false;
	for (size_t i = 0; u->row->after && i < n_unit_rows; i++) {
		const struct unit_row *row = &unit_rows[i];
		_cleanup_free_ char *where = NULL;

		if (strcmp(row->name, u->row->after))
			continue;
		where = row->answers(&u->s->cluster, row->control ? 1 : u->node);
		return answers_at(where);
	}
	return true;
}

/* One old log is kept. */
static void turn_log(const char *path)
{
	_cleanup_free_ char *old = xprintf("%s.1", path);
	struct stat st;

	if (!stat(path, &st) && st.st_size > LOG_BYTES_MAX)
		rename(path, old);
}

static int start(struct unit *u, char **reterr_why)
{
	const struct cluster *c = &u->s->cluster;
	_cleanup_free_ char *netns = cluster_netns(c, u->node), *log = unit_log(c, u->row, u->node);
	_cleanup_free_ char *node_cgroup = cluster_cgroup(c, u->node);
	_cleanup_free_ char *cgroup = xprintf("%s/agents", node_cgroup);
	_cleanup_(words_done) struct words w = {};
	struct launch l = { .netns = netns, .cgroup = cgroup, .log = log };
	pid_t pid;
	int r;

	turn_log(log);
	u->row->command(c, u->node, &w);
	l.argv = w.v;
	r = launch(&l, &pid, reterr_why);
	if (!r)
		r = follow(u, pid);
	if (!r)
		r = note_pid(u);
	return r;
}

static void on_timer(uv_timer_t *t)
{
	struct unit *u = t->data;
	_cleanup_free_ char *why = NULL;
	int r;

	if (!may_start(u)) {
		schedule(u, LOOK_MS);
		return;
	}
	r = start(u, &why);
	if (!r) {
		log_info("%s of node-%u started (pid %d)", u->row->name, u->node, (int)u->pid);
		return;
	}
	log_err("%s of node-%u: %s", u->row->name, u->node, why ? why : strerror(-r));
	schedule(u, RESTART_MAX_MS);
}

static void schedule(struct unit *u, unsigned ms)
{
	uv_timer_start(&u->timer, on_timer, ms, 0);
}

static void add_unit(struct supervisor *s, const struct unit_row *row, unsigned node)
{
	struct unit *u;
	pid_t pid;

	if ((row->control && node != 1) || s->n_units == ARRAY_SIZE(s->units))
		return;
	u = xalloc(calloc(1, sizeof(*u)));
	*u = (struct unit){ .row = row, .node = node, .pidfd = -1, .restart_ms = RESTART_MIN_MS, .s = s };
	s->units[s->n_units++] = u;
	uv_timer_init(&s->loop, &u->timer);
	u->timer.data = u;
	pid = unit_pid(&s->cluster, row, node);
	if (pid && !follow(u, pid))
		log_info("%s of node-%u runs already (pid %d)", row->name, node, (int)pid);
	else
		schedule(u, 0);
}

static void add_node(struct supervisor *s, unsigned node)
{
	_cleanup_free_ char *why = NULL;
	int r = lost_follow(&s->loop, &s->cluster, node, &why);

	if (r)
		log_err("node-%u: %s; what containerd loses stays until it is started again", node, why ? why : strerror(-r));
	for (size_t i = 0; i < n_unit_rows; i++)
		add_unit(s, &unit_rows[i], node);
}

static void add_nodes(struct supervisor *s)
{
	while (s->n_nodes < s->cluster.n_nodes)
		add_node(s, ++s->n_nodes);
}

/* --- the process --- */

static void on_reload(uv_signal_t *h, int number)
{
	struct supervisor *s = h->data;
	_cleanup_cluster_ struct cluster c = {};
	_cleanup_free_ char *why = NULL;
	int r = cluster_load(s->cluster.name, &c, &why);

	if (r)
		log_err("cannot read the cluster's state again: %s", why ? why : strerror(-r));
	else
		s->cluster.n_nodes = c.n_nodes;
	add_nodes(s);
}

static void on_end(uv_signal_t *h, int number)
{
	struct supervisor *s = h->data;

	log_info("leaving; the programs go on");
	uv_stop(&s->loop);
}

/* The lock is the kernel's: whoever held it is gone when it can be had. */
static int lock(const struct cluster *c, char **reterr_why)
{
	_cleanup_free_ char *path = xprintf("%s/supervisor.lock", c->run);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || fcntl(fd, F_SETLK, &l) < 0)
		return xb_why(reterr_why, errno == EAGAIN || errno == EACCES ? -EBUSY : -errno, "cannot lock '%s': %s", path, strerror(errno));
	return fd;
}

pid_t supervisor_pid(const struct cluster *c)
{
	_cleanup_free_ char *path = xprintf("%s/supervisor.lock", c->run);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd >= 0 && !fcntl(fd, F_GETLK, &l) && l.l_type != F_UNLCK ? l.l_pid : 0;
}

int supervise(const struct cluster *c, char **reterr_why)
{
	_cleanup_close_ int fd = lock(c, reterr_why);
	struct supervisor *s = xalloc(calloc(1, sizeof(*s)));
	int r = fd < 0 ? fd : cluster_load(c->name, &s->cluster, reterr_why);

	if (r < 0) {
		free(s);
		return r;
	}
	uv_loop_init(&s->loop);
	uv_signal_init(&s->loop, &s->reload);
	uv_signal_init(&s->loop, &s->term);
	uv_signal_init(&s->loop, &s->interrupt);
	s->reload.data = s->term.data = s->interrupt.data = s;
	uv_signal_start(&s->reload, on_reload, SIGHUP);
	uv_signal_start(&s->term, on_end, SIGTERM);
	uv_signal_start(&s->interrupt, on_end, SIGINT);
	add_nodes(s);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	_exit(EXIT_SUCCESS); /* whatever there is of handles goes with the process */
}

int supervisor_start(const struct cluster *c, char **reterr_why)
{
	_cleanup_free_ char *top = cluster_cgroup(c, 0), *log = cluster_file(c, "logs/supervisor.log");
	_cleanup_free_ char *cgroup = xprintf("%s/supervisor", top);
	_cleanup_(words_done) struct words w = {};
	struct launch l = { .cgroup = cgroup, .log = log };
	pid_t pid = supervisor_pid(c);
	int r;

	if (pid)
		return kill(pid, SIGHUP) < 0 ? -errno : 0;
	r = cgroup_make(cgroup, reterr_why);
	if (r)
		return r;
	words_add(&w, "%s/xebec", c->bin);
	words_add(&w, "supervise");
	words_add(&w, "--name=%s", c->name);
	l.argv = w.v;
	return launch(&l, &pid, reterr_why);
}

int supervisor_stop(const struct cluster *c, char **reterr_why)
{
	pid_t pid = supervisor_pid(c);

	if (pid && kill(pid, SIGKILL) < 0 && errno != ESRCH)
		return xb_why(reterr_why, -errno, "cannot end the supervisor (pid %d): %s", (int)pid, strerror(errno));
	for (int tries = 0; supervisor_pid(c) == pid && pid; tries++) {
		if (tries == 1000)
			return xb_why(reterr_why, -EBUSY, "the supervisor (pid %d) does not end", (int)pid);
		usleep(1000);
	}
	return 0;
}
