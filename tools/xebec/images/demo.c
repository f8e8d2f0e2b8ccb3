/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "demo.h"
#include "layer.h"
#include "oci.h"
#include "xb/why.h"
#include "../xalloc.h"

static const char *const path_env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL };

static int write_image(struct layer *l, const char *folder, const char *name, struct oci_image *image, char **reterr_why)
{
	_cleanup_free_ char *path = xprintf("%s/%s.tar", folder, name);
	int r = layer_end(l, &image->layer);

	return r ? r : oci_write(path, image, reterr_why);
}

int demo_pause(const char *bin, const char *folder, char **reterr_why)
{
	static const char *const names[] = { PAUSE_IMAGE, NULL }, *const command[] = { "/pause", NULL };
	struct oci_image image = { .names = names, .command = command, .env = path_env };
	_cleanup_(layer_freep) struct layer *l = layer_new();
	_cleanup_free_ char *program = xprintf("%s/pause", bin);
	int r = layer_copy(l, "/pause", program, reterr_why);

	return r ? r : write_image(l, folder, "pause", &image, reterr_why);
}

/* What every container expects to find, and a shell with the usual tools. */
static int add_base(struct layer *l, char **reterr_why)
{
	static const char *const tools[] = {
		"sh", "ash", "cat", "cp", "mv", "rm", "ls", "ln", "mkdir", "rmdir", "touch", "chmod", "chown", "stat", "df", "du", "dd", "echo",
		"printf", "test", "true", "false", "sleep", "date", "env", "id", "whoami", "hostname", "uname", "ps", "kill", "killall", "top",
		"free", "mount", "umount", "grep", "sed", "awk", "cut", "sort", "uniq", "head", "tail", "tr", "wc", "tee", "xargs", "find",
		"seq", "yes", "od", "hexdump", "md5sum", "sha256sum", "base64", "tar", "gzip", "gunzip", "vi", "less", "more", "diff", "cmp",
		"ip", "ifconfig", "route", "ping", "ping6", "nc", "wget", "nslookup", "httpd", "telnet", "traceroute", "arping", "netstat",
		"readlink", "realpath", "basename", "dirname", "expr", "which", "clear", "reset", "stty", "tty", "timeout", "watch", "sync",
		"usleep", "mktemp", "mkfifo", "pwd", "dmesg", "nproc", "time", "nohup", "pidof", "pgrep", "pkill",
	};
	int r = layer_copy(l, "/bin/busybox", "/bin/busybox", reterr_why);

	for (size_t i = 0; !r && i < ARRAY_SIZE(tools); i++) {
		_cleanup_free_ char *path = xprintf("/bin/%s", tools[i]);

		r = layer_link(l, path, "busybox", reterr_why);
	}
	if (!r)
		r = layer_folder(l, "/tmp", 01777, reterr_why);
	if (!r)
		r = layer_folder(l, "/root", 0700, reterr_why);
	if (!r)
		r = layer_text(l, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
			       "www-data:x:33:33:www-data:/var/www:/bin/false\n", reterr_why);
	if (!r)
		r = layer_text(l, "/etc/group", "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n", reterr_why);
	return r;
}

int demo_busybox(const char *folder, char **reterr_why)
{
	static const char *const names[] = { "docker.io/library/busybox:latest", "docker.io/library/busybox:1.35", NULL };
	static const char *const command[] = { "/bin/sh", NULL };
	struct oci_image image = { .names = names, .command = command, .env = path_env };
	_cleanup_(layer_freep) struct layer *l = layer_new();
	int r = add_base(l, reterr_why);

	return r ? r : write_image(l, folder, "busybox", &image, reterr_why);
}

static int add_nginx(struct layer *l, char **reterr_why)
{
	static const struct { const char *path, *text; } texts[] = {
		{ "/etc/nginx/nginx.conf",
		  "user www-data;\nworker_processes 1;\npid /run/nginx.pid;\nerror_log /dev/stderr notice;\n"
		  "events {\n\tworker_connections 512;\n}\n"
		  "http {\n\tinclude /etc/nginx/mime.types;\n\tdefault_type application/octet-stream;\n\taccess_log /dev/stdout;\n"
		  "\tsendfile on;\n\tkeepalive_timeout 65;\n\tinclude /etc/nginx/conf.d/*.conf;\n}\n" },
		{ "/etc/nginx/conf.d/default.conf",
		  "server {\n\tlisten 80;\n\tlisten [::]:80;\n\tserver_name localhost;\n\tadd_header Served-By $hostname always;\n"
		  "\tlocation / {\n\t\troot /usr/share/nginx/html;\n\t\tindex index.html;\n\t}\n}\n" },
		{ "/usr/share/nginx/html/index.html",
		  "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n"
		  "<p>nginx answers from a container.</p>\n</body>\n</html>\n" },
	};
	int r = layer_program(l, "/usr/sbin/nginx", "/usr/sbin/nginx", reterr_why);

	if (!r)
		r = layer_copy(l, "/etc/nginx/mime.types", "/etc/nginx/mime.types", reterr_why);
	for (size_t i = 0; !r && i < ARRAY_SIZE(texts); i++)
		r = layer_text(l, texts[i].path, texts[i].text, reterr_why);
	for (size_t i = 0; !r && i < 3; i++)
		r = layer_folder(l, (const char *const[]){ "/var/lib/nginx", "/var/log/nginx", "/run" }[i], 0755, reterr_why);
	return r;
}

int demo_nginx(const char *folder, char **reterr_why)
{
	static const char *const names[] = { "docker.io/library/nginx:latest", "docker.io/library/nginx:1.22", NULL };
	static const char *const command[] = { "/usr/sbin/nginx", "-g", "daemon off;", NULL };
	struct oci_image image = { .names = names, .command = command, .env = path_env, .stop_signal = "SIGQUIT", .port = "80/tcp" };
	_cleanup_(layer_freep) struct layer *l = layer_new();
	int r = add_base(l, reterr_why);

	if (!r)
		r = add_nginx(l, reterr_why);
	return r ? r : write_image(l, folder, "nginx", &image, reterr_why);
}
