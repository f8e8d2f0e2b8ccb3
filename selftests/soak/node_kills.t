#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# live/node_kills.t, with as many kills that most of what can be interrupted is
KILLS=${KILLS:-100} exec "$(dirname "$0")/../live/node_kills.t"
