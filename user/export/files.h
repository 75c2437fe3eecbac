/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* files.h - the files that the exporter is given: certificate, key, password. */
#ifndef EPOLLSCOPE_EXPORT_FILES_H
#define EPOLLSCOPE_EXPORT_FILES_H

struct export_files {
	char *cert, *key;		/* texts; NULL if not given */
	char *user, *password;		/* in one piece of memory, user's */
};

/* Paths may be NULL. EXIT_OK, or an exit status whose line is already printed. */
int export_files_open(struct export_files *f, const char *cert, const char *key, const char *auth);
void export_files_close(struct export_files *f);

#endif
