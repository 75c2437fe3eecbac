// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// node_server answers every request with a constant; on SIGTERM it writes what it has seen, as
// "connections C requests R", to the file it was given.
'use strict';
const fs = require('fs');
const http = require('http');

let connections = 0;
let requests = 0;

const server = http.createServer((req, res) => {
	requests++;
	res.writeHead(200, { 'Content-Length': 3 });
	res.end('ok\n');
});
server.on('connection', () => { connections++; });
server.keepAliveTimeout = 600000;	// idle connections stay: the tests count closings
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));

process.on('SIGTERM', () => {
	fs.writeFileSync(process.argv[2], `connections ${connections} requests ${requests}\n`);
	process.exit(0);
});
