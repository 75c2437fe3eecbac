// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// http2_client.js PORT REQUESTS: over two connections, eight at a time on each.
const http2 = require('http2');
const [port, requests] = process.argv.slice(2).map(Number);

function client() {
	const session = http2.connect('http://127.0.0.1:' + port);
	let left = requests / 2, open = 0;

	function ask() {
		while (open < 8 && left > 0) {
			const stream = session.request({ ':path': '/' });

			open++;
			left--;
			stream.resume();
			stream.on('end', () => {
				open--;
				if (left || open)
					ask();
				else
					session.close();
			});
			stream.end();
		}
	}
	ask();
}

client();
client();
