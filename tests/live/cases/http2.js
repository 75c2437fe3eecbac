// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// http2 serve: HTTP/2 in the clear; /slow is answered after 100 ms, all else at once. Prints "port N".
// http2 load PORT SECONDS STREAMS: four connections, STREAMS requests under way on each, one of 100
// slow; prints what they saw, as JSON.
'use strict';
const http2 = require('http2');

function serve() {
	const server = http2.createServer();
	server.on('stream', (stream, headers) => {
		const answer = () => {
			if (stream.destroyed)
				return;
			stream.respond({ ':status': 200 });
			stream.end('ok');
		};
		if (headers[':path'] === '/slow')
			setTimeout(answer, 100);
		else
			answer();
	});
	server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
}

function load(port, seconds, streams) {
	const latencies = [];
	let asked = 0;
	let open = 4;
	const end = Date.now() + seconds * 1000;

	function ask(session) {
		if (session.closed)
			return;
		if (Date.now() >= end) {
			session.close();
			return;
		}
		const since = process.hrtime.bigint();
		const request = session.request({ ':path': ++asked % 100 === 0 ? '/slow' : '/' });
		request.on('data', () => {});
		request.on('end', () => {
			latencies.push(Number(process.hrtime.bigint() - since));
			setTimeout(ask, 10, session);
		});
		request.end();
	}
	for (let i = open; i > 0; i--) {
		const session = http2.connect(`http://127.0.0.1:${port}`);
		session.on('close', () => {
			if (--open > 0)
				return;
			latencies.sort((a, b) => a - b);
			const at = (q) => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))];
			console.log(JSON.stringify({ asked, answered: latencies.length, failed: 0,
				p50_ns: at(0.5), p99_ns: at(0.99), max_ns: at(1) }));
		});
		for (let n = 0; n < streams; n++)
			ask(session);
	}
}

if (process.argv[2] === 'serve')
	serve();
else
	load(Number(process.argv[3]), Number(process.argv[4]), Number(process.argv[5]));
