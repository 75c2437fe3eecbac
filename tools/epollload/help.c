/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* help.c - what --help says. */
#include <stdio.h>

#include "config.h"

void config_help(void)
{
	fputs(
"epollload [OPTIONS] PORT | HOST:PORT\n"
"Loads a server and says how long it took, without coordinated omission.\n"
"\n"
"What to send:\n"
"  --rate N              open loop: N requests a second, each at its own time, whatever the\n"
"                        server does; the latency counts from that time\n"
"  --closed              closed loop: the next request follows the answer\n"
"  --requests N          exactly N of them (and at most --duration, if that is given too)\n"
"  --duration TIME       10s unless told otherwise\n"
"  --ramp TIME           the rate, or with --closed the busy connections, grow so long\n"
"  --protocol NAME       echo, http or push; echo\n"
"  --size BYTES          of a payload; 64; http: 0, a GET; more is a POST\n"
"  --path PATH           http: what to get; /\n"
"\n"
"How:\n"
"  --connections N       1\n"
"  --threads N           1\n"
"  --pipeline N          requests under way on a connection; 1\n"
"  --conn-per-request    a new connection for each; at most --connections at a time\n"
"  --source FIRST-LAST   source addresses, such as 127.0.1.1-127.0.1.50, by turns\n"
"  --slow-sender P/TIME  a request goes out in P pieces, with pauses between\n"
"  --slow-reader B/TIME  at most B bytes are read, then follows a pause\n"
"  --slow-connections N  the first N are slow; all\n"
"  --timeout TIME        without any progress on a connection; 5s\n"
"  --spin TIME           before a request is due, watch the clock instead of sleeping; 200us\n"
"\n"
"Result:\n"
"  --json                one JSON object instead of text (schema epollload.report/1)\n"
"  --expect-count N      exit status 1 unless N requests were answered\n"
"  --quiet               no progress on the terminal\n"
"  --help\n"
"\n"
"Numbers: 100, 20k, 1m. Times: 500us, 10ms, 1.5s, 2m.\n"
"Counts are exact: sent = answered + refused + lost. Refused are HTTP answers from 400 on and push\n"
"refusals; they are not in the latency. Unsent are those that were due when it was given up: the\n"
"last was due a --timeout ago. Percentiles are at most 1.6 % too high, the maximum is exact.\n"
"An open loop needs a processor of its own for each thread to be on time: look at `send error`.\n"
"\n"
"Exit status: 0 done; 1 no connection, or not the expected count; 64 usage.\n"
"Ctrl-C stops and reports; again, it leaves at once.\n"
"\n"
"Examples:\n"
"  epollload --rate 10k --connections 50 7000\n"
"  epollload --protocol http --closed --connections 32 --pipeline 4 --duration 5s 127.0.0.1:8080\n"
"  epollload --rate 500 --requests 5000 --expect-count 5000 --json 7000\n"
"  epollload --rate 1k --conn-per-request --connections 100 --source 127.0.1.1-127.0.1.9 7000\n"
"  epollload --closed --connections 100 --slow-connections 1 --slow-sender 4/10ms 7000\n",
	stdout);
}
