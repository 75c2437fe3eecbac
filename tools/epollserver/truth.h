/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * truth.h - what the server itself saw of each exchange, stamped with CLOCK_MONOTONIC.
 *
 * A line for each exchange; words are separated by a space, times in ns:
 *
 *   peer_port number accept_ns return_ns read_ns got_ns send_ns answered_ns tid fault loop messages
 *   bytes
 *
 * (13 words on one line.) number counts exchanges from 1 on its connection; return_ns is when the
 * wait came back of the turn that read it, read_ns and got_ns lie before and after the last read,
 * send_ns and answered_ns around the first send of the answer that took a byte; tid is the thread
 * that sent it; fault has bit N set if fault N of --list-faults hit this exchange; loop counts from
 * 0. Requests that one read brought are one exchange of several messages; bytes are the answer's.
 * In push an exchange begins with the first frame read since the last send, and ends with the first
 * send to its connection.
 *
 * Each thread keeps its lines as records in memory of its own and writes them when that is full or
 * the thread ends, with one write() at the end of the file: threads and processes may share it.
 */
#ifndef TRUTH_H
#define TRUTH_H

#include <stddef.h>
#include <stdint.h>

struct record {
	uint16_t port;
	uint32_t number, tid, fault, loop, messages;
	uint64_t accept_ns, return_ns, read_ns, got_ns, send_ns, answered_ns, bytes;
};

struct truth;

/* fd is the file's, opened for appending, and stays the caller's. NULL: no memory. */
struct truth *truth_open(int fd, size_t records);
void truth_add(struct truth *t, const struct record *r);
/* Writes what is left; NULL is fine. Its memory stays. */
void truth_close(struct truth *t);

#endif
