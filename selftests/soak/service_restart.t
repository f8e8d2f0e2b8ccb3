#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# live/service_restart.t, with a million connections by either path
CONNECTIONS=${CONNECTIONS:-1000000} PAUSE=${PAUSE:-4000} exec "$(dirname "$0")/../live/service_restart.t"
