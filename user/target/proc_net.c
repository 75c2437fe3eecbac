// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* proc_net.c - the network counters of a process's namespace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/proc.h"

uint64_t proc_listen_overflows(uint32_t pid)
{
	char path[48], names[4096], values[4096], *name, *value, *name_at, *value_at;
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/net/netstat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		name = strtok_r(names, " \n", &name_at);
		value = strtok_r(values, " \n", &value_at);
		while (name && value) {
			if (!strcmp(name, "ListenOverflows"))
				n = strtoull(value, NULL, 10);
			name = strtok_r(NULL, " \n", &name_at);
			value = strtok_r(NULL, " \n", &value_at);
		}
	}
	fclose(f);
	return n;
}
