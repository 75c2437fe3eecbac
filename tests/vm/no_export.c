/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* no_export.c - stands for export in the static twin that runs in the virtual machines. */
#include "cli/commands.h"
#include "base/status.h"

int cmd_export(const struct options *o)
{
	(void)o;
	fail_line("export is not in this build");
	return EXIT_NOKERNEL;
}
