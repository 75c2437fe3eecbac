/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * protocol.h - recognises a protocol by the first bytes of what was read. Pure: the kernel side asks,
 * and a unit test does.
 *
 * A protocol is named only where its bytes hardly mean another; PROTOCOL_NONE is no fault.
 */
#ifndef EPOLLSCOPE_PROTOCOL_H
#define EPOLLSCOPE_PROTOCOL_H

#define LOOK_BYTES 16

#define PROTOCOL_INLINE static inline __attribute__((always_inline))

#define WORD(a, b, c, d) \
	((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)

PROTOCOL_INLINE __u32 word_at(const __u8 *b, __u32 at)
{
	return WORD(b[at], b[at + 1], b[at + 2], b[at + 3]);
}

/* Network order. */
PROTOCOL_INLINE __u32 number_at(const __u8 *b, __u32 at)
{
	return WORD(b[at + 3], b[at + 2], b[at + 1], b[at]);
}

PROTOCOL_INLINE __u32 protocol_of_text(const __u8 *b)
{
	switch (word_at(b, 0)) {
	case WORD('P', 'R', 'I', ' '):
		return word_at(b, 4) == WORD('*', ' ', 'H', 'T') ? PROTOCOL_HTTP2 : PROTOCOL_NONE;
	case WORD('G', 'E', 'T', ' '):
	case WORD('P', 'U', 'T', ' '):
		return b[4] == '/' || b[4] == 'h' ? PROTOCOL_HTTP1 : PROTOCOL_NONE;
	case WORD('P', 'O', 'S', 'T'):
	case WORD('H', 'E', 'A', 'D'):
		return b[4] == ' ' ? PROTOCOL_HTTP1 : PROTOCOL_NONE;
	case WORD('D', 'E', 'L', 'E'):
		return word_at(b, 4) == WORD('T', 'E', ' ', '/') ? PROTOCOL_HTTP1 : PROTOCOL_NONE;
	case WORD('O', 'P', 'T', 'I'):
		return word_at(b, 4) == WORD('O', 'N', 'S', ' ') ? PROTOCOL_HTTP1 : PROTOCOL_NONE;
	case WORD('P', 'A', 'T', 'C'):
		return b[4] == 'H' && b[5] == ' ' ? PROTOCOL_HTTP1 : PROTOCOL_NONE;
	case WORD('C', 'O', 'N', 'N'):
		return word_at(b, 4) == WORD('E', 'C', 'T', ' ') ? PROTOCOL_HTTP1 : PROTOCOL_NONE;
	case WORD('P', 'I', 'N', 'G'):
		return b[4] == '\r' ? PROTOCOL_REDIS : PROTOCOL_NONE;
	case WORD('g', 'e', 't', ' '):
	case WORD('g', 'e', 't', 's'):
	case WORD('s', 'e', 't', ' '):
	case WORD('a', 'd', 'd', ' '):
	case WORD('s', 't', 'a', 't'):
	case WORD('v', 'e', 'r', 's'):
	case WORD('i', 'n', 'c', 'r'):
	case WORD('d', 'e', 'c', 'r'):
		return PROTOCOL_MEMCACHED;
	}
	if (b[0] == '*' && b[1] >= '1' && b[1] <= '9' &&
	    ((b[2] == '\r' && b[3] == '\n' && b[4] == '$') ||
	     (b[2] >= '0' && b[2] <= '9' && (b[3] == '\r' || b[4] == '\r'))))
		return PROTOCOL_REDIS;
	if ((b[0] == 'm') && (b[1] == 'g' || b[1] == 's' || b[1] == 'd' || b[1] == 'n') &&
	    (b[2] == ' ' || b[2] == '\r'))
		return PROTOCOL_MEMCACHED;
	return PROTOCOL_NONE;
}

PROTOCOL_INLINE __u32 protocol_of_start(const __u8 *b, __u32 bytes)
{
	/* A record of TLS: handshake, data, alert. */
	if (b[0] >= 0x14 && b[0] <= 0x17 && b[1] == 3 && b[2] <= 4 && b[3] < 0x42)
		return PROTOCOL_TLS;
	if (b[0] == 0x10 && (word_at(b, 4) == WORD('M', 'Q', 'T', 'T') ||
			     word_at(b, 5) == WORD('M', 'Q', 'T', 'T') ||
			     word_at(b, 4) == WORD('M', 'Q', 'I', 's')))
		return PROTOCOL_MQTT;
	if (number_at(b, 0) == bytes && bytes >= 8 &&
	    (number_at(b, 4) >> 16 == 3 || number_at(b, 4) == 80877103 || number_at(b, 4) == 80877104))
		return PROTOCOL_POSTGRESQL;
	if (b[0] == 0x80 && b[1] < 0x40 && !b[5] && bytes >= 24)
		return PROTOCOL_MEMCACHED;	/* its binary form */
	return PROTOCOL_NONE;
}

/* A client's frame is masked, and here the only one of its read. */
PROTOCOL_INLINE int is_websocket_frame(const __u8 *b, __u32 bytes)
{
	__u32 opcode = b[0] & 0x0f, length = b[1] & 0x7f;

	if (b[0] & 0x70 || !(b[1] & 0x80) || (opcode > 2 && opcode < 8) || opcode > 10)
		return 0;
	if (length == 126)
		return (number_at(b, 0) & 0xffff) + 8 == bytes;
	return length < 126 && length + 6 == bytes;
}

/* Frames whose head leaves little to chance. */
PROTOCOL_INLINE int is_http2_frame(const __u8 *b)
{
	__u32 length = number_at(b, 0) >> 8, type = b[3], stream = number_at(b, 5);

	switch (type) {
	case 1:		/* HEADERS */
		return length && !(b[4] & ~0x2d) && stream & 1 && stream < 1 << 24;
	case 4:		/* SETTINGS */
		return !stream && b[4] <= 1 && length < 120 && !(length % 6) && (length || b[4]);
	case 6:		/* PING */
		return length == 8 && !stream && b[4] <= 1;
	case 8:		/* WINDOW_UPDATE */
		return length == 4 && !b[4] && stream < 1 << 24;
	}
	return 0;
}

PROTOCOL_INLINE int is_mqtt_packet(const __u8 *b, __u32 bytes)
{
	__u32 type = b[0] >> 4;

	if (type >= 4 && type <= 7)	/* PUBACK, PUBREC, PUBREL, PUBCOMP */
		return bytes == 4 && b[1] == 2 && (b[0] & 15) == (type == 6 ? 2 : 0);
	if (b[0] == 0xc0)		/* PINGREQ */
		return bytes == 2 && !b[1];
	/* PUBLISH; a topic is shorter than 256 bytes, and a packet here than 128. */
	return type == 3 && b[1] < 128 && b[1] + 2u == bytes && !b[2] && b[3] && b[3] + 2u <= b[1];
}

/* What comes in the middle of a connection whose beginning was not seen. */
PROTOCOL_INLINE __u32 protocol_of_middle(const __u8 *b, __u32 bytes)
{
	if (is_mqtt_packet(b, bytes))
		return PROTOCOL_MQTT;
	if (bytes >= 9 && is_http2_frame(b))
		return PROTOCOL_HTTP2;
	if (is_websocket_frame(b, bytes))
		return PROTOCOL_WEBSOCKET;
	/* A query of its own, or a prepared one. */
	if (b[0] == 'Q' && bytes > 6 && number_at(b, 1) + 1 == bytes)
		return PROTOCOL_POSTGRESQL;
	return PROTOCOL_NONE;
}

/*
 * b: LOOK_BYTES, zeros behind those that were read; bytes: of the whole read; middle: the connection's
 * beginning was not seen, or its traffic is odd.
 */
PROTOCOL_INLINE __u32 protocol_of(const __u8 *b, __u32 bytes, int middle)
{
	__u32 found = protocol_of_text(b);

	if (!found)
		found = protocol_of_start(b, bytes);
	if (!found && middle)
		found = protocol_of_middle(b, bytes);
	return found;
}

/* A redis replica says how far it is, and wants no answer. */
PROTOCOL_INLINE int is_replica_ack(const __u8 *b)
{
	return b[0] == '*' && word_at(b, 2) == WORD('\r', '\n', '$', '8') &&
	       word_at(b, 8) == WORD('R', 'E', 'P', 'L') && word_at(b, 12) == WORD('C', 'O', 'N', 'F');
}

/* The answer by which an HTTP/1 connection changes to another protocol: "HTTP/1.1 101". */
PROTOCOL_INLINE int is_switching(const __u8 *b)
{
	return word_at(b, 0) == WORD('H', 'T', 'T', 'P') && word_at(b, 8) == WORD(' ', '1', '0', '1');
}

#endif
