/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.c - the words for every enumeration; a value from the wire may be anything. */
#include "model/model.h"

#define NAME_OF(table, value) \
	((value) < sizeof(table) / sizeof((table)[0]) && (table)[value] ? \
		 (table)[value] : "unknown")

const char *stage_name(unsigned stage)
{
	static const char *const names[STAGE_COUNT] = {
		[STAGE_ACCEPT] = "accept",
		[STAGE_RECEIVE] = "receive",
		[STAGE_WAKEUP] = "wakeup",
		[STAGE_RUNQUEUE] = "runqueue",
		[STAGE_BUSY] = "busy",
		[STAGE_RETURN] = "return",
		[STAGE_DISPATCH] = "dispatch",
		[STAGE_SERVICE] = "service",
	};

	return NAME_OF(names, stage);
}

const char *offcpu_name(unsigned kind)
{
	static const char *const names[OFFCPU_COUNT] = {
		[OFFCPU_IDLE] = "idle",
		[OFFCPU_FUTEX] = "futex",
		[OFFCPU_DISK] = "disk",
		[OFFCPU_PIPE] = "pipe",
		[OFFCPU_SOCKET] = "socket",
		[OFFCPU_SLEEP] = "sleep",
		[OFFCPU_OTHER] = "other",
		[OFFCPU_STOPPED] = "stopped",
	};

	return NAME_OF(names, kind);
}

const char *role_name(unsigned role)
{
	static const char *const names[] = {
		[ROLE_UNKNOWN] = "unknown",
		[ROLE_SERVER] = "server",
		[ROLE_CLIENT] = "client",
	};

	return NAME_OF(names, role);
}

const char *traffic_kind_name(unsigned kind)
{
	static const char *const names[TRAFFIC_KINDS] = {
		[KIND_REQUEST] = "request-response",
		[KIND_OVERLAPPING] = "overlapping",
		[KIND_ONE_WAY] = "one-way",
	};

	return NAME_OF(names, kind);
}

const char *protocol_name(unsigned protocol)
{
	static const char *const names[PROTOCOL_COUNT] = {
		[PROTOCOL_HTTP1] = "http/1",
		[PROTOCOL_HTTP2] = "http/2",
		[PROTOCOL_TLS] = "tls",
		[PROTOCOL_REDIS] = "redis",
		[PROTOCOL_MEMCACHED] = "memcached",
		[PROTOCOL_MQTT] = "mqtt",
		[PROTOCOL_POSTGRESQL] = "postgresql",
		[PROTOCOL_WEBSOCKET] = "websocket",
	};

	return NAME_OF(names, protocol);
}

const char *tcp_state_name(unsigned state)
{
	static const char *const names[TCP_STATES] = {
		[1] = "ESTABLISHED",
		[2] = "SYN_SENT",
		[3] = "SYN_RECV",
		[4] = "FIN_WAIT1",
		[5] = "FIN_WAIT2",
		[6] = "TIME_WAIT",
		[7] = "CLOSE",
		[8] = "CLOSE_WAIT",
		[9] = "LAST_ACK",
		[10] = "LISTEN",
		[11] = "CLOSING",
		[12] = "NEW_SYN_RECV",
	};

	return NAME_OF(names, state);
}

const char *close_reason_name(unsigned reason)
{
	static const char *const names[CLOSE_REASONS] = {
		[CLOSE_FIN] = "fin",
		[CLOSE_RESET_SENT] = "reset_sent",
		[CLOSE_RESET_RECEIVED] = "reset_received",
		[CLOSE_TIMEOUT] = "timeout",
		[CLOSE_ERROR] = "error",
	};

	return NAME_OF(names, reason);
}

const char *close_side_name(unsigned side)
{
	static const char *const names[] = {
		[SIDE_NONE] = "none",
		[SIDE_LOCAL] = "local",
		[SIDE_REMOTE] = "remote",
	};

	return NAME_OF(names, side);
}
