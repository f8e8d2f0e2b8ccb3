/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "cgroup.h"
#include "cni_cache.h"
#include "remove.h"
#include "sweep.h"
#include "xb/config_file.h"
#include "xb/file.h"
#include "xb/why.h"
#include "../xalloc.h"

#define CONFIG_MAX   (1 << 20)
#define CMDLINE_MAX  (64 << 10)
#define END_TRIES    1000
#define LOST_SECONDS 120                /* in which a kubelet gives up what it asked for */

struct sweep {
	const struct cluster *c;
	unsigned node;
	char *tasks;                    /* containerd's folder with one of each task, its bundle */
	struct xb_buf held;             /* a line each: sandboxes that have containers */
	struct xb_buf namespaces;       /* and network namespaces, of the tasks that stay */
	struct xb_jw valid;             /* they themselves, as CNI's GC takes them */
	struct sweep_result result;
	char **reterr_why;
};

static int each_entry(const char *folder, int (*each)(void *arg, const char *name), void *arg)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int r = 0;

	while (d && !r && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = each(arg, e->d_name);
	if (d)
		closedir(d);
	return r;
}

/* One sweep of a node at a time, until what it returns is closed; -1 where there are no tasks yet. */
static int lock_tasks(const char *tasks)
{
	int fd = open(tasks, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		flock(fd, LOCK_EX);
	return fd;
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

/* Its shim, the one that starts it, and the runc that makes it: each may have begun another before it was found. 1: there were any. */
static int kill_named(struct sweep *s, char *id)
{
	int tries = 0;

	for (; each_entry("/proc", kill_when_named, id); tries++) {
		if (tries == END_TRIES)
			return xb_why(s->reterr_why, -EBUSY, "processes of container %s do not end", id);
		poll(NULL, 0, 10);
	}
	return tries > 0;
}

struct task {
	char *id, *bundle;
	bool dropped;                   /* its bundle has the name of one that is being removed */
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
	const char *id = bundle_id(name);

	if (!id)
		return false;
	*ret = (struct task){ .id = xalloc(strdup(id)), .bundle = xprintf("%s/%s", s->tasks, name), .dropped = id != name };
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

/* runc notes the first process when the container is made, and removes the pipe when it is started. */
static bool is_made(const struct task *t)
{
	_cleanup_free_ char *first = xprintf("%s/init.pid", t->bundle);

	return !access(first, F_OK);
}

static bool waits_for_start(const struct task *t)
{
	_cleanup_free_ char *pipe = xprintf(RUNC_STATES "/%s/exec.fifo", t->id);

	return !access(pipe, F_OK);
}

/* Of a sandbox's containers the next containerd removes what was made and not started; of the sandbox itself it leaves the shim. */
static bool is_begun(const struct task *t)
{
	return !is_made(t) || (is_sandbox(t) && waits_for_start(t));
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

static int remove_bundle(struct sweep *s, const char *bundle)
{
	int r = unmount_below(bundle, s->reterr_why);

	return r ? r : remove_tree(bundle, s->reterr_why);
}

/* As containerd does: under the other name a shim finds it no more, so no runc begins any more; and what is done of it is done, whoever
 * goes on. */
static int rename_bundle(struct sweep *s, struct task *t)
{
	char *name = xprintf("%s/.%s", s->tasks, t->id);
	int r = remove_bundle(s, name);

	if (!r && rename(t->bundle, name) < 0)
		r = xb_why(s->reterr_why, -errno, "cannot rename '%s': %s", t->bundle, strerror(errno));
	free(t->bundle);
	t->bundle = name;
	return r;
}

static int drop_task(struct sweep *s, struct task *t)
{
	_cleanup_free_ char *cgroup = xb_jv_dup(xb_jv_path(t->config, "linux", "cgroupsPath"));
	int r = t->dropped ? 0 : rename_bundle(s, t);

	s->result.n_dropped++;
	if (!r)
		r = MIN(kill_named(s, t->id), 0);
	if (!r && cgroup && strstr(cgroup, t->id))
		r = cgroup_end(cgroup + strspn(cgroup, "/"), s->reterr_why);
	if (r)
		return r;
	remove_shim(s->c, s->node, t->id);
	return remove_bundle(s, t->bundle);
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
 * it was looked for has made the container; of one that was killed the shim knows nothing, whatever it had done. */
static int drop_begun(void *arg, const char *name)
{
	struct sweep *s = arg;
	_cleanup_(task_done) struct task t = {};
	int r = 0;

	if (!task_read(s, name, &t))
		return 0;
	if (!t.dropped && is_begun(&t))
		r = kill_named(s, t.id);
	if (r < 0)
		return r;
	if (r || t.dropped || is_begun(&t))
		return drop_task(s, &t);
	if (!is_sandbox(&t))
		xb_buf_addf(&s->held, "%.*s\n", XB_SV_ARG(note_of(&t, "io.kubernetes.cri.sandbox-id")));
	return 0;
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

/* --- what has no folder of a task: nobody can reach it --- */

static bool has_bundle(void *arg, const char *id)
{
	const struct sweep *s = arg;
	_cleanup_free_ char *bundle = xprintf("%s/%s", s->tasks, id);

	return !access(bundle, F_OK) || errno != ENOENT;
}

/* A shim of this containerd, by its command line, which leaves one when who asked for a sandbox goes while the shim starts. */
static int drop_stray_shim(void *arg, const char *pid)
{
	struct sweep *s = arg;
	_cleanup_free_ char *path = xprintf("/proc/%s/cmdline", pid), *socket = cluster_node_run(s->c, s->node, "containerd.sock");
	_cleanup_free_ char *id = NULL;
	_cleanup_buf_ struct xb_buf words = {};
	struct xb_sv rest, word, before = {}, address = {};

	if (pid[0] < '1' || pid[0] > '9' || xb_file_read(path, CMDLINE_MAX, &words) || !words.n)
		return 0;
	rest = xb_buf_sv(&words);
	for (; xb_sv_split(&rest, '\0', &word); before = word) {
		if (xb_sv_is(before, "-id") && !id)
			id = xalloc(xb_sv_dup(word));
		if (xb_sv_is(before, "-address"))
			address = word;
	}
	if (!id || !bundle_id(id) || !xb_sv_is(address, socket) || has_bundle(s, id))
		return 0;
	if (!kill(atoi(pid), SIGKILL)) {
		remove_shim(s->c, s->node, id);
		s->result.n_dropped++;
	}
	return 0;
}

/* runc gives up on a cgroup whose processes take their time to end. */
static int drop_stray_cgroup(void *arg, const char *path)
{
	struct sweep *s = arg;
	const char *id = strrchr(path, '/') + 1;

	if (!bundle_id(id) || has_bundle(s, id))
		return 0;
	s->result.n_dropped++;
	return cgroup_end(path, s->reterr_why);
}

static int drop_strays(struct sweep *s)
{
	_cleanup_free_ char *top = cluster_cgroup(s->c, s->node);
	_cleanup_free_ char *guaranteed = xprintf("%s/kubepods/pod*/*", top), *others = xprintf("%s/kubepods/*/pod*/*", top);
	int r = each_entry("/proc", drop_stray_shim, s);

	if (!r)
		r = cgroup_each(guaranteed, drop_stray_cgroup, s);
	return r ? r : cgroup_each(others, drop_stray_cgroup, s);
}

/* --- while containerd runs --- */

static int drop_lost(void *arg, const char *name)
{
	struct sweep *s = arg;
	_cleanup_(task_done) struct task t = {};
	struct stat st;

	if (!task_read(s, name, &t) || t.dropped || (is_made(&t) && !waits_for_start(&t)) || stat(t.bundle, &st) < 0)
		return 0;
	if (time(NULL) - st.st_mtime > LOST_SECONDS)
		return drop_task(s, &t);
	s->result.more = true;
	return 0;
}

int sweep_lost(const struct cluster *c, unsigned node, struct sweep_result *ret, char **reterr_why)
{
	_cleanup_free_ char *tasks = cluster_tasks(c, node);
	_cleanup_close_ int lock = -1;
	struct sweep s = { .c = c, .node = node, .tasks = tasks, .reterr_why = reterr_why };
	int r;

	lock = lock_tasks(tasks);
	r = each_entry(tasks, drop_lost, &s);
	if (!r)
		r = drop_strays(&s);
	if (!r)
		*ret = s.result;
	return r;
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
	_cleanup_free_ char *tasks = cluster_tasks(c, node);
	_cleanup_close_ int lock = -1;
	_cleanup_free_ char *namespaces = cluster_node_run(c, node, "containerd/io.containerd.grpc.v1.cri/netns");
	_cleanup_buf_ struct xb_buf valid = {};
	struct sweep s = { .c = c, .node = node, .tasks = tasks, .valid = XB_JW(&valid), .reterr_why = reterr_why };
	int r;

	lock = lock_tasks(tasks);
	xb_jw_array(&s.valid);
	r = each_entry(tasks, drop_begun, &s);
	if (!r)
		r = each_entry(tasks, drop_ended, &s);
	if (!r)
		r = drop_strays(&s);
	xb_jw_end(&s.valid);
	if (!r)
		r = xb_jw_finish(&s.valid);
	if (!r)
		r = s.held.err ? s.held.err : s.namespaces.err;
	if (!r)
		r = each_entry(namespaces, look_at_namespace, &s);
	if (!r)
		r = free_addresses(&s);
	cni_cache_sweep(c, node, has_bundle, &s);
	xb_buf_done(&s.held);
	xb_buf_done(&s.namespaces);
	return r;
}
