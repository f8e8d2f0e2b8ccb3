/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "remove.h"
#include "sweep.h"
#include "xb/config_file.h"
#include "xb/file.h"
#include "xb/why.h"
#include "../xalloc.h"

#define CONFIG_MAX  (1 << 20)
#define CMDLINE_MAX (64 << 10)
#define ID_LETTERS  64
#define END_TRIES   1000

struct sweep {
	const struct cluster *c;
	unsigned node;
	char *tasks;                    /* containerd's folder with one of each task, its bundle */
	struct xb_buf held;             /* a line each: sandboxes that have containers */
	struct xb_buf namespaces;       /* and network namespaces, of the tasks that stay */
	struct xb_jw valid;             /* they themselves, as CNI's GC takes them */
	char **reterr_why;
};

static int each_entry(const char *folder, int (*each)(void *arg, const char *name), void *arg)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int r = 0;

	while (d && !r && (e = readdir(d)))
		if (e->d_name[0] != '.')
			r = each(arg, e->d_name);
	if (d)
		closedir(d);
	return r;
}

/* --- containers --- */

/* 1: that one names the container, and was killed. */
static int kill_when_named(void *id, const char *pid)
{
	_cleanup_free_ char *path = xprintf("/proc/%s/cmdline", pid);
	_cleanup_buf_ struct xb_buf words = {};

	if (pid[0] < '1' || pid[0] > '9' || xb_file_read(path, CMDLINE_MAX, &words) || !words.n)
		return 0;
	return memmem(words.p, words.n, id, strlen(id)) && !kill(atoi(pid), SIGKILL);
}

/* Its shim, the one that starts it, and the runc that makes it: each may have begun another before it was found. */
static int kill_named(struct sweep *s, char *id)
{
	for (int tries = 0; each_entry("/proc", kill_when_named, id); tries++) {
		if (tries == END_TRIES)
			return xb_why(s->reterr_why, -EBUSY, "processes of container %s do not end", id);
		poll(NULL, 0, 10);
	}
	return 0;
}

struct task {
	char *id, *bundle;
	struct xb_json *doc;
	struct xb_jv config;            /* {}: not written to its end */
};

static void task_done(struct task *t)
{
	free(t->id);
	free(t->bundle);
	xb_json_unref(t->doc);
}

/* False for what is no task. */
static bool task_read(const struct sweep *s, const char *name, struct task *ret)
{
	_cleanup_free_ char *path = xprintf("%s/%s/config.json", s->tasks, name);
	_cleanup_buf_ struct xb_buf text = {};

	if (strlen(name) != ID_LETTERS)
		return false;
	*ret = (struct task){ .id = xalloc(strdup(name)), .bundle = xprintf("%s/%s", s->tasks, name) };
	if (!xb_file_read(path, CONFIG_MAX, &text) && !xb_json_parse(xb_buf_sv(&text), NULL, &ret->doc, NULL))
		ret->config = xb_json_root(ret->doc);
	return true;
}

static struct xb_sv note_of(const struct task *t, const char *key)
{
	return xb_jv_text(xb_jv_get(xb_jv_get(t->config, "annotations"), key));
}

static bool is_sandbox(const struct task *t)
{
	return xb_sv_is(note_of(t, "io.kubernetes.cri.container-type"), "sandbox");
}

/* runc notes the first process when the container is made, and removes the pipe when it is started. Of a sandbox's containers the next
 * containerd removes what was made and not started; of the sandbox itself it leaves the shim. */
static bool is_begun(const struct task *t)
{
	_cleanup_free_ char *first = xprintf("%s/init.pid", t->bundle), *pipe = xprintf(RUNC_STATES "/%s/exec.fifo", t->id);

	return access(first, F_OK) < 0 || (is_sandbox(t) && !access(pipe, F_OK));
}

static bool runs(const struct task *t)
{
	_cleanup_free_ char *first = xprintf("%s/init.pid", t->bundle), *path = NULL;
	_cleanup_buf_ struct xb_buf pid = {}, cgroups = {};

	if (xb_file_read(first, 32, &pid) || !pid.n)
		return false;
	path = xprintf("/proc/%d/cgroup", atoi(pid.p));
	return !xb_file_read(path, CONFIG_MAX, &cgroups) && cgroups.n && memmem(cgroups.p, cgroups.n, t->id, strlen(t->id));
}

static bool has_line(const struct xb_buf *lines, const char *line)
{
	return lines->n && memmem(lines->p, lines->n, line, strlen(line));
}

static int drop_task(struct sweep *s, const struct task *t)
{
	_cleanup_free_ char *cgroup = xb_jv_dup(xb_jv_path(t->config, "linux", "cgroupsPath"));
	int r = kill_named(s, t->id);

	if (!r && cgroup && strstr(cgroup, t->id))
		r = cgroup_end(cgroup + strspn(cgroup, "/"), s->reterr_why);
	if (!r)
		r = unmount_below(t->bundle, s->reterr_why);
	if (r)
		return r;
	remove_shim(s->tasks, t->id);
	return remove_tree(t->bundle, s->reterr_why);
}

static void keep_task(struct sweep *s, const struct task *t)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(t->config, "linux", "namespaces")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("network")))
			xb_buf_addf(&s->namespaces, "%.*s\n", XB_SV_ARG(xb_jv_text(xb_jv_get(it.value, "path"))));
	xb_jw_object(&s->valid);
	xb_jw_kstr(&s->valid, "containerID", t->id);
	xb_jw_kstr(&s->valid, "ifname", "eth0");
	xb_jw_end(&s->valid);
}

/* First what was never started goes, and what stays holds its sandbox, whose shim knows how it ends. A runc that came to its end before
 * it was killed has made the container. */
static int drop_begun(void *arg, const char *name)
{
	struct sweep *s = arg;
	_cleanup_(task_done) struct task t = {};
	int r = 0;

	if (!task_read(s, name, &t))
		return 0;
	if (is_begun(&t))
		r = kill_named(s, t.id);
	if (!r && is_begun(&t))
		return drop_task(s, &t);
	if (!is_sandbox(&t))
		xb_buf_addf(&s->held, "%.*s\n", XB_SV_ARG(note_of(&t, "io.kubernetes.cri.sandbox-id")));
	return r;
}

/* A sandbox that has ended and holds nothing was being removed. */
static int drop_ended(void *arg, const char *name)
{
	struct sweep *s = arg;
	_cleanup_(task_done) struct task t = {};

	if (!task_read(s, name, &t))
		return 0;
	if (is_sandbox(&t) && !runs(&t) && !has_line(&s->held, t.id))
		return drop_task(s, &t);
	keep_task(s, &t);
	return 0;
}

/* A shim of this containerd, by its command line, whose task has no folder: nobody can reach it. containerd leaves one when who asked
 * for a sandbox, a kubelet that was killed, goes while the shim starts. */
static int drop_stray_shim(void *arg, const char *pid)
{
	struct sweep *s = arg;
	_cleanup_free_ char *path = xprintf("/proc/%s/cmdline", pid), *socket = cluster_node_run(s->c, s->node, "containerd.sock");
	_cleanup_free_ char *bundle = NULL;
	_cleanup_buf_ struct xb_buf words = {};
	struct xb_sv rest, word, before = {}, id = {}, address = {};

	if (pid[0] < '1' || pid[0] > '9' || xb_file_read(path, CMDLINE_MAX, &words) || !words.n)
		return 0;
	rest = xb_buf_sv(&words);
	for (; xb_sv_split(&rest, '\0', &word); before = word) {
		if (xb_sv_is(before, "-id"))
			id = word;
		if (xb_sv_is(before, "-address"))
			address = word;
	}
	if (id.n != ID_LETTERS || !xb_sv_is(address, socket))
		return 0;
	bundle = xprintf("%s/%.*s", s->tasks, XB_SV_ARG(id));
	if (access(bundle, F_OK) < 0 && errno == ENOENT)
		kill(atoi(pid), SIGKILL);
	return 0;
}

/* --- network --- */

static int look_at_namespace(void *arg, const char *name)
{
	struct sweep *s = arg;
	_cleanup_free_ char *path = cluster_node_run(s->c, s->node, "containerd/io.containerd.grpc.v1.cri/netns");
	_cleanup_free_ char *file = xprintf("%s/%s", path, name), *line = xprintf("%s\n", file);

	if (has_line(&s->namespaces, line))
		return 0;
	umount2(file, MNT_DETACH | UMOUNT_NOFOLLOW); /* EINVAL: it was only begun */
	if (unlink(file) < 0 && errno != ENOENT)
		return xb_why(s->reterr_why, -errno, "cannot remove '%s': %s", file, strerror(errno));
	return 0;
}

/* The plugin's own configuration, of the list that xebec-netd has written. */
static int write_gc(struct sweep *s, struct xb_jv list, struct xb_buf *out)
{
	struct xb_jit it = xb_jv_iter(xb_jv_get(list, "plugins"));
	struct xb_jw w = XB_JW(out);

	if (!xb_jit_next(&it))
		return -EINVAL;
	xb_jw_object(&w);
	xb_jw_kstr(&w, "cniVersion", "1.1.0");
	xb_jw_ksv(&w, "name", xb_jv_text(xb_jv_get(list, "name")));
	xb_jw_key(&w, "cni.dev/valid-attachments");
	xb_jw_raw(&w, xb_buf_sv(s->valid.out));
	for (struct xb_jit member = xb_jv_iter(it.value); xb_jit_next(&member);) {
		xb_jw_keysv(&w, member.key);
		xb_jw_raw(&w, xb_jv_bytes(member.value));
	}
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}

static int call_plugin(struct sweep *s, struct xb_sv config)
{
	_cleanup_free_ char *plugin = xprintf("%s/xebec-cni", s->c->bin), *path = xprintf("CNI_PATH=%s", s->c->bin);
	char *const argv[] = { plugin, NULL }, *const env[] = { "CNI_COMMAND=GC", path, NULL };
	_cleanup_close_ int input = memfd_create("gc", MFD_CLOEXEC);
	int status = 0;
	pid_t pid;

	if (input < 0 || write(input, config.p, config.n) != (ssize_t)config.n || lseek(input, 0, SEEK_SET) < 0)
		return -errno;
	pid = fork();
	if (!pid) {
		if (dup2(input, 0) >= 0)
			execve(plugin, argv, env);
		_exit(EXIT_FAILURE);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status ? xb_why(s->reterr_why, -EIO, "'%s': GC failed", plugin) : 0;
}

static int free_addresses(struct sweep *s)
{
	_cleanup_free_ char *path = cluster_node_file(s->c, s->node, "cni/net.d/10-xebec.conflist");
	_cleanup_(xb_json_unrefp) struct xb_json *list = NULL;
	_cleanup_buf_ struct xb_buf config = {};
	int r;

	if (access(path, F_OK) < 0)
		return 0; /* no pod had an address yet */
	r = xb_config_file_read(path, &list, s->reterr_why);
	if (!r)
		r = write_gc(s, xb_json_root(list), &config);
	return r ? r : call_plugin(s, xb_buf_sv(&config));
}

int sweep_node(const struct cluster *c, unsigned node, char **reterr_why)
{
	_cleanup_free_ char *tasks = cluster_node_run(c, node, "containerd/io.containerd.runtime.v2.task/k8s.io");
	_cleanup_free_ char *namespaces = cluster_node_run(c, node, "containerd/io.containerd.grpc.v1.cri/netns");
	_cleanup_buf_ struct xb_buf valid = {};
	struct sweep s = { .c = c, .node = node, .tasks = tasks, .valid = XB_JW(&valid), .reterr_why = reterr_why };
	int r;

	xb_jw_array(&s.valid);
	r = each_entry(tasks, drop_begun, &s);
	if (!r)
		r = each_entry(tasks, drop_ended, &s);
	if (!r)
		r = each_entry("/proc", drop_stray_shim, &s);
	xb_jw_end(&s.valid);
	if (!r)
		r = xb_jw_finish(&s.valid);
	if (!r)
		r = s.held.err ? s.held.err : s.namespaces.err;
	if (!r)
		r = each_entry(namespaces, look_at_namespace, &s);
	if (!r)
		r = free_addresses(&s);
	xb_buf_done(&s.held);
	xb_buf_done(&s.namespaces);
	return r;
}
