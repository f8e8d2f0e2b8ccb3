/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "ipam.h"

#define OWNER_MAX 512
#define NEW ".new"

struct ipam {
	char *folder;
	int dir, lock;
};
struct owner {
	char text[OWNER_MAX];       /* zero-terminated parts */
	const char *container, *ifname;
};

static int broken(const struct ipam *m, const char *what, const char *name, struct cni_fault *f)
{
	return cni_fault(f, CNI_IO, "cannot %s %s/%s: %m", what, m->folder, name);
}

struct ipam *ipam_close(struct ipam *m)
{
	if (!m)
		return NULL;
	if (m->lock >= 0)
		close(m->lock);
	if (m->dir >= 0)
		close(m->dir);
	free(m->folder);
	free(m);
	return NULL;
}

static int make_folders(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	for (char *slash = copy; slash && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return !copy ? -ENOMEM : mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int ipam_open(const char *folder, struct ipam **ret, struct cni_fault *f)
{
	_cleanup_(ipam_closep) struct ipam *m = malloc(sizeof(*m));
	int r;

	if (!m)
		return cni_fault(f, CNI_IO, "no memory");
	*m = (struct ipam){ .folder = strdup(folder), .dir = -1, .lock = -1 };
	r = make_folders(folder);
	if (r < 0)
		return cni_fault(f, CNI_IO, "ipam.dataDir: cannot make %s: %s", folder, strerror(-r));
	m->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!m->folder || m->dir < 0)
		return cni_fault(f, CNI_IO, "ipam.dataDir: cannot open %s: %m", folder);
	m->lock = openat(m->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (m->lock < 0)
		return broken(m, "open", "lock", f);
	while (flock(m->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return broken(m, "lock", "lock", f);
	*ret = TAKE_PTR(m);
	return 0;
}

/* --- files --- */

/* Bytes read, zero-terminated; -errno. */
static ssize_t read_small(const struct ipam *m, const char *name, char *ret, size_t size)
{
	_cleanup_close_ int fd = openat(m->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return n;
}

/* Host-local before its 0.8 wrote no interface: then it is the only one. False: empty, as after a power cut. */
static bool read_owner(const struct ipam *m, const char *name, struct owner *ret)
{
	char *end, *second;

	if (read_small(m, name, ret->text, sizeof(ret->text)) <= 0)
		return false;
	end = ret->text + strcspn(ret->text, "\r\n");
	second = end + strspn(end, "\r\n");
	second[strcspn(second, "\r\n")] = '\0';
	*end = '\0';
	ret->container = ret->text;
	ret->ifname = second;
	return *ret->container;
}

static bool is_owner(const struct owner *o, const char *container, const char *ifname)
{
	return !strcmp(o->container, container) && (!*o->ifname || !strcmp(o->ifname, ifname));
}

/* Calls each for every address file; empty ones are removed. A code that is not 0 ends it. */
static int each_file(struct ipam *m, int (*each)(void *arg, const char *name, const struct xb_ip *ip, const struct owner *o), void *arg,
		     struct cni_fault *f)
{
	int fd = openat(m->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct owner o;
	struct xb_ip ip;
	int r = 0;

	if (!d) {
		r = broken(m, "read", "", f);
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (!r && (e = readdir(d))) {
		if (xb_ip_parse(xb_sv(e->d_name), &ip) < 0)
			continue;
		if (read_owner(m, e->d_name, &o))
			r = each(arg, e->d_name, &ip, &o);
		else if (unlinkat(m->dir, e->d_name, 0) < 0)
			r = broken(m, "remove", e->d_name, f);
	}
	closedir(d);
	return r;
}

struct search {
	const char *container, *ifname;
	struct xb_ip found[2];
};

static int match(void *arg, const char *name, const struct xb_ip *ip, const struct owner *o)
{
	struct search *s = arg;

	if (is_owner(o, s->container, s->ifname))
		s->found[ip->family == AF_INET6] = *ip;
	return 0;
}

int ipam_find(struct ipam *m, const char *container, const char *ifname, struct xb_ip ret[2], struct cni_fault *f)
{
	struct search s = { .container = container, .ifname = ifname };
	int r = each_file(m, match, &s, f);

	if (!r)
		memcpy(ret, s.found, sizeof(s.found));
	return r;
}

/* --- giving out --- */
static struct xb_ip next_in(const struct cni_set *set, const struct xb_ip *ip)
{
	for (unsigned i = 0; i < set->n; i++)
		if (xb_ip_cmp(ip, &set->v[i].first) >= 0 && xb_ip_cmp(ip, &set->v[i].last) <= 0)
			return xb_ip_eq(ip, &set->v[i].last) ? set->v[(i + 1) % set->n].first : xb_ip_add(ip, 1);
	return set->v[0].first;
}

static bool is_gateway(const struct cni_set *set, const struct xb_ip *ip)
{
	for (unsigned i = 0; i < set->n; i++)
		if (xb_ip_eq(ip, &set->v[i].gateway))
			return true;
	return false;
}

static int exhausted(const struct cni_set *set, struct cni_fault *f)
{
	_cleanup_buf_ struct xb_buf ranges = {};

	for (unsigned i = 0; i < set->n; i++)
		xb_buf_addf(&ranges, "%s%s-%s", i ? "," : "", xb_ip_format(&set->v[i].first).s, xb_ip_format(&set->v[i].last).s);
	return cni_fault(f, CNI_EXHAUSTED, "no IP addresses available in range set: %s", ranges.p ? ranges.p : "");
}

/* It is a hint, so it is not worth a sync. */
static void remember_last(struct ipam *m, const char *name, const struct xb_ip *ip)
{
	struct xb_ip_text text = xb_ip_format(ip);
	_cleanup_close_ int fd = openat(m->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd >= 0 && write(fd, text.s, strlen(text.s)) < 0)
		unlinkat(m->dir, name, 0);
}

static int take_one(struct ipam *m, const struct cni_set *set, unsigned number, struct xb_ip *ret, struct cni_fault *f)
{
	char last_name[32], last_text[64] = "";
	struct xb_ip last = {}, start, ip;
	ssize_t n;

	snprintf(last_name, sizeof(last_name), "last_reserved_ip.%u", number);
	n = read_small(m, last_name, last_text, sizeof(last_text));
	if (n <= 0 || xb_ip_parse(xb_sv_trim(xb_sv(last_text)), &last) < 0)
		last = (struct xb_ip){};
	ip = start = next_in(set, &last);
	do {
		if (!is_gateway(set, &ip) && !linkat(m->dir, NEW, m->dir, xb_ip_format(&ip).s, 0)) {
			remember_last(m, last_name, &ip);
			*ret = ip;
			return 0;
		}
		if (!is_gateway(set, &ip) && errno != EEXIST)
			return broken(m, "make", xb_ip_format(&ip).s, f);
		ip = next_in(set, &ip);
	} while (!xb_ip_eq(&ip, &start));
	return exhausted(set, f);
}

/* The file that address files are links to. One left by a call that died is the same file as its address: never to be written to. */
static int make_new(struct ipam *m, const char *container, const char *ifname, struct cni_fault *f)
{
	_cleanup_close_ int fd = -1;
	char text[OWNER_MAX];
	int n = snprintf(text, sizeof(text), "%s\r\n%s", container, ifname);

	if (unlinkat(m->dir, NEW, 0) < 0 && errno != ENOENT)
		return broken(m, "remove", NEW, f);
	fd = openat(m->dir, NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || write(fd, text, n) != n)
		return broken(m, "write", NEW, f);
	return 0;
}

int ipam_reserve(struct ipam *m, const struct cni_set *sets, const char *container, const char *ifname, struct xb_ip ret[2],
		 struct cni_fault *f)
{
	struct xb_ip had[2] = {}, now[2];
	int r = ipam_find(m, container, ifname, had, f);

	if (!r)
		r = make_new(m, container, ifname, f);
	memcpy(now, had, sizeof(now));
	for (unsigned i = 0; !r && i < 2; i++)
		if (sets[i].n && had[i].family == AF_UNSPEC)
			r = take_one(m, &sets[i], i, &now[i], f);
	unlinkat(m->dir, NEW, 0);
	for (unsigned i = 0; r && i < 2; i++)
		if (had[i].family == AF_UNSPEC && now[i].family != AF_UNSPEC)
			unlinkat(m->dir, xb_ip_format(&now[i]).s, 0);
	if (!r)
		memcpy(ret, now, sizeof(now));
	return r;
}

/* --- taking back --- */
struct sweep {
	struct ipam *m;
	struct cni_fault *f;
	const char *container, *ifname;
	bool (*stays)(void *arg, const char *container, const char *ifname);
	int (*gone)(void *arg, const char *container, const char *ifname);
	void *arg;
};

static int free_match(void *arg, const char *name, const struct xb_ip *ip, const struct owner *o)
{
	struct sweep *s = arg;

	if (!is_owner(o, s->container, s->ifname) || !unlinkat(s->m->dir, name, 0) || errno == ENOENT)
		return 0;
	return broken(s->m, "remove", name, s->f);
}

int ipam_release(struct ipam *m, const char *container, const char *ifname, struct cni_fault *f)
{
	return each_file(m, free_match, &(struct sweep){ .m = m, .f = f, .container = container, .ifname = ifname }, f);
}

static int free_denied(void *arg, const char *name, const struct xb_ip *ip, const struct owner *o)
{
	struct sweep *s = arg;
	int r;

	if (s->stays(s->arg, o->container, o->ifname))
		return 0;
	r = s->gone(s->arg, o->container, o->ifname);
	if (!r && unlinkat(s->m->dir, name, 0) < 0 && errno != ENOENT)
		r = broken(s->m, "remove", name, s->f);
	return r;
}

int ipam_retain(struct ipam *m, bool (*stays)(void *arg, const char *container, const char *ifname),
		int (*gone)(void *arg, const char *container, const char *ifname), void *arg, struct cni_fault *f)
{
	return each_file(m, free_denied, &(struct sweep){ .m = m, .f = f, .stays = stays, .gone = gone, .arg = arg }, f);
}
