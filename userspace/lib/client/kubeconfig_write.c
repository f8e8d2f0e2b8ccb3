/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "xb/file.h"
#include "xb/kubeconfig.h"
#include "xb/why.h"

#define PEM_MAX (1 << 20)

/* "key: <base64 of the file>" */
static int add_file(struct xb_buf *out, const char *key, const char *file, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf pem = {};
	int r = xb_file_read(file, PEM_MAX, &pem);

	if (r)
		return xb_why(reterr_why, r, "cannot read '%s': %s", file, strerror(-r));
	xb_buf_addf(out, "    %s: ", key);
	if (!xb_buf_reserve(out, (pem.n + 2) / 3 * 4 + 1)) {
		out->n += EVP_EncodeBlock((unsigned char *)out->p + out->n, (const unsigned char *)pem.p, (int)pem.n);
		xb_buf_addc(out, '\n');
	}
	OPENSSL_cleanse(pem.p, pem.n);
	return 0;
}

int xb_kubeconfig_write(const char *path, const struct xb_kubeconfig_files *f, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf out = {};
	int r;

	xb_buf_adds(&out, "apiVersion: v1\nkind: Config\nclusters:\n- name: kubernetes\n  cluster:\n");
	r = add_file(&out, "certificate-authority-data", f->ca, reterr_why);
	if (!r) {
		xb_buf_addf(&out, "    server: %s\nusers:\n- name: %s\n  user:\n", f->server, f->user);
		r = add_file(&out, "client-certificate-data", f->cert, reterr_why);
	}
	if (!r)
		r = add_file(&out, "client-key-data", f->key, reterr_why);
	if (r)
		return r;
	xb_buf_addf(&out, "contexts:\n- name: %s@kubernetes\n  context:\n    cluster: kubernetes\n    user: %s\n"
		    "current-context: %s@kubernetes\n", f->user, f->user, f->user);
	r = out.err ? out.err : xb_file_write(path, xb_buf_sv(&out), 0600);
	OPENSSL_cleanse(out.p, out.n);
	return r ? xb_why(reterr_why, r, "cannot write '%s': %s", path, strerror(-r)) : 0;
}
