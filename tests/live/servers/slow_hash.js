// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// slow_hash answers every request with a constant; every 100th one hashes a password first, on the
// loop, in so many rounds that it takes 25 ms here. On SIGTERM it prints the most CPU time that one
// hash took, in ns.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');

let requests = 0;

let longest = 0;

function runTime() {
	return Number(fs.readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]);
}

function hashed(rounds) {
	const begin = runTime();
	crypto.pbkdf2Sync('password', 'salt', rounds, 64, 'sha512');
	return runTime() - begin;
}

hashed(20000);	// the first one is slower
const rounds = Math.round(20000 * 25e6 / hashed(20000));

const server = http.createServer((req, res) => {
	if (++requests % 100 === 0)
		longest = Math.max(longest, hashed(rounds));
	res.writeHead(200, { 'Content-Length': 3 });
	res.end('ok\n');
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));

process.on('SIGTERM', () => {
	console.log(`hash ${longest}`);
	process.exit(0);
});
