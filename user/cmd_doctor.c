// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cmd_doctor.c */
#include "commands.h"
int cmd_doctor(const struct options *o) { (void)o; return 0; }
