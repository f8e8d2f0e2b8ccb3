/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A kubelet that has nothing but volumes: kubelet_volumes ROOT_DIR LOGS_DIR KUBECONFIG NODE_FILE. Commands come a line each on
 * standard input, a pod being a file of JSON; what came of them goes to standard output. A pod's setup is done again whenever
 * something it names has changed, or a token is old.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "../../userspace/kubelet/volumes/volumes.h"
#include "xb/file.h"
#include "xb/map.h"

struct pod {
	struct xb_json *doc;
	char *uid;
	bool changed;
};

struct preparation {
	struct xb_json *doc;
	struct spec_input in;
	struct volumes_mounts mounts;
	Runtime__V1__KeyValue variable, *env[1];
	char *container;
};

static uv_loop_t loop;
static struct xb_rest *rest;
static struct objects *objects;
static struct volumes *volumes;
static struct xb_map *pods;             /* uid -> struct pod */
static struct xb_json *node;
static uv_prepare_t prepare;
static uv_pipe_t input;
static struct xb_buf line;
static struct facts facts = { .node_name = "n1", .cluster_domain = "cluster.local", .allocatable_memory_bytes = 64 << 20 };
static const char *const ips[] = { "10.1.2.3", NULL };

static void die(const char *what)
{
	fprintf(stderr, "kubelet_volumes: %s\n", what);
	exit(EXIT_FAILURE);
}

static struct xb_json *read_document(const char *path)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_json *doc = NULL;

	if (xb_file_read(path, 16 << 20, &text) || xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL))
		die(path);
	return doc;
}

static void on_setup(void *arg, int error, const char *why)
{
	if (error != -EAGAIN)
		printf("setup %s %d %s\n", (const char *)arg, error, why ? why : "");
}

static void on_done(void *arg, int error, const char *why)
{
	printf("%s %d %s\n", (const char *)arg, error, why ? why : "");
}

static void on_changed(void *arg, const char *uid)
{
	struct pod *p = xb_map_get(pods, xb_sv(uid));

	if (p)
		p->changed = true;
}

static void before_sleep(uv_prepare_t *handle)
{
	for (struct xb_map_it it = {}; xb_map_next(pods, &it);) {
		struct pod *p = it.value;

		if (p->changed && volumes_setup(volumes, xb_json_root(p->doc), ips, on_setup, p->uid))
			die("out of memory");
		p->changed = false;
	}
}

static void cmd_setup(const char *file)
{
	struct xb_json *doc = read_document(file);
	char *uid = xb_jv_dup(xb_jv_path(xb_json_root(doc), "metadata", "uid"));
	struct pod *p = xb_map_get(pods, xb_sv(uid));

	if (!p) {
		p = calloc(1, sizeof(*p));
		p->uid = uid;
		xb_map_set(pods, xb_sv(uid), p, NULL);
	} else {
		free(uid);
		xb_json_unref(p->doc);
	}
	p->doc = doc;
	if (objects_follow(objects, xb_json_root(doc)) || volumes_setup(volumes, xb_json_root(doc), ips, on_setup, p->uid))
		die("out of memory");
}

static void on_prepared(void *arg, int error, const char *why)
{
	struct preparation *p = arg;

	for (size_t i = 0; !error && i < p->mounts.n; i++)
		printf("mount %s %s %s %d\n", p->mounts.mounts[i]->container_path, p->mounts.mounts[i]->host_path,
		       p->mounts.mounts[i]->readonly ? "ro" : "rw", p->mounts.mounts[i]->propagation);
	printf("prepared %s %d %s\n", p->container, error, why ? why : "");
	xb_arena_free(p->mounts.arena);
	xb_json_unref(p->doc);
	free(p->container);
	free(p);
}

static void cmd_prepare(const char *file, const char *container, const char *attempt)
{
	struct preparation *p = calloc(1, sizeof(*p));
	enum spec_container_kind kind;

	p->doc = read_document(file);
	p->container = strdup(container);
	p->in = (struct spec_input){ .facts = &facts, .objects = objects, .pod = xb_json_root(p->doc), .pod_ips = ips };
	p->in.container = spec_find(p->in.pod, xb_sv(container), &kind);
	p->mounts.arena = xb_arena_new(0);
	runtime__v1__key_value__init(&p->variable);
	p->variable.key = "NAME";
	p->variable.value = "expanded";
	p->env[0] = &p->variable;
	if (volumes_prepare(volumes, &p->in, atoi(attempt), p->env, 1, &p->mounts, on_prepared, p))
		die("out of memory");
}

static void pod_free(struct pod *p)
{
	xb_json_unref(p->doc);
	free(p->uid);
	free(p);
}

static void cmd_teardown(const char *uid)
{
	if (volumes_teardown(volumes, uid, on_done, "teardown"))
		die("out of memory");
	objects_forget(objects, uid);
}

static void on_usage(void *arg, const struct volumes_usage *u)
{
	printf("usage %lu %lu %lu %s\n", u->empty_dir_bytes, u->log_bytes, u->inodes, u->exceeded ? u->exceeded : "-");
}

static void cmd_usage(const char *file)
{
	struct xb_json *doc = read_document(file);

	if (volumes_usage(volumes, xb_json_root(doc), on_usage, NULL))
		die("out of memory");
	xb_json_unref(doc);
}

static void cmd_message(const char *path, const char *log)
{
	_cleanup_buf_ struct xb_buf text = {};

	volumes_termination_message(volumes, path, *log, log, &text);
	printf("message %s\n", text.p ? text.p : "");
}

static void on_disk(void *arg, const char *uid)
{
	printf("disk %s\n", uid);
}

/* Two names exchange what they mean, as fast as can be, until it is calm. */
static struct race {
	pthread_t thread;
	char a[512], b[512];
	atomic_bool calm;
} race;

static void *exchange(void *arg)
{
	while (!race.calm)
		if (renameat2(AT_FDCWD, race.a, AT_FDCWD, race.b, RENAME_EXCHANGE) < 0)
			die("cannot exchange");
	return NULL;
}

static void cmd_race(const char *a, const char *b)
{
	snprintf(race.a, sizeof(race.a), "%s", a);
	snprintf(race.b, sizeof(race.b), "%s", b);
	race.calm = false;
	if (pthread_create(&race.thread, NULL, exchange, NULL))
		die("no thread");
}

static void cmd_calm(void)
{
	race.calm = true;
	pthread_join(race.thread, NULL);
}

static void handle_closed(uv_handle_t *h)
{
}

static void cmd_end(void)
{
	volumes = volumes_free(volumes);
	objects = objects_free(objects);
	rest = xb_rest_free(rest);
	for (struct xb_map_it it = {}; xb_map_next(pods, &it);)
		pod_free(it.value);
	xb_map_free(pods);
	xb_json_unref(node);
	uv_close((uv_handle_t *)&input, handle_closed);
	uv_close((uv_handle_t *)&prepare, handle_closed);
}

static void command(struct xb_sv text)
{
	char words[4][512] = {};
	unsigned n = 0;
	struct xb_sv word;

	while (n < 4 && xb_sv_split(&text, ' ', &word))
		snprintf(words[n++], sizeof(words[0]), "%.*s", XB_SV_ARG(word));
	if (!strcmp(words[0], "setup"))
		cmd_setup(words[1]);
	else if (!strcmp(words[0], "prepare"))
		cmd_prepare(words[1], words[2], words[3]);
	else if (!strcmp(words[0], "teardown"))
		cmd_teardown(words[1]);
	else if (!strcmp(words[0], "forget"))
		volumes_forget(volumes, words[1]);
	else if (!strcmp(words[0], "usage"))
		cmd_usage(words[1]);
	else if (!strcmp(words[0], "message"))
		cmd_message(words[1], words[2]);
	else if (!strcmp(words[0], "race"))
		cmd_race(words[1], words[2]);
	else if (!strcmp(words[0], "calm"))
		cmd_calm();
	else if (!strcmp(words[0], "disk"))
		volumes_each_on_disk(volumes, on_disk, NULL);
	else if (!strcmp(words[0], "ready"))
		printf("ready %d\n", volumes_ready(volumes, words[1]));
	else
		die(words[0]);
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *b)
{
	static char bytes[4096];

	*b = uv_buf_init(bytes, sizeof(bytes));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	if (n < 0) {
		xb_buf_done(&line);
		cmd_end();
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (b->base[i] != '\n') {
			xb_buf_addc(&line, b->base[i]);
			continue;
		}
		command(xb_buf_sv(&line));
		xb_buf_clear(&line);
	}
}

static struct xb_jv on_node(void *arg)
{
	return xb_json_root(node);
}

int main(int argc, char **argv)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	struct objects_config o = { .changed = on_changed };
	struct volumes_config v = { .loop = &loop, .facts = &facts, .node = on_node, .stale = on_changed };
	_cleanup_free_ char *why = NULL;

	if (argc != 5)
		die("ROOT_DIR LOGS_DIR KUBECONFIG NODE_FILE");
	setvbuf(stdout, NULL, _IOLBF, 0);
	facts.root_dir = argv[1];
	facts.pod_logs_dir = argv[2];
	node = read_document(argv[4]);
	uv_loop_init(&loop);
	pods = xb_map_new(XB_MAP_BORROW);
	if (xb_kubeconfig_load(argv[3], NULL, NULL, &k, &why) || xb_rest_new(&loop, &k, "kubelet", &rest, &why))
		die(why ? why : "cannot use the kubeconfig");
	o.rest = v.rest = rest;
	if (objects_new(&o, &objects))
		die("out of memory");
	v.objects = objects;
	if (volumes_new(&v, &volumes, &why))
		die(why ? why : "out of memory");
	uv_prepare_init(&loop, &prepare);
	uv_prepare_start(&prepare, before_sleep);
	uv_pipe_init(&loop, &input, 0);
	uv_pipe_open(&input, STDIN_FILENO);
	uv_read_start((uv_stream_t *)&input, on_alloc, on_read);
	printf("begun\n");
	uv_run(&loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop))
		die("the loop is not empty");
	return EXIT_SUCCESS;
}
