/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "../spec/spec.h"
#include "inner.h"
#include "usage.h"
#include "xb/file.h"
#include "xb/time.h"

#define RATE_MIN_MS 250         /* less says nothing: processor time is accounted by ticks */
#define RATE_OLD_MS 1000        /* a sample that is older is replaced */

struct sample {
	uint64_t cpu_ns;
	int64_t at_ms, seen_ms;
	char cgroup[];
};

static void free_container(struct usage_container *c)
{
	free(c->name);
	free(c->id);
	free(c->image);
	free(c->cgroup);
}

static void free_pod(struct usage_pod *p)
{
	for (size_t i = 0; i < p->containers.n; i++)
		free_container(&p->containers.v[i]);
	xb_vec_done(&p->containers);
	xb_vec_done(&p->nets);
	free(p->namespace_);
	free(p->name);
	free(p->uid);
	free(p->cgroup);
	free(p->sandbox_id);
}

void usage_clear(struct usage *u)
{
	for (size_t i = 0; i < u->pods.n; i++)
		free_pod(&u->pods.v[i]);
	xb_vec_done(&u->pods);
	xb_vec_done(&u->nets);
	*u = (struct usage){};
}

/* --- networks --- */

static int parse_net(struct xb_sv line, struct usage_net *ret)
{
	struct usage_net n = {};
	uint64_t *const fields[16] = { &n.rx_bytes, &n.rx_packets, &n.rx_errors, &n.rx_dropped, [8] = &n.tx_bytes, &n.tx_packets,
				       &n.tx_errors, &n.tx_dropped };
	struct xb_sv name, word;
	uint64_t ignored;

	if (!xb_sv_split(&line, ':', &name) || !line.p)
		return -EBADMSG;
	name = xb_sv_trim(name);
	if (!name.n || name.n >= sizeof(n.name))
		return -EBADMSG;
	memcpy(n.name, name.p, name.n);
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		do {
			if (!xb_sv_split(&line, ' ', &word))
				return -EBADMSG;
		} while (!word.n);
		if (xb_sv_u64(word, fields[i] ? fields[i] : &ignored))
			return -EBADMSG;
	}
	*ret = n;
	return 0;
}

int usage_parse_nets(struct xb_sv text, struct usage_nets *ret)
{
	struct xb_sv line;
	int r = 0;

	/* two lines of headings */
	if (!xb_sv_split(&text, '\n', &line) || !xb_sv_split(&text, '\n', &line))
		return -EBADMSG;
	while (!r && xb_sv_split(&text, '\n', &line)) {
		struct usage_net n;

		if (!line.n)
			continue;
		r = parse_net(line, &n);
		if (!r && strcmp(n.name, "lo"))
			r = xb_vec_push(ret, n);
	}
	return r;
}

static int read_nets(const char *path, struct usage_nets *ret)
{
	_cleanup_buf_ struct xb_buf text = {};
	int r = xb_file_read(path, 1 << 20, &text);

	return r ? r : usage_parse_nets(xb_buf_sv(&text), ret);
}

static int measure_pod_nets(const struct server *s, struct usage_pod *p)
{
	char path[64];
	pid_t pid;
	int r = cgroups_container_pid(s->c.cgroups, p->uid, p->sandbox_id, &pid);

	if (r)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/net/dev", pid);
	return read_nets(path, &p->nets);
}

/* --- pods --- */

struct measure {
	const struct server *s;
	unsigned parts;
	struct usage *u;
	int error;                      /* -ENOMEM */
};

static int measure_container(const struct server *s, const char *uid, struct xb_jv spec, const struct pod_container *c,
			     struct usage_container *ret)
{
	_cleanup_buf_ struct xb_buf cgroup = {};
	struct stat st;

	*ret = (struct usage_container){ .name = strdup(c->name), .id = strdup(c->id), .image = xb_jv_dup(xb_jv_get(spec, "image")),
					 .started_ns = c->started_ns, .one.nano_cores = -1 };
	ret->one.known = !cgroups_container_usage(s->c.cgroups, uid, c->id, &ret->one.u);
	if (!cgroups_container_path(s->c.cgroups, uid, c->id, &cgroup))
		ret->cgroup = xb_buf_steal(&cgroup);
	if (c->log_path && !lstat(c->log_path, &st) && S_ISREG(st.st_mode))
		ret->log_bytes = (uint64_t)st.st_blocks * 512;
	return ret->name && ret->id ? 0 : -ENOMEM;
}

static int measure_containers(const struct server *s, const struct pod *pod, struct usage_pod *p)
{
	int r = 0;

	for (struct spec_it it = spec_containers(pod_document(pod)); !r && spec_next(&it);) {
		_cleanup_free_ char *name = xb_sv_dup(it.name);
		struct usage_container one;
		struct pod_container c;

		if (!name)
			return -ENOMEM;
		if (pod_container(pod, name, false, &c) || !c.running)
			continue;
		r = measure_container(s, p->uid, it.container, &c, &one);
		r = r ? r : xb_vec_push(&p->containers, one);
		if (r)
			free_container(&one);
	}
	return r;
}

static int measure_pod(const struct measure *m, const struct pod *pod, struct usage_pod *p)
{
	struct xb_jv document = pod_document(pod), meta = xb_jv_get(document, "metadata");
	_cleanup_buf_ struct xb_buf cgroup = {};

	*p = (struct usage_pod){ .namespace_ = xb_jv_dup(xb_jv_get(meta, "namespace")), .name = xb_jv_dup(xb_jv_get(meta, "name")),
				 .uid = strdup(pod_uid(pod)), .sandbox_id = strdup(pod_sandbox_id(pod)), .one.nano_cores = -1 };
	if (!p->namespace_ || !p->name || !p->uid || !p->sandbox_id)
		return -ENOMEM;
	xb_time_parse(xb_jv_text(xb_jv_path(pod_status(pod), "startTime")), &p->started_us);
	p->one.known = !cgroups_pod_usage(m->s->c.cgroups, p->uid, &p->one.u);
	if (!cgroups_pod_path(m->s->c.cgroups, p->uid, &cgroup))
		p->cgroup = xb_buf_steal(&cgroup);
	if (m->parts & USAGE_NETS && !xb_jv_true(xb_jv_path(document, "spec", "hostNetwork")) && measure_pod_nets(m->s, p))
		xb_vec_done(&p->nets); /* it has just ended */
	return measure_containers(m->s, pod, p);
}

static void measure_each(void *arg, struct pod *pod)
{
	struct measure *m = arg;
	struct usage_pod p;

	if (m->error || !xb_jv_is(pod_document(pod)) || !pod_sandbox_id(pod))
		return;
	m->error = measure_pod(m, pod, &p);
	if (!m->error)
		m->error = xb_vec_push(&m->u->pods, p);
	if (m->error)
		free_pod(&p);
}

/* --- the node --- */

static void measure_disk(const char *path, struct usage_disk *ret)
{
	struct statvfs st;

	if (statvfs(path, &st) < 0)
		return;
	*ret = (struct usage_disk){
		.known = true, .available = (uint64_t)st.f_bavail * st.f_frsize, .capacity = (uint64_t)st.f_blocks * st.f_frsize,
		.used = (uint64_t)(st.f_blocks - st.f_bfree) * st.f_frsize, .inodes = st.f_files, .inodes_free = st.f_ffree,
		.inodes_used = st.f_files - st.f_ffree,
	};
}

/* "0.20 0.18 0.12 1/80 11206": all threads there are are behind the slash. */
static void measure_pids(struct usage *u)
{
	_cleanup_buf_ struct xb_buf load = {}, max = {};
	struct xb_sv rest, part;

	if (!xb_file_read("/proc/sys/kernel/pid_max", 64, &max))
		xb_sv_u64(xb_sv_trim(xb_buf_sv(&max)), &u->max_pid);
	if (xb_file_read("/proc/loadavg", 256, &load))
		return;
	rest = xb_buf_sv(&load);
	if (xb_sv_split(&rest, '/', &part) && xb_sv_split(&rest, ' ', &part))
		xb_sv_u64(part, &u->threads);
}

int measure(struct server *s, unsigned parts, struct usage *u)
{
	struct measure m = { .s = s, .parts = parts, .u = u };

	u->at_us = xb_time_now();
	u->node.nano_cores = -1;
	u->node.known = !cgroups_node_usage(s->c.cgroups, &u->node.u);
	if (parts & USAGE_NETS && read_nets("/proc/self/net/dev", &u->nets))
		xb_vec_done(&u->nets);
	measure_disk(s->c.facts->root_dir, &u->root);
	measure_pids(u);
	pods_each(s->c.pods, measure_each, &m);
	return m.error;
}

/* --- rates --- */

/* Without memory there is no sample, and so no rate. */
static void rate(struct server *s, const char *cgroup, int64_t now_ms, struct usage_one *one)
{
	struct sample *old = cgroup ? xb_map_get(s->samples, xb_sv(cgroup)) : NULL;

	if (!cgroup || !one->known)
		return;
	if (!old) {
		old = malloc(sizeof(*old) + strlen(cgroup) + 1);
		if (!old)
			return;
		*old = (struct sample){ .cpu_ns = one->u.cpu_ns, .at_ms = now_ms };
		strcpy(old->cgroup, cgroup);
		if (xb_map_set(s->samples, xb_sv(old->cgroup), old, NULL)) {
			free(old);
			return;
		}
	}
	old->seen_ms = now_ms;
	if (now_ms - old->at_ms < RATE_MIN_MS)
		return;
	if (one->u.cpu_ns >= old->cpu_ns)
		one->nano_cores = (int64_t)((one->u.cpu_ns - old->cpu_ns) * 1000 / (uint64_t)(now_ms - old->at_ms));
	if (now_ms - old->at_ms >= RATE_OLD_MS) {
		old->cpu_ns = one->u.cpu_ns;
		old->at_ms = now_ms;
	}
}

void measure_rates(struct server *s, struct usage *u)
{
	int64_t now = xb_time_ms();

	rate(s, "", now, &u->node);
	for (size_t i = 0; i < u->pods.n; i++) {
		struct usage_pod *p = &u->pods.v[i];

		rate(s, p->cgroup, now, &p->one);
		for (size_t k = 0; k < p->containers.n; k++)
			rate(s, p->containers.v[k].cgroup, now, &p->containers.v[k].one);
	}
	for (struct xb_map_it it = {}; xb_map_next(s->samples, &it);)
		if (((struct sample *)it.value)->seen_ms != now)
			free(xb_map_del(s->samples, it.key));
	s->sampled_ms = now;
}
