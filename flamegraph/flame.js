// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// flame.js - brings the still picture to life: layout in any width, zoom, search, keys, tooltip.
// It finds its picture as its own parent, uses no id and changes nothing outside. Comments stand
// on lines of their own and are left out of the picture.
(function () {
	"use strict";
	var SVG = "http://www.w3.org/2000/svg", HTML = "http://www.w3.org/1999/xhtml";
	var MARGIN = 10, HEADER = 62, BAR = 36, GAP = 0.6, COLUMN = 7.25, NARROW = 0.1;
	var svg = document.currentScript.ownerSVGElement;
	var alone = svg === document.documentElement;
	var group = svg.querySelector(".frames"), below = svg.querySelector(".below");
	var up = group.getAttribute("data-up") === "1";
	var height = +svg.getAttribute("height"), frames = [], zoom, current, width, pattern = null;

	function make(space, name, parent, attributes) {
		var e = document.createElementNS(space, name);
		for (var key in attributes)
			e.setAttribute(key, attributes[key]);
		parent.appendChild(e);
		return e;
	}

	// Frames come parents first, each with its depth: that gives the tree. The titles become
	// labels for readers of the screen, or the browser would show them beside our tooltip. It is
	// the rectangle that has the label and the focus: the group's text may be cut.
	function read_frames() {
		var path = [];
		group.querySelectorAll("g").forEach(function (g, i) {
			var numbers = g.getAttribute("data-f").split(" ");
			var title = g.querySelector("title"), lines = title.textContent.split("\n");
			var f = { g: g, rect: g.querySelector("rect"), text: g.querySelector("text"),
				  name: lines[0], info: lines.slice(1).join("\n"), index: i,
				  depth: +numbers[0], start: +numbers[1], weight: +numbers[2] };
			f.parent = f.depth ? path[f.depth - 1] : null;
			path[f.depth] = f;
			title.remove();
			f.rect.setAttribute("role", "treeitem");
			f.rect.setAttribute("aria-level", f.depth + 1);
			f.rect.setAttribute("aria-label", lines.join(", "));
			g.flame = f;
			frames.push(f);
		});
	}

	function columns_of(char) {
		return char.codePointAt(0) < 0x1100 ? 1 : 2;
	}

	// The text, cut with an ellipsis to what fits in so many columns.
	function fit(text, columns) {
		var used = 0, kept = "";
		if (text.length * 2 <= columns)
			return text;
		for (var char of text) {
			used += columns_of(char);
			if (used > columns)
				return kept + "…";
			if (used < columns)
				kept += char;
		}
		return text;
	}

	function set_label(f, x, w) {
		var columns = Math.floor((w - 8) / COLUMN);
		if (columns < 3) {
			if (f.text)
				f.text.textContent = "";
			return;
		}
		if (!f.text)
			f.text = make(SVG, "text", f.g, { y: +f.rect.getAttribute("y") + 13 });
		f.text.setAttribute("aria-hidden", true);
		f.text.setAttribute("x", x + 4);
		f.text.textContent = fit(f.name, columns);
	}

	function within_zoom(f) {
		return f.start < zoom.start + zoom.weight && f.start + f.weight > zoom.start;
	}

	function draw_frame(f, scale) {
		var left = Math.max(0, (f.start - zoom.start) * scale);
		var right = Math.min(width, (f.start + f.weight - zoom.start) * scale);
		f.shown = f === zoom || (within_zoom(f) && right - left >= NARROW);
		if (!f.shown) {
			f.g.setAttribute("display", "none");
			return;
		}
		f.g.removeAttribute("display");
		f.g.classList.toggle("over", f.depth < zoom.depth);
		f.rect.setAttribute("x", left);
		f.rect.setAttribute("width", right - left > 2 ? right - left - GAP : right - left);
		set_label(f, left, right - left);
	}

	function draw() {
		var scale = zoom.weight ? width / zoom.weight : 0;
		frames.forEach(function (f) { draw_frame(f, scale); });
		reset.disabled = zoom === frames[0];
		show_share();
	}

	function zoom_to(f) {
		var moved = f !== zoom;
		zoom = f;
		if (moved)
			remember("pushState");
		hide_tip();
		draw();
		focus_on(f, false);
	}

	// --- address: a picture of its own says there what it shows, for links and for Back ---

	function remember(method) {
		var words = [];
		if (zoom.index)
			words.push("zoom=" + zoom.index);
		if (input.value)
			words.push("search=" + encodeURIComponent(input.value));
		try {
			if (alone)
				history[method](null, "", location.href.split("#")[0] +
						(words.length ? "#" + words.join("&") : ""));
		} catch (e) {
			// A viewer that allows no history.
		}
	}

	function recall() {
		var words = new URLSearchParams(location.hash.slice(1));
		input.value = words.get("search") || "";
		search();
		zoom = frames[+words.get("zoom")] || frames[0];
		zoom_to(zoom);
	}

	// --- size: the width is what the window or the page gives ---

	function resize() {
		var all = alone ? document.documentElement.clientWidth : svg.getBoundingClientRect().width;
		var narrow, header, total;
		if (!all || all - 2 * MARGIN === width)
			return;
		width = all - 2 * MARGIN;
		narrow = all < 760;
		header = HEADER + (narrow ? BAR : 0);
		group.setAttribute("transform", "translate(" + MARGIN + " " + header + ")");
		total = height + header - HEADER;
		below.setAttribute("transform", "translate(" + MARGIN + " " + (header + frames_height + 8) +
				   ") scale(" + Math.min(1, width / below_width) + ")");
		svg.setAttribute("height", total);
		// As wide as it is seen: only paper scales it.
		svg.setAttribute("viewBox", "0 0 " + all + " " + total);
		bar_box.setAttribute("x", narrow ? MARGIN : Math.max(MARGIN, all - MARGIN - 420));
		bar_box.setAttribute("y", narrow ? HEADER - 6 : 14);
		bar_box.setAttribute("width", narrow ? width : 420);
		bar.classList.toggle("left", narrow);
		heads.forEach(function (h) {
			var room = narrow ? width : width - 430;
			h.text.textContent = h.full;
			for (var n = h.full.length; n > 1 && h.text.getComputedTextLength() > room;)
				h.text.textContent = h.full.slice(0, n = Math.floor(n * 0.95)) + "…";
		});
		draw();
	}

	// --- search: text as it stands, or a regular expression, whatever its case ---

	function matcher(words) {
		var plain = words.toLowerCase(), expression = null;
		try {
			expression = new RegExp(words, "i");
		} catch (e) {
			// Then it is only text.
		}
		return function (name) {
			return name.toLowerCase().indexOf(plain) >= 0 || (expression && expression.test(name));
		};
	}

	// What is matched of the frame that fills the width; frames on top of a match add nothing.
	function show_share() {
		var end = zoom.start, last = zoom.start + zoom.weight, sum = 0;
		if (!pattern) {
			share.textContent = "";
			return;
		}
		frames.forEach(function (f) {
			var from = Math.max(f.start, end), to = Math.min(f.start + f.weight, last);
			if (f.hit && to > from) {
				sum += to - from;
				end = to;
			}
		});
		share.textContent = "matched " +
			(zoom.weight ? 100 * sum / zoom.weight : 0).toFixed(2) + " %";
	}

	function search() {
		pattern = input.value ? matcher(input.value) : null;
		svg.classList.toggle("searching", !!pattern);
		frames.forEach(function (f) {
			f.hit = !!pattern && f.depth > 0 && !!pattern(f.name);
			f.g.classList.toggle("hit", f.hit);
		});
		show_share();
	}

	// --- tooltip ---

	// Below the mouse, else above it, and inside the window whatever its size.
	function show_tip(f, x, y) {
		var all = svg.getBoundingClientRect();
		tip.textContent = f.info;
		make(HTML, "b", tip, {}).textContent = f.name;
		tip.insertBefore(tip.lastChild, tip.firstChild);
		tip.style.maxWidth = Math.min(520, all.width - 2 * MARGIN) + "px";
		tip_box.setAttribute("width", all.width);
		tip_box.removeAttribute("display");
		x = Math.min(x + 14, all.width - MARGIN - tip.offsetWidth);
		y += y + 18 + tip.offsetHeight > innerHeight - all.top ? -10 - tip.offsetHeight : 18;
		tip_box.setAttribute("x", Math.max(0, x));
		tip_box.setAttribute("y", Math.max(-all.top, y));
	}

	function hide_tip() {
		tip_box.setAttribute("display", "none");
	}

	function frame_at(e) {
		var g = e.target.closest ? e.target.closest("g") : null;
		return g && g.flame ? g.flame : null;
	}

	function show_tip_at(e) {
		var f = frame_at(e), all = svg.getBoundingClientRect();
		if (f)
			show_tip(f, e.clientX - all.left, e.clientY - all.top);
	}

	// --- keys: Tab goes to one frame, arrows from it to its neighbours as they are seen ---

	function focus_on(f, really) {
		if (current)
			current.rect.setAttribute("tabindex", -1);
		current = f;
		f.rect.setAttribute("tabindex", 0);
		if (really)
			f.rect.focus();
	}

	function first_child(f) {
		for (var i = f.index + 1; i < frames.length && frames[i].depth > f.depth; i++) {
			if (frames[i].shown && frames[i].depth === f.depth + 1)
				return frames[i];
		}
		return null;
	}

	// The next one of its depth, to the right (step 1) or to the left (-1).
	function beside(f, step) {
		for (var i = f.index + step; frames[i]; i += step) {
			if (frames[i].shown && frames[i].depth === f.depth)
				return frames[i];
		}
		return null;
	}

	function neighbour(f, key) {
		switch (key) {
		case "ArrowUp": return up ? first_child(f) : f.parent;
		case "ArrowDown": return up ? f.parent : first_child(f);
		case "ArrowLeft": return beside(f, -1);
		case "ArrowRight": return beside(f, 1);
		case "Home": return zoom;
		}
		return undefined;
	}

	function on_frame_key(e) {
		var f = frame_at(e), next = f ? neighbour(f, e.key) : undefined;
		if (f && (e.key === "Enter" || e.key === " ")) {
			zoom_to(f);
			f.rect.focus();
		} else if (next) {
			focus_on(next, true);
		} else if (next === undefined) {
			return;
		}
		e.preventDefault();
	}

	// From the search, Enter goes to the next match and Ctrl-F to the browser's own.
	function on_key(e) {
		var typing = e.target === input, find = (e.ctrlKey || e.metaKey) && e.key === "f";
		if (!typing && (find || e.key === "/")) {
			input.focus();
			input.select();
		} else if (typing && e.key === "Enter") {
			var hits = frames.filter(function (f) { return f.hit && f.shown; });
			if (hits.length)
				focus_on(hits.find(function (f) { return f.index > current.index; }) ||
					 hits[0], true);
		} else if (e.key === "Escape") {
			hide_tip();
			if (input.value) {
				input.value = "";
				search();
				remember("replaceState");
			} else {
				zoom_to(frames[0]);
			}
		} else {
			return;
		}
		e.preventDefault();
	}

	// --- the page ---

	var heads = [].map.call(svg.querySelectorAll(".title, .subtitle"), function (text) {
		return { text: text, full: text.textContent };
	});
	read_frames();
	zoom = frames[0];
	var rows = 1 + frames.reduce(function (d, f) { return Math.max(d, f.depth); }, 0);
	var frames_height = 18 * rows, below_width = below.getBBox().width;
	var bar_box = make(SVG, "foreignObject", svg, { height: 30 });
	var bar = make(HTML, "div", bar_box, { "class": "bar" });
	var share = make(HTML, "output", bar, { "aria-live": "polite" });
	var input = make(HTML, "input", bar, { type: "search", placeholder: "Search ( / )",
		"aria-label": "Search frames", spellcheck: "false", autocomplete: "off" });
	var reset = make(HTML, "button", bar, { type: "button" });
	var tip_box = make(SVG, "foreignObject", svg, { "class": "away", height: 1, display: "none" });
	var tip = make(HTML, "div", tip_box, { "class": "tip", "aria-hidden": "true" });

	reset.textContent = "Reset zoom";
	svg.setAttribute("width", "100%");
	svg.setAttribute("preserveAspectRatio", "xMinYMin");
	svg.setAttribute("role", "group");
	group.setAttribute("role", "tree");
	group.setAttribute("aria-label", "Frames");
	// It hears of the focus of its frames, which would give it a place of its own among them.
	group.setAttribute("tabindex", -1);
	svg.insertBefore(bar_box, group);
	focus_on(zoom, false);
	// Without it a phone shows what fits a desk, in tiny letters.
	if (alone)
		make(HTML, "meta", svg, { name: "viewport", content: "width=device-width" });
	resize();

	new ResizeObserver(resize).observe(svg);
	addEventListener("resize", resize);
	reset.addEventListener("click", function () { zoom_to(frames[0]); });
	input.addEventListener("input", function () {
		search();
		remember("replaceState");
	});
	(alone ? document : svg).addEventListener("keydown", on_key);
	group.addEventListener("keydown", on_frame_key);
	group.addEventListener("click", function (e) {
		if (!frame_at(e))
			return;
		zoom_to(frame_at(e));
		// A finger doesn't hover.
		if (e.pointerType === "touch")
			show_tip_at(e);
	});
	group.addEventListener("mousemove", show_tip_at);
	group.addEventListener("mouseleave", hide_tip);
	group.addEventListener("focusin", function (e) {
		var f = frame_at(e), all = svg.getBoundingClientRect(), r;
		if (!f || !f.rect.matches(":focus-visible"))
			return;
		r = f.rect.getBoundingClientRect();
		show_tip(f, r.left - all.left, r.bottom - all.top - 10);
	});
	group.addEventListener("focusout", hide_tip);
	if (alone) {
		svg.style.minHeight = "100vh";
		addEventListener("popstate", recall);
		if (location.hash)
			recall();
	}
	// A deep graph begins at its root.
	if (alone && up)
		scrollTo(0, height);
})();
