// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// slow_hash answers every request with a constant; every 100th one hashes a password first, on the
// loop. Prints how long one hash takes, in ns, before its port.
'use strict';
const crypto = require('crypto');
const http = require('http');

let requests = 0;

function hash() {
	crypto.pbkdf2Sync('password', 'salt', 40000, 64, 'sha512');
}

hash();
const begin = process.hrtime.bigint();
hash();
console.log(`hash ${process.hrtime.bigint() - begin}`);

const server = http.createServer((req, res) => {
	if (++requests % 100 === 0)
		hash();
	res.writeHead(200, { 'Content-Length': 3 });
	res.end('ok\n');
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
