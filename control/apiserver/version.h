/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_VERSION_H
#define APISERVER_VERSION_H
/* Which Kubernetes this is, for /version, --version and the metric kubernetes_build_info. */
#define VERSION_MAJOR "1"
#define VERSION_MINOR "33"
#define VERSION_GIT "v1.33.0+xebec"
#define VERSION_BUILD_DATE "1970-01-01T00:00:00Z" /* builds are reproducible */
#define VERSION_COMPILER "cc " __VERSION__
#ifdef __aarch64__
#define VERSION_PLATFORM "linux/arm64"
#else
#define VERSION_PLATFORM "linux/amd64"
#endif

#endif
