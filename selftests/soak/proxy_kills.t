#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# live/proxy_kills.t, at each call that changes the kernel: ten minutes
STEP=${STEP:-1} exec "$(dirname "$0")/../live/proxy_kills.t"
