// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sym_target.js - a function that V8 compiles; with --perf-basic-prof it says where.
function hotCheckout(n) {
	let sum = 0;

	for (let i = 0; i < n; i++)
		sum = (sum * 31 + i) | 0;
	return sum;
}

let total = 0;

for (let i = 0; i < 2000; i++)
	total += hotCheckout(10000);
console.log('ready', total);
setInterval(() => {}, 1 << 30);
