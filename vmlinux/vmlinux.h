/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmlinux.h - the kernel types that the BPF programs touch, for x86-64 and arm64.
 *
 * Written by hand from the kernel's own names: only the members that we read, in no particular
 * order. `preserve_access_index` makes every access a CO-RE relocation, so the loader takes the
 * offsets from the running kernel's BTF and this file need not match any one version. What differs
 * by architecture is in regs_x86.h and regs_arm64.h. To add a member, look it up with
 *     bpftool btf dump file /sys/kernel/btf/vmlinux format c
 */
#ifndef EPOLLSCOPE_VMLINUX_H
#define EPOLLSCOPE_VMLINUX_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short int __s16;
typedef short unsigned int __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long int __s64;
typedef long long unsigned int __u64;
typedef __u8 u8;
typedef __s16 s16;
typedef __u16 u16;
typedef __s32 s32;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

enum { false, true };

/* Constants of the kernel's ABI that carry no type information of their own. */
#define AF_INET		2
#define AF_INET6	10
#define IPPROTO_TCP	6
#define RCV_SHUTDOWN	1
#define MSG_PEEK	2
#define SOCK_DONE	1	/* bit of skc_flags: the peer's FIN has come */
#define S_IFMT		00170000
#define S_IFSOCK	0140000
#define S_IFIFO		0010000
#define EAGAIN		11
#define ENFILE		23
#define EMFILE		24
#define BPF_F_USER_STACK	(1ULL << 8)
#define BPF_F_FAST_STACK_CMP	(1ULL << 9)
#define EEXIST		17
#define ENOMEM		12
#define ETIMEDOUT	110
#define BPF_ANY		0
#define BPF_NOEXIST	1

enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV,
};

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_STACK_TRACE = 7,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_F_NO_PREALLOC = 1U << 0,
	BPF_F_MMAPABLE = 1U << 10,
};

enum {
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1ULL << 0,
	BPF_SK_STORAGE_GET_F_CREATE = 1ULL << 0,
	BPF_RB_NO_WAKEUP = 1ULL << 0,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
#include "regs_x86.h"
#elif defined(__TARGET_ARCH_arm64)
#include "regs_arm64.h"
#else
#error "no register layout for this architecture"
#endif

typedef struct {
	int counter;
} atomic_t;

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct inode {
	u16 i_mode;
	unsigned long i_ino;
};

struct file {
	void *private_data;
	struct inode *f_inode;
	struct hlist_head *f_ep;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct signal_struct {
	atomic_t live;
	struct sigpending shared_pending;
};

struct sched_info {
	unsigned long long last_arrival;
	unsigned long long last_queued;
};

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct files_struct *files;
	struct signal_struct *signal;
	unsigned long nvcsw;
	__u64 start_time;
	unsigned long jobctl;
	unsigned int flags;
	void *stack;
	struct sched_info sched_info;
	struct sigpending pending;
	sigset_t blocked;
	unsigned int in_iowait : 1;
};

struct eventpoll {
	struct file *file;
};

struct epoll_event {
	__u32 events;
};

struct epitem {
	struct eventpoll *ep;
	struct hlist_node fllink;
	struct epoll_event event;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	short unsigned int skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	unsigned long skc_flags;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct bpf_local_storage;

struct tcp_ulp_ops;

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	int sk_write_pending;
	struct socket *sk_socket;
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	int sk_wmem_queued;
	int sk_sndbuf;
	u8 sk_shutdown;
	u16 sk_protocol;
	int sk_err;
	struct bpf_local_storage *sk_bpf_storage;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct inet_sock {
	__be16 inet_sport;
};

struct request_sock;

struct request_sock_queue {
	struct request_sock *rskq_accept_head;
};

struct inet_connection_sock {
	struct request_sock_queue icsk_accept_queue;
	const struct tcp_ulp_ops *icsk_ulp_ops;
};

struct tcp_request_sock {
	u64 snt_synack;
};

struct tcp_sock {
	u32 rcv_nxt;
	u32 copied_seq;
	u32 snd_una;
	u32 write_seq;
	u32 srtt_us;
	u32 total_retrans;
	u32 snd_nxt;
	u32 snd_wnd;
	u32 mss_cache;
	u32 packets_out;
	u32 rcv_wnd;
	u32 rcv_wup;
	u32 lsndtime;
	u32 data_segs_out;
	u8 nonagle : 4;
	u64 bytes_acked;
	u64 bytes_received;
	u64 delivered_mstamp;
};

struct sk_buff {
	unsigned int len;
	unsigned char *data;
	char cb[48];
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	__u8 tcp_flags;
};

struct trace_event_raw_sys_enter {
	long int id;
	unsigned long args[6];
};

struct trace_event_raw_sys_exit {
	long int id;
	long int ret;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	u32 uid;
};

#pragma clang attribute pop

#endif
