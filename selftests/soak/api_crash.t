#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# live/api_crash.t, with as many kills that the history goes round several times
KILLS=${KILLS:-1000} exec "$(dirname "$0")/../live/api_crash.t"
