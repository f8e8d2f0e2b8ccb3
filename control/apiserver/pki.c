/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include "pki.h"
#include "xb/file.h"
#include "xb/kubeconfig.h"
#include "xb/tls.h"
#include "xb/why.h"

#define CA_DAYS 3650
#define CERT_DAYS 365
#define RENEW_DAYS 30
#define DAY_SECONDS 86400
#define FILE_BYTES_MAX (1 << 20)

/* The files in --cert-dir. */
struct files {
	char *ca_cert, *ca_key, *cert, *key, *admin_cert, *admin_key, *client_ca, *kubelet_cert, *kubelet_key;
};
static void files_done(struct files *f)
{
	free(f->ca_cert);
	free(f->ca_key);
	free(f->cert);
	free(f->key);
	free(f->admin_cert);
	free(f->admin_key);
	free(f->client_ca);
	free(f->kubelet_cert);
	free(f->kubelet_key);
}

static char *in_dir(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static int files_init(struct files *f, const char *dir)
{
	f->ca_cert = in_dir(dir, "ca.crt");
	f->ca_key = in_dir(dir, "ca.key");
	f->cert = in_dir(dir, "apiserver.crt");
	f->key = in_dir(dir, "apiserver.key");
	f->admin_cert = in_dir(dir, "admin.crt");
	f->admin_key = in_dir(dir, "admin.key");
	f->client_ca = in_dir(dir, "client-ca.crt");
	f->kubelet_cert = in_dir(dir, "apiserver-kubelet-client.crt");
	f->kubelet_key = in_dir(dir, "apiserver-kubelet-client.key");
	return f->ca_cert && f->ca_key && f->cert && f->key && f->admin_cert && f->admin_key && f->client_ca && f->kubelet_cert &&
	       f->kubelet_key ? 0 : -ENOMEM;
}

static int make_dir(const char *dir, char **reterr_why)
{
	_cleanup_free_ char *path = strdup(dir);
	int r = 0;

	if (!path)
		return -ENOMEM;
	for (char *slash = strchr(path + 1, '/'); !r; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = 0;
		if (mkdir(path, 0755) && errno != EEXIST)
			r = xb_why(reterr_why, -errno, "--cert-dir: cannot make the folder '%s': %s", path, strerror(errno));
		if (!slash)
			break;
		*slash = '/';
	}
	return r;
}

static bool ends_soon(const char *cert_file, unsigned days)
{
	time_t end;

	return xb_cert_not_after(cert_file, &end) || end < time(NULL) + (time_t)days * DAY_SECONDS;
}

static int prepare_ca(const struct files *f, char **reterr_why)
{
	const struct xb_cert_request ca = { .common_name = "kubernetes", .is_ca = true, .days = CA_DAYS };
	int r = access(f->ca_cert, F_OK) ? xb_cert_make(&ca, NULL, NULL, f->ca_cert, f->ca_key, reterr_why) : 0;

	if (!r)
		r = xb_cert_check_pair(f->ca_cert, f->ca_key, reterr_why);
	if (!r && ends_soon(f->ca_cert, 0))
		r = xb_why(reterr_why, -EINVAL, "the CA certificate in '%s' has ended; remove it and '%s' to have new ones made",
			   f->ca_cert, f->ca_key);
	return r;
}

/* The certificate in the file, or a new one for the same key when that one no longer does. */
static int prepare_cert(const struct files *f, const struct xb_cert_request *q, const char *cert, const char *key, char **reterr_why)
{
	int r;

	if (!access(cert, F_OK)) {
		r = xb_cert_check_pair(cert, key, reterr_why);
		if (r)
			return r;
		if (!ends_soon(cert, RENEW_DAYS) && xb_cert_signed_by(cert, f->ca_cert) &&
		    xb_cert_covers(cert, q->dns_names, q->ip_addresses))
			return 0;
	}
	return xb_cert_make(q, f->ca_cert, f->ca_key, cert, key, reterr_why);
}

static bool is_dns_name(const char *name)
{
	size_t n = strlen(name);

	return n && n <= 253 && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == n;
}

static void add_once(const char **list, const char *name)
{
	for (; *list; list++)
		if (!strcmp(*list, name))
			return;
	if (*name)
		*list = name;
}

static int prepare_serving(const struct apiserver_options *o, const struct files *f, char **reterr_why)
{
	char host[256] = "";
	const char *names[] = {
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost", NULL, NULL,
	};
	const char *addresses[7] = { "127.0.0.1", "::1" };
	const struct xb_cert_request q = {
		.common_name = "kube-apiserver", .dns_names = names, .ip_addresses = addresses, .server_auth = true, .days = CERT_DAYS,
	};

	if (!gethostname(host, sizeof(host) - 1) && is_dns_name(host))
		add_once(names, host);
	add_once(addresses, o->advertise_address);
	add_once(addresses, o->reach_address);
	add_once(addresses, o->service_first_ip[0]);
	add_once(addresses, o->service_first_ip[1]);
	return prepare_cert(f, &q, f->cert, f->key, reterr_why);
}

static int read_pem(const char *file, struct xb_buf *out, char **reterr_why)
{
	int r = xb_file_read(file, FILE_BYTES_MAX, out);

	return r ? xb_why(reterr_why, r, "cannot read '%s': %s", file, strerror(-r)) : 0;
}

/* The administrator's certificate is our CA's, whatever other CA the clients have. */
static int prepare_client_ca(const struct apiserver_options *o, const struct files *f, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf both = {};
	int r = read_pem(o->client_ca_file, &both, reterr_why);

	if (r)
		return r;
	xb_buf_addc(&both, '\n');
	r = read_pem(f->ca_cert, &both, reterr_why);
	if (r)
		return r;
	r = both.err ? both.err : xb_file_write(f->client_ca, xb_buf_sv(&both), 0644);
	return r ? xb_why(reterr_why, r, "cannot write '%s': %s", f->client_ca, strerror(-r)) : 0;
}

static int write_kubeconfig(const struct apiserver_options *o, const struct files *f, char **reterr_why)
{
	static const char *const masters[] = { "system:masters", NULL };
	const struct xb_cert_request admin = {
		.common_name = "kubernetes-admin", .organizations = masters, .client_auth = true, .days = CERT_DAYS,
	};
	struct xb_kubeconfig_files files = {
		.user = "kubernetes-admin", .cert = f->admin_cert, .key = f->admin_key,
		.ca = o->tls_cert_file ? o->tls_cert_file : f->ca_cert,
	};
	bool ipv6 = strchr(o->reach_address, ':');
	_cleanup_free_ char *server = NULL, *why = NULL;
	int r = prepare_cert(f, &admin, f->admin_cert, f->admin_key, reterr_why);

	if (r)
		return r;
	if (asprintf(&server, "https://%s%s%s:%d", ipv6 ? "[" : "", o->reach_address, ipv6 ? "]" : "", o->secure_port) < 0)
		return -ENOMEM;
	files.server = server;
	r = xb_kubeconfig_write(o->kubeconfig_out, &files, &why);
	return r ? xb_why(reterr_why, r, "--kubeconfig-out: %s", why ? why : strerror(-r)) : 0;
}

/* Is there anything that a CA of our own signs? Else --cert-dir is left alone. */
static bool has_ca(const struct apiserver_options *o)
{
	return !o->tls_cert_file || !o->client_ca_file || o->kubeconfig_out;
}

/* Named and grouped as kubeadm does: a kubelet asks an API server whether it may. */
static int prepare_kubelet_client(const struct files *f, char **reterr_why)
{
	static const char *const masters[] = { "system:masters", NULL };
	const struct xb_cert_request q = {
		.common_name = "kube-apiserver-kubelet-client", .organizations = masters, .client_auth = true, .days = CERT_DAYS,
	};

	return prepare_cert(f, &q, f->kubelet_cert, f->kubelet_key, reterr_why);
}

static int copy_names(const struct apiserver_options *o, const struct files *f, struct pki *ret)
{
	const char *kubelet_cert = o->kubelet_client_certificate ? o->kubelet_client_certificate : has_ca(o) ? f->kubelet_cert : NULL;
	const char *client_ca = !o->client_ca_file ? f->ca_cert : o->kubeconfig_out ? f->client_ca : o->client_ca_file;
	struct pki p = {
		.cert_file = strdup(o->tls_cert_file ? o->tls_cert_file : f->cert),
		.key_file = strdup(o->tls_private_key_file ? o->tls_private_key_file : f->key),
		.client_ca_file = strdup(client_ca),
		.kubelet_cert_file = kubelet_cert ? strdup(kubelet_cert) : NULL,
		.kubelet_key_file = kubelet_cert ? strdup(o->kubelet_client_key ? o->kubelet_client_key : f->kubelet_key) : NULL,
	};

	if (!p.cert_file || !p.key_file || !p.client_ca_file || (kubelet_cert && (!p.kubelet_cert_file || !p.kubelet_key_file))) {
		pki_done(&p);
		return -ENOMEM;
	}
	*ret = p;
	return 0;
}

int pki_prepare(const struct apiserver_options *o, struct pki *ret, char **reterr_why)
{
	_cleanup_(files_done) struct files f = {};
	int r = files_init(&f, o->cert_dir);

	if (!r && has_ca(o)) {
		r = make_dir(o->cert_dir, reterr_why);
		if (!r)
			r = prepare_ca(&f, reterr_why);
	}
	if (!r)
		r = o->tls_cert_file ? xb_cert_check_pair(o->tls_cert_file, o->tls_private_key_file, reterr_why) :
				       prepare_serving(o, &f, reterr_why);
	if (!r && o->kubelet_client_certificate)
		r = xb_cert_check_pair(o->kubelet_client_certificate, o->kubelet_client_key, reterr_why);
	else if (!r && has_ca(o))
		r = prepare_kubelet_client(&f, reterr_why);
	if (!r && o->client_ca_file && o->kubeconfig_out)
		r = prepare_client_ca(o, &f, reterr_why);
	if (!r && o->kubeconfig_out)
		r = write_kubeconfig(o, &f, reterr_why);
	return r ? r : copy_names(o, &f, ret);
}

void pki_done(struct pki *p)
{
	free(p->cert_file);
	free(p->key_file);
	free(p->client_ca_file);
	free(p->kubelet_cert_file);
	free(p->kubelet_key_file);
	*p = (struct pki){};
}
