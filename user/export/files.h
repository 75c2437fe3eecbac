/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* files.h - the files that the exporter is given: certificate, key, password. */
#ifndef EPOLLSCOPE_EXPORT_FILES_H
#define EPOLLSCOPE_EXPORT_FILES_H

#include "cli/options.h"

struct export_files {
	char *cert, *key;		/* texts; NULL if not given */
	char *user, *password;		/* in one piece of memory, user's */
};

/* EXIT_OK, or an exit status whose line is already printed. */
int export_files_open(struct export_files *f, const struct export_options *o);
void export_files_close(struct export_files *f);

#endif
