/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "facts.h"
#include "options.h"
#include "xb/file.h"
#include "xb/quantity.h"
#include "xb/why.h"

#define UNLIMITED_PIDS (-1)

/* --- addresses --- */
static int check_ip(const char *text, int *ret_family, char **reterr_why)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*ret_family = AF_INET;
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*ret_family = AF_INET6;
	else
		return xb_why(reterr_why, -EINVAL, "--node-ip: '%s' is not an IP address", text);
	return 0;
}

static int copy_ips(char *const *given, struct facts *f, char **reterr_why)
{
	int families[2] = {}, r = 0;

	for (size_t i = 0; !r && i < 2 && given[i]; i++) {
		r = check_ip(given[i], &families[i], reterr_why);
		if (!r && i && families[0] == families[1])
			r = xb_why(reterr_why, -EINVAL, "--node-ip: '%s' and '%s' are of one family", given[0], given[1]);
		if (!r && !(f->ips[i] = strdup(given[i])))
			r = -ENOMEM;
	}
	return r;
}

static char *text_of(const struct sockaddr *a)
{
	char text[INET6_ADDRSTRLEN];
	const void *bytes = a->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)a)->sin_addr :
						      (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr;

	return inet_ntop(a->sa_family, bytes, text, sizeof(text)) ? strdup(text) : NULL;
}

/* What the kernel would send from to anywhere; nothing is sent. */
static char *by_route(const struct sockaddr *anywhere, socklen_t n)
{
	_cleanup_close_ int fd = socket(anywhere->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage own;
	socklen_t size = sizeof(own);

	if (fd < 0 || connect(fd, anywhere, n) < 0 || getsockname(fd, (struct sockaddr *)&own, &size) < 0)
		return NULL;
	return text_of((struct sockaddr *)&own);
}

static bool is_usable(const struct sockaddr *a)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)a)->sin6_addr;
	uint32_t four;

	if (a->sa_family == AF_INET6)
		return !IN6_IS_ADDR_LOOPBACK(six) && !IN6_IS_ADDR_LINKLOCAL(six);
	four = ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr);
	return four >> 24 != 127 && four >> 16 != 0xa9fe;
}

static char *by_interfaces(int family)
{
	struct ifaddrs *all = NULL;
	char *found = NULL;

	if (getifaddrs(&all) < 0)
		return NULL;
	for (struct ifaddrs *i = all; i && !found; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == family && i->ifa_flags & IFF_UP && is_usable(i->ifa_addr))
			found = text_of(i->ifa_addr);
	freeifaddrs(all);
	return found;
}

/* As upstream's: one address, of IPv4 where there is one. */
static int find_ips(const struct kubelet_options *o, struct facts *f, char **reterr_why)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0xc6336401) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr.s6_addr = { 0x20, 1, 0x0d, 0xb8, 15, 1 } };

	if (o->node_ip && o->node_ip[0])
		return copy_ips(o->node_ip, f, reterr_why);
	f->ips[0] = by_route((struct sockaddr *)&four, sizeof(four));
	if (!f->ips[0])
		f->ips[0] = by_interfaces(AF_INET);
	if (!f->ips[0])
		f->ips[0] = by_route((struct sockaddr *)&six, sizeof(six));
	if (!f->ips[0])
		f->ips[0] = by_interfaces(AF_INET6);
	return f->ips[0] ? 0 : xb_why(reterr_why, -EADDRNOTAVAIL, "this node has no address: give --node-ip");
}

/* --- the machine --- */
static int read_memory(struct facts *f, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf text = {};
	const char *line;
	int r = xb_file_read("/proc/meminfo", 1 << 16, &text);

	if (r < 0)
		return xb_why(reterr_why, r, "/proc/meminfo: %s", strerror(-r));
	line = strstr(text.p ? text.p : "", "MemTotal:");
	f->memory_bytes = line ? strtoull(line + strlen("MemTotal:"), NULL, 10) * 1024 : 0;
	return 0;
}

static int read_machine(struct facts *f, char **reterr_why)
{
	struct statvfs fs;
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return xb_why(reterr_why, -errno, "sched_getaffinity: %s", strerror(errno));
	if (statvfs(f->root_dir, &fs) < 0)
		return xb_why(reterr_why, -errno, "--root-dir: %s: %s", f->root_dir, strerror(errno));
	f->cpu_milli = (uint64_t)CPU_COUNT(&cpus) * 1000;
	f->ephemeral_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	f->apparmor = !access("/sys/kernel/security/apparmor/profiles", F_OK);
	return read_memory(f, reterr_why);
}

static uint64_t without(uint64_t all, uint64_t reserved)
{
	return all > reserved ? all - reserved : 0;
}

static int take_off(struct facts *f, const char *flag, char *const *list, char **reterr_why)
{
	for (size_t i = 0; list && list[i]; i++) {
		struct xb_sv rest = xb_sv(list[i]), name;
		struct xb_quantity q;

		if (!xb_sv_split(&rest, '=', &name) || !rest.p || xb_quantity_parse(rest, &q) < 0 || q.nano < 0)
			return xb_why(reterr_why, -EINVAL, "--%s: '%s' is not of the form resource=quantity", flag, list[i]);
		if (xb_sv_is(name, "cpu"))
			f->allocatable_cpu_milli = without(f->allocatable_cpu_milli, (uint64_t)xb_quantity_milli(&q));
		else if (xb_sv_is(name, "memory"))
			f->allocatable_memory_bytes = without(f->allocatable_memory_bytes, (uint64_t)xb_quantity_value(&q));
		else if (xb_sv_is(name, "ephemeral-storage"))
			f->allocatable_ephemeral_bytes = without(f->allocatable_ephemeral_bytes, (uint64_t)xb_quantity_value(&q));
		else if (!xb_sv_is(name, "pid"))
			return xb_why(reterr_why, -EINVAL, "--%s: '%.*s' cannot be reserved", flag, XB_SV_ARG(name));
	}
	return 0;
}

static int make_folders(const struct facts *f, char **reterr_why)
{
	const char *const folders[] = { f->root_dir, f->pod_logs_dir };
	const mode_t modes[] = { 0750, 0755 };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdir(folders[i], modes[i]) < 0 && errno != EEXIST)
			return xb_why(reterr_why, -errno, "cannot make the folder %s: %s", folders[i], strerror(errno));
	return 0;
}

void facts_done(struct facts *f)
{
	free((char *)f->ips[0]);
	free((char *)f->ips[1]);
	free((char *)f->seccomp_root);
	*f = (struct facts){};
}

static int fill(const struct kubelet_options *o, struct facts *f, char **reterr_why)
{
	char *seccomp = NULL;

	if (asprintf(&seccomp, "%s/seccomp", o->root_dir) < 0)
		return -ENOMEM;
	*f = (struct facts){
		.node_name = o->node_name, .root_dir = o->root_dir, .pod_logs_dir = o->pod_logs_dir,
		.resolv_conf = o->resolv_conf, .cluster_dns = (const char *const *)o->cluster_dns,
		.cluster_domain = o->cluster_domain ? o->cluster_domain : "", .cgroup_root = o->cgroup_root,
		.cgroups_per_qos = o->cgroups_per_qos, .systemd_cgroups = !strcmp(o->cgroup_driver, "systemd"), .seccomp_root = seccomp,
		.seccomp_default = o->seccomp_default, .max_pods = (uint64_t)o->max_pods, .cpu_cfs_quota = o->cpu_cfs_quota,
		.pod_pids = o->pod_max_pids == UNLIMITED_PIDS ? 0 : (uint64_t)o->pod_max_pids,
	};
	return find_ips(o, f, reterr_why);
}

int facts_make(const struct kubelet_options *o, struct facts *ret, char **reterr_why)
{
	struct facts f = {};
	int r = fill(o, &f, reterr_why);

	if (!r)
		r = make_folders(&f, reterr_why);
	if (!r)
		r = read_machine(&f, reterr_why);
	f.allocatable_cpu_milli = f.cpu_milli;
	f.allocatable_memory_bytes = f.memory_bytes;
	f.allocatable_ephemeral_bytes = f.ephemeral_bytes;
	if (!r)
		r = take_off(&f, "system-reserved", o->system_reserved, reterr_why);
	if (!r)
		r = take_off(&f, "kube-reserved", o->kube_reserved, reterr_why);
	if (r < 0) {
		facts_done(&f);
		return r;
	}
	*ret = f;
	return 0;
}
