/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <stdio.h>
#include <sys/utsname.h>
#include "machine.h"
#include "xb/file.h"

static const char *go_architecture(const char *machine)
{
	static const struct { const char *machine, *go; } known[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv7l", "arm" }, { "i686", "386" }, { "ppc64le", "ppc64le" },
		{ "s390x", "s390x" }, { "riscv64", "riscv64" }, { "loongarch64", "loong64" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(machine, known[i].machine))
			return known[i].go;
	return "unknown";
}

static int read_at(const char *root, const char *path, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf full = {};

	xb_buf_addf(&full, "%s%s", root, path);
	return full.err ? full.err : xb_file_read(full.p, 65536, out);
}

/* The first of the files that is there and not empty; else "". NULL without memory. */
static char *first_of(const char *root, const char *const *paths)
{
	for (; *paths; paths++) {
		_cleanup_buf_ struct xb_buf text = {};

		if (!read_at(root, *paths, &text) && xb_sv_trim(xb_buf_sv(&text)).n)
			return xb_sv_dup(xb_sv_trim(xb_buf_sv(&text)));
	}
	return strdup("");
}
#define first_of(root, ...) first_of((root), (const char *const[]){ __VA_ARGS__, NULL })

/* PRETTY_NAME of os-release(5), whose values may be in quotes. */
static char *os_image(const char *root)
{
	static const char *const paths[] = { "/etc/os-release", "/usr/lib/os-release" };

	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_buf_ struct xb_buf text = {};
		struct xb_sv rest, line, key;

		if (read_at(root, paths[i], &text))
			continue;
		for (rest = xb_buf_sv(&text); xb_sv_split(&rest, '\n', &line);) {
			if (!xb_sv_split(&line, '=', &key) || !xb_sv_is(key, "PRETTY_NAME"))
				continue;
			if (line.n >= 2 && (line.p[0] == '"' || line.p[0] == '\'') && line.p[line.n - 1] == line.p[0])
				line = (struct xb_sv){ line.p + 1, line.n - 2 };
			return xb_sv_dup(line);
		}
	}
	return strdup("Linux");
}

static int by_page(const void *a, const void *b)
{
	const struct huge_pages *x = a, *y = b;

	return (x->size > y->size) - (x->size < y->size);
}

static int read_huge_pages(const char *root, struct machine *m)
{
	_cleanup_buf_ struct xb_buf folder = {};
	int r = 0;
	DIR *d;

	xb_buf_addf(&folder, "%s/sys/kernel/mm/hugepages", root);
	d = folder.err ? NULL : opendir(folder.p);
	for (struct dirent *e; d && !r && (e = readdir(d));) {
		_cleanup_buf_ struct xb_buf file = {}, text = {};
		uint64_t kib, n;

		if (sscanf(e->d_name, "hugepages-%lukB", &kib) != 1)
			continue;
		xb_buf_addf(&file, "/sys/kernel/mm/hugepages/%s/nr_hugepages", e->d_name);
		if (!file.err && !read_at(root, file.p, &text) && !xb_sv_u64(xb_sv_trim(xb_buf_sv(&text)), &n))
			r = xb_vec_push(&m->huge_pages, (struct huge_pages){ kib * 1024, n * kib * 1024 });
	}
	if (d)
		closedir(d);
	if (m->huge_pages.n)
		qsort(m->huge_pages.v, m->huge_pages.n, sizeof(*m->huge_pages.v), by_page);
	return r;
}

int machine_read(const char *root, struct machine *ret)
{
	_cleanup_(machine_done) struct machine m = {};
	struct utsname u;
	int r;

	if (uname(&u) < 0)
		return -errno;
	m.machine_id = first_of(root, "/etc/machine-id", "/var/lib/dbus/machine-id");
	m.system_uuid = first_of(root, "/sys/class/dmi/id/product_uuid", "/proc/device-tree/vm,uuid", "/etc/machine-id");
	m.boot_id = first_of(root, "/proc/sys/kernel/random/boot_id");
	m.kernel = strdup(u.release);
	m.os_image = os_image(root);
	m.architecture = go_architecture(u.machine);
	if (!m.machine_id || !m.system_uuid || !m.boot_id || !m.kernel || !m.os_image)
		return -ENOMEM;
	r = read_huge_pages(root, &m);
	if (r)
		return r;
	*ret = m;
	m = (struct machine){};
	return 0;
}

void machine_done(struct machine *m)
{
	free(m->machine_id);
	free(m->system_uuid);
	free(m->boot_id);
	free(m->kernel);
	free(m->os_image);
	xb_vec_done(&m->huge_pages);
}
