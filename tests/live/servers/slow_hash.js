// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// slow_hash answers every request with a constant; every 100th one hashes a password first, on the
// loop. On SIGTERM it prints the most CPU time that one hash took, in ns.
'use strict';
const crypto = require('crypto');
const http = require('http');

let requests = 0;

let longest = 0;

function hash() {
	const begin = process.cpuUsage();
	crypto.pbkdf2Sync('password', 'salt', 40000, 64, 'sha512');
	const used = process.cpuUsage(begin);
	longest = Math.max(longest, (used.user + used.system) * 1000);
}

const server = http.createServer((req, res) => {
	if (++requests % 100 === 0)
		hash();
	res.writeHead(200, { 'Content-Length': 3 });
	res.end('ok\n');
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));

process.on('SIGTERM', () => {
	console.log(`hash ${longest}`);
	process.exit(0);
});
