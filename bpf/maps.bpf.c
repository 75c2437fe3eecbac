/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* maps.bpf.c - the owner of the maps and of the configuration. */
#define MAPS_OWNER
#include "maps.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
