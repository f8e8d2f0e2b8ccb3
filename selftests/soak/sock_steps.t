#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# live/sock_steps.t, after each store of each change
XB_POINTS=${XB_POINTS:-0} exec "$(dirname "$0")/../live/sock_steps.t"
