#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# live/differential.t, with more Services
SEED=${SEED:-$RANDOM} SERVICES=${SERVICES:-200} exec "$(dirname "$0")/../live/differential.t"
