/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * symbols.h - addresses of the kernel and of processes into names.
 *
 * A process is known by its pid and a time. What it has mapped is remembered when it is added, and
 * the mapped files are held open, so that its addresses have names after its libraries were deleted
 * and after it ended. Symbols are read when a first address needs them, once a file however many
 * processes map it.
 *
 * Nothing is invented: an address that no symbol covers is "[libfoo.so]", "[vdso]", "[anon]" or
 * "[unknown]". Files, maps and names are somebody else's: what is malformed, too large or not a
 * regular file is skipped with a note, never waited for.
 */
#ifndef EPOLLSCOPE_SYMBOLS_H
#define EPOLLSCOPE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/stack.h"

#define SYMBOLS_NAME_MAX 1024	/* bytes of a name, with its NUL; longer ones end in "..." */

struct symbols;

struct symbols_options {
	const char *debug_dir;	/* separate debug files; NULL is /usr/lib/debug */
	const char *kallsyms;	/* NULL is /proc/kallsyms */
	uint64_t max_bytes;	/* of all tables together; 0 is 512 MiB */
	/* Called with a line, fit for a terminal, for each thing that was skipped; may be NULL. */
	void (*note)(void *arg, const char *text);
	void *arg;
};

enum symbol_kind {
	SYMBOL_NONE,	/* no symbol: the name stands in brackets */
	SYMBOL_KERNEL,	/* people know these with "_[k]" behind them: symbols_suffix() */
	SYMBOL_USER,	/* from an ELF symbol table or Go's function table */
	SYMBOL_JIT,	/* from the process's own /tmp/perf-PID.map */
};

/*
 * name and object belong to the symbols and live as long as they do; equal names are the same
 * pointer. Both are valid UTF-8 without control characters, ';' or newlines, so that they can be
 * a frame of a folded line. C++ and Rust names are readable, without parameters and hashes.
 */
struct symbol {
	const char *name;
	const char *object;	/* base name of the file, "[kernel]", "[a_module]", "[jit]", ... */
	enum symbol_kind kind;
};

/* Where an address is for a reader on another machine. */
struct symbol_place {
	const char *path;	/* as the process sees it; lives as long as the symbols */
	uint8_t build_id[BUILD_ID_MAX];
	unsigned build_id_len;	/* 0 if the file has none */
	uint64_t offset;	/* in the file */
	uint64_t vaddr;		/* what addr2line takes; 0 if no segment covers it */
	uint64_t function;	/* where its function begins by the unwind table; 0: unknown */
};

/* --- how to get from an address in a function to its caller; x86-64 only --- */

/* Where the frame begins: behind the return address, which is the word below. */
enum cfi_cfa {
	CFI_CFA_NONE,	/* no rule that we can follow */
	CFI_CFA_SP,	/* the stack pointer and cfa_offset */
	CFI_CFA_FP,	/* the frame pointer and cfa_offset */
};

/* Where the caller's frame pointer is. */
enum cfi_fp {
	CFI_FP_LOST,
	CFI_FP_SAME,	/* still in its register */
	CFI_FP_SAVED,	/* in the word at the frame's beginning and fp_offset */
};

struct cfi_rule {
	uint64_t start, end;	/* addresses that it is for, as the file itself gives them */
	enum cfi_cfa cfa;
	enum cfi_fp fp;
	int64_t cfa_offset;
	int64_t fp_offset;
};

/* --- */

/* NULL without memory. Options may be NULL and are copied, their strings are not. */
struct symbols *symbols_new(const struct symbols_options *options);
void symbols_free(struct symbols *s);

/*
 * Remembers what a process has mapped; again for what it mapped since (dlopen): newer mappings win
 * where both cover an address, others stay. After an exec that nobody told of the old ones go.
 * Cheap: reads no symbols. 0, -ESRCH, -EACCES, -ENOMEM.
 */
int symbols_add_process(struct symbols *s, uint32_t pid);

/*
 * The same for one that is known, if it is still the same program: else nothing changes. -ENOENT if
 * it is not known, or was another process; -EAGAIN after an exec.
 */
int symbols_refresh(struct symbols *s, uint32_t pid);

/*
 * A child has what its parent had when it was forked, until an exec, however soon it ends. 0,
 * -ESRCH: the parent is not known, -ENOMEM.
 */
int symbols_add_child(struct symbols *s, uint32_t parent, uint32_t pid, uint64_t fork_ns);

/* An exec: another program from then on, ended or not; the one before is kept. 0, -ENOMEM. */
int symbols_add_exec(struct symbols *s, uint32_t pid, uint64_t exec_ns);

/* What follows is about processes as they were then, CLOCK_MONOTONIC; 0: as they are. */
void symbols_at(struct symbols *s, uint64_t time_ns);

/* Whether anything is known to be mapped there in the newest process of that pid. */
bool symbols_covers(struct symbols *s, uint32_t pid, uint64_t address);

/* The name of an address. Never fails: returns whether a symbol was found. */
bool symbols_user(struct symbols *s, uint32_t pid, uint64_t address, struct symbol *out);
bool symbols_kernel(struct symbols *s, uint64_t address, struct symbol *out);

/*
 * A stack as the kernel stores it, of a process or (pid 0) of the kernel, innermost first, ended by
 * n or by a 0. All but the first are return addresses, whose call is one byte before. Returns the
 * number of frames stored in out[n].
 */
size_t symbols_stack(struct symbols *s, uint32_t pid, const uint64_t *addresses, size_t n,
		     struct symbol *out);

/* "_[k]" for a kernel frame, else "". */
const char *symbols_suffix(const struct symbol *symbol);

/* 0, or -ENOENT if no file is mapped there. */
int symbols_place(struct symbols *s, uint32_t pid, uint64_t address, struct symbol_place *place);

/*
 * How to get from there to the caller. 0; -ENOENT: nothing executable is mapped there;
 * -ENODATA: nothing is known of that code.
 */
int symbols_rule(struct symbols *s, uint32_t pid, uint64_t address, struct cfi_rule *rule);

#endif
