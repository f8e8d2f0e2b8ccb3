/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <malloc.h>
#include "stale.h"
#include "stale_destroy.h"
#include "xb/log.h"
#include "udpwalk.skel.h"

#define RECORDS 1024                /* taken from the kernel at once */
#define SHARE 10                    /* after a sweep there is none for so many times what it took ... */
#define PAUSE_MOST_MS 500           /* ... and no longer than this */

/* What the program reads: of one generation of the tables. */
static const struct {
	enum table_id id;
	const char *name;
} inputs[] = { { TABLE_SKU, "xb_sku" }, { TABLE_SVC, "xb_svc" }, { TABLE_BE4, "xb_be4" }, { TABLE_BE6, "xb_be6" } };

struct stale {
	uv_work_t work;
	uv_timer_t pause;
	bool running, wanted, closing, told;
	int next[ARRAY_SIZE(inputs)];       /* maps for the next sweep; -1 */
	/* the worker's while it runs */
	int map[ARRAY_SIZE(inputs)];
	__u32 map_id[ARRAY_SIZE(inputs)];
	int link;                           /* holds the program; -1: not loaded */
	int fault;
	__u64 took_ns, destroyed;
	__u64 total;
};

static void close_all(int fds[ARRAY_SIZE(inputs)])
{
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++)
		xb_closep(&fds[i]);
}

/* --- the worker --- */

static void close_programs(struct udpwalk **p)
{
	udpwalk__destroy(*p);
}

/* Tables that the program does not use are not made. */
static int give_maps(const struct stale *s, const struct udpwalk *programs)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, programs->obj)
		if (!bpf_map__is_internal(map))
			bpf_map__set_autocreate(map, false);
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		map = bpf_object__find_map_by_name(programs->obj, inputs[i].name);
		if (!map || bpf_map__set_autocreate(map, true) < 0 || bpf_map__reuse_fd(map, s->map[i]) < 0)
			return -EINVAL;
	}
	return 0;
}

static int load(struct stale *s)
{
	union bpf_iter_link_info info = { .map.map_fd = (__u32)s->map[0] };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &info, .iter_info_len = sizeof(info));
	_cleanup_(close_programs) struct udpwalk *programs = udpwalk__open();
	int r;

	if (!programs)
		return -errno;
	r = give_maps(s, programs);
	if (r == 0)
		r = udpwalk__load(programs);
	if (r < 0)
		return r;
	s->link = bpf_link_create(bpf_program__fd(programs->progs.xb_stale), 0, BPF_TRACE_ITER, &opts);
	return s->link < 0 ? -errno : 0;
}

/* The program stays loaded as long as the maps are the same. */
static int load_for_maps(struct stale *s)
{
	__u32 id[ARRAY_SIZE(inputs)];
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		struct bpf_map_info info = {};
		__u32 n = sizeof(info);

		if (bpf_obj_get_info_by_fd(s->map[i], &info, &n) < 0)
			return -errno;
		id[i] = info.id;
	}
	if (s->link >= 0 && !memcmp(id, s->map_id, sizeof(id)))
		return 0;
	xb_closep(&s->link);
	r = load(s);
	if (r < 0)
		return r;
	memcpy(s->map_id, id, sizeof(id));
	/* malloc would keep what loading took, of this program as of those before it: the kernel's BTF, above all */
	malloc_trim(0);
	return 0;
}

static int sweep(struct stale *s)
{
	_cleanup_free_ struct xb_stale *found = NULL;
	_cleanup_close_ int fd = -1;
	int worst = 0;
	ssize_t n = 0;

	fd = bpf_iter_create(s->link);
	if (fd < 0)
		return -errno;
	found = malloc(RECORDS * sizeof(*found));
	if (!found)
		return -ENOMEM;
	while ((n = read(fd, found, RECORDS * sizeof(*found))) > 0) {
		int r = stale_destroy(found, (size_t)n / sizeof(*found), &s->destroyed);

		worst = r < 0 ? r : worst;
	}
	return n < 0 ? -errno : worst;
}

static void on_work(uv_work_t *w)
{
	struct stale *s = w->data;
	__u64 began;

	s->fault = load_for_maps(s);
	began = uv_hrtime();
	if (s->fault == 0)
		s->fault = sweep(s);
	close_all(s->map);
	s->took_ns = uv_hrtime() - began;
}

/* --- the loop --- */

static void start(struct stale *s);

static void on_closed(uv_handle_t *h)
{
	struct stale *s = h->data;

	xb_closep(&s->link);
	close_all(s->next);
	free(s);
}

static void on_pause_over(uv_timer_t *t)
{
	struct stale *s = t->data;

	s->running = false;
	if (s->wanted)
		start(s);
}

static void tell(struct stale *s)
{
	if (s->fault < 0 && !s->told)
		log_warning_errno(s->fault, "UDP sockets that are connected to removed backends cannot all be found and destroyed: %m; they need the kernel's BTF and CONFIG_INET_DIAG_DESTROY, and CAP_SYS_ADMIN, CAP_SYS_PTRACE and the host's PID namespace");
	s->told |= s->fault < 0;
	if (s->destroyed > s->total)
		log_debug("%llu UDP sockets of removed backends destroyed, in %llu us", s->destroyed - s->total, s->took_ns / 1000);
	s->total = s->destroyed;
}

static void on_done(uv_work_t *w, int status)
{
	struct stale *s = w->data;

	if (s->closing) {
		uv_close((uv_handle_t *)&s->pause, on_closed);
		return;
	}
	tell(s);
	uv_timer_start(&s->pause, on_pause_over, MIN(SHARE * s->took_ns / 1000000, PAUSE_MOST_MS), 0);
}

static void start(struct stale *s)
{
	memcpy(s->map, s->next, sizeof(s->map));
	memset(s->next, 0xff, sizeof(s->next));
	s->wanted = false;
	s->running = uv_queue_work(s->pause.loop, &s->work, on_work, on_done) == 0;
}

struct stale *stale_new(uv_loop_t *loop)
{
	struct stale *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	memset(s->map, 0xff, sizeof(s->map));
	memset(s->next, 0xff, sizeof(s->next));
	s->link = -1;
	s->work.data = s;
	uv_timer_init(loop, &s->pause);
	s->pause.data = s;
	return s;
}

struct stale *stale_free(struct stale *s)
{
	if (!s)
		return NULL;
	s->closing = true;
	/* between the end of the work and that of the pause nothing of it runs */
	if (!s->running || uv_is_active((uv_handle_t *)&s->pause))
		uv_close((uv_handle_t *)&s->pause, on_closed);
	return NULL;
}

void stale_sweep(struct stale *s, const struct tables *t)
{
	close_all(s->next);
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++)
		s->next[i] = fcntl(t->t[inputs[i].id].fd, F_DUPFD_CLOEXEC, 0);
	s->wanted = true;
	if (!s->running)
		start(s);
}

__u64 stale_destroyed(const struct stale *s)
{
	return s->total;
}
