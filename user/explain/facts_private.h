/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* facts_private.h - what the files that take the facts share. */
#ifndef EPOLLSCOPE_FACTS_PRIVATE_H
#define EPOLLSCOPE_FACTS_PRIVATE_H

#include "explain/facts.h"

/* The listening sockets of a process's namespace, at the attach and at the end. */
void listeners_begin(struct facts *f, uint32_t pid);
void listeners_end(struct facts *f, uint32_t pid);

/* A target has that socket open. */
void listeners_own(struct facts *f, uint64_t inode, uint32_t pid);

/*
 * After all descriptors of the targets were told: leaves out ports that no target listens on, and
 * finds whose the others are.
 */
void listeners_keep(struct facts *f);

#endif
