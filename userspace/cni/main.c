/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* xebec-cni: a CNI plugin. The answer goes to standard output, also that of a fault; nothing else does. */
#include <stdio.h>

#include "verbs.h"

#define STDIN_MAX (1 << 20)

static int read_stdin(struct xb_buf *ret, struct cni_fault *f)
{
	char bytes[16384];
	ssize_t n;

	while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno != EINTR)
			return cni_fault(f, CNI_IO, "cannot read the configuration from standard input: %m");
		if (n > 0)
			xb_buf_add(ret, bytes, (size_t)n);
		if (ret->err || ret->n > STDIN_MAX)
			return cni_fault(f, CNI_IO, "the configuration on standard input is longer than %d bytes", STDIN_MAX);
	}
	return 0;
}

static int run(const struct cni_call *call, const struct cni_config *c, struct xb_buf *out, struct cni_fault *f)
{
	switch (call->verb) {
	case CNI_ADD:
		return cni_add(call, c, out, f);
	case CNI_DEL:
		return cni_del(call, c, f);
	case CNI_CHECK:
		return cni_check(call, c, f);
	case CNI_GC:
		return cni_gc(c, f);
	case CNI_STATUS:
		return cni_status(c, f);
	case CNI_VERSION:
		result_write_versions(out);
	}
	return 0;
}

static int print(struct xb_buf *out)
{
	if (!out->n)
		return 0;
	xb_buf_addc(out, '\n');
	return out->err || fwrite(out->p, 1, out->n, stdout) != out->n || fflush(stdout) ? -1 : 0;
}

int main(int argc, char *argv[])
{
	_cleanup_buf_ struct xb_buf text = {}, out = {};
	_cleanup_(cni_config_done) struct cni_config c = {};
	_cleanup_(cni_fault_done) struct cni_fault f = {};
	struct cni_call call = {};
	int code;

	if (argc > 1 || !getenv("CNI_COMMAND")) {
		fputs("xebec-cni is run by a container runtime: CNI_COMMAND and the like in the environment, a configuration on standard input.\n"
		      "It speaks CNI 0.3.1, 0.4.0, 1.0.0 and 1.1.0; called loopback by its configuration, it sets \"lo\" up.\n", stderr);
		return EXIT_FAILURE;
	}
	code = cni_call_read(&call, &f);
	if (!code)
		code = read_stdin(&text, &f);
	if (!code)
		code = cni_config_read(xb_buf_sv(&text), call.verb, &c, &f);
	if (!code)
		code = run(&call, &c, &out, &f);
	if (code) {
		xb_buf_clear(&out);
		result_write_fault(&c, &f, &out);
	}
	return print(&out) || code ? EXIT_FAILURE : EXIT_SUCCESS;
}
