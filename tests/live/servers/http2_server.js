// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// HTTP/2 without TLS, each request answered after 5 ms. Prints "port N".
const server = require('http2').createServer();
server.on('stream', (stream) => setTimeout(() => {
	stream.respond({ ':status': 200 });
	stream.end('ok');
}, 5));
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
