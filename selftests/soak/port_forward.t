#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# live/port_forward.t, with 1 GiB each way
MIB=${MIB:-1024} exec "$(dirname "$0")/../live/port_forward.t"
