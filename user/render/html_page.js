// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// html_page.js - reads the heat map's cells to mouse, finger and keys. All else works without it.
(function () {
	"use strict";
	// A table that fits needs no stop of the Tab key.
	document.querySelectorAll(".scroll").forEach(function (box) {
		new ResizeObserver(function () {
			if (box.scrollWidth > box.clientWidth)
				box.setAttribute("tabindex", 0);
			else
				box.removeAttribute("tabindex");
		}).observe(box);
	});
	var holder = document.getElementById("heat-data");
	if (!holder)
		return;
	var data = JSON.parse(holder.textContent);
	var plot = document.querySelector(".plot"), svg = plot.querySelector("svg");
	var tip = plot.querySelector(".tip"), mark = null, column = 0, row = 0;
	var columns = data.cells.length, rows = data.rows.length - 1;
	var end = data.edges[columns];

	function count_of(cells, which) {
		for (var i = 0; i < cells.length; i++)
			if (cells[i][0] === which)
				return cells[i][1];
		return 0;
	}

	function format_ns(ns) {
		var units = [["s", 1e9], ["ms", 1e6], ["us", 1e3]];
		for (var i = 0; i < units.length; i++)
			if (ns >= units[i][1])
				return (ns / units[i][1]).toPrecision(3) + " " + units[i][0];
		return ns + " ns";
	}

	function format_count(n) {
		return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
	}

	function seconds(ns) {
		return (ns / 1e9).toFixed(3);
	}

	function say() {
		var all = 0, n = count_of(data.cells[column], row);
		data.cells[column].forEach(function (cell) { all += cell[1]; });
		tip.textContent = seconds(data.edges[column]) + " to " +
			seconds(data.edges[column + 1]) + " s\n" + format_ns(data.rows[row]) + " to " +
			format_ns(data.rows[row + 1]) + "\n" + format_count(n) + " of " +
			format_count(all) + (all === 1 ? " exchange" : " exchanges");
	}

	// The same units as the picture's: microseconds across, rows down.
	function put_mark() {
		if (!mark) {
			mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
			mark.setAttribute("class", "mark");
			svg.appendChild(mark);
		}
		mark.setAttribute("x", data.edges[column] / 1000);
		mark.setAttribute("width", (data.edges[column + 1] - data.edges[column]) / 1000);
		mark.setAttribute("y", rows - 1 - row);
		mark.setAttribute("height", 1);
	}

	function show() {
		say();
		put_mark();
		tip.hidden = false;
		var x = data.edges[column + 1] / end * plot.clientWidth;
		var y = (rows - 1 - row) / rows * plot.clientHeight;
		if (x + tip.offsetWidth + 8 > plot.clientWidth)
			x = data.edges[column] / end * plot.clientWidth - tip.offsetWidth - 8;
		tip.style.left = Math.max(0, x + 4) + "px";
		tip.style.top = Math.max(0, Math.min(y, plot.clientHeight - tip.offsetHeight)) + "px";
	}

	function hide() {
		tip.hidden = true;
		if (mark)
			mark.remove();
		mark = null;
	}

	function point(event) {
		var box = svg.getBoundingClientRect();
		var at = (event.clientX - box.left) / box.width * end;
		row = rows - 1 - Math.floor((event.clientY - box.top) / box.height * rows);
		row = Math.max(0, Math.min(rows - 1, row));
		for (column = 0; column < columns - 1 && data.edges[column + 1] <= at;)
			column++;
		show();
	}

	var steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

	svg.addEventListener("pointermove", point);
	svg.addEventListener("pointerdown", point);
	svg.addEventListener("pointerleave", hide);
	svg.addEventListener("blur", hide);
	svg.addEventListener("keydown", function (event) {
		var step = steps[event.key];
		if (event.key === "Escape")
			hide();
		if (!step)
			return;
		event.preventDefault();
		if (!tip.hidden) {
			column = Math.max(0, Math.min(columns - 1, column + step[0]));
			row = Math.max(0, Math.min(rows - 1, row + step[1]));
		}
		show();
	});
})();
