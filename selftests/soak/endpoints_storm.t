#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# live/endpoints_storm.t, for longer
STORMS=${STORMS:-100} exec "$(dirname "$0")/../live/endpoints_storm.t"
